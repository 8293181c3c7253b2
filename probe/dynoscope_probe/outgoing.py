"""Outgoing HTTP: counted from the connection to the response's headers, with the trace handed on.

`http.client` is where urllib, requests and urllib3 all pass; httpx has its own transport. A call is
named by method and host, never by path or query.
"""

from __future__ import annotations

from time import perf_counter_ns
from typing import Optional

from dynoscope_probe.calls import bounded_name
from dynoscope_probe.request import ERROR, Request
from dynoscope_probe.spans import RPC, Nested, enter_call
from dynoscope_probe.trace import traceparent_of

__all__ = ["TRACEPARENT", "OutgoingCall", "host_name"]

METHODS = frozenset(
    ("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")
)
TRACEPARENT, TRACESTATE = "traceparent", "tracestate"


class OutgoingCall:
    """One outgoing call that has begun."""

    __slots__ = ("name", "nested", "request", "started_ns")

    def __init__(self, request: Request, name: str, started_ns: int) -> None:
        self.request = request
        self.name = name
        self.started_ns = started_ns
        #: What is called before its end is within it: the body may be made by calls.
        self.nested = enter_call(request, RPC) or Nested(request, RPC, None)
        self.nested.span_id = request.process.random_bits(64) or 1

    def end(self, outcome: int, status: int = 0) -> None:
        ended_ns = perf_counter_ns()
        self.nested.leave()
        outcome = ERROR if status >= 500 else outcome
        self.request.add_rpc_call(
            self.name, self.started_ns, ended_ns, outcome, status, self.nested
        )

    def headers(self) -> list[tuple[str, str]]:
        """What to send along."""
        request = self.request
        if not request.process.settings.traceparent:
            return []
        headers = [(TRACEPARENT, traceparent_of(request.trace, self.nested.span_id))]
        if request.tracestate:
            headers.append((TRACESTATE, request.tracestate))
        return headers


def host_name(
    request: Request, method: str, host: str, port: Optional[int], default_port: int
) -> str:
    """`GET host`, with the port if it is not the scheme's own."""
    key = (method, host, port)
    name = request.process.call_names.get(key)
    if name is None:
        place = host if port in (None, default_port) else "%s:%d" % (host, port)
        verb = method if method in METHODS else "(method)"
        name = bounded_name(request, key, "%s %s" % (verb, place))
    return name
