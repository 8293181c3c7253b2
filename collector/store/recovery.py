"""Mends what a kill can leave behind: blocks that are known as inserted but are not there.

A MergeTree table writes the id of a new block into its deduplication log and then, some 70 us
later, renames the finished part into place. A process that is killed in between has a block in the
log that was never stored, and a repeat of its batch would be acknowledged and dropped. So before
the engine opens, the newest entries of each log are compared with the parts on disk, and those
without a part (or a merged part that covers it) are struck out.
"""

import os
import re
from pathlib import Path

__all__ = ["forget_lost_blocks"]

#: Inserts that can be in flight at once, and more: only the newest entries can be without a part.
NEWEST_ENTRIES = 64
PART = re.compile(r"(.+)_(\d+)_(\d+)_\d+(?:_\d+)?")
LOG = re.compile(r"deduplication_log_(\d+)\.txt")
ADDED, DROPPED = "1", "2"

#: partition, first block, last block
Blocks = tuple[str, int, int]


def forget_lost_blocks(engine_dir: Path) -> int:
    """Strike out lost blocks in every table's log; returns how many. The engine must be closed."""
    return sum(_mend(logs.parent, logs) for logs in engine_dir.glob("store/*/*/deduplication_logs"))


def _mend(table_dir: Path, logs_dir: Path) -> int:
    logs = [path for path in logs_dir.iterdir() if LOG.fullmatch(path.name)]
    logs.sort(key=lambda path: int(path.stem.rsplit("_", 1)[1]))
    parts = [blocks for path in table_dir.iterdir() if (blocks := _blocks(path.name))]
    # A log that has just been rotated may be short: look into the one before it, too.
    return sum(_strike_out(path, parts) for path in logs[-2:])


def _strike_out(log: Path, parts: list[Blocks]) -> int:
    lines = log.read_text("utf-8").splitlines(keepends=True)
    dropped = {line.split("\t")[1] for line in lines if line.split("\t")[0] == DROPPED}
    kept = lines[:-NEWEST_ENTRIES]
    for line in lines[-NEWEST_ENTRIES:]:
        what, name, *_ = line.split("\t")
        if what != ADDED or name in dropped or _is_covered(name, parts):
            kept.append(line)
    if len(kept) < len(lines):
        # Beside the table's folder, where the engine takes no notice of it.
        aside = log.parents[2] / f"{log.parents[1].name}.log"
        aside.write_text("".join(kept), "utf-8")
        os.replace(aside, log)
    return len(lines) - len(kept)


def _is_covered(name: str, parts: list[Blocks]) -> bool:
    wanted = _blocks(name)
    if wanted is None:
        return True
    return any(
        partition == wanted[0] and first <= wanted[1] and wanted[2] <= last
        for partition, first, last in parts
    )


def _blocks(name: str) -> Blocks | None:
    """Of a part's folder; None for anything else, unfinished parts (tmp_...) too."""
    match = PART.fullmatch(name)
    if match is None or name.startswith("tmp_"):
        return None
    return match[1], int(match[2]), int(match[3])
