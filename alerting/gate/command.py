"""`dynoscope gate`: does this branch cost more CPU than its budget allows?"""

import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import click

from alerting.gate.config import GateConfig, read_config
from alerting.gate.errors import GateError
from alerting.gate.output import FORMATS, show
from alerting.gate.record import proposed_config
from alerting.gate.run import default_jobs, measure_tree, run_gate
from alerting.gate.stored import read_side, write_side
from collector.client import AskError, ask, default_data_dir
from profiler.gate.verdict import compare_sides

__all__ = ["gate"]

EXITS = {"pass": 0, "regression": 1, "unanswered": 2}
EXIT_UNANSWERED = 2
COUNTERS = click.Choice(["auto", "instructions", "callgrind", "cpu"])

_config = click.option(
    "--file", "config", type=click.Path(path_type=Path), help="Settings [gate.toml of the folder]."
)
_repository = click.option(
    "--repository", type=click.Path(path_type=Path), default=Path("."), show_default=True,
    help="The application's git checkout.",
)  # fmt: skip
_counter = click.option(
    "--counter", type=COUNTERS, default="auto", show_default=True, help="What is counted."
)
_jobs = click.option("--jobs", type=click.IntRange(1), help="Processes at once [all CPUs].")
_python = click.option(
    "--python", help="Interpreter that runs the application [gate.toml's, or this one]."
)
_format = click.option(
    "--format", "formats", default="table", show_default=True,
    help=f"Outputs, by commas: {', '.join(FORMATS)}.",
)  # fmt: skip
_out = click.option(
    "--out", type=click.Path(path_type=Path), help="Folder for the outputs but the table [print]."
)


@click.group()
def gate() -> None:
    """Compare what two commits' endpoints cost, in CI."""
    # A job that is cancelled ends its servers and takes its folders away, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(EXIT_UNANSWERED))


@gate.command(epilog="Example: dynoscope gate run --base origin/main --format table,github")
@click.option("--base", default="origin/main", show_default=True, help="Branch or commit before.")
@_config
@_repository
@_counter
@_jobs
@_python
@_format
@_out
def run(
    base: str,
    config: Path | None,
    repository: Path,
    counter: str,
    jobs: int | None,
    python: str | None,
    formats: str,
    out: Path | None,
) -> None:
    """Measure the point where HEAD left the base, and the working tree.

    Exit status: 0 pass, 1 regression, 2 no answer.
    """
    try:
        settings = _settings(config or repository / "gate.toml", python)
        comparison = run_gate(
            settings, repository.resolve(), base, counter, jobs or default_jobs(), _say
        )
        show(comparison, formats, out)
    except GateError as error:
        _stop(error)
    sys.exit(EXITS[comparison.verdict])


@gate.command(epilog="Example: dynoscope gate measure --out head.json")
@click.option("--ref", help="Commit to measure [the working tree].")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="File to write.")
@_config
@_repository
@_counter
@_jobs
@_python
def measure(
    ref: str | None,
    out: Path,
    config: Path | None,
    repository: Path,
    counter: str,
    jobs: int | None,
    python: str | None,
) -> None:
    """Measure one side, to be compared on the same machine with `gate compare`."""
    try:
        settings = _settings(config or repository / "gate.toml", python)
        side = measure_tree(
            settings, repository.resolve(), ref, counter, jobs or default_jobs(), _say
        )
        write_side(side, out)
    except GateError as error:
        _stop(error)


@gate.command(epilog="Example: dynoscope gate compare base.json head.json")
@click.argument("base", type=click.Path(path_type=Path))
@click.argument("head", type=click.Path(path_type=Path))
@_config
@_format
@_out
def compare(base: Path, head: Path, config: Path | None, formats: str, out: Path | None) -> None:
    """Compare two measured sides; exit 0 pass, 1 regression, 2 no answer."""
    try:
        settings = read_config(config or Path("gate.toml"))
        budgets = {one.name: one.budget for one in settings.endpoints}
        try:
            comparison = compare_sides(read_side(base), read_side(head), budgets)
        except ValueError as error:
            raise GateError(f"{base} and {head}: {error}") from error
        show(comparison, formats, out)
    except GateError as error:
        _stop(error)
    sys.exit(EXITS[comparison.verdict])


@gate.command(epilog="Example: dynoscope gate record --service shop --out gate.toml")
@click.option("--service", default="", help="Service; needed when several send data.")
@click.option("--window", default="-7d", show_default=True, help="How far back to look.")
@click.option("--share", default=0.95, show_default=True, help="Share of the CPU to cover.")
@click.option("--url", default="http://127.0.0.1:8600", show_default=True, help="Read API.")
@click.option("--token-file", type=click.Path(path_type=Path), help="Read token [data folder's].")
@click.option("--out", type=click.Path(path_type=Path), help="File to write [print].")
def record(
    service: str, window: str, share: float, url: str, token_file: Path | None, out: Path | None
) -> None:
    """Propose a first gate.toml from what production sees."""
    try:
        answer = ask(
            url,
            token_file or default_data_dir() / "read.token",
            "endpoints",
            {"service": service, "from": window},
        )
    except AskError as error:
        _stop(GateError(str(error)))
    if not answer["data"]:
        _stop(GateError(f"no request was seen in {window}: name a longer --window"))
    text = proposed_config(answer["data"], share)
    if out is None:
        click.echo(text, nl=False)
    elif out.exists():
        _stop(GateError(f"{out} is there already: name another --out"))
    else:
        out.write_text(text)


def _settings(file: Path, python: str | None) -> GateConfig:
    settings = read_config(file)
    return replace(settings, python=python) if python else settings


def _say(words: str) -> None:
    click.echo(f"gate: {words}", err=True)


def _stop(error: GateError) -> NoReturn:
    click.echo(f"gate: {error}", err=True)
    sys.exit(EXIT_UNANSWERED)
