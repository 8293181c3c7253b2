"""Tests of rules: series in, alerts expected (`dynoscope rules test FILES`).

::

    rules: [slos.yaml]          # beside this file
    every: 1m                   # between two evaluations
    tests:
      - name: a slow feed pages, and resolves
        slo_window: 1h          # instead of the rules' own
        series:
          - {requests: GET /api/v1/feed/, from: 0m, for: 10m, per_s: 10, wall: 40 ms}
          - {requests: GET /api/v1/feed/, from: 10m, for: 2m, per_s: 10, wall: 700 ms}
          - {metric: uwsgi_busy_share, labels: {host: web-1}, from: 0m, for: 12m, value: 0.4}
          - {error: ValueError, from: 11m, for: 1m, events: 3}
        expect:
          - {at: 9m, firing: []}
          - {at: 12m, firing: [{rule: feed-latency, severity: page}]}

The real evaluator judges them over a store of its own, with the clock that the file sets.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import yaml
from pydantic import Field, ValidationError, model_validator

from alerting.alerts import Alert, from_json
from alerting.build import build_evaluator
from alerting.rule_files import line_of, problems_of
from alerting.rule_words import Seconds, Share, Strict
from alerting.rulebook import read_rules
from alerting.rules import RuleProblem
from collector.store.alert_reads import open_alerts
from collector.store.store import DAY_MS, Store, open_store
from profiler.wire import SCHEMAS

__all__ = ["TestRun", "run_rule_tests"]

#: 2026-01-05T00:00:00Z, a Monday.
START_MS = 1_767_571_200_000
ROWS_A_BATCH = 50_000
ROWS_MAX = 5_000_000
POINT_EVERY_MS = 15_000


class _Series(Strict):
    """One of `requests` (an endpoint), `metric` (a name), `error` (a type)."""

    requests: str | None = None
    metric: str | None = None
    error: str | None = None
    service: str = "app"
    host: str = "host-1"
    region: str = ""
    release: str = "r1"
    from_: Annotated[Seconds | None, Field(alias="from")] = None
    for_: Annotated[Seconds, Field(alias="for")]
    per_s: Annotated[float, Field(gt=0)] = 10.0
    wall: Seconds = 0.04
    status: int = 200
    outcome: str = "ok"
    bad: Share | None = None
    labels: dict[str, str] = {}
    value: float = 0.0
    events: Annotated[int, Field(ge=1)] = 1

    @model_validator(mode="before")
    @classmethod
    def _from_zero(cls, data: Any) -> Any:
        """`from: 0m` is the start; no other duration may be nothing."""
        if isinstance(data, dict) and str(data.get("from", "0")).strip(" smhd") in ("0", ""):
            return {key: value for key, value in data.items() if key != "from"}
        return data

    @model_validator(mode="after")
    def _one(self) -> "_Series":
        if sum(one is not None for one in (self.requests, self.metric, self.error)) != 1:
            raise ValueError("write one of `requests`, `metric` and `error`")
        return self


class _Alert(Strict):
    rule: str
    severity: str | None = None
    labels: dict[str, str] = {}


class _Expected(Strict):
    at: Seconds
    firing: list[_Alert]


class _Test(Strict):
    name: str
    slo_window: Seconds | None = None
    series: list[_Series]
    expect: Annotated[list[_Expected], Field(min_length=1)]


class _File(Strict):
    rules: Annotated[list[str], Field(min_length=1)]
    every: Seconds = 60.0
    tests: Annotated[list[_Test], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class TestRun:
    """`failures`: what did not come out as expected, or what is wrong with the file."""

    passed: int
    failures: tuple[RuleProblem, ...]


def run_rule_tests(file: Path) -> TestRun:
    """Run every test of a file. Raises StoreError."""
    try:
        text = file.read_text("utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        asked = _File.model_validate(yaml.safe_load(text))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        return TestRun(0, (RuleProblem(str(file), 1, f"cannot be read: {error}"),))
    except ValidationError as error:
        return TestRun(0, tuple(problems_of(str(file), node, error)))
    sources = [file.parent / name for name in asked.rules]
    if broken := [problem for source in sources for problem in read_rules(source)[1]]:
        return TestRun(0, tuple(broken))
    failures: list[RuleProblem] = []
    passed = 0
    for number, test in enumerate(asked.tests):
        wrong = list(_run(test, sources, asked.every))
        passed += not wrong
        failures += [
            RuleProblem(str(file), line_of(node, ("tests", number, *path)), f"{test.name}: {what}")
            for path, what in wrong
        ]
    return TestRun(passed, tuple(failures))


def _run(
    test: _Test, sources: Sequence[Path], every_s: float
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """(path in the test, what is not as expected)."""
    expected = sorted(enumerate(test.expect), key=lambda one: one[1].at)
    end_s = expected[-1][1].at
    with tempfile.TemporaryDirectory(prefix="dynoscope-rules-") as folder:
        rules = Path(folder, "rules")
        rules.mkdir()
        for number, source in enumerate(sources):
            shutil.copy(source, rules / f"{number:03d}-{source.stem.removesuffix('_test')}.yaml")
        with closing(open_store(Path(folder, "store"))) as store:
            for number, series in enumerate(test.series):
                for table, rows in _tables(series, number, end_s):
                    _insert(store, table, rows)
            evaluator = build_evaluator(
                store, rules_dir=rules, bundled=False, settle_s=0, slo_window_s=test.slo_window
            )
            done_s = 0.0
            for number, one in expected:
                while done_s < one.at:
                    done_s = min(done_s + every_s, one.at)
                    result = evaluator.evaluate_once(START_MS + round(done_s * 1000))
                    for rule, why in result.failures:
                        yield ("expect", number), f"{rule} could not be evaluated: {why}"
                firing = [from_json(text) for text in open_alerts(store)]
                for what in _differences(one.firing, firing):
                    yield ("expect", number), f"at {one.at / 60:g} min {what}"


def _differences(expected: Sequence[_Alert], firing: Sequence[Alert]) -> Iterator[str]:
    left = list(firing)
    for one in expected:
        found = next((alert for alert in left if _is(one, alert)), None)
        if found is None:
            yield f"{one.rule} does not fire as expected ({one.model_dump(exclude_none=True)})"
        else:
            left.remove(found)
    for alert in left:
        yield f"{alert.rule} fires ({alert.severity}): {alert.summary}"


def _is(one: _Alert, alert: Alert) -> bool:
    return (
        alert.rule == one.rule
        and one.severity in (None, alert.severity)
        and all(alert.labels.get(name) == value for name, value in one.labels.items())
    )


def _tables(series: _Series, number: int, end_s: float) -> Iterator[tuple[str, pa.Table]]:
    """Rows of one series, as columns of its table."""
    from_ms = START_MS + round((series.from_ or 0.0) * 1000)
    to_ms = min(from_ms + round(series.for_ * 1000), START_MS + round(end_s * 1000))
    if to_ms <= from_ms:
        return
    same = {"service": series.service, "host": series.host, "region": series.region}
    if series.requests is not None:
        n = min(round(series.per_s * (to_ms - from_ms) / 1000), ROWS_MAX)
        yield (
            "requests",
            _rows("requests", _times(from_ms, to_ms, n), _requests(series, number, n) | same),
        )
    elif series.metric is not None:
        n = max(1, (to_ms - from_ms) // POINT_EVERY_MS)
        labels = sorted(f"{name}={value}" for name, value in series.labels.items())
        points = {"name": series.metric, "kind": "gauge", "value": series.value, "labels": labels}
        yield "metrics", _rows("metrics", _times(from_ms, to_ms, n), {**points, **same})
    else:
        fingerprint = int(hashlib.sha256(str(series.error).encode()).hexdigest()[:15], 16)
        event = {"error_fp": fingerprint, "type": series.error, "message": "of a test",
                 "release": series.release, "endpoint": ""}  # fmt: skip
        yield "errors", _rows("errors", _times(from_ms, to_ms, series.events), event | same)


def _requests(series: _Series, number: int, n: int) -> dict[str, Any]:
    bad = np.zeros(n, dtype=bool)
    if series.bad is not None:
        bad[:: max(1, round(1 / series.bad))] = True
    status = np.where(bad, 500, series.status).astype(np.uint16)
    outcome = np.where(bad, "error", series.outcome)
    return {
        "ring_id": number + 1,
        "seq": np.arange(1, n + 1, dtype=np.uint64),
        "weight": 1.0,
        "release": series.release,
        "endpoint": str(series.requests),
        "kind": "task" if str(series.requests).startswith("task ") else "http",
        "status": status,
        "outcome": outcome,
        "wall_ns": round(series.wall * 1e9),
        "cost_unit": "none",
        "worker_req": 10_000,
        "worker_age_s": 10_000,
    }


def _times(from_ms: int, to_ms: int, n: int) -> Any:
    return (from_ms + np.arange(n) * (to_ms - from_ms) // max(n, 1)).astype(np.uint64)


def _rows(table: str, ts_ms: Any, columns: Mapping[str, Any]) -> pa.Table:
    """A column's value for all rows, or an array of one a row; zero or empty elsewhere."""
    arrays = []
    for field in SCHEMAS[table]:
        value = ts_ms if field.name == "ts_ms" else columns.get(field.name)
        if value is None:
            value = [] if pa.types.is_list(field.type) else "" if field.type == pa.string() else 0
        if isinstance(value, np.ndarray):
            arrays.append(pa.array(value).cast(field.type))
        else:
            arrays.append(pa.array([value] * len(ts_ms), field.type))
    return pa.Table.from_arrays(arrays, schema=SCHEMAS[table])


def _insert(store: Store, table: str, rows: pa.Table) -> None:
    """In batches of one UTC day."""
    days = rows["ts_ms"].to_numpy() // DAY_MS
    cuts = [0, *(np.flatnonzero(np.diff(days)) + 1).tolist(), rows.num_rows]
    for day, (begin, end) in enumerate(zip(cuts, cuts[1:], strict=False)):
        for at in range(begin, end, ROWS_A_BATCH):
            part = rows.slice(at, min(ROWS_A_BATCH, end - at))
            digest = hashlib.sha256(f"{table}{day}{at}{id(rows)}".encode()).hexdigest()[:24]
            store.insert(table, part, f"test-{digest}")
