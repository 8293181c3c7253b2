"""`dynoscope advise` and `dynoscope capacity`: what to set for the workers, and how far they go."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from collector.client import AskError, ask, default_data_dir
from collector.pool_report import advice_report, capacity_report

__all__ = ["advise", "capacity"]

EXIT_UNANSWERED = 2

Command = Callable[..., None]


def _common(command: Command) -> Command:
    """The flags that both take."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print the API's answer."),
        click.option("--token-file", type=click.Path(path_type=Path), help="Read token."),
        click.option("--url", default="http://127.0.0.1:8600", show_default=True, help="Read API."),
        click.option("--window", default="-1h", show_default=True, help="How far back to look."),
        click.option("--service", default="", help="Service; needed when several send data."),
    ):
        command = option(command)
    return command


@click.command(epilog="Example: dynoscope advise --service shop --window -6h")
@_common
def advise(service: str, window: str, url: str, token_file: Path | None, as_json: bool) -> None:
    """Say what to set for uWSGI: processes, threads, cheaper, restarts, listen, gc.freeze.

    Each with the reason and the numbers behind it, from what was measured in the window.
    """
    answer = _ask("advise", "advice", url, token_file, {"service": service, "from": window})
    _print(answer, advice_report, as_json)


@click.command(epilog="Example: dynoscope capacity --endpoint 'GET /feed/' --limit-ms 250")
@click.option("--endpoint", default="", help="Whose wall time the SLO is about [all].")
@click.option("--limit-ms", default=500.0, show_default=True, help="The SLO's wall time, ms.")
@click.option("--share", default=0.99, show_default=True, help="Share that must be within it.")
@_common
def capacity(
    endpoint: str,
    limit_ms: float,
    share: float,
    service: str,
    window: str,
    url: str,
    token_file: Path | None,
    as_json: bool,
) -> None:
    """Estimate the requests per second and host at which P99 leaves its SLO.

    From the measured cost per request and a queueing model; the mix stays as it was.
    """
    words = {"service": service, "from": window, "endpoint": endpoint}
    words |= {"limit_ms": f"{limit_ms:g}", "share": f"{share:g}"}
    _print(_ask("capacity", "capacity", url, token_file, words), capacity_report, as_json)


def _ask(
    command: str, question: str, url: str, token_file: Path | None, words: dict[str, str]
) -> dict[str, Any]:
    try:
        return ask(url, token_file or default_data_dir() / "read.token", question, words)
    except AskError as error:
        click.echo(f"{command}: {error}", err=True)
        sys.exit(EXIT_UNANSWERED)


def _print(answer: dict[str, Any], report: Callable[[Any], Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(answer, indent=2))
        return
    width = None if sys.stdout.isatty() else 150
    Console(highlight=False, width=width).print(report(answer["data"]))
