"""Every table, column, unit and word that the parts of Dynoscope share, spelled once.

A `Column` says what travels in a batch (Arrow) and is stored (ClickHouse). `WIRE[table]` are the
columns of a batch in order; the store adds `day` (from `ts_ms`, UTC) and `batch_id`.
"""

from dataclasses import dataclass
from typing import Literal

__all__ = [
    "COLUMN_TYPES",
    "COST_UNITS",
    "DAY_MS",
    "ENDPOINT_FILE",
    "ENDPOINTS_MAX",
    "HOUR_MS",
    "KINDS",
    "METRIC_SOURCES",
    "MINUTE_MS",
    "ORIGINS",
    "OTHER_ENDPOINT",
    "OUTCOMES",
    "ROWS_MAX",
    "SENT",
    "SPAN_KINDS",
    "STACK_FRAMES_MAX",
    "WIRE",
    "Column",
    "ColumnType",
    "Origin",
]

ColumnType = Literal[
    "u8", "u16", "u32", "u64", "f32", "f64", "str", "text", "u8[]", "u32[]", "u64[]", "str[]"
]
#: `str` repeats (LowCardinality in the store), `text` does not; both are strings in Arrow.
COLUMN_TYPES: tuple[ColumnType, ...] = (
    "u8", "u16", "u32", "u64", "f32", "f64", "str", "text", "u8[]", "u32[]", "u64[]", "str[]",
)  # fmt: skip

COST_UNITS = ("none", "cpu_ns", "instructions")
KINDS = ("http", "task")
OUTCOMES = ("ok", "error", "killed", "disconnected")
SPAN_KINDS = ("request", "task", "db", "cache", "rpc")
#: Who may send a metric in a batch. `slo` is the platform's own.
METRIC_SOURCES = ("host", "worker", "uwsgi", "statsd", "scrape", "agent")

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000

Origin = Literal[0, 1, 2, 3]
#: Where a frame's code comes from (index = the number in `stacks.origins`).
ORIGINS = ("own", "package", "stdlib", "native")

#: The file name of the frame whose function name is the endpoint.
ENDPOINT_FILE = "<endpoint>"
ENDPOINTS_MAX = 2_000
OTHER_ENDPOINT = "(other)"
ROWS_MAX = 50_000
STACK_FRAMES_MAX = 128


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a batch: its name (unit last), its type, what it means."""

    name: str
    type: ColumnType
    help: str


def _columns(*rows: tuple[str, ColumnType, str]) -> tuple[Column, ...]:
    return tuple(Column(*row) for row in rows)


_COMMON = _columns(
    ("ts_ms", "u64", "UTC, milliseconds since 1970"),
    ("service", "str", "service name"),
    ("host", "str", "host name"),
    ("region", "str", "region, or empty"),
)

_REQUESTS = _columns(
    ("ring_id", "u64", "with seq: the identity of the request"),
    ("seq", "u64", "number of the record in its ring, from 1"),
    ("pid", "u32", "in the agent's pid namespace"),
    ("worker", "u32", "the server's worker number, 0 where it has none"),
    ("worker_req", "u32", "the worker's n-th request, from 1"),
    ("worker_age_s", "u32", "age of the worker at the request's start, s"),
    ("cpu_model", "str", "processor model"),
    ("weight", "f32", "1 unless raw rows are thinned; sums are of weight x value"),
    ("release", "str", "release the worker runs"),
    ("runtime", "str", "interpreter, such as cpython 3.11.7"),
    ("endpoint", "str", "METHOD /template/, or task name"),
    ("kind", "str", "one of KINDS"),
    ("status", "u16", "HTTP status; 0 for tasks"),
    ("outcome", "str", "one of OUTCOMES"),
    ("wall_ns", "u64", "wall time, ns"),
    ("cost", "u64", "in cost_unit"),
    ("cost_unit", "str", "one of COST_UNITS"),
    ("task_clock_ns", "u64", "thread CPU time, ns"),
    ("ctx_switches", "u32", "context switches of the thread"),
    ("db_ns", "u64", "time in database calls, ns"),
    ("db_calls", "u32", "database calls"),
    ("cache_ns", "u64", "time in cache calls, ns"),
    ("cache_calls", "u32", "cache calls"),
    ("rpc_ns", "u64", "time in outgoing calls, ns"),
    ("rpc_calls", "u32", "outgoing calls"),
    ("gc_ns", "u64", "time in garbage collection, ns"),
    ("statement_fps", "u64[]", "fingerprints of the dearest statements, at most 3"),
    ("statement_calls", "u32[]", "calls of each"),
    ("statement_ns", "u64[]", "time of each, ns"),
    ("flags", "str[]", "name=value, sorted"),
    ("trace_id", "text", "32 hex digits"),
    ("trace_sampled", "u8", "1 if the trace is sampled"),
    ("user_hash", "u64", "keyed hash, 0: none"),
    ("error_fp", "u64", "error fingerprint, 0: none"),
)

_STACK_SAMPLES = _columns(
    ("ring_id", "u64", "ring of the worker"),
    ("pid", "u32", "in the agent's pid namespace"),
    ("worker", "u32", "the server's worker number, 0 where it has none"),
    ("release", "str", "release the worker runs"),
    ("endpoint", "str", "innermost endpoint frame; empty outside requests"),
    ("stack_id", "u64", "key of stacks"),
    ("samples", "u32", "on-CPU samples of this stack in the window"),
    ("weight_s", "f64", "seconds of one worker's time that these samples stand for"),
    ("window_ms", "u32", "length of the sampling window"),
    ("late_ns", "u64", "how far the sampler fell behind in the window"),
    ("contended", "u8", "1 if run-queue wait exceeded 10% of CPU time in the window"),
)

_LINE_SAMPLES = _columns(
    ("release", "str", "release the worker runs"),
    ("endpoint", "str", "innermost endpoint frame; empty outside requests"),
    ("function", "str", "own code, module:qualname"),
    ("file", "str", "whole path in the worker's file system"),
    ("line", "u32", "line that the function's innermost call was at"),
    ("samples", "u32", "on-CPU samples with the function at this line"),
    ("self_samples", "u32", "those of them in which it called nothing"),
    ("weight_s", "f64", "seconds of one worker's time that `samples` stand for"),
)

_STACKS = _columns(
    ("stack_id", "u64", "hash of frames"),
    ("frames", "str[]", "module:qualname, root first, without endpoint frames"),
    ("lines", "u32[]", "line of each frame"),
    ("origins", "u8[]", "index into ORIGINS of each frame"),
)

_STATEMENTS = _columns(
    ("fingerprint", "u64", "key, as in requests.statement_fps"),
    ("text", "text", "statement without values"),
)

_SPANS = _columns(
    ("trace_id", "text", "32 hex digits"),
    ("span_id", "text", "16 hex digits"),
    ("parent_id", "text", "16 hex digits, or empty"),
    ("name", "str", "endpoint, statement without values, command, or method and host"),
    ("kind", "str", "one of SPAN_KINDS"),
    ("started_ns", "u64", "UTC, ns since 1970"),
    ("wall_ns", "u64", "wall time, ns"),
    ("status", "u16", "HTTP status, 0: none"),
    ("outcome", "str", "one of OUTCOMES"),
    ("release", "str", "release the worker runs"),
    ("endpoint", "str", "endpoint of the request that made it"),
)

_FUNCTION_COSTS = _columns(
    ("trace_id", "text", "of the request that was profiled, 32 hex digits"),
    ("release", "str", "release the worker runs"),
    ("endpoint", "str", "endpoint of the request"),
    ("function", "str", "module:qualname"),
    ("caller", "str", "module:qualname; empty for what the profiled code did not call"),
    ("calls", "u32", "calls of the function by the caller in that request"),
    ("cost_self", "u64", "without what it called, in cost_unit"),
    ("cost_inclusive", "u64", "with what it called, in cost_unit"),
    ("cost_unit", "str", "one of COST_UNITS"),
)

_ERRORS = _columns(
    ("error_fp", "u64", "error fingerprint"),
    ("type", "str", "exception class"),
    ("message", "text", "scrubbed, at most 300 characters"),
    ("top_frames", "str[]", "own-code frames, innermost first"),
    ("release", "str", "release"),
    ("endpoint", "str", "endpoint"),
    ("trace_id", "text", "32 hex digits"),
)

_METRICS = _columns(
    ("name", "str", "metric name, unit last"),
    ("kind", "str", "counter, gauge, histogram"),
    ("unit", "str", "unit"),
    ("labels", "str[]", "k=v, sorted"),
    ("value", "f64", "value; a counter's increase"),
    ("source", "str", "one of METRIC_SOURCES; slo"),
)

_CHANGES = _columns(
    ("kind", "str", "deploy, flag, config"),
    ("release", "str", "release that was deployed, or empty"),
    ("previous", "str", "release before it, or empty"),
    ("commits", "str[]", "commits it brought"),
    ("changed_functions", "str[]", "module:qualname of what they changed"),
    ("note", "text", "free text"),
)

_LIMITS = _columns(
    ("where", "str", "which part hit the limit: probe, agent, collector"),
    ("what", "str", "which limit"),
    ("count", "u64", "how often since the last row"),
)

_ALERT_EVENTS = _columns(
    ("id", "text", "alert id: rule and labels hashed"),
    ("state", "str", "firing, resolved; delivered, failed, refused; silenced, acknowledged"),
    ("by", "str", "evaluator or person"),
    ("reason", "text", "one sentence"),
    ("json", "text", "the alert, as delivered"),
)

_SILENCE_EVENTS = _columns(
    ("id", "text", "silence id"),
    ("state", "str", "active, ended"),
    ("by", "str", "who said so"),
    ("reason", "text", "one sentence"),
    ("json", "text", "matchers, starts_ms, ends_ms"),
)

_EVALUATOR_EVENTS = _columns(
    ("id", "text", "which evaluator"),
    ("json", "text", "how it fares"),
)

#: Table -> the columns of its batches, in order.
WIRE: dict[str, tuple[Column, ...]] = {
    "requests": _COMMON + _REQUESTS,
    "stack_samples": _COMMON + _STACK_SAMPLES,
    "line_samples": _COMMON + _LINE_SAMPLES,
    "stacks": _COMMON + _STACKS,
    "statements": _COMMON + _STATEMENTS,
    "spans": _COMMON + _SPANS,
    "function_costs": _COMMON + _FUNCTION_COSTS,
    "errors": _COMMON + _ERRORS,
    "metrics": _COMMON + _METRICS,
    "changes": _COMMON + _CHANGES,
    "limits": _COMMON + _LIMITS,
    "alert_events": _COMMON + _ALERT_EVENTS,
    "silence_events": _COMMON + _SILENCE_EVENTS,
    "evaluator_events": _COMMON + _EVALUATOR_EVENTS,
}

#: Tables that only the platform writes.
_OWN = ("changes", "alert_events", "silence_events", "evaluator_events")

#: Tables that agents send. The platform writes the others itself: a forged event silences a page.
SENT = tuple(table for table in WIRE if table not in _OWN)
