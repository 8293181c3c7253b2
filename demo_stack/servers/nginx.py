"""nginx: the edge in front of the hosts."""

import getpass
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from string import Template

import psutil

from demo_stack.processes import DemoError, Launch, Started
from demo_stack.servers.installed import installed
from demo_stack.servers.readiness import http_answers

__all__ = ["EDGE", "nginx", "route_around"]

EDGE = "edge"

RELOAD_S = 40.0
POLL_S = 0.02
#: A host that dies refuses connections, and the request then goes to the next one. What was waiting
#: in its queue was not begun, so it may go there too.
CONFIGURATION = Template("""\
daemon off;
$user
worker_processes 1;
pid $folder/nginx.pid;
error_log stderr warn;
events { worker_connections 1024; }
http {
  access_log off;
  client_max_body_size 6m;
  client_body_temp_path $folder/body;
  proxy_temp_path $folder/proxy;
  fastcgi_temp_path $folder/fastcgi;
  uwsgi_temp_path $folder/uwsgi;
  scgi_temp_path $folder/scgi;
  upstream hosts {
$servers
  }
  server {
    listen 127.0.0.1:$port;
    location / {
      proxy_pass http://hosts;
      proxy_set_header Host $$host;
      proxy_set_header X-Request-Id $$request_id;
      proxy_connect_timeout 20s;
      proxy_read_timeout 30s;
      proxy_next_upstream error non_idempotent;
    }
  }
}
""")


def nginx(home: Path, port: int, hosts: Sequence[int]) -> Launch:
    """An nginx on `port` that spreads requests evenly over the hosts' ports."""
    configuration = _write_configuration(home, port, hosts, resting=None)
    return Launch(
        name=EDGE,
        argv=[installed("nginx"), "-p", str(configuration.parent), "-c", str(configuration),
              "-e", "stderr"],
        missing=lambda: http_answers(f"http://127.0.0.1:{port}/healthz"),
        port=port,
    )  # fmt: skip


def route_around(
    home: Path, edge: Started, port: int, hosts: Sequence[int], resting: int | None
) -> None:
    """From now on send nothing to the host on port `resting`; None: to all hosts again.

    Returns when what was sent there before has been answered.
    """
    _write_configuration(home, port, hosts, resting)
    master = psutil.Process(edge.pid)
    before = set(master.children())
    master.send_signal(signal.SIGHUP)
    give_up = time.monotonic() + RELOAD_S
    while not (now := set(master.children())) or now & before:
        if time.monotonic() > give_up:
            raise DemoError(f"nginx did not take its new configuration; see {edge.log}")
        time.sleep(POLL_S)


def _write_configuration(home: Path, port: int, hosts: Sequence[int], resting: int | None) -> Path:
    folder = home / "nginx"
    folder.mkdir(exist_ok=True)
    configuration = folder / "nginx.conf"
    user = getpass.getuser()
    servers = [
        f"    server 127.0.0.1:{host} max_fails=0{' down' if host == resting else ''};"
        for host in hosts
    ]
    configuration.write_text(
        CONFIGURATION.substitute(
            # Only root may name a user, and its workers must reach the checkout as we do.
            user=f"user {user};" if user == "root" else "",
            folder=folder,
            port=port,
            servers="\n".join(servers),
        )
    )
    return configuration
