"""Ports on loopback: the usual ones, or the next free one."""

import fcntl
import os
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

__all__ = ["PORTS", "choose_ports", "is_free", "starting_alone"]

#: What listens where, when nothing else does.
PORTS: Mapping[str, int] = {
    "serve": 8600,
    "edge": 8700,
    "web-1": 8701,
    "web-2": 8702,
    "webhook": 8710,
    "statsd-web-1": 8126,
    "statsd-web-2": 8127,
    "metrics-web-1": 8611,
    "metrics-web-2": 8612,
    "postgres": 8720,
    "redis": 8721,
    "memcached": 8722,
    "rabbitmq": 8723,
    "rabbitmq-nodes": 8724,
    "rabbitmq-names": 8725,
}
SEARCH = 500


def choose_ports(wanted: Mapping[str, int] = PORTS) -> tuple[dict[str, int], list[str]]:
    """(name -> port, a sentence for each that is not the usual one)."""
    chosen: dict[str, int] = {}
    notes = []
    for name, usual in wanted.items():
        others = set(wanted.values()) - {usual} | set(chosen.values())
        port = next(
            (p for p in range(usual, usual + SEARCH) if p not in others and is_free(p)), None
        )
        if port is None:
            raise OSError(f"no free port for {name} from {usual} to {usual + SEARCH}")
        if port != usual:
            notes.append(f"port {usual} is taken: {name} uses {port}")
        chosen[name] = port
    return chosen, notes


@contextmanager
def starting_alone(say: Callable[[str], None]) -> Iterator[None]:
    """From the choice of free ports to listening on them no other demo of this user chooses."""
    with (Path(tempfile.gettempdir()) / f"dynoscope-demo-{os.geteuid()}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another demo is starting: waiting until it has its ports")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def is_free(port: int) -> bool:
    """Whether nothing listens on this port of loopback, TCP or UDP."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                # As servers do: connections of the last run that still close are no hindrance.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
