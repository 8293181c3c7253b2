"""Keeps the agent's resident memory small. To be called before pyarrow is imported."""

import ctypes
import os
import re
import sys
from collections.abc import Iterable
from importlib.abc import MetaPathFinder
from typing import cast

__all__ = ["clean_ranges", "give_back", "settle_in", "shed"]

#: <malloc.h>
M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8
MMAP_THRESHOLD_BYTES = 256 << 10
#: <sys/mman.h>
MADV_DONTNEED = 4
_MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ (\d+)")


class _NoPandas:
    """An import finder by which there is no pandas in this process."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError("the agent does without pandas", name=name)


def settle_in() -> None:
    """Settings that count from now on; where the C library knows none of them, nothing happens.

    One heap for all threads instead of one each, which keep what was freed; Arrow allocates from
    it, too, instead of from an arena of 1 GB of its own; big blocks go back when they are freed.
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    _c_call("mallopt", M_ARENA_MAX, 1)
    _c_call("mallopt", M_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES)
    # pyarrow imports pandas, where it is installed, to see what a list is: 35 MB for nothing.
    sys.meta_path.insert(0, cast(MetaPathFinder, _NoPandas))


def give_back() -> None:
    """Return what was freed to the system."""
    _c_call("malloc_trim", 0)


def shed() -> int:
    """Let go of library pages that only loading has touched (30 MB); bytes that were resident.

    They are read-only pages of files, and come back from the page cache when they are needed.
    """
    try:
        with open("/proc/self/smaps") as file:
            ranges = list(clean_ranges(file))
    except OSError:
        return 0
    for start, length, _ in ranges:
        _c_call("madvise", start, length, MADV_DONTNEED)
    return sum(resident for _, _, resident in ranges)


def clean_ranges(smaps: Iterable[str]) -> Iterable[tuple[int, int, int]]:
    """(start, length, bytes resident) of mappings that equal their file in every page.

    One with a page of its own, such as what the loader has relocated, would lose it.
    """
    here: tuple[int, int] | None = None
    kb: dict[str, int] = {}
    for line in [*smaps, "0-0 ---p 0 0:0 0"]:
        match = _MAPPING.match(line)
        if match is None:
            name, _, rest = line.partition(":")
            if rest.endswith("kB\n"):
                kb[name] = int(rest.split()[0])
            continue
        own = kb.get("Anonymous", 1) + kb.get("Private_Dirty", 1) + kb.get("Shared_Dirty", 1)
        if here is not None and not own and kb.get("Rss"):
            yield *here, kb["Rss"] << 10
        start, end, rights, inode = match.groups()
        of_file = "w" not in rights and inode != "0"
        here = (int(start, 16), int(end, 16) - int(start, 16)) if of_file else None
        kb = {}


def _c_call(name: str, *arguments: int) -> None:
    function = getattr(ctypes.CDLL(None), name, None)
    if function is not None:
        function(*(ctypes.c_size_t(one) if one > 0 else one for one in arguments))
