"""Accepts what the peers export and counts it: OTLP/HTTP, Sentry's envelopes, Elastic's intake,
the Datadog agent's traces. `python -m benchmarks.overhead.sink` prints its port and serves."""

from __future__ import annotations

import asyncio
import json
from collections import Counter

__all__ = ["serve"]

#: Path prefix -> whose exports come there.
PEERS = {
    "/v1/traces": "opentelemetry",
    "/api/": "sentry",
    "/intake/": "elastic",
    "/v0.": "ddtrace",
    "/push.v1.": "pyroscope",
}
_DATADOG_INFO = {"version": "7.60.0", "endpoints": ["/v0.4/traces", "/v0.5/traces"]}


async def serve(port: int = 0) -> None:
    """Serve on loopback until cancelled; prints the port."""
    exports: Counter[str] = Counter()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await _exchange(reader, writer, exports):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            pass  # the peer has gone
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", port)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, exports: Counter[str]
) -> bool:
    """Answer one request; whether another may follow."""
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    path = first.split(" ")[1]
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip().lower()
    await _skip_body(reader, headers)
    for prefix, peer in PEERS.items():
        exports[peer] += path.startswith(prefix)
    answer = json.dumps(_answer(path, exports)).encode()
    writer.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
        % (len(answer), answer)
    )
    await writer.drain()
    return headers.get("connection") != "close"


def _answer(path: str, exports: Counter[str]) -> object:
    if path == "/counts":
        return exports
    if path == "/info":
        return _DATADOG_INFO
    return {}


async def _skip_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> None:
    if headers.get("transfer-encoding") != "chunked":
        await reader.readexactly(int(headers.get("content-length", "0")))
        return
    while size := int((await reader.readline()).split(b";")[0], 16):
        await reader.readexactly(size + 2)
    await reader.readline()


if __name__ == "__main__":
    asyncio.run(serve())
