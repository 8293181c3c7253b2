"""The documents say what is there: commands, flags, tables, routes, environment, bundled rules."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import dynoscope
from alerting.rulebook import BUNDLED_DIR
from collector.questions import questions
from profiler.vocabulary import WIRE

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text()
PROBE = (ROOT / "probe" / "README.md").read_text()


def commands(
    command: click.Command, path: str = "dynoscope"
) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from commands(below, f"{path} {name}")
    else:
        yield path, command


COMMANDS = dict(commands(dynoscope.main))


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_is_in_the_readme(path: str) -> None:
    assert path in README


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_and_flag_says_what_it_does(path: str) -> None:
    command = COMMANDS[path]
    assert command.get_short_help_str()
    silent = [o.name for o in command.params if isinstance(o, click.Option) and not o.help]
    assert silent == []


@pytest.mark.parametrize("table", WIRE)
def test_every_table_is_in_the_architecture(table: str) -> None:
    assert f"| `{table}` |" in ARCHITECTURE


@pytest.mark.parametrize("question", questions())
def test_every_question_is_in_the_architecture(question: str) -> None:
    assert f"`{question}`" in ARCHITECTURE


def test_every_probe_setting_is_in_its_readme() -> None:
    source = "".join(
        path.read_text() for path in sorted((ROOT / "probe/dynoscope_probe").rglob("*.py"))
    )
    names = set(re.findall(r"DYNOSCOPE_[A-Z_]+[A-Z]", source))
    assert {name for name in names if name not in PROBE} == set()


@pytest.mark.parametrize("path", sorted(BUNDLED_DIR.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_bundled_rule_is_in_the_readme(path: Path) -> None:
    rules = re.findall(r"^\s*- name: (\S+)", path.read_text(), re.MULTILINE)
    assert rules
    assert [rule for rule in rules if f"`{rule}`" not in README] == []


def test_the_makefiles_verbs_are_in_contributing_and_have_help() -> None:
    makefile = (ROOT / "Makefile").read_text()
    verbs = re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE)
    assert {"setup", "check", "test", "test-long", "demo", "bench"} <= set(verbs)
    contributing = (ROOT / "CONTRIBUTING.md").read_text()
    assert [verb for verb in verbs if verb != "help" and f"make {verb}" not in contributing] == []
