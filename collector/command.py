"""Commands that ask the read API."""

import json
import sys
from pathlib import Path

import click
from rich.console import Console

from collector.client import AskError, ask, default_data_dir
from collector.html_report import comparison_html
from collector.report import comparison_report

__all__ = ["compare"]

EXIT_FINDING = 1
EXIT_UNANSWERED = 2


@click.command(epilog="Example: dynoscope compare r1 r2 --endpoint 'GET /api/v1/feed/'")
@click.argument("a")
@click.argument("b")
@click.option("--service", default="", help="Service; needed when several send data.")
@click.option("--endpoint", default="", help="Only this endpoint, such as 'GET /api/v1/feed/'.")
@click.option("--window", default="-7d", show_default=True, help="How far back to look.")
@click.option("--url", default="http://127.0.0.1:8600", show_default=True, help="Read API.")
@click.option("--token-file", type=click.Path(path_type=Path), help="Read token [data folder's].")
@click.option("--json", "as_json", is_flag=True, help="Print the API's answer.")
@click.option("--html", type=click.Path(path_type=Path), help="Also write a report to this file.")
@click.option("--fail-on", type=click.Choice(["regression"]), help="Exit 1 when that is found.")
def compare(
    a: str,
    b: str,
    service: str,
    endpoint: str,
    window: str,
    url: str,
    token_file: Path | None,
    as_json: bool,
    html: Path | None,
    fail_on: str | None,
) -> None:
    """Compare side B with side A: what costs more CPU, which function, how sure.

    A side is a release (r1), or key:value with release, window, host, region, flag, runtime:
    window:-2h..-1h, host:web-1, flag:new_ranker=on.
    """
    token = token_file or default_data_dir() / "read.token"
    asked = {"a": _side(a), "b": _side(b), "service": service, "endpoint": endpoint, "from": window}
    try:
        answer = ask(url, token, "compare", asked)
        if html:
            guilty = answer["data"]["guilty"]
            of = guilty["endpoint"] if guilty else endpoint
            flame = ask(url, token, "flamegraph", {**asked, "endpoint": of})
            html.write_text(comparison_html(answer, flame), encoding="utf-8")
    except OSError as error:
        click.echo(f"compare: cannot write {html} ({error.strerror})", err=True)
        sys.exit(EXIT_UNANSWERED)
    except AskError as error:
        click.echo(f"compare: {error}", err=True)
        sys.exit(EXIT_UNANSWERED)
    if as_json:
        click.echo(json.dumps(answer, indent=2))
    else:
        Console(highlight=False, width=None if sys.stdout.isatty() else 150).print(
            comparison_report(answer["data"])
        )
    if fail_on and answer["data"]["verdict"] == fail_on:
        sys.exit(EXIT_FINDING)


def _side(text: str) -> str:
    return text if ":" in text else f"release:{text}"
