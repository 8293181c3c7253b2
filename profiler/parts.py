"""One side cut into its endpoints, once: a comparison of hundreds asks for each by itself."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from profiler.measured import RequestWindows, SideData, StackWindows

__all__ = ["WINDOWS_MAX", "Part", "nothing_of", "numbered", "parts_of"]

Ints = npt.NDArray[np.int64]
Places = Ints | slice
Texts = npt.NDArray[np.str_]
Rows = TypeVar("Rows", RequestWindows, StackWindows)

#: More windows than a comparison ever has.
WINDOWS_MAX = 1 << 40


@dataclass(frozen=True, slots=True)
class Part:
    """What a side has of one endpoint. Hosts are numbers among those of the comparison."""

    requests: RequestWindows
    host: Ints
    """of each row of requests"""
    stacks: StackWindows
    """of windows in which the host served requests past warm-up, of whatever endpoint"""
    stack_host: Ints
    over_time: RequestWindows
    """of all hosts, per window, where `requests` are of groups of hosts; else the same as those"""


def parts_of(side: SideData, hosts: Sequence[str]) -> dict[str, Part]:
    """By endpoint."""
    rows, stacks = side.requests, side.stacks
    host, stack_host = (_among(hosts, texts) for texts in (rows.host, stacks.host))
    warm = np.flatnonzero(_warm(side, host, stack_host))
    served, taken = _places(rows.endpoint), _places(stacks.endpoint[warm])
    over_time = side.grouped.over_time if side.grouped else rows
    spent = _places(over_time.endpoint) if side.grouped else served
    none = np.zeros(0, dtype=np.int64)
    found = {}
    for endpoint in sorted(served.keys() | taken.keys()):
        at = served.get(endpoint, none)
        taken_at = warm[taken.get(endpoint, none)]
        requests = _at(rows, at)
        over = _at(over_time, spent.get(endpoint, none)) if side.grouped else requests
        samples = _at(stacks, taken_at)
        found[endpoint] = Part(requests, host[at], samples, stack_host[taken_at], over)
    return found


def nothing_of(side: SideData) -> Part:
    """Of an endpoint that the side does not have."""
    none = np.zeros(0, dtype=np.int64)
    nothing = _at(side.requests, none)
    return Part(nothing, none, _at(side.stacks, none), none, nothing)


def numbered(texts: Texts) -> tuple[list[str], Ints]:
    """(words in order, number of each text among them). Rows mostly come in order: a word is looked
    for once where it begins."""
    if not len(texts):
        return [], np.zeros(0, dtype=np.int64)
    begins = np.concatenate([[True], texts[1:] != texts[:-1]])
    words, number = np.unique(texts[begins], return_inverse=True)
    return words.tolist(), number.astype(np.int64)[np.cumsum(begins) - 1]


def _among(hosts: Sequence[str], texts: Texts) -> Ints:
    words, number = numbered(texts)
    place = {host: at for at, host in enumerate(hosts)}
    # Samples of a host without requests are of no use, and have a number of their own.
    places = np.array([place.get(word, len(hosts)) for word in words], dtype=np.int64)
    return places[number] if len(words) else number


def _places(texts: Texts) -> dict[str, Places]:
    """Where each word stands."""
    words, number = numbered(texts)
    counts = np.bincount(number, minlength=len(words))
    ends = np.cumsum(counts)
    starts, ends = (ends - counts).tolist(), ends.tolist()
    if (number[1:] >= number[:-1]).all():
        spans = zip(words, starts, ends, strict=True)
        return {word: slice(start, end) for word, start, end in spans}
    order = np.argsort(number, kind="stable")
    return {word: order[a:b] for word, a, b in zip(words, starts, ends, strict=True)}


def _at(rows: Rows, at: Places) -> Rows:
    return type(rows)(*(getattr(rows, field.name)[at] for field in fields(rows)))


def _warm(side: SideData, host: Ints, stack_host: Ints) -> npt.NDArray[np.bool_]:
    """Samples from windows in which their host did not mostly serve requests of its warm-up."""
    rows, stacks = side.requests, side.stacks
    if side.grouped or rows.warm.all():
        return np.ones(len(stack_host), dtype=np.bool_)
    served_at, taken_at = (
        number * WINDOWS_MAX + one.window % WINDOWS_MAX
        for number, one in ((host, rows), (stack_host, stacks))
    )
    keys, at = np.unique(served_at, return_inverse=True)
    warm = np.bincount(at, rows.requests * rows.warm, minlength=len(keys))
    young = np.bincount(at, rows.requests * ~rows.warm, minlength=len(keys))
    found: npt.NDArray[np.bool_] = ~np.isin(taken_at, keys[young >= warm])
    return found
