"""One number on its way to the table `metrics`, and counters turned into their increases."""

from dataclasses import dataclass, field

from agent.requests import Identity

__all__ = ["Increases", "Series"]

KEYS_MAX = 50_000


@dataclass(frozen=True, slots=True)
class Series:
    """What is told of a metric: a counter's increase, a gauge, or one statistic.

    `kind`: counter, gauge or histogram; `source`: one of METRIC_SOURCES; `who`: whose number it
    is, None for the host's.
    """

    name: str
    kind: str
    unit: str
    labels: tuple[str, ...]
    value: float
    source: str = "statsd"
    who: Identity | None = None


@dataclass(slots=True)
class Increases:
    """Readings of counters that only rise, except when their process starts anew."""

    _last: dict[object, float] = field(default_factory=dict)

    def of(self, key: object, value: float) -> float | None:
        """The increase since the last reading; None for the first, which has none before it.

        A reading below the last one is a reset: all of it came since.
        """
        last = self._last.pop(key, None)
        self._last[key] = value
        if len(self._last) > KEYS_MAX:  # the one that was read longest ago
            self._last.pop(next(iter(self._last)))
        if last is None:
            return None
        return value - last if value >= last else value
