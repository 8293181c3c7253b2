"""Compiles inside/shim.c once a version."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from alerting.gate.errors import GateError

__all__ = ["SOURCE", "compiled_shim"]

SOURCE = Path(__file__).parent / "inside" / "shim.c"


def compiled_shim(cache: Path) -> Path:
    """The shared library, made in the cache folder if it is not there yet."""
    digest = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]
    library = cache / f"gate-{digest}.so"
    if library.exists():
        return library
    compiler = next(
        (found for name in ("cc", "gcc", "clang") if (found := shutil.which(name))), None
    )
    if compiler is None:
        raise GateError("no C compiler: `apt-get install gcc libc6-dev`, or use --counter cpu")
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GateError(
            f"{cache} cannot be made ({error.strerror}): let HOME be writable"
        ) from error
    being_made = library.with_suffix(f".{os.getpid()}")
    made = subprocess.run(
        [compiler, "-O1", "-shared", "-fPIC", "-o", str(being_made), str(SOURCE)],
        capture_output=True,
        text=True,
    )
    if made.returncode:
        reason = (made.stderr.strip().splitlines() or ["no reason given"])[0]
        raise GateError(
            f"{compiler} cannot compile {SOURCE} ({reason}): "
            "install `valgrind` and `libc6-dev`, or use --counter cpu"
        )
    being_made.replace(library)
    return library
