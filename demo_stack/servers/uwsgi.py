"""uWSGI: one master with two workers is one "host" of the service."""

import sys
from collections.abc import Mapping
from pathlib import Path

from demo_stack.processes import Launch
from demo_stack.servers.readiness import http_answers

__all__ = ["WORKERS", "uwsgi"]

WORKERS = 2
#: While one host restarts on a slow machine, the other's queue is long.
LISTEN = 1024
#: uWSGI does not start with a longer queue than the kernel allows.
SOMAXCONN = Path("/proc/sys/net/core/somaxconn")
#: The two lines with dynoscope are all that an app needs for the probe.
INI = """\
[uwsgi]
http-socket = 127.0.0.1:{port}
chdir = {release}
pythonpath = {release}
home = {prefix}
module = photos.wsgi:application
master = true
processes = {workers}
need-app = true
single-interpreter = true
disable-logging = true
hook-master-start = unix_signal:15 gracefully_kill_them_all
vacuum = true
listen = {listen}
procname-prefix = {host}-
worker-reload-mercy = 30
py-call-osafterfork = true
import = dynoscope_probe.uwsgi
"""


def uwsgi(home: Path, host: str, port: int, release: Path, env: Mapping[str, str]) -> Launch:
    """The host's master, serving the release in this folder on `port` (HTTP)."""
    folder = home / host
    folder.mkdir(exist_ok=True)
    ini = folder / "uwsgi.ini"
    ini.write_text(
        INI.format(
            port=port,
            release=release,
            prefix=sys.prefix,
            workers=WORKERS,
            host=host,
            listen=min(LISTEN, int(SOMAXCONN.read_text())),
        )
    )
    return Launch(
        name=host,
        argv=[sys.executable, str(Path(sys.executable).parent / "uwsgi"), "--ini", str(ini)],
        missing=lambda: http_answers(f"http://127.0.0.1:{port}/healthz"),
        port=port,
        env=env,
        cwd=release,
        stop_s=35,
    )
