"""Silences: alerts that nobody is to be told of for a while, with who said so and why."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collector.store.alert_reads import silence_texts
from collector.store.store import Store

__all__ = ["Silence", "active_silences", "silence_of", "silences_at"]


@dataclass(frozen=True, slots=True)
class Silence:
    """`matchers`: label -> whole regular expression; rule and severity are labels, too. All must
    match. Half open: starts_ms <= time < ends_ms."""

    id: str
    matchers: Mapping[str, str]
    starts_ms: int
    ends_ms: int
    by: str
    reason: str


def active_silences(store: Store, now_ms: int) -> tuple[Silence, ...]:
    return tuple(one for one in silences_at(store) if one.starts_ms <= now_ms < one.ends_ms)


def silences_at(store: Store) -> tuple[Silence, ...]:
    """Every silence in its newest state; what cannot be read silences nothing."""
    found = []
    for one, text, by, reason in silence_texts(store):
        try:
            data = json.loads(text)
            matchers = {str(name): str(pattern) for name, pattern in data["matchers"].items()}
            for pattern in matchers.values():
                re.compile(pattern)
            silence = Silence(
                one, matchers, int(data["starts_ms"]), int(data["ends_ms"]), by, reason
            )
        except (ValueError, KeyError, TypeError, AttributeError, re.error):
            continue
        if matchers:
            found.append(silence)
    return tuple(found)


def silence_of(labels: Mapping[str, str], silences: Sequence[Silence]) -> Silence | None:
    """The first silence that holds for an alert with these labels."""
    return next(
        (
            silence
            for silence in silences
            if all(
                re.fullmatch(pattern, str(labels.get(name, "")))
                for name, pattern in silence.matchers.items()
            )
        ),
        None,
    )
