"""`dynoscope doctor`: what can and cannot be done on this host, and how to mend it."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

from agent.command import default_spool
from agent.doctor.findings import Finding

__all__ = ["doctor"]

EXIT_FINDING = 1
COLOURS = {"ok": "green", "warning": "yellow", "failed": "bold red"}


@click.command(epilog="Example: dynoscope doctor --url http://collector:8600 --token-file token")
@click.option(
    "--url", default="http://127.0.0.1:8600", show_default=True, help="Address of the collector."
)
@click.option(
    "--ring-dir",
    type=click.Path(path_type=Path),
    default=Path("/dev/shm/dynoscope"),
    show_default=True,
    help="Folder of the workers' rings.",
)
@click.option(
    "--spool",
    type=click.Path(path_type=Path),
    default=default_spool,
    show_default="as for `agent run`",
    help="The agent's folder for what is not yet delivered.",
)
@click.option(
    "--token-file", type=click.Path(path_type=Path), help="File with the agent's ingest token."
)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def doctor(url: str, ring_dir: Path, spool: Path, token_file: Path | None, as_json: bool) -> None:
    """Check this host: counters, ptrace, rings, uWSGI, py-spy, collector, token, clock, spool.

    Run it as the agent's user, in its place. Exits with 1 when a check failed.
    """
    from agent.doctor.checks import findings
    from agent.doctor.look import look
    from agent.sampler import py_spy_binary

    facts = look(
        url=url, ring_dir=ring_dir, spool=spool, token_file=token_file, py_spy=py_spy_binary()
    )
    found = findings(facts)
    if as_json:
        click.echo(json.dumps({"data": [asdict(one) for one in found]}, indent=1))
    else:
        _print(found)
    if any(one.state == "failed" for one in found):
        sys.exit(EXIT_FINDING)


def _print(found: Sequence[Finding]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    width = max(len(one.check) for one in found)
    for one in found:
        state = f"[{COLOURS[one.state]}]{one.state:<7}[/]"
        console.print(f"{state}  {one.check:<{width}}  {escape(one.says)}")
        if one.mend:
            console.print(f"{'':{9 + width}}  mend: {escape(one.mend)}")
    counts = {state: sum(one.state == state for one in found) for state in COLOURS}
    console.print(", ".join(f"{count} {state}" for state, count in counts.items()))
