"""Which texts (statements, stacks) went out this hour: each is sent anew every hour."""

from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["Seen"]


@dataclass(slots=True)
class Seen:
    """Keys that are on disk in this period; a new period starts empty, which bounds it."""

    period_ms: int = 3_600_000
    _period: int = -1
    _keys: set[int] = field(default_factory=set)

    def fresh(self, keys: Sequence[int], now_ms: int) -> list[int]:
        """Distinct keys that have not gone out in this period, in order."""
        if now_ms // self.period_ms != self._period:
            self._period = now_ms // self.period_ms
            self._keys.clear()
        return [key for key in dict.fromkeys(keys) if key not in self._keys]

    def settle(self, keys: Sequence[int]) -> None:
        """`keys` are on disk."""
        self._keys.update(keys)
