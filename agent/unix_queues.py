"""How many connections wait at listening Unix sockets, which uWSGI's stats do not say.

The kernel tells it over netlink (sock_diag), for the sockets of the agent's network namespace.
https://man7.org/linux/man-pages/man7/sock_diag.7.html
"""

import socket
from collections.abc import Iterable
from struct import Struct

__all__ = ["parse_answer", "unix_queues"]

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY, NLMSG_ERROR, NLMSG_DONE = 20, 2, 3
REQUEST_AND_DUMP = 0x301
LISTENING = 1 << 10
SHOW_NAME_AND_QUEUE = 0x01 | 0x10
NAME, QUEUE = 0, 4
TIMEOUT_S = 1.0
PARTS_MAX = 1_000
_HEADER = Struct("=IHHII")
_REQUEST = Struct("=BBHIIIII")
_MESSAGE_BYTES = 16
_ATTRIBUTE = Struct("=HH")
_QUEUE = Struct("=II")


def unix_queues() -> dict[str, tuple[int, int]]:
    """Path of each listening Unix socket -> (connections that wait, how many may).

    Abstract names begin with @. Nothing where the kernel does not tell.
    """
    request = _REQUEST.pack(socket.AF_UNIX, 0, 0, LISTENING, 0, SHOW_NAME_AND_QUEUE, 0, 0)
    length = _HEADER.size + len(request)
    header = _HEADER.pack(length, SOCK_DIAG_BY_FAMILY, REQUEST_AND_DUMP, 1, 0)
    found: dict[str, tuple[int, int]] = {}
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as sock:
            sock.settimeout(TIMEOUT_S)
            sock.sendall(header + request)
            for _ in range(PARTS_MAX):
                queues, done = parse_answer(sock.recv(65_536))
                found.update(queues)
                if done:
                    break
    except OSError:
        return {}
    return found


def parse_answer(raw: bytes) -> tuple[dict[str, tuple[int, int]], bool]:
    """The queues of one part of an answer, and whether it is the last."""
    found: dict[str, tuple[int, int]] = {}
    at = 0
    while at + _HEADER.size <= len(raw):
        length, kind, *_ = _HEADER.unpack_from(raw, at)
        if kind in (NLMSG_DONE, NLMSG_ERROR) or length < _HEADER.size:
            return found, True
        body = raw[at + _HEADER.size + _MESSAGE_BYTES : at + length]
        attributes = dict(_attributes(body))
        if NAME in attributes and len(attributes.get(QUEUE, b"")) >= _QUEUE.size:
            waiting, room = _QUEUE.unpack_from(attributes[QUEUE])
            found[_name(attributes[NAME])] = (waiting, room)
        at += _aligned(length)
    return found, not raw


def _attributes(body: bytes) -> Iterable[tuple[int, bytes]]:
    at = 0
    while at + _ATTRIBUTE.size <= len(body):
        length, kind = _ATTRIBUTE.unpack_from(body, at)
        if length < _ATTRIBUTE.size:
            return
        yield kind, body[at + _ATTRIBUTE.size : at + length]
        at += _aligned(length)


def _name(raw: bytes) -> str:
    abstract = raw.startswith(b"\0")
    text = (raw[1:] if abstract else raw.partition(b"\0")[0]).decode("utf-8", "replace")
    return f"@{text}" if abstract else text


def _aligned(length: int) -> int:
    return (length + 3) & ~3
