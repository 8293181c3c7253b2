"""`dynoscope run -- CMD`: collector, dashboards and an agent around any WSGI app's start command.

The command runs unchanged with the probe in its environment; what it prints goes to the terminal,
and its exit status is ours. The platform's own processes are started by their commands, as an
operator would, and end with it.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import click
import httpx
from rich.console import Console

from dynoscope_probe.auto import environment

__all__ = ["run"]

READY_WITHIN_S = 60.0
STOP_WITHIN_S = 15.0
EXIT_UNANSWERED = 2


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    epilog="Examples: dynoscope run -- uwsgi app.ini, dynoscope run -- gunicorn app:application, "
    "dynoscope run -- python manage.py runserver",
)
@click.option("--data", type=click.Path(path_type=Path), help="Data folder [.dynoscope here].")
@click.option("--port", default=8600, show_default=True, help="Port of the dashboards.")
@click.option("--service", default="", help="Service name [this folder's name].")
@click.option("--rate", default=20.0, show_default=True, help="Stack samples per second, Hz.")
@click.argument("command", nargs=-1, required=True)
def run(data: Path | None, port: int, service: str, rate: float, command: Sequence[str]) -> None:
    """Run CMD (uwsgi, gunicorn, manage.py runserver, ...) and see what its endpoints cost."""
    folder = (data or Path(".dynoscope")).resolve()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    console = Console(stderr=True, highlight=False)
    with ExitStack() as cleanup:
        rings = Path(cleanup.enter_context(_ring_folder()))
        port = _free_port(port)
        url = f"http://127.0.0.1:{port}"
        cleanup.callback(_stop, _start_serve(folder, port))
        token = _wait_ready(url, folder, console)
        cleanup.callback(_stop, _start_agent(folder, rings, url, rate))
        environ = environment(list(command), dict(os.environ))
        environ |= {"DYNOSCOPE_RING_DIR": str(rings)}
        environ.setdefault("DYNOSCOPE_SERVICE", service or Path.cwd().name)
        console.print(f"dynoscope: dashboards at [bold]{url}/?token={token}[/bold]")
        sys.exit(_run_command(command, environ, console))


def _ring_folder() -> "tempfile.TemporaryDirectory[str]":
    """A folder for this run's rings, in memory where there is some."""
    shared = Path("/dev/shm")
    return tempfile.TemporaryDirectory(
        prefix="dynoscope-run-", dir=shared if os.access(shared, os.W_OK) else None
    )


def _free_port(wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise click.ClickException("no free port on 127.0.0.1")


def _dynoscope(*arguments: str, log: Path) -> "subprocess.Popen[bytes]":
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "dynoscope", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C goes to the app; these end after it
        )


def _start_serve(folder: Path, port: int) -> "subprocess.Popen[bytes]":
    return _dynoscope("serve", "--data", str(folder), "--port", str(port), log=folder / "serve.log")


def _start_agent(folder: Path, rings: Path, url: str, rate: float) -> "subprocess.Popen[bytes]":
    arguments = ["agent", "run", "--url", url, "--ring-dir", str(rings)]
    arguments += ["--spool", str(folder / "spool"), "--token-file", str(folder / "ingest.token")]
    arguments += ["--rate", str(rate), "--flush-s", "2", "--budget", "5%"]
    return _dynoscope(*arguments, log=folder / "agent.log")


def _wait_ready(url: str, folder: Path, console: Console) -> str:
    """Until serve answers; its read token."""
    deadline = time.monotonic() + READY_WITHIN_S
    with console.status("dynoscope: starting the dashboards"):
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{url}/readyz", timeout=2).status_code == 200:
                    return (folder / "read.token").read_text().strip()
            except (httpx.HTTPError, OSError):
                pass
            time.sleep(0.2)
    raise click.ClickException(f"serve did not answer at {url}; see {folder / 'serve.log'}")


def _run_command(command: Sequence[str], environ: dict[str, str], console: Console) -> int:
    try:
        app = subprocess.Popen(command, env=environ)
    except OSError as error:
        console.print(f"dynoscope: cannot start {command[0]}: {error.strerror}")
        return EXIT_UNANSWERED
    signal.signal(signal.SIGTERM, lambda *_: app.terminate())
    while True:
        try:
            return app.wait()
        except KeyboardInterrupt:
            continue  # the terminal sent it to the app, too: it decides


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
