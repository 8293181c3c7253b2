"""Raw py-spy stacks -> function identities, origins, endpoint. Pure.

py-spy prints `name (file:line)` per frame, root first; since CPython 3.11 the name is the
qualified one (`Feed.rank.<locals>.<genexpr>`), before it only `co_name`. The module comes from the
file and the worker's sys.path.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b

from profiler.vocabulary import ENDPOINT_FILE, ORIGINS, STACK_FRAMES_MAX

__all__ = ["OWN", "Modules", "RawFrame", "RawStack", "Stack", "mend", "parse_raw", "resolve"]

#: Names may hold anything (`GET (unmatched)`), file names no ") (".
_FRAME = re.compile(r"(.+?) \(((?:(?!\) \().)*?):(\d+)\)(?:;|$)")
_THREAD = re.compile(r"thread \(([^)]*)\)(?:: [^;]*)?;")
OWN, _PACKAGE, _STDLIB, _NATIVE = range(len(ORIGINS))
_STDLIB_PATH = re.compile(r"/python3\.\d+(/lib-dynload)?$|/python3\d+\.zip$")
_NATIVE_FILE = re.compile(r"\.(so[.\d]*|c|cc|cpp|pyx|pxd|rs)$")
_PROBE = "dynoscope_probe"


@dataclass(frozen=True, slots=True)
class RawFrame:
    """One frame as py-spy prints it."""

    name: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class RawStack:
    """One stack, root first, seen `samples` times on CPU. thread_id 0: py-spy does not know it."""

    thread_id: int
    frames: tuple[RawFrame, ...]
    samples: int


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack as it is stored. `frames`: `module:qualname`, root first, without endpoint frames.

    `stack_id` is a hash of `frames` alone; `lines` and `origins` go with the frames.
    """

    stack_id: int
    endpoint: str
    frames: tuple[str, ...]
    lines: tuple[int, ...]
    origins: tuple[int, ...]
    cut: bool


def parse_raw(text: str) -> tuple[list[RawStack], int]:
    """Stacks of py-spy's raw format (with --threads), and how many lines were not understood."""
    stacks, unread = [], 0
    for line in text.splitlines():
        body, _, count = line.rpartition(" ")
        thread = _THREAD.match(body)
        frames_text = body[thread.end() :] if thread else body
        frames = tuple(
            RawFrame(name, file, int(number)) for name, file, number in _FRAME.findall(frames_text)
        )
        if not frames or not count.isascii() or not count.isdigit():
            unread += bool(line.strip())
            continue
        thread_id = int(thread[1]) if thread and thread[1].isdigit() else 0
        stacks.append(RawStack(thread_id, frames, int(count)))
    return stacks, unread


def mend(stacks: Sequence[RawStack]) -> tuple[list[RawStack], int, int]:
    """Put stacks that lost their callers back under them: stacks, samples mended, samples lost.

    Without stopping the worker, py-spy now and then reads a generator's frame in the moment in
    which it has no caller, and the stack begins there. Such a root shows in other stacks beneath
    a caller: it gets the callers that it has most often there. Where none is known, the samples
    are lost.
    """
    callers: dict[tuple[str, str], Counter[tuple[RawFrame, ...]]] = {}
    for stack in stacks:
        for depth, frame in enumerate(stack.frames):
            if depth:
                prefixes = callers.setdefault((frame.name, frame.file), Counter())
                prefixes[stack.frames[:depth]] += stack.samples
    whole, mended, lost = [], 0, 0
    for stack in stacks:
        root = stack.frames[0]
        prefixes = callers.get((root.name, root.file), Counter())
        if prefixes:
            prefix = prefixes.most_common(1)[0][0]
            whole.append(replace(stack, frames=prefix + stack.frames))
            mended += stack.samples
        elif root.name.endswith("<genexpr>"):
            lost += stack.samples
        else:
            whole.append(stack)
    return whole, mended, lost


@dataclass(slots=True)
class Modules:
    """Module name and origin of a file, by the worker's sys.path (joined by newlines).

    A file outside sys.path (an editable install) belongs to the folders above it that are packages;
    `exists` tells whether a file is there.
    """

    sys_path: str
    exists: Callable[[str], bool] = os.path.exists
    _known: dict[str, tuple[str, int]] = field(default_factory=dict)
    _roots: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        roots = {root.rstrip("/") for root in self.sys_path.split("\n")}
        self._roots = sorted(roots - {""}, key=len, reverse=True)

    def of(self, file: str) -> tuple[str, int]:
        """(module, index into ORIGINS) of a file as py-spy prints it."""
        if file not in self._known:
            self._known[file] = self._find(file)
        return self._known[file]

    def _find(self, file: str) -> tuple[str, int]:
        if file.startswith("<"):
            return file.removeprefix("<frozen ").strip("<>"), _STDLIB
        root = next((root for root in self._roots if file.startswith(root + "/")), "")
        path = file[len(root or self._above_package(file)) :].lstrip("/")
        module = path.rpartition(".")[0] or path
        module = module.removesuffix("/__init__").replace("/", ".")
        return module, self._origin(file, root, module)

    def _above_package(self, file: str) -> str:
        folder = file.rpartition("/")[0]
        while folder and self.exists(f"{folder}/__init__.py"):
            folder = folder.rpartition("/")[0]
        return folder

    def _origin(self, file: str, root: str, module: str) -> int:
        if _NATIVE_FILE.search(file):
            return _NATIVE
        packaged = "/site-packages/" in file or "/dist-packages/" in file
        folder, _, base = file.rpartition("/")
        script = folder.endswith("/bin") and "." not in base  # uwsgi, celery, gunicorn
        if packaged or script or module.partition(".")[0] == _PROBE:
            return _PACKAGE
        return _STDLIB if _STDLIB_PATH.search(root) else OWN


def resolve(frames: Sequence[RawFrame], modules: Modules) -> Stack:
    """The stack as it is stored; the innermost endpoint frame names the endpoint."""
    endpoint, names, lines, origins = "", [], [], []
    for frame in frames:
        if frame.file == ENDPOINT_FILE:
            endpoint = frame.name
            continue
        module, origin = modules.of(frame.file)
        names.append(f"{module}:{frame.name}")
        lines.append(frame.line)
        origins.append(origin)
    kept = tuple(names[:STACK_FRAMES_MAX])
    return Stack(
        stack_id=int.from_bytes(blake2b("\n".join(kept).encode(), digest_size=8).digest(), "big"),
        endpoint=endpoint,
        frames=kept,
        lines=tuple(lines[:STACK_FRAMES_MAX]),
        origins=tuple(origins[:STACK_FRAMES_MAX]),
        cut=len(names) > STACK_FRAMES_MAX,
    )
