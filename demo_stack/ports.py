"""Ports on loopback: the usual ones, or the next free one."""

import socket
from collections.abc import Mapping

__all__ = ["PORTS", "choose_ports", "is_free"]

#: What listens where, when nothing else does.
PORTS: Mapping[str, int] = {
    "serve": 8600,
    "edge": 8700,
    "web-1": 8701,
    "web-2": 8702,
    "webhook": 8710,
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
