"""Ring records -> tables `requests`, `statements`, `errors`."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
import pyarrow as pa

from agent.columns import by_id, trace_ids, words
from agent.rings import InFlight, Ring
from agent.slots import RECORD_DTYPE, Rows
from agent.tables import table_of, table_of_rows
from dynoscope_probe import layout

__all__ = [
    "NS_PER_MS",
    "Identity",
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


def request_table(ring: Ring, records: Rows, identity: Identity, pid: int) -> pa.Table:
    """Table `requests` of one ring's records; a code that is no known word becomes the first."""
    header = ring.header
    columns: dict[str, Any] = {
        **asdict(identity),
        "ts_ms": records["started_ns"] // NS_PER_MS,
        "ring_id": header.ring_id,
        "pid": pid,
        "worker": header.worker,
        "cpu_model": ring.string(header.cpu_model_id),
        "weight": 1.0,
        "release": ring.string(header.release_id),
        "runtime": ring.string(header.runtime_id),
        "endpoint": by_id(ring, records["endpoint_id"]),
        "kind": words(layout.KINDS, records["kind"]),
        "outcome": words(layout.OUTCOMES, records["outcome"]),
        "cost_unit": words(layout.UNITS, records["unit"]),
        "flags": by_id(ring, records["flags_id"], _flags, pa.list_(pa.string())),
        "trace_id": trace_ids(records),
        **{name: np.ascontiguousarray(records[name]) for name in _PLAIN},
        **_statement_columns(ring, records),
    }
    return table_of("requests", columns)


def statement_texts(ring: Ring, records: Rows) -> dict[int, str]:
    """Fingerprint -> text of the statements that these records name."""
    ids = np.unique(np.concatenate([records[f"statement{n}_id"] for n in (1, 2, 3)]))
    texts = (ring.string(int(string_id)) for string_id in ids)
    return {fingerprint(text): text for text in texts if text}


def statement_table(texts: dict[int, str], identity: Identity, now_ms: int) -> pa.Table:
    """Table `statements`: fingerprint and text without values."""
    columns = {"fingerprint": list(texts), "text": list(texts.values())}
    return table_of("statements", {"ts_ms": [now_ms] * len(texts), **asdict(identity), **columns})


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
                **asdict(identity),
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


def _statement_columns(ring: Ring, records: Rows) -> dict[str, list[list[int]]]:
    """The three statement columns: lists of equal length, only of statements that are there."""
    ids = {int(one) for n in (1, 2, 3) for one in np.unique(records[f"statement{n}_id"]) if one}
    prints = {one: fingerprint(ring.string(one)) for one in ids if ring.string(one)}
    columns: dict[str, list[list[int]]] = {
        "statement_fps": [[] for _ in records],
        "statement_calls": [[] for _ in records],
        "statement_ns": [[] for _ in records],
    }
    for n in (1, 2, 3):
        fields = (records[f"statement{n}_{what}"].tolist() for what in ("id", "calls", "ns"))
        for row, (string_id, calls, ns) in enumerate(zip(*fields, strict=True)):
            if string_id in prints:
                columns["statement_fps"][row].append(prints[string_id])
                columns["statement_calls"][row].append(calls)
                columns["statement_ns"][row].append(ns)
    return columns
