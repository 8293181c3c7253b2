import subprocess
import sys
from pathlib import Path

from dynoscope_probe import auto

AUTOLOAD = str(Path(auto.__file__).parent / "autoload")


def test_the_environment_is_added_to_not_replaced():
    env = auto.environment(["app"], {"PYTHONPATH": "/mine", "A": "b", "UWSGI_IMPORT": "mine"})
    assert env["PYTHONPATH"] == f"{AUTOLOAD}:/mine"
    assert env["A"] == "b"
    assert env["UWSGI_IMPORT"] == "mine"
    assert env["UWSGI_PY_IMPORT"] == "dynoscope_probe.uwsgi"
    assert env["UWSGI_PY_CALL_OSAFTERFORK"] == "true"
    assert auto.environment(["app"], {})["UWSGI_IMPORT"] == "dynoscope_probe.uwsgi"


def test_a_command_that_has_the_line_gets_it_once():
    env = auto.environment(["uwsgi", "--import", "dynoscope_probe.uwsgi"], {})
    assert "UWSGI_IMPORT" not in env


def run(code, *arguments, **environ):
    return subprocess.run(
        [sys.executable, *arguments, "-c", code], env=environ, check=True,
        capture_output=True, text=True, cwd="/",
    ).stdout  # fmt: skip


def test_the_next_sitecustomize_runs_as_well(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("print('the next one')\nmine = 1\n")
    env = auto.environment([], {"PYTHONPATH": str(tmp_path)})
    out = run("import sitecustomize; print(sitecustomize.mine)", PYTHONPATH=env["PYTHONPATH"])
    assert out == "the next one\n1\n"


def test_without_the_package_installed_only_the_package_is_added(tmp_path):
    """An empty venv's view: no site-packages, so the one package comes from beside the folder."""
    code = """
import sys
sys.path.insert(0, sys.argv[1] if len(sys.argv) > 1 else "")
import dynoscope_probe
print(dynoscope_probe.__file__)
try:
    import tests
except ImportError:
    print("nothing else")
"""
    base = Path(sys.base_prefix) / "bin" / "python3"
    python = str(base) if base.exists() else sys.executable
    out = subprocess.run(
        [python, "-c", code], env=auto.environment([], {}), check=True,
        capture_output=True, text=True, cwd=tmp_path,
    ).stdout.splitlines()  # fmt: skip
    assert Path(out[0]).parent == Path(AUTOLOAD).parent


def test_a_process_that_serves_nothing_is_left_alone(tmp_path):
    env = auto.environment([], {"DYNOSCOPE_RING_DIR": str(tmp_path / "rings")})
    assert run("import json; print(json.dumps(1))", **env) == "1\n"
    assert not (tmp_path / "rings").exists()
