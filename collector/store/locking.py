"""One process per data folder."""

import fcntl
import os
from pathlib import Path
from typing import IO

from collector.store.errors import StoreInUse

__all__ = ["lock_folder"]


def lock_folder(data_dir: Path) -> IO[str]:
    """Take the folder for this process; the lock ends with the file or the process."""
    held = open(data_dir / "store.lock", "a+", encoding="utf-8")  # noqa: SIM115
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        held.seek(0)
        owner = held.read().strip() or "?"
        held.close()
        raise StoreInUse(
            f"The data folder {data_dir} belongs to process {owner}: "
            "end it, or choose another folder with --data."
        ) from None
    held.truncate(0)
    held.write(str(os.getpid()))
    held.flush()
    return held
