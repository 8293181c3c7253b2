"""The GitHub action and the repository's own gate.toml."""

import re
import subprocess
from pathlib import Path

import yaml

from alerting.gate.command import run
from alerting.gate.config import read_config
from alerting.gate.output import FORMATS

ROOT = Path(__file__).parents[3]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS = ACTION["runs"]["steps"]


def test_no_step_puts_an_input_into_its_script() -> None:
    """What a branch is called must not run as a command."""
    assert all("${{" not in step["run"] for step in STEPS)
    for step in STEPS:
        checked = subprocess.run(["bash", "-n", "-c", step["run"]], capture_output=True, text=True)
        assert checked.returncode == 0, checked.stderr


def test_it_calls_the_gate_with_flags_and_formats_that_exist() -> None:
    script = STEPS[-1]["run"]
    flags = {flag for option in run.params for flag in option.opts}
    assert set(re.findall(r"(?<![\w-])--[a-z-]+", script)) <= flags
    (formats,) = re.findall(r"--format (\S+)", script)
    assert set(formats.split(",")) == set(FORMATS)


def test_every_input_is_used() -> None:
    given = " ".join(value for step in STEPS for value in step.get("env", {}).values())
    assert all(f"inputs.{name} " in given for name in ACTION["inputs"])


def test_the_repositorys_own_settings_name_routes_that_the_service_has() -> None:
    config = read_config(ROOT / "gate.toml")
    urls = (ROOT / "demo_stack/service/urls.py").read_text()
    for endpoint in config.endpoints:
        method, _, route = endpoint.name.partition(" ")
        assert method == "GET"
        assert f'"{route.lstrip("/")}"' in urls
