"""`dynoscope gate` on real applications, under the real callgrind."""

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.alerting.gate.repositories import edit, repository

ROOT = Path(__file__).parents[3]


def gate(folder: Path, *words: str, status: int = 0) -> str:
    """What it prints; the exit status is checked."""
    ended = subprocess.run(
        [sys.executable, str(ROOT / "dynoscope.py"), "gate", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=1700,
    )
    assert ended.returncode == status, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


@pytest.mark.timeout(1800)
def test_a_rise_inside_c_is_found_and_its_python_function_named(tmp_path: Path) -> None:
    app = repository(tmp_path / "app", "flask_app")
    edit(app, "catalogue.py", "number * 7919 % 1009", "sum([number] * 79) % 1009")
    words = gate(
        app, "run", "--base", "main", "--counter", "callgrind",
        "--format", "table,md,html,json,junit,github", "--out", "out", status=1,
    )  # fmt: skip
    read = json.loads((app / "out/gate.json").read_text())
    verdicts = {one["endpoint"]: one for one in read["endpoints"]}
    assert {name: one["verdict"] for name, one in verdicts.items()} == {
        "GET /items/": "regression",
        "GET /items/<number>/": "regression",
        "POST /orders/": "pass",
    }
    guilty = verdicts["GET /items/"]["functions"][0]
    assert guilty["name"] == "catalogue:price"
    assert (guilty["calls_before"], guilty["calls_after"]) == (40, 40)
    assert guilty["share"] > 0.8
    assert guilty["symbol"]
    assert read["unit"] == "instructions_simulated"
    assert "catalogue:price" in (app / "out/gate.md").read_text()
    assert "catalogue:price" in (app / "out/gate.html").read_text()
    assert ElementTree.parse(app / "out/gate.junit.xml").getroot().get("failures") == "2"
    assert "::error title=CPU of GET /items/::" in words


@pytest.mark.timeout(1800)
def test_the_same_code_counts_the_same_to_the_digit(tmp_path: Path) -> None:
    """With a database, a POST that writes, random bytes and the clock in the answers."""
    app = repository(tmp_path / "app", "django_app")
    edit(app, ".gitignore", "__pycache__", "*.tmp\n__pycache__", "Nothing that runs")
    gate(app, "run", "--base", "main", "--counter", "callgrind", "--format", "json", "--out", "out")
    read = json.loads((app / "out/gate.json").read_text())
    assert read["verdict"] == "pass"
    assert [one["rise"] for one in read["endpoints"]] == [0.0, 0.0]
    assert all(one["before"] > 100_000 for one in read["endpoints"])


def test_an_endpoint_that_answers_otherwise_is_no_pass(tmp_path: Path) -> None:
    app = repository(tmp_path / "app", "flask_app")
    edit(app, "shop.py", "}, 201", "}, 200")
    settings = (app / "gate.toml").read_text()
    (app / "gate.toml").write_text(settings.replace("layouts = 3", "layouts = 2\nlayouts_max = 2"))
    words = gate(app, "run", "--base", "main", "--counter", "cpu", status=2)
    assert "POST /orders/ answered 200, not 201" in words


def test_an_application_that_does_not_load_is_no_pass(tmp_path: Path) -> None:
    app = repository(tmp_path / "app", "flask_app")
    edit(app, "shop.py", "from catalogue import", "from katalog import")
    words = gate(app, "run", "--base", "main", "--counter", "cpu", status=2)
    assert "No module named 'katalog'" in words


def test_a_missing_base_and_a_missing_file_are_one_sentence(tmp_path: Path) -> None:
    app = repository(tmp_path / "app", "flask_app")
    words = gate(app, "run", "--base", "origin/none", status=2)
    assert "has no commit 'origin/none'" in words
    assert "Traceback" not in words
    (app / "gate.toml").unlink()
    assert "gate record" in gate(app, "run", "--base", "main", status=2)


def test_halves_measured_apart_are_compared(tmp_path: Path) -> None:
    """In CPU time, which is quick: a tenfold rise is certain however busy the machine is."""
    app = repository(tmp_path / "app", "flask_app")
    edit(app, "catalogue.py", "number * 7919 % 1009", "sum([number] * 7919) % 1009")
    gate(app, "measure", "--ref", "main", "--counter", "cpu", "--out", "base.json")
    gate(app, "measure", "--counter", "cpu", "--out", "head.json")
    words = gate(app, "compare", "base.json", "head.json", status=1)
    assert "GET /items/ costs" in words or "GET /items/<number>/ costs" in words
    assert "CPU time" in words
    assert "look at catalogue:price first" in words, "functions are counted under callgrind"
    (app / "bad.json").write_text("{}")
    assert "is no measurement" in gate(app, "compare", "bad.json", "head.json", status=2)
