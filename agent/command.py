"""`dynoscope agent run` and `dynoscope agent status`."""

import os
import socket
import time
from pathlib import Path

import click

from agent.errors import AgentError

__all__ = ["agent", "default_spool"]


def default_spool() -> Path:
    """Where root, or another user, keeps it."""
    if os.geteuid() == 0:
        return Path("/var/lib/dynoscope/spool")
    return Path.home() / ".local/share/dynoscope/spool"


def _share(context: click.Context, parameter: click.Parameter, text: str) -> float:
    """0.01 for `1%`; refuses what is outside 0.1% to 100%."""
    try:
        share = float(text.removesuffix("%")) / 100
    except ValueError:
        share = 0.0
    if not 0.001 <= share <= 1:
        raise click.BadParameter(f"{text!r} is no share of a core; give 0.1% to 100%, such as 1%")
    return share


_spool_option = click.option(
    "--spool",
    type=click.Path(path_type=Path, file_okay=False),
    default=default_spool,
    show_default="/var/lib/dynoscope/spool, or ~/.local/share/dynoscope/spool",
    help="Folder for what is not yet delivered.",
)


@click.group()
def agent() -> None:
    """The per-host agent: reads the workers' rings, samples stacks, sends both."""


@agent.command("run")
@click.option(
    "--url", default="http://127.0.0.1:8600", show_default=True, help="Address of the collector."
)
@click.option(
    "--ring-dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("/dev/shm/dynoscope"),
    show_default=True,
    help="Folder of the workers' rings; only these workers are looked at.",
)
@_spool_option
@click.option(
    "--token-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File with the ingest token; read anew for every sending.",
)
@click.option(
    "--host",
    default=socket.gethostname,
    show_default="this machine's name",
    help="Host name, where a ring names none.",
)
@click.option("--region", default="", help="Region, where a ring names none.")
@click.option(
    "--budget",
    callback=_share,
    default="1%",
    show_default=True,
    help="Share of one core that the agent and py-spy may use; sampling yields to it.",
)
@click.option(
    "--rate",
    "rate_hz",
    type=click.IntRange(1, 1000),
    default=20,
    show_default=True,
    help="Stacks a second of each profiled worker.",
)
@click.option(
    "--window-s",
    type=click.IntRange(1, 600),
    default=10,
    show_default=True,
    help="How long a chosen set of workers is profiled, s.",
)
@click.option(
    "--flush-s",
    type=click.FloatRange(0.1, 300),
    default=5.0,
    show_default=True,
    help="How often rings are read and rows sent, s.",
)
@click.option(
    "--statsd-port",
    type=click.IntRange(0, 65_535),
    default=8125,
    show_default=True,
    help="UDP port for StatsD on loopback; 0: none.",
)
@click.option(
    "--metrics-port",
    type=click.IntRange(0, 65_535),
    default=8610,
    show_default=True,
    help="Port of the agent's own /metrics on loopback; 0: none.",
)
@click.option(
    "--scrape",
    multiple=True,
    metavar="URL",
    help="Prometheus text to take in, such as http://127.0.0.1:9100/metrics; may be repeated.",
)
@click.option(
    "--uwsgi-stats",
    multiple=True,
    metavar="ADDRESS",
    help="uWSGI stats socket that is not found by itself: /path, host:port or http://host:port; "
    "may be repeated.",
)
def run_command(
    url: str,
    ring_dir: Path,
    spool: Path,
    token_file: Path | None,
    host: str,
    region: str,
    budget: float,
    rate_hz: int,
    window_s: int,
    flush_s: float,
    statsd_port: int,
    metrics_port: int,
    scrape: tuple[str, ...],
    uwsgi_stats: tuple[str, ...],
) -> None:
    """Run the agent until it is told to stop (SIGTERM or Ctrl-C; within 5 s).

    Example: dynoscope agent run --url http://127.0.0.1:8600 --token-file ingest.token
    """
    from agent.lean import settle_in

    settle_in()
    from agent.run import Config, run  # heavy imports, only for this command

    config = Config(
        url=url.rstrip("/"),
        ring_dir=ring_dir,
        spool=spool,
        token_file=token_file,
        host=host,
        region=region,
        budget=budget,
        rate_hz=rate_hz,
        window_s=window_s,
        flush_s=flush_s,
        statsd_port=statsd_port,
        metrics_port=metrics_port,
        scrape=scrape,
        uwsgi_stats=uwsgi_stats,
    )
    try:
        run(config)
    except AgentError as error:
        raise click.ClickException(str(error)) from error


@agent.command("status")
@_spool_option
@click.option("--json", "as_json", is_flag=True, help="Print status.json as it is.")
def status_command(spool: Path, as_json: bool) -> None:
    """Show what the agent of a spool folder does, what it cannot do, and what it lost.

    Example: dynoscope agent status --spool .demo/web-1/spool
    """
    import json

    from rich.console import Console

    from agent.status import read_status, show_status

    try:
        status = read_status(spool)
    except AgentError as error:
        click.echo(str(error), err=True)
        raise SystemExit(2) from error
    if as_json:
        click.echo(json.dumps(status, indent=1))
    else:
        show_status(status, time.time_ns() // 1_000_000, Console())
