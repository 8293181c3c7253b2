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
from dataclasses import dataclass
from pathlib import Path

import click
import httpx
from rich.console import Console
from rich.markup import escape

from dynoscope_probe.auto import environment

__all__ = ["run"]

READY_WITHIN_S = 60.0
STOP_WITHIN_S = 15.0
LOOK_EVERY_S = 1.0
EXIT_UNANSWERED = 2


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    epilog="Examples: dynoscope run -- uwsgi app.ini, dynoscope run -- gunicorn app:application, "
    "dynoscope run -- python manage.py runserver",
)
@click.option("--data", type=click.Path(path_type=Path), help="Data folder [.dynoscope here].")
@click.option("--port", default=8600, show_default=True, help="Port of the dashboards.")
@click.option("--service", default="", help="Service name [this folder's name].")
@click.option("--rate", default=20, show_default=True, help="Stack samples per second, Hz.")
@click.argument("command", nargs=-1, required=True)
def run(data: Path | None, port: int, service: str, rate: int, command: Sequence[str]) -> None:
    """Run CMD (uwsgi, gunicorn, manage.py runserver, ...) and see what its endpoints cost."""
    folder = (data or Path(".dynoscope")).resolve()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    with ExitStack() as cleanup:
        rings = Path(cleanup.enter_context(_ring_folder()))
        url = f"http://127.0.0.1:{_free_port(port)}"
        serve = _start_serve(folder, url)
        cleanup.callback(_stop, serve)
        token = _wait_ready(url, folder, serve, console)
        agent = _start_agent(folder, rings, url, rate)
        cleanup.callback(_stop, agent)
        environ = environment(list(command), dict(os.environ))
        environ |= {"DYNOSCOPE_RING_DIR": str(rings)}
        environ.setdefault("DYNOSCOPE_SERVICE", service or Path.cwd().name)
        console.print(f"dynoscope: dashboards at [bold]{url}/?token={token}[/bold]")
        watch = _Watch(url, token, {"serve": serve, "agent": agent}, folder, console)
        sys.exit(_run_command(command, environ, watch, console))


@dataclass(slots=True)
class _Watch:
    """Tells once what there is to tell: the first numbers, and if a process of ours has ended."""

    url: str
    token: str
    ours: dict[str, "subprocess.Popen[bytes]"]
    folder: Path
    console: Console
    seen: bool = False

    def look(self) -> None:
        for name in [name for name, process in self.ours.items() if process.poll() is not None]:
            del self.ours[name]
            log = self.folder / f"{name}.log"
            self.console.print(f"dynoscope: {name} has ended; the app runs on. {_last_line(log)}")
        if not self.seen and "serve" in self.ours:
            self._first_numbers()

    def _first_numbers(self) -> None:
        headers = {"Authorization": f"Bearer {self.token}"}
        try:
            answer = httpx.get(f"{self.url}/v1/endpoints", headers=headers, timeout=5).json()
            rows = answer["data"]
        except (httpx.HTTPError, ValueError, KeyError):
            return
        if rows:
            self.seen = True
            first = rows[0]
            cost = f"{first['cost']:,.0f} {first['cost_unit']}"
            self.console.print(
                f"dynoscope: first numbers: {escape(first['endpoint'])} costs {cost} per request"
            )


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


def _start_serve(folder: Path, url: str) -> "subprocess.Popen[bytes]":
    port = url.rpartition(":")[2]
    return _dynoscope("serve", "--data", str(folder), "--port", port, log=folder / "serve.log")


def _start_agent(folder: Path, rings: Path, url: str, rate: int) -> "subprocess.Popen[bytes]":
    arguments = ["agent", "run", "--url", url, "--ring-dir", str(rings)]
    arguments += ["--spool", str(folder / "spool"), "--token-file", str(folder / "ingest.token")]
    arguments += ["--rate", str(rate), "--flush-s", "2", "--budget", "5%"]
    arguments += ["--statsd-port", "0", "--metrics-port", "0"]
    return _dynoscope(*arguments, log=folder / "agent.log")


def _wait_ready(url: str, folder: Path, serve: "subprocess.Popen[bytes]", console: Console) -> str:
    """Until serve answers; its read token."""
    log = folder / "serve.log"
    deadline = time.monotonic() + READY_WITHIN_S
    with console.status("dynoscope: starting the dashboards"):
        while time.monotonic() < deadline and serve.poll() is None:
            try:
                if httpx.get(f"{url}/readyz", timeout=2).status_code == 200:
                    return (folder / "read.token").read_text().strip()
            except (httpx.HTTPError, OSError):
                pass
            time.sleep(0.2)
    raise click.ClickException(f"serve does not answer at {url}. {_last_line(log)}")


def _run_command(
    command: Sequence[str], environ: dict[str, str], watch: _Watch, console: Console
) -> int:
    try:
        app = subprocess.Popen(command, env=environ)
    except OSError as error:
        console.print(f"dynoscope: cannot start {command[0]}: {error.strerror}")
        return EXIT_UNANSWERED
    signal.signal(signal.SIGTERM, lambda *_: app.terminate())
    while True:
        try:
            return app.wait(LOOK_EVERY_S)
        except subprocess.TimeoutExpired:
            watch.look()
        except KeyboardInterrupt:
            continue  # the terminal sent it to the app, too: it decides


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return f"Last line of {log}: {lines[-1]}" if lines else f"{log} is empty."


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
