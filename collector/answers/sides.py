"""Sides of a comparison: `release:r1`, `host:web-1,release:r2`, `window:-2h..-1h`, `region:eu`,
`flag:new_ranker=on`, `runtime:cpython 3.12.1`."""

from dataclasses import dataclass

from collector.answers.records import Window
from collector.answers.windows import parse_window
from collector.errors import BadQuestion

__all__ = ["Side", "parse_side"]

KEYS = ("release", "window", "host", "region", "flag", "runtime")


@dataclass(frozen=True, slots=True)
class Side:
    """What one side of a comparison is made of; an empty string means any."""

    label: str
    release: str
    host: str
    region: str
    #: half open: from_ms <= time < to_ms
    from_ms: int
    to_ms: int
    #: name=value
    flag: str = ""
    runtime: str = ""
    #: a window was named: hours of the day are to be alike
    is_window: bool = False


def parse_side(text: str, window: Window) -> Side:
    """Parse `key:value[,key:value]`; times of `window:A..B` are relative to the end of `window`."""
    chosen: dict[str, str] = {}
    for part in text.split(","):
        key, colon, value = part.strip().partition(":")
        if not colon or key not in KEYS or not value:
            raise BadQuestion(
                f"The side {text!r} is not understood at {part!r}: "
                f"write key:value with a key of {', '.join(KEYS)}."
            )
        if key in chosen:
            raise BadQuestion(f"The side {text!r} names {key} twice.")
        chosen[key] = value
    if "flag" in chosen and not chosen["flag"].partition("=")[1]:
        raise BadQuestion(f"The side {text!r} names no value of its flag: write flag:NAME=VALUE.")
    own = _window(chosen["window"], window) if "window" in chosen else window
    return Side(
        label=text,
        release=chosen.get("release", ""),
        host=chosen.get("host", ""),
        region=chosen.get("region", ""),
        from_ms=own.from_ms,
        to_ms=own.to_ms,
        flag=chosen.get("flag", ""),
        runtime=chosen.get("runtime", ""),
        is_window="window" in chosen,
    )


def _window(text: str, window: Window) -> Window:
    start, dots, end = text.partition("..")
    if not dots:
        raise BadQuestion(f"The window {text!r} is not understood: write FROM..TO, as -2h..-1h.")
    return parse_window(start, end, window.to_ms)
