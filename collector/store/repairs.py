"""Gives the roll-ups of requests what they lack.

The engine may have ended between a table and a view of it; the table always comes first, so the raw
rows are right. For each key of some minutes the view's sums over the raw rows less the sums
already there are added in one block, so that a crash leaves all of it or none, and doing it again
adds nothing. No insert of requests may be under way meanwhile: its rows would be raw already but
not yet rolled up.
"""

from collector.store.engine import Engine
from collector.store.errors import StoreError
from collector.store.extents import Extent
from collector.store.texts import query_text, view_select
from profiler.vocabulary import MINUTE_MS

__all__ = ["repair"]

#: Roll-ups of requests, each filled by the view that is named after it.
ROLL_UPS = ("endpoint_minutes", "host_minutes")
REPAIRED = ("requests", *ROLL_UPS, "endpoint_steps", "service_days")
#: Weights are added in different orders.
ALL_BUT_ROUNDING = 1 - 1e-9


def repair(engine: Engine, extent: Extent) -> None:
    """Mend the roll-ups of these minutes; raises StoreError where that has to wait."""
    minutes = extent.bounds() | {
        "from_ms": extent.from_ms // MINUTE_MS * MINUTE_MS,
        "to_ms": (extent.to_ms // MINUTE_MS + 1) * MINUTE_MS,
    }
    engine.settle(REPAIRED)
    _mend(engine, "service_days", minutes)
    totals = engine.select(query_text("roll_up_totals"), minutes).to_pylist()[0]
    short = [name for name in ROLL_UPS if totals[name] < totals["raw"] * ALL_BUT_ROUNDING]
    if not short and not _steps_differ(engine, minutes):
        return
    running = engine.select_each(query_text("inserts_running"), {"id": "requests %"})
    if any(table.num_rows for table in running):
        raise StoreError("Rows of these minutes are being stored: send the batch again later.")
    engine.settle(REPAIRED)
    for roll_up in short:
        _mend(engine, roll_up, minutes)
    # What was just added to endpoint_minutes has gone on to endpoint_steps, where it may have been.
    if _steps_differ(engine, minutes):
        _mend(engine, "endpoint_steps", minutes, "repair_minutes")


def _steps_differ(engine: Engine, minutes: dict[str, int | str]) -> bool:
    """Whether endpoint_steps has more or fewer requests of the day than endpoint_minutes."""
    totals = engine.select(query_text("step_totals"), minutes).to_pylist()[0]
    less, more = sorted((totals["steps"], totals["minutes"]))
    return bool(less < more * ALL_BUT_ROUNDING)


def _mend(
    engine: Engine, roll_up: str, minutes: dict[str, int | str], rows: str = "repair_rows"
) -> None:
    view = view_select(f"{roll_up}_view", query_text(rows))
    statement = query_text(f"repair_{roll_up}").replace("{view}", view)
    engine.execute(engine.dialect.filled(statement), minutes)
