"""What was dropped, torn, cut or refused: counted, shipped as rows of `limits`, shown in status."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock

__all__ = ["Key", "Limits"]

#: service, where, what
Key = tuple[str, str, str]


@dataclass(slots=True)
class Limits:
    """Counts since the last committed flush (`pending`) and since the start (`total`).

    Thread-safe. A flush takes `pending()` and calls `settle` with it once it is on disk, so a
    failed flush loses no count.
    """

    _pending: Counter[Key] = field(default_factory=Counter)
    _total: Counter[Key] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)

    def add(self, what: str, count: int = 1, *, where: str = "agent", service: str = "") -> None:
        """Count `what` (plural noun and reason, such as `records_dropped`) of one part."""
        if count <= 0:
            return
        with self._lock:
            self._pending[service, where, what] += count
            self._total[service, where, what] += count

    def note(self, counts: Mapping[Key, int]) -> None:
        """Add to the totals what a flush counted and has put on disk by itself."""
        with self._lock:
            self._total.update(counts)

    def pending(self) -> dict[Key, int]:
        """What is not on disk yet."""
        with self._lock:
            return dict(self._pending)

    def settle(self, counts: Mapping[Key, int]) -> None:
        """Forget `counts`: they are on disk."""
        with self._lock:
            self._pending.subtract(counts)
            self._pending += Counter()

    def totals(self) -> dict[str, int]:
        """`where.what` -> count since the start, over all services."""
        with self._lock:
            sums: Counter[str] = Counter()
            for (_, where, what), count in self._total.items():
                sums[f"{where}.{what}"] += count
            return {what: count for what, count in sorted(sums.items()) if count}
