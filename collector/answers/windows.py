"""Windows of time as people write them: `-15m`, `-1h`, `now`, RFC 3339."""

import re
from datetime import UTC, datetime

from collector.answers.records import Window
from collector.errors import BadQuestion
from profiler.vocabulary import HOUR_MS, MINUTE_MS

__all__ = ["MINUTE_MS", "covered", "parse_time", "parse_window", "rolled_up"]

UNITS_MS = {"s": 1_000, "m": MINUTE_MS, "h": HOUR_MS, "d": 86_400_000}
RELATIVE = re.compile(r"-(\d{1,9})([smhd])")
HOW = "write now, -15m, -1h, -7d or a time such as 2026-01-31T12:00:00Z"
#: Raw requests are kept 7 days, hours 400 days.
LONGEST_MS = 400 * UNITS_MS["d"]


def parse_window(start: str, end: str, now_ms: int) -> Window:
    """The window from `start` to `end`; raises BadQuestion with one sentence."""
    window = Window(parse_time(start, now_ms), parse_time(end, now_ms))
    if window.from_ms >= window.to_ms:
        raise BadQuestion(f"The window from {start!r} to {end!r} is empty: from must be before to.")
    if window.to_ms - window.from_ms > LONGEST_MS:
        raise BadQuestion(f"The window from {start!r} to {end!r} is longer than 400 days.")
    return window


def parse_time(text: str, now_ms: int) -> int:
    """A time in UTC ms. A time without a zone is UTC."""
    text = text.strip()
    if text == "now":
        return now_ms
    if match := RELATIVE.fullmatch(text):
        return max(now_ms - int(match[1]) * UNITS_MS[match[2]], 0)
    try:
        # A plus sign in a query string arrives as a space.
        parsed = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    except ValueError:
        raise BadQuestion(f"The time {text!r} is not understood: {HOW}.") from None
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=UTC)
    moment_ms = int(parsed.timestamp() * 1000)
    if moment_ms < 0:
        raise BadQuestion(f"The time {text!r} is before 1970: {HOW}.")
    return moment_ms


def rolled_up(window: Window) -> Window | None:
    """The whole minutes to read from the roll-ups; None where raw rows must be read.

    Roll-ups serve windows that start and end on minutes, and windows of an hour and more, which
    then start up to a minute early.
    """
    start, end = window.from_ms // MINUTE_MS * MINUTE_MS, -(-window.to_ms // MINUTE_MS) * MINUTE_MS
    if window.to_ms - window.from_ms >= HOUR_MS or (start, end) == (window.from_ms, window.to_ms):
        return Window(start, end)
    return None


def covered(window: Window, newest_ms: int) -> Window:
    """The time that an answer's rows stand for: what was read, but not what is still to come.

    Reading whole minutes may reach past the end of the window, into time that has not been yet.
    """
    read = rolled_up(window) or window
    return Window(read.from_ms, min(read.to_ms, max(window.to_ms, newest_ms + 1)))
