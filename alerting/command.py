"""`dynoscope rules`: questions about rule files. `dynoscope alerts`: what on-call does."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click
import httpx

from alerting.rule_words import seconds_of
from alerting.rulebook import read_rules

__all__ = ["alerts", "rules"]

EXIT_FINDING = 1
EXIT_UNANSWERED = 2
#: Comparisons of releases take seconds each.
REPLAY_S = 600.0
Command = TypeVar("Command", bound=Callable[..., Any])


@click.group()
def rules() -> None:
    """Check, test and replay rule files."""


@rules.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.pass_context
def check(context: click.Context, files: tuple[Path, ...]) -> None:
    """Say whether rule FILES are valid; exit status 1 if one is not."""
    broken = False
    for file in files:
        found, problems = read_rules(file)
        for problem in problems:
            click.echo(str(problem), err=True)
        others = len(found.all) - len(found.slos)
        if not problems:
            click.echo(f"{file}: {len(found.slos)} SLOs, {others} alert rules, all good")
        broken = broken or bool(problems)
    context.exit(EXIT_FINDING if broken else 0)


@rules.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def test(files: tuple[Path, ...]) -> None:
    """Run rule test FILES (series in, alerts expected); exit status 1 if one fails."""
    from alerting.rule_tests import run_rule_tests  # the embedded database

    failed = False
    for file in files:
        run = run_rule_tests(file)
        for failure in run.failures:
            click.echo(str(failure), err=True)
        click.echo(f"{file}: {run.passed} passed, {len(run.failures)} failures")
        failed = failed or bool(run.failures)
    sys.exit(EXIT_FINDING if failed else 0)


def _server(command: Command) -> Command:
    """--url and --token-file of the server that is asked."""
    command = click.option("--token-file", type=click.Path(path_type=Path), help="File of token.")(
        command
    )
    return click.option(
        "--url", default="http://127.0.0.1:8600", show_default=True, help="Server to ask."
    )(command)


@rules.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--last", default="30d", show_default=True, help="How far back to look.")
@click.option("--json", "as_json", is_flag=True, help="Print the API's answer.")
@_server
def replay(file: Path, last: str, as_json: bool, url: str, token_file: Path | None) -> None:
    """Say when the rules of a FILE would have alerted; exit status 1 if one would have."""
    found, problems = read_rules(file)
    if problems or not found.all:
        click.echo(f"rules replay: {problems[0] if problems else f'{file} has no rules'}", err=True)
        sys.exit(EXIT_UNANSWERED)
    try:
        body = {"rules": file.read_text("utf-8"), "last_s": seconds_of(last)}
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--last") from error
    answer = _asked("rules replay", "POST", url, token_file, "read", "rules/replay", body, REPLAY_S)
    past = answer.json()["data"]
    if as_json:
        click.echo(json.dumps(past, indent=2))
    else:
        _tell_past(past)
    sys.exit(EXIT_FINDING if past["fired"] else 0)


def _tell_past(past: dict[str, Any]) -> None:
    click.echo(f"From {_time(past['from_ms'])} to {_time(past['to_ms'])}:")
    for one in past["fired"]:
        ended = _time(one["ended_ms"]) if one["ended_ms"] else "still firing"
        why = one["what"] or f"burn above {one['factor']:g}"
        click.echo(
            f"{_time(one['started_ms'])} to {ended}  {one['severity']}  {one['rule']} in "
            f"{one['service'] or 'no service'} ({why})"
        )
    pages = sum(len(one["paged_ms"]) for one in past["fired"])
    tickets = sum(not one["paged_ms"] for one in past["fired"])
    click.echo(f"{pages} pages, {tickets} tickets")
    for note in past["notes"]:
        click.echo(f"note: {note}")


@click.group()
def alerts() -> None:
    """Acknowledge, silence and export alerts."""


@alerts.command()
@click.argument("alert_id", metavar="ID")
@click.option("--by", required=True, help="Who looks after it.")
@click.option("--reason", required=True, help="What is being done.")
@_server
def ack(alert_id: str, by: str, reason: str, url: str, token_file: Path | None) -> None:
    """Acknowledge the firing alert ID: it is not repeated."""
    body = {"by": by, "reason": reason}
    _asked("alerts ack", "POST", url, token_file, "admin", f"alerts/{alert_id}/ack", body)
    click.echo(f"acknowledged {alert_id}")


@alerts.command(epilog="Example: dynoscope alerts silence service=shop --for 2h --by ann ...")
@click.argument("matchers", nargs=-1, required=True, metavar="LABEL=REGEX...")
@click.option("--for", "lasts", required=True, help="How long, such as 2h.")
@click.option("--by", required=True, help="Who says so.")
@click.option("--reason", required=True, help="Why.")
@_server
def silence(
    matchers: tuple[str, ...], lasts: str, by: str, reason: str, url: str, token_file: Path | None
) -> None:
    """Send no alert whose labels match, for a while. `rule` and `severity` are labels, too."""
    pairs = [matcher.partition("=") for matcher in matchers]
    if not all(name and equals and pattern for name, equals, pattern in pairs):
        raise click.BadParameter("write LABEL=REGEX, such as service=shop", param_hint="MATCHERS")
    try:
        for_s = seconds_of(lasts)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--for") from error
    body = {
        "matchers": {name: pattern for name, _, pattern in pairs},
        "for_s": for_s,
        "by": by,
        "reason": reason,
    }
    made = _asked("alerts silence", "POST", url, token_file, "admin", "silences", body).json()
    click.echo(f"silence {made['id']} until {_time(made['ends_ms'])}")


@alerts.command()
@click.argument("alert_id", metavar="ID")
@click.option("--out", type=click.Path(path_type=Path), help="File to write [standard output].")
@_server
def export(alert_id: str, out: Path | None, url: str, token_file: Path | None) -> None:
    """Write the incident of the alert ID as Markdown: timeline, charts, findings."""
    text = _asked("alerts export", "GET", url, token_file, "read", f"alerts/{alert_id}/export").text
    if out is None:
        click.echo(text)
        return
    try:
        out.write_text(text, "utf-8")
    except OSError as error:
        click.echo(f"alerts export: {out} cannot be written ({error.strerror})", err=True)
        sys.exit(EXIT_UNANSWERED)


def _asked(
    who: str,
    method: str,
    url: str,
    token_file: Path | None,
    kind: str,
    path: str,
    body: dict[str, Any] | None = None,
    timeout_s: float = 60.0,
) -> httpx.Response:
    """The answer; a refusal or no answer is one sentence and exit status 2."""
    from collector.client import default_data_dir

    file = token_file or default_data_dir() / f"{kind}.token"
    try:
        token = file.read_text().strip()
        response = httpx.request(
            method,
            f"{url.rstrip('/')}/v1/{path}",
            headers={"Authorization": f"Bearer {token}"},
            json=body,
            timeout=timeout_s,
        )
    except OSError as error:
        click.echo(f"{who}: cannot read the token file {file} ({error.strerror})", err=True)
        sys.exit(EXIT_UNANSWERED)
    except httpx.HTTPError as error:
        click.echo(f"{who}: nothing answers at {url} ({error}); --url names another", err=True)
        sys.exit(EXIT_UNANSWERED)
    if not response.is_success:
        try:
            reason = response.json()["error"]
        except (ValueError, KeyError, TypeError):
            reason = response.text[:200]
        click.echo(f"{who}: {url} answered {response.status_code}: {reason}", err=True)
        sys.exit(EXIT_UNANSWERED)
    return response


def _time(ts_ms: int) -> str:
    return datetime.fromtimestamp(ts_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
