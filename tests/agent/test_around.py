"""`dynoscope run -- CMD` around real servers: the address, then numbers, then a clean end."""

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

BIN = Path(sys.executable).parent
WITHIN_S = 180

APP = """
def rank():
    return sum(number * number for number in range(20_000))

def application(environ, start_response):
    rank()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]
"""

INI = """
[uwsgi]
http-socket = 127.0.0.1:{port}
module = app:application
master = true
processes = 2
die-on-term = true
disable-logging = true
"""

MANAGE = """
import sys
from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import HttpResponse
from django.urls import path

import app

def page(request):
    app.rank()
    return HttpResponse("ok")

urlpatterns = [path("pages/<int:number>/", page)]
settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["127.0.0.1"], SECRET_KEY="x", DEBUG=True)
execute_from_command_line(sys.argv)
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(folder: Path, command: list[str]) -> Iterator[tuple[subprocess.Popen, Path]]:
    """The command in `folder`, and the file that holds what it printed."""
    (folder / "app.py").write_text(APP)
    printed = folder / "printed"
    arguments = ["run", "--port", str(free_port()), "--service", "shop", "--", *command]
    with printed.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "dynoscope", *arguments],
            cwd=folder,
            stdout=output,
            stderr=output,
        )
    try:
        yield process, printed
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(40)


def wait_for(printed: Path, pattern: str, app_url: str = "") -> re.Match[str]:
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        if found := re.search(pattern, printed.read_text()):
            return found
        if app_url:
            try:
                httpx.get(app_url, timeout=20)
            except httpx.HTTPError:
                time.sleep(0.1)
    raise AssertionError(f"no {pattern!r} in:\n{printed.read_text()}")


@pytest.mark.parametrize("server", ["uwsgi", "gunicorn", "runserver"])
def test_numbers_of_an_unchanged_app(tmp_path: Path, server: str) -> None:
    port = free_port()
    (tmp_path / "app.ini").write_text(INI.format(port=port))
    (tmp_path / "manage.py").write_text(MANAGE)
    commands = {
        "uwsgi": [str(BIN / "uwsgi"), "app.ini"],
        "gunicorn": [str(BIN / "gunicorn"), "-b", f"127.0.0.1:{port}", "app:application"],
        "runserver": [sys.executable, "manage.py", "runserver", f"127.0.0.1:{port}"],
    }
    endpoint = "GET /pages/<number>/" if server == "runserver" else "GET (unmatched)"
    with running(tmp_path, commands[server]) as (process, printed):
        address = wait_for(printed, r"dashboards at (\S+)")[1]
        wait_for(
            printed,
            re.escape(f"first numbers: {endpoint} costs ") + r"[\d,]+ (cpu_ns|instructions)",
            f"http://127.0.0.1:{port}/pages/7/",
        )
        with httpx.Client(follow_redirects=True) as browser:
            assert browser.get(address).status_code == 200
            rows = browser.get(f"{address.partition('?')[0]}v1/services").json()["data"]
            assert [row["service"] for row in rows] == ["shop"]
    assert process.returncode is not None


def test_a_command_that_cannot_be_started(tmp_path: Path) -> None:
    with running(tmp_path, ["/no/such/server"]) as (process, printed):
        assert process.wait(60) == 2
    assert "cannot start /no/such/server: No such file" in printed.read_text()
