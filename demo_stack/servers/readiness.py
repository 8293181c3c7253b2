"""Checks that a server answers in its own protocol: None, or what is still missing."""

import socket

import httpx

__all__ = ["http_answers", "tcp_answers"]


def http_answers(url: str, status: int = 200) -> str | None:
    """Whether a GET of `url` gives `status`."""
    try:
        seen = httpx.get(url, timeout=5).status_code
    except httpx.HTTPError as error:
        return f"{url} does not answer ({error})"
    return None if seen == status else f"{url} answers {seen}, not {status}"


def tcp_answers(port: int, question: bytes, answer: bytes) -> str | None:
    """Whether the server on this port of loopback answers `question` with `answer`..."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(question)
            seen = connection.recv(256)
    except OSError as error:
        return f"port {port} does not answer ({error})"
    return None if seen.startswith(answer) else f"port {port} answers {seen[:60]!r}"
