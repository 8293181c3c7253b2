"""Ring records -> tables `requests`, `statements`, `errors`."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
import pyarrow as pa

from agent.columns import by_id, trace_ids, words
from agent.rings import InFlight, Ring
from agent.slots import RECORD_DTYPE, Rows
from agent.tables import table_of, table_of_rows
from dynoscope_probe import layout
from profiler.wire import SCHEMAS

__all__ = [
    "NS_PER_MS",
    "Identity",
    "Served",
    "error_table",
    "fingerprint",
    "killed_records",
    "request_table",
    "statement_table",
    "statement_texts",
]

ERRORS_PER_FINGERPRINT_MAX = 20
SEPARATOR = "\x1f"
NS_PER_MS = 1_000_000

#: Columns that are a field of the record as it is.
_PLAIN = (
    "seq", "worker_req", "worker_age_s", "status", "wall_ns", "cost", "task_clock_ns",
    "ctx_switches", "db_ns", "db_calls", "cache_ns", "cache_calls", "rpc_ns", "rpc_calls",
    "gc_ns", "trace_sampled", "user_hash", "error_fp",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose numbers these are: the columns that all tables share."""

    service: str
    host: str
    region: str

    @property
    def columns(self) -> dict[str, str]:
        """By name (`asdict` copies deeply, in ten times the time)."""
        return {"service": self.service, "host": self.host, "region": self.region}


@dataclass(frozen=True, slots=True)
class Served:
    """Records of one ring, and whose they are."""

    ring: Ring
    records: Rows
    identity: Identity
    pid: int


def request_table(parts: Sequence[Served]) -> pa.Table:
    """Table `requests` of these rings; a code that is no known word becomes the first.

    One table of all is made in little more time than one of each.
    """
    rings = [part.ring for part in parts]
    records = np.concatenate([part.records for part in parts])
    lengths = [len(part.records) for part in parts]
    which = np.repeat(np.arange(len(parts), dtype=np.uint64), lengths)
    columns: dict[str, Any] = {
        **_of_parts([_part_values(part) for part in parts], which),
        "ts_ms": records["started_ns"] // NS_PER_MS,
        "weight": 1.0,
        "endpoint": by_id(rings, which, records["endpoint_id"]),
        "kind": words(layout.KINDS, records["kind"]),
        "outcome": words(layout.OUTCOMES, records["outcome"]),
        "cost_unit": words(layout.UNITS, records["unit"]),
        "flags": by_id(rings, which, records["flags_id"], _flags, pa.list_(pa.string())),
        "trace_id": trace_ids(records),
        **{name: np.ascontiguousarray(records[name]) for name in _PLAIN},
        **_statement_columns(parts),
    }
    return table_of("requests", columns)


def statement_texts(ring: Ring, records: Rows) -> dict[int, str]:
    """Fingerprint -> text of the statements that these records name."""
    texts = (ring.string(string_id) for string_id in _statement_ids(records))
    return {fingerprint(text): text for text in texts if text}


def statement_table(texts: dict[int, str], identity: Identity, now_ms: int) -> pa.Table:
    """Table `statements`: fingerprint and text without values."""
    columns = {"fingerprint": list(texts), "text": list(texts.values())}
    return table_of("statements", {"ts_ms": [now_ms] * len(texts), **identity.columns, **columns})


def error_table(ring: Ring, records: Rows, identity: Identity) -> tuple[pa.Table, int]:
    """Table `errors` of the records that have one, and how many rows were left out.

    At most ERRORS_PER_FINGERPRINT_MAX rows a fingerprint: a storm of one error is counted in
    `requests` and need not be told a thousand times.
    """
    failed = records[records["error_id"] > 0]
    seen: Counter[int] = Counter()
    rows = []
    for record, trace_id in zip(failed, trace_ids(failed), strict=True):
        error_fp = int(record["error_fp"])
        seen[error_fp] += 1
        if seen[error_fp] > ERRORS_PER_FINGERPRINT_MAX:
            continue
        parts = ring.string(int(record["error_id"])).split(SEPARATOR)
        rows.append(
            {
                **identity.columns,
                "ts_ms": int(record["started_ns"]) // NS_PER_MS,
                "error_fp": error_fp,
                "type": parts[0],
                "message": parts[1] if len(parts) > 1 else "",
                "top_frames": [frame for part in parts[2:] for frame in part.split("\n") if frame],
                "release": ring.string(ring.header.release_id),
                "endpoint": ring.string(int(record["endpoint_id"])),
                "trace_id": trace_id,
            }
        )
    return table_of_rows("errors", rows), len(failed) - len(rows)


def killed_records(in_flight: Sequence[InFlight], after_seq: int, last_alive_ns: int) -> Rows:
    """Records of requests that died with their worker, numbered on from `after_seq`.

    `wall_ns` is a lower bound: up to when the worker was last seen alive (0: never seen). What
    they cost is not known: unit `none`.
    """
    records = np.zeros(len(in_flight), RECORD_DTYPE)
    for number, (record, request) in enumerate(zip(records, in_flight, strict=True), start=1):
        record["seq"] = after_seq + number
        record["outcome"] = layout.OUTCOMES.index("killed")
        record["kind"] = request.kind
        record["started_ns"] = request.started_ns
        record["wall_ns"] = max(0, last_alive_ns - request.started_ns)
        record["endpoint_id"] = request.endpoint_id
        record["trace_id_high"] = request.trace_id_high
        record["trace_id_low"] = request.trace_id_low
    return records


def fingerprint(text: str) -> int:
    """Stable 64-bit hash of a text."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


def _flags(text: str) -> list[str]:
    return text.split(SEPARATOR) if text else []


def _part_values(part: Served) -> dict[str, str | int]:
    """What is the same in all records of a ring."""
    ring, header = part.ring, part.ring.header
    return {
        **part.identity.columns,
        "ring_id": header.ring_id,
        "pid": part.pid,
        "worker": header.worker,
        "cpu_model": ring.string(header.cpu_model_id),
        "release": ring.string(header.release_id),
        "runtime": ring.string(header.runtime_id),
    }


def _of_parts(values: Sequence[dict[str, str | int]], which: Any) -> dict[str, pa.Array]:
    """Each part's value in each of its rows."""
    schema, places = SCHEMAS["requests"], pa.array(which)
    return {
        name: pa.array([one[name] for one in values], schema.field(name).type).take(places)
        for name in values[0]
    }


def _statement_ids(records: Rows) -> set[int]:
    """String ids of the statements that these records name."""
    fields = (f"statement{n}_id" for n in (1, 2, 3))
    return {one for field in fields for one in records[field].tolist() if one}


def _statement_columns(parts: Sequence[Served]) -> dict[str, list[list[int]]]:
    """The three statement columns: lists of equal length, only of statements that are there."""
    names = ("statement_fps", "statement_calls", "statement_ns")
    columns: dict[str, list[list[int]]] = {name: [] for name in names}
    for part in parts:
        rows: list[list[list[int]]] = [[[] for _ in part.records] for _ in names]
        ids = _statement_ids(part.records)
        texts = {one: text for one in ids if (text := part.ring.string(one))}
        prints = {one: fingerprint(text) for one, text in texts.items()}
        for n in (1, 2, 3) if prints else ():
            fields = (
                part.records[f"statement{n}_{what}"].tolist() for what in ("id", "calls", "ns")
            )
            for row, (string_id, calls, ns) in enumerate(zip(*fields, strict=True)):
                if string_id in prints:
                    for column, value in zip(rows, (prints[string_id], calls, ns), strict=True):
                        column[row].append(value)
        for name, column in zip(names, rows, strict=True):
            columns[name] += column
    return columns
