"""The servers that the service needs while the CI gate measures it: fresh, and gone afterwards.

python -m demo_stack.gate_servers

Prints the service's settings as NAME=value, then `ready`; serves until SIGTERM or SIGINT.
"""

import secrets
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType

from demo_stack.ports import PORTS, choose_ports, starting_alone
from demo_stack.processes import DemoError, Started, await_ready, end, launch
from demo_stack.servers.memcached import memcached
from demo_stack.servers.postgres import database_exists, postgres
from demo_stack.servers.redis import redis
from demo_stack.servers.service import SECRET_FILE, service_env

__all__ = ["main"]

#: Apart from the ports of a demo that runs beside it.
USUAL_PORTS = {name: port + 1000 for name, port in PORTS.items()}


def main() -> None:
    """Start, say where, wait, end."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    started: list[Started] = []
    with tempfile.TemporaryDirectory(prefix="dynoscope-gate-servers-") as folder:
        home = Path(folder)
        home.chmod(0o755)  # the servers' own accounts pass through it
        try:
            _serve(home, started)
            signal.pause()
        except DemoError as error:
            sys.exit(f"gate_servers: {error}")
        finally:
            end(started)


def _serve(home: Path, started: list[Started]) -> None:
    (home / SECRET_FILE).write_text(secrets.token_urlsafe(32))
    (home / "media").mkdir()
    with starting_alone(lambda words: print(words, file=sys.stderr)):
        ports, _ = choose_ports(USUAL_PORTS)
        for server in (postgres, redis, memcached):
            what = server(home, ports[server.__name__])
            started.append(launch(what, home))
            await_ready(what, started[-1])
    database_exists(home, ports["postgres"])
    for name, value in service_env(home, ports).items():
        print(f"{name}={value}")
    print("ready", flush=True)


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    main()
