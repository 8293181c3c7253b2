"""`dynoscope flags`: what each flag value costs."""

import json
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from collector.client import AskError, ask, default_data_dir
from collector.report import COLOURS, cost_text

__all__ = ["flags"]

EXIT_FINDING = 1
EXIT_UNANSWERED = 2


@click.command(epilog="Example: dynoscope flags --window -24h")
@click.option("--service", default="", help="Service; needed when several send data.")
@click.option("--endpoint", default="", help="Only this endpoint, such as 'GET /api/v1/feed/'.")
@click.option("--window", default="-24h", show_default=True, help="How far back to look.")
@click.option("--url", default="http://127.0.0.1:8600", show_default=True, help="Read API.")
@click.option("--token-file", type=click.Path(path_type=Path), help="Read token [data folder's].")
@click.option("--json", "as_json", is_flag=True, help="Print the API's answer.")
@click.option("--fail-on", type=click.Choice(["regression"]), help="Exit 1 when that is found.")
def flags(
    service: str,
    endpoint: str,
    window: str,
    url: str,
    token_file: Path | None,
    as_json: bool,
    fail_on: str | None,
) -> None:
    """Rank every flag value by what it costs per request and the fleet, against its control."""
    token = token_file or default_data_dir() / "read.token"
    asked = {"service": service, "endpoint": endpoint, "from": window}
    try:
        answer = ask(url, token, "flags", asked)
    except AskError as error:
        click.echo(f"flags: {error}", err=True)
        sys.exit(EXIT_UNANSWERED)
    if as_json:
        click.echo(json.dumps(answer, indent=2))
    elif answer["data"]:
        width = None if sys.stdout.isatty() else 150
        Console(highlight=False, width=width).print(_table(answer["data"]))
    else:
        click.echo("no flag was seen with two values in this time")
    if fail_on and any(row["verdict"] == fail_on for row in answer["data"]):
        sys.exit(EXIT_FINDING)


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(title="Flag values, CPU per request", title_justify="left", expand=False)
    table.add_column("flag", no_wrap=True)
    for name in ("control", "cost", "change", "95% interval", "p", "fleet", "if all had it"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict")
    for row in rows:
        unit, spread = row["unit"], row["relative"]
        low, value, high = (
            "-" if spread[key] is None else f"{spread[key]:+.1%}"
            for key in ("low", "value", "high")
        )
        p = row["p_corrected"]
        style = COLOURS.get(row["verdict"], "")
        table.add_row(
            escape(f"{row['flag']}={row['value']}"),
            escape(f"{row['control']} {cost_text(row['control_cost'], unit)}"),
            cost_text(row["cost"], unit),
            value,
            f"{low} to {high}",
            "-" if p is None else "<0.001" if p < 0.001 else f"{p:.3f}",
            f"{cost_text(row['fleet_per_s'], unit, sign=True)}/s",
            f"{cost_text(row['rollout_per_s'], unit, sign=True)}/s",
            f"[{style}]{row['verdict']}[/]" if style else row["verdict"],
        )
    return table
