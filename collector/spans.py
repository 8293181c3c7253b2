"""OpenTelemetry spans -> rows of `spans`. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, Status

from profiler.vocabulary import DAY_MS
from profiler.wire import SCHEMAS

__all__ = ["Taken", "span_rows"]

NS_PER_MS = 1_000_000
NAME_CHARACTERS = 256
KINDS = {
    Span.SPAN_KIND_SERVER: "request",
    Span.SPAN_KIND_CONSUMER: "task",
    Span.SPAN_KIND_CLIENT: "rpc",
    Span.SPAN_KIND_PRODUCER: "rpc",
}
CACHES = ("redis", "memcached", "valkey")
#: Names of attributes before and after the conventions became stable.
METHOD, ROUTE = ("http.request.method", "http.method"), ("http.route",)
STATUS = ("http.response.status_code", "http.status_code")
DATABASE = ("db.system.name", "db.system")

Words = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Taken:
    """Rows by their UTC day; `impossible`: spans with ids or times that cannot be."""

    days: Mapping[int, pa.Table]
    impossible: int


@dataclass(slots=True)
class _Node:
    """A span with the resource that it is of; `kind` empty: work inside of another span."""

    span: Span
    of: Words
    words: Words
    kind: str


def span_rows(given: Iterable[ResourceSpans], oldest_ms: int, newest_ms: int) -> Taken:
    """Spans that are requests, tasks or calls. Others are left out: what they called is their
    parent's."""
    nodes: dict[bytes, _Node] = {}
    impossible = 0
    for part in given:
        of = _words(part.resource.attributes)
        for scope in part.scope_spans:
            for span in scope.spans:
                if _is_possible(span, oldest_ms, newest_ms):
                    words = _words(span.attributes)
                    nodes[span.trace_id + span.span_id] = _Node(span, of, words, _kind(span, words))
                else:
                    impossible += 1
    days: dict[int, list[dict[str, Any]]] = {}
    for node in nodes.values():
        if node.kind:
            row = _row(node, _parent(node, nodes), _endpoint(node, nodes))
            days.setdefault(row["ts_ms"] // DAY_MS, []).append(row)
    return Taken({day: _table(rows) for day, rows in days.items()}, impossible)


def _is_possible(span: Span, oldest_ms: int, newest_ms: int) -> bool:
    if len(span.trace_id) != 16 or len(span.span_id) != 8 or len(span.parent_span_id) not in (0, 8):
        return False
    started_ms = span.start_time_unix_nano // NS_PER_MS
    return span.end_time_unix_nano >= span.start_time_unix_nano and (
        oldest_ms <= started_ms <= newest_ms
    )


def _kind(span: Span, words: Words) -> str:
    if system := _first(words, DATABASE):
        return "cache" if system in CACHES else "db"
    return KINDS.get(span.kind, "" if span.parent_span_id else "task")


def _parent(node: _Node, nodes: Mapping[bytes, _Node]) -> _Node | bytes:
    """The nearest span above that is kept; its id where it is not in this export."""
    span = node.span
    for _ in range(len(nodes)):
        above = nodes.get(span.trace_id + span.parent_span_id)
        if above is None or above is node:
            return bytes(span.parent_span_id)
        if above.kind:
            return above
        span = above.span
    return b""


def _endpoint(node: _Node, nodes: Mapping[bytes, _Node]) -> str:
    """Of the request or task that the span is of, as far as this export has it."""
    above: _Node | bytes = node
    for _ in range(len(nodes)):
        if isinstance(above, bytes):
            return ""
        if above.kind in ("request", "task"):
            return _name(above)
        above = _parent(above, nodes)
    return ""


def _name(node: _Node) -> str:
    method, route = _first(node.words, METHOD), _first(node.words, ROUTE)
    name = f"{method} /{str(route).lstrip('/')}" if method and route else node.span.name
    if node.kind == "task" and not name.startswith("task "):
        name = f"task {name}"
    return _short(name)


def _row(node: _Node, parent: _Node | bytes, endpoint: str) -> dict[str, Any]:
    span, of = node.span, node.of
    status = _first(node.words, STATUS)
    above = parent if isinstance(parent, bytes) else bytes(parent.span.span_id)
    return {
        "ts_ms": span.start_time_unix_nano // NS_PER_MS,
        "service": _short(of.get("service.name", "")) or "unknown_service",
        "host": _short(of.get("host.name", "")),
        "region": _short(of.get("cloud.region", "")),
        "trace_id": span.trace_id.hex(),
        "span_id": span.span_id.hex(),
        "parent_id": above.hex(),
        "name": endpoint if node.kind in ("request", "task") else _short(span.name),
        "kind": node.kind,
        "started_ns": span.start_time_unix_nano,
        "wall_ns": span.end_time_unix_nano - span.start_time_unix_nano,
        "status": status if isinstance(status, int) and 0 <= status < 1000 else 0,
        "outcome": "error" if span.status.code == Status.STATUS_CODE_ERROR else "ok",
        "release": _short(of.get("service.version", "")),
        "endpoint": endpoint,
    }


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    schema = SCHEMAS["spans"]
    return pa.table({name: [row[name] for row in rows] for name in schema.names}, schema=schema)


def _words(attributes: Iterable[KeyValue]) -> Words:
    """Texts and whole numbers; what else attributes may hold is not asked for."""
    found: dict[str, str | int] = {}
    for one in attributes:
        if one.value.HasField("string_value"):
            found[one.key] = one.value.string_value
        elif one.value.HasField("int_value"):
            found[one.key] = one.value.int_value
    return found


def _first(words: Words, names: Iterable[str]) -> str | int:
    return next((words[name] for name in names if name in words), "")


def _short(text: str | int) -> str:
    return str(text)[:NAME_CHARACTERS]
