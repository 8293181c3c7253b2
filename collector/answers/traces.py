"""What happened in one trace?"""

import re
from typing import Any

from collector.answers.limits import limits_hit
from collector.answers.records import Answer, SpanRow, Trace, Window
from collector.errors import BadQuestion
from collector.store import answer_reads
from collector.store.store import Store

__all__ = ["trace"]

SPANS_MAX = 5_000
NS_PER_MS = 1_000_000
_TRACE_ID = re.compile(r"[0-9a-f]{32}")


def trace(store: Store, trace_id: str) -> Answer[Trace]:
    """The spans of a trace in order of time, of all services; none where it was not kept.

    Raises BadQuestion for what is no trace id.
    """
    known = trace_id.lower()
    if not _TRACE_ID.fullmatch(known):
        raise BadQuestion(f"{trace_id[:40]!r} is no trace id: it has 32 hex digits.")
    rows = answer_reads.trace_spans(store, known, SPANS_MAX + 1).to_pylist()
    if not rows:
        return Answer(Trace(known, 0, 0, ()), unit="ns")
    first_ns = rows[0]["started_ns"]
    last_ns = max(row["started_ns"] + row["wall_ns"] for row in rows)
    window = Window(first_ns // NS_PER_MS, last_ns // NS_PER_MS + 1)
    spans = tuple(_span(row, first_ns) for row in rows[:SPANS_MAX])
    return Answer(
        Trace(known, window.from_ms, last_ns - first_ns, spans),
        unit="ns",
        truncated=len(rows) > SPANS_MAX,
        as_of_ms=last_ns // NS_PER_MS,
        limits=limits_hit(store, window),
    )


def _span(row: dict[str, Any], first_ns: int) -> SpanRow:
    offset_ns = row.pop("started_ns") - first_ns
    return SpanRow(offset_ns=offset_ns, **row)
