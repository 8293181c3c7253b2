"""Several questions to the store at the same time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

__all__ = ["together"]

#: Fewer than the store has connections, so that other answers go on.
THREADS = 3


def together(*asked: Callable[[], Any]) -> tuple[Any, ...]:
    """What each of these returns, in their order; raises what the first of them raised."""
    with ThreadPoolExecutor(min(THREADS, len(asked))) as pool:
        futures = [pool.submit(one) for one in asked]
        return tuple(future.result() for future in futures)
