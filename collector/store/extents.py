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


def extents(batches: Iterable[Batch]) -> list[Extent]:
    """One for all that lie near each other: what was kept back for hours does not reach from then
    until now."""
    found: list[Extent] = []
    for one in sorted(map(_extent, batches), key=lambda extent: extent.from_ms):
        if found and one.from_ms <= found[-1].to_ms + NEAR_MS:
            found[-1] = _joined((found[-1], one))
        else:
            found.append(one)
    return found


def _extent(batch: Batch) -> Extent:
    times = pc.min_max(batch.rows["ts_ms"]).as_py()
    services = pc.min_max(batch.rows["service"]).as_py()
    return Extent((batch.id,), times["min"], times["max"], services["min"], services["max"])


def _joined(parts: Sequence[Extent]) -> Extent:
    return Extent(
        tuple(one for part in parts for one in part.ids),
        min(part.from_ms for part in parts),
        max(part.to_ms for part in parts),
        min(part.first_service for part in parts),
        max(part.last_service for part in parts),
    )
