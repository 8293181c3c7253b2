"""Nothing of the probe may raise into the application: what it swallows passes through here."""

from __future__ import annotations

from contextlib import suppress
from typing import Callable, Optional

__all__ = ["count_errors_with", "reraise_with", "swallowed"]

_reraise: Optional[Callable[[], None]] = None
_count: Optional[Callable[[], None]] = None


def swallowed() -> None:
    """Call inside `except`: counts the error (probe_errors); tests re-raise it here."""
    if _count is not None:
        with suppress(Exception):  # the ring itself may be what is broken
            _count()
    if _reraise is not None:
        _reraise()


def count_errors_with(count: Callable[[], None]) -> None:
    """Name the function that counts one swallowed error."""
    global _count
    _count = count


def reraise_with(reraise: Optional[Callable[[], None]]) -> None:
    """For tests: a function that is called with every error that was swallowed (None: none)."""
    global _reraise
    _reraise = reraise
