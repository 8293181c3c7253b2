"""Makes the stores that are read: in the engine, out of numbers, the same every time."""

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from collector.store.engine import Engine, QueryLimits
from collector.store.migrations import migrate
from collector.store.store import opened_engine

__all__ = ["NOW_MS", "SERVICE", "Size", "made", "seconds_of"]

SERVICE = "photos"
DAY_MS, HOUR_MS, MINUTE_MS = 86_400_000, 3_600_000, 60_000
#: When the reads are asked: the end of the hour of raw rows, within an hour of the clock.
NOW_MS = 1_790_339_820_000  # 2026-09-25T12:37:00Z
RELEASES = 20
PATIENT = QueryLimits(seconds=3_000, memory_bytes=6_000_000_000)
#: Raw requests are made in pieces, as batches would come.
PIECE_S = 300
SQL_DIR = Path(__file__).parent
MONTH_MS = 32 * DAY_MS
#: step -> block, both of `endpoint_steps`.
BLOCKS_MS = {60_000: HOUR_MS, 300_000: HOUR_MS, HOUR_MS: DAY_MS, DAY_MS: MONTH_MS}
VIEW = "endpoint_steps_view"

Numbers = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is. `*_active`: the rank down to which an endpoint is active all the time."""

    endpoints: int = 500
    hour_days: int = 30
    minute_days: int = 2
    hosts: int = 1_000
    requests_per_s: int = 1_000
    hours_active: float = 10
    minutes_active: float = 3
    sample_rows: int = 5


def made(folder: Path, name: str, size: Size, say: Callable[[str], None]) -> Path:
    """The data folder of a store of that size; made where it is not there yet, or is another."""
    digest = _digest(size)
    data = folder / f"{name}-{digest}"
    if (data / "made").exists():
        return data
    for old in folder.glob(f"{name}-*"):
        shutil.rmtree(old)
    data.mkdir(parents=True)
    began_s = time.monotonic()
    with opened_engine(data, PATIENT) as engine:
        migrate(engine, lambda: NOW_MS / 1000)
        _fill(engine, size, lambda what: say(f"{name}: {what}"))
    took = {"seconds": time.monotonic() - began_s}
    (data / "made").write_text(json.dumps(asdict(size) | took))
    return data


def seconds_of(data: Path) -> float:
    """How long it took to make a store."""
    return float(json.loads((data / "made").read_text())["seconds"])


def _fill(engine: Engine, size: Size, say: Callable[[str], None]) -> None:
    today_ms = NOW_MS // DAY_MS * DAY_MS
    days = size.hour_days + size.minute_days
    # The view would sum each piece; whole days are summed faster.
    engine.execute(f"DETACH TABLE {VIEW}")
    for back in range(days, 0, -1):
        say(f"day {days - back + 1} of {days}")
        day_ms, hours = today_ms - back * DAY_MS, back > size.minute_days
        _day(engine, size, day_ms, days - back, DAY_MS, hours)
        _steps(engine, day_ms, hours)
    _run(engine, "moved", until_ms=today_ms - size.minute_days * DAY_MS)
    say("today until the hour")
    _day(engine, size, today_ms, days, NOW_MS - HOUR_MS - today_ms, False)
    _hour(engine, size, say)
    _steps(engine, today_ms, False)
    engine.execute(f"ATTACH TABLE {VIEW}")


def _hour(engine: Engine, size: Size, say: Callable[[str], None]) -> None:
    hour: Numbers = {"from_ms": NOW_MS - HOUR_MS, "seconds": HOUR_MS // 1000, "hosts": size.hosts}
    live: Numbers = {"endpoints": size.endpoints, "first_release": RELEASES - 3}
    say("stacks, samples and metrics of the hour")
    _run(engine, "stacks", from_ms=NOW_MS - HOUR_MS, endpoints=size.endpoints)
    _run(engine, "samples", rows=size.sample_rows, **hour, **live)
    _run(engine, "metrics", **hour)
    say("requests of the hour")
    for from_ms in range(NOW_MS - HOUR_MS, NOW_MS, 1000 * PIECE_S):
        piece = hour | {"from_ms": from_ms, "seconds": PIECE_S}
        _run(engine, "requests", rate=size.requests_per_s, **piece, **live)


def _day(engine: Engine, size: Size, day_ms: int, number: int, length_ms: int, hours: bool) -> None:
    slot_ms = HOUR_MS if hours else MINUTE_MS
    first = number * (RELEASES - 3) // (size.hour_days + size.minute_days)
    common: Numbers = {"day_ms": day_ms, "first_release": first, "slots": length_ms // slot_ms}
    _run(
        engine,
        "rollup",
        names={"table": "endpoint_hours" if hours else "endpoint_minutes"},
        endpoints=size.endpoints,
        slot_ms=slot_ms,
        active=float(size.hours_active if hours else size.minutes_active),
        **common,
    )
    _run(engine, "days", hosts=size.hosts, slot_ms=slot_ms, **common)
    if not hours:
        _run(engine, "hosts", hosts=size.hosts, **common)
    whole = common | {"slots": length_ms // HOUR_MS}
    _run(engine, "functions", endpoints=size.endpoints, active=float(size.hours_active), **whole)
    _run(engine, "marks", day_ms=day_ms, slots=length_ms // HOUR_MS)


def _steps(engine: Engine, day_ms: int, hours: bool) -> None:
    """Of a day: from its minutes those of 5 minutes, and from them, or from its hours, the rest."""
    fives = "(SELECT * FROM endpoint_steps WHERE step_ms = 300000 AND of_all = 0)"
    made = [(HOUR_MS, 0), (HOUR_MS, 1), (DAY_MS, 0), (DAY_MS, 1)]
    if hours:
        plan = [("endpoint_hours", "minute_ms", step, of_all) for step, of_all in made]
    else:
        first = [(60_000, 1), (300_000, 0)]
        plan = [("endpoint_minutes", "minute_ms", step, of_all) for step, of_all in first]
        plan += [(fives, "start_ms", step, of_all) for step, of_all in [(300_000, 1), *made]]
    for source, column, step_ms, of_all in plan:
        numbers: Numbers = {"step_ms": step_ms, "block_ms": BLOCKS_MS[step_ms], "of_all": of_all}
        _run(engine, "steps", names={"source": source, "time": column}, day_ms=day_ms, **numbers)


def _run(
    engine: Engine, name: str, *, names: Mapping[str, str] | None = None, **parameters: float
) -> None:
    text = (SQL_DIR / f"{name}.sql").read_text("utf-8")
    for placeholder, word in (names or {}).items():
        text = text.replace(f"{{{placeholder}}}", word)
    engine.execute(text, parameters)


def _digest(size: Size) -> str:
    """Of all that decides what is made, the schema, too."""
    schema = Path(__file__).parents[2] / "collector/store/schema"
    parts = [*sorted(SQL_DIR.glob("*.sql")), *sorted(schema.glob("*.sql")), Path(__file__)]
    whole = json.dumps(asdict(size)).encode() + b"".join(path.read_bytes() for path in parts)
    return hashlib.sha256(whole).hexdigest()[:12]
