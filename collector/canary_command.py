"""`dynoscope canary`: may the roll-out go on?"""

import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from collector.canary_report import canary_report
from collector.client import AskError, ask, default_data_dir

__all__ = ["canary", "watched"]

EXITS = {"pass": 0, "regression": 1}
EXIT_UNANSWERED = 2
EVERY_S = 5.0
#: Beside --for: until the canary's first request, and until its last ones are stored.
PATIENCE_S = 120.0
_TIME = re.compile(r"(\d+)([smh])")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


@click.command(epilog="Example: dynoscope canary --release r2 --control r1 --for 10m")
@click.option("--release", required=True, help="The release that is being rolled out.")
@click.option("--control", required=True, help="The release that the other hosts run.")
@click.option("--for", "for_", default="10m", show_default=True, help="How long it is watched.")
@click.option("--service", default="", help="Service; needed when several send data.")
@click.option("--endpoint", default="", help="Only this endpoint, such as 'GET /api/v1/feed/'.")
@click.option("--max-cost-rise", help="Accepted rise of an endpoint's CPU per request [5%].")
@click.option("--max-latency-rise", help="Of requests slower than the control's P95 [2.5%].")
@click.option("--max-error-rise", help="Of requests that fail [1%].")
@click.option("--max-status-rise", help="Of requests with one status of 300 to 499 [2%].")
@click.option("--max-memory-rise", help="Of a worker's resident memory [10%].")
@click.option("--window", default="-2h", show_default=True, help="How long ago it may have begun.")
@click.option("--wait/--no-wait", default=True, help="Wait for the verdict [yes].")
@click.option("--url", default="http://127.0.0.1:8600", show_default=True, help="Read API.")
@click.option("--token-file", type=click.Path(path_type=Path), help="Read token [data folder's].")
@click.option("--json", "as_json", is_flag=True, help="Print the API's answer.")
def canary(
    release: str,
    control: str,
    for_: str,
    service: str,
    endpoint: str,
    window: str,
    wait: bool,
    url: str,
    token_file: Path | None,
    as_json: bool,
    **rises: str | None,
) -> None:
    """Compare a canary with the control at the same minutes; stop early when it is worse.

    Cost, latency, errors, status codes per endpoint, and memory, since the canary's first request.
    Exit status: 0 pass, 1 regression, 2 cannot tell.
    """
    for_s = _for_s(for_)
    asked = {"release": release, "control": control, "for_s": f"{for_s}", "service": service}
    asked |= {"endpoint": endpoint, "from": window}
    asked |= {_word(name): _share(name, text) for name, text in rises.items() if text}
    token = token_file or default_data_dir() / "read.token"

    def question() -> dict[str, Any]:
        return ask(url, token, "canary", asked)

    try:
        answer = watched(question, for_s if wait else 0, _say, time.monotonic, time.sleep)
    except AskError as error:
        click.echo(f"canary: {error}", err=True)
        sys.exit(EXIT_UNANSWERED)
    if as_json:
        click.echo(json.dumps(answer, indent=2))
    else:
        width = None if sys.stdout.isatty() else 150
        Console(highlight=False, width=width).print(canary_report(answer["data"]))
    sys.exit(EXITS.get(answer["data"]["verdict"], EXIT_UNANSWERED))


def watched(
    question: Callable[[], dict[str, Any]],
    for_s: float,
    say: Callable[[str], None],
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> dict[str, Any]:
    """Ask until there is a verdict; the newest answer when `for_s` and some patience are over.

    A collector that does not answer for a while is asked again: a roll-out outlives its restart.
    """
    until_s = clock() + for_s + PATIENCE_S if for_s else clock()
    said = ""
    while True:
        try:
            answer = question()
        except AskError:
            if clock() >= until_s or not said:
                raise
            sleep(EVERY_S)
            continue
        data = answer["data"]
        if data["verdict"] != "waiting" or clock() >= until_s:
            return answer
        if data["headline"] != said:
            said = data["headline"]
            say(said)
        sleep(EVERY_S)


def _for_s(text: str) -> int:
    found = _TIME.fullmatch(text)
    seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
    if not 30 <= seconds <= 86_400:
        raise click.BadParameter(
            f"{text!r} is no time from 30s to 24h; write such as 90s, 10m, 1h", param_hint="--for"
        )
    return seconds


def _word(name: str) -> str:
    """The API's word for a flag: errors, of which there are many."""
    return name.replace("max_error_", "max_errors_")


def _share(name: str, text: str) -> str:
    """5% and 0.05 are the same."""
    try:
        share = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share < 10:
        hint = f"--{name.replace('_', '-')}"
        raise click.BadParameter(f"{text!r} is no share; write such as 5% or 0.05", param_hint=hint)
    return f"{share:.9g}"


def _say(words: str) -> None:
    click.echo(f"canary: {words}", err=True)
