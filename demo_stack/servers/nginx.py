"""nginx: the edge in front of the hosts."""

import getpass
from collections.abc import Sequence
from pathlib import Path
from string import Template

from demo_stack.processes import Launch
from demo_stack.servers.installed import installed
from demo_stack.servers.readiness import http_answers

__all__ = ["nginx"]

#: A host that is being restarted refuses connections; the request then goes to the next one. What
#: was waiting in its queue when it stopped was not begun, so it may go there too.
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
      proxy_connect_timeout 2s;
      proxy_read_timeout 30s;
      proxy_next_upstream error non_idempotent;
    }
  }
}
""")


def nginx(home: Path, port: int, hosts: Sequence[int]) -> Launch:
    """An nginx on `port` that spreads requests evenly over the hosts' ports."""
    folder = home / "nginx"
    folder.mkdir(exist_ok=True)
    configuration = folder / "nginx.conf"
    user = getpass.getuser()
    configuration.write_text(
        CONFIGURATION.substitute(
            # Only root may name a user, and its workers must reach the checkout as we do.
            user=f"user {user};" if user == "root" else "",
            folder=folder,
            port=port,
            servers="\n".join(f"    server 127.0.0.1:{host} max_fails=0;" for host in hosts),
        )
    )
    return Launch(
        name="edge",
        argv=[installed("nginx"), "-p", str(folder), "-c", str(configuration), "-e", "stderr"],
        missing=lambda: http_answers(f"http://127.0.0.1:{port}/healthz"),
        port=port,
    )
