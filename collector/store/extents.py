"""Where batches lie in every table: day, times, services; the index needs no more."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["Batch", "Extent", "extents"]

#: Batches no further apart than this are looked for together.
NEAR_MS = 60_000


@dataclass(frozen=True, slots=True)
class Batch:
    """rows: columns of WIRE of its table, one UTC day, at least one row.
    may_be_stored: this is not its first sending.
    """

    id: str
    rows: pa.Table
    may_be_stored: bool = False

    def times_ms(self) -> tuple[int, int]:
        """Of its oldest and its newest row."""
        ts_ms = self.rows["ts_ms"].to_numpy()
        return int(ts_ms.min()), int(ts_ms.max())


@dataclass(frozen=True, slots=True)
class Extent:
    """Times and services of some batches; both ends included."""

    ids: tuple[str, ...]
    from_ms: int
    to_ms: int
    first_service: str
    last_service: str

    def bounds(self) -> dict[str, int | str]:
        """As parameters of a query."""
        return {
            "from_ms": self.from_ms,
            "to_ms": self.to_ms,
            "first_service": self.first_service,
            "last_service": self.last_service,
        }


@dataclass(frozen=True, slots=True)
class _Times:
    batch: Batch
    from_ms: int
    to_ms: int


def extents(batches: Iterable[Batch]) -> list[Extent]:
    """One for all that lie near each other: what was kept back for hours does not reach from then
    until now."""
    found: list[list[_Times]] = []
    to_ms = 0
    for one in sorted(map(_times, batches), key=lambda times: times.from_ms):
        if found and one.from_ms <= to_ms + NEAR_MS:
            found[-1].append(one)
        else:
            found.append([one])
        to_ms = max(to_ms, one.to_ms)
    return [_extent(near) for near in found]


def _extent(times: Sequence[_Times]) -> Extent:
    chunks = [chunk for one in times for chunk in one.batch.rows["service"].chunks]
    services = pc.min_max(pa.chunked_array(chunks)).as_py()
    return Extent(
        tuple(one.batch.id for one in times),
        min(one.from_ms for one in times),
        max(one.to_ms for one in times),
        services["min"],
        services["max"],
    )


def _times(batch: Batch) -> _Times:
    return _Times(batch, *batch.times_ms())
