"""The order in which configurations take turns, no one always after another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import TypeVar

__all__ = ["interleaved"]

T = TypeVar("T")


def interleaved(
    things: Sequence[T], blocks: int, rounds_per_block: int, seed: int
) -> Iterator[tuple[int, T]]:
    """(block, thing): in every round of every block all things, in a shuffled order.

    A thing that is to have several turns a round is there several times.
    """
    random = Random(seed)
    for block in range(blocks):
        for _ in range(rounds_per_block):
            for thing in random.sample(things, len(things)):
                yield block, thing
