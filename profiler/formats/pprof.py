"""pprof's profile.proto: https://github.com/google/pprof/blob/main/proto/profile.proto"""

import gzip
import zlib
from collections.abc import Sequence

from profiler.formats.weighted import FormatError, WeightedStack
from profiler.formats.wire import fields, message, number, packed, unpacked

__all__ = ["parse_pprof", "pprof"]

#: Fields of Profile, and of the messages in it, by their names there.
SAMPLE_TYPE, SAMPLE, LOCATION, FUNCTION, STRINGS, TIME, PERIOD_TYPE, PERIOD = (
    1,
    2,
    4,
    5,
    6,
    9,
    11,
    12,
)
#: A gzip of a few bytes may hold terabytes.
BYTES_MAX = 512_000_000


def pprof(stacks: Sequence[WeightedStack], *, time_ns: int = 0) -> bytes:
    """A gzipped profile: samples/count and cpu/nanoseconds. Opens in `go tool pprof`."""
    texts: dict[str, int] = {"": 0}

    def text(value: str) -> int:
        return texts.setdefault(value, len(texts))

    kinds = [(text("samples"), text("count")), (text("cpu"), text("nanoseconds"))]
    ids: dict[str, int] = {}
    samples = [
        message(
            SAMPLE,
            packed(1, [ids.setdefault(f, len(ids) + 1) for f in reversed(stack.frames)])
            + packed(2, [stack.samples, stack.cpu_ns]),
        )
        for stack in stacks
    ]
    places = []
    for frame, at in ids.items():
        module, colon, _ = frame.partition(":")
        name, file = text(frame), text(module if colon else "")
        line = message(4, number(1, at))
        places.append(message(LOCATION, number(1, at) + line))
        places.append(
            message(FUNCTION, number(1, at) + number(2, name) + number(3, name) + number(4, file))
        )
    types = [number(1, kind) + number(2, unit) for kind, unit in kinds]
    body = b"".join(
        [
            *(message(SAMPLE_TYPE, kind) for kind in types),
            *samples,
            *places,
            *(message(STRINGS, value.encode()) for value in texts),
            number(TIME, time_ns),
            message(PERIOD_TYPE, types[1]),
            number(PERIOD, 1),
        ]
    )
    return gzip.compress(body, mtime=0)


def parse_pprof(data: bytes) -> list[WeightedStack]:
    """Any tool's profile, gzipped or not; inlined calls become frames. Raises FormatError."""
    texts: list[str] = []
    functions: dict[int, int] = {}
    places: dict[int, list[int]] = {}
    samples: list[bytes] = []
    types: list[bytes] = []
    for field, value in fields(_unzipped(data)):
        if not isinstance(value, bytes):
            continue
        if field == STRINGS:
            texts.append(value.decode("utf-8", "replace"))
        elif field == SAMPLE:
            samples.append(value)
        elif field == SAMPLE_TYPE:
            types.append(value)
        elif field == FUNCTION:
            numbers = _numbers(value)
            functions[numbers.get(1, 0)] = numbers.get(2, 0)
        elif field == LOCATION:
            at, lines = _location(value)
            places[at] = lines
    if not samples and not types:
        raise FormatError("there is no sample in it: is it a pprof profile?")
    try:
        names = {at: texts[name] for at, name in functions.items()}
        count, cpu = _columns([texts[_numbers(kind).get(1, 0)] for kind in types])
        return [_sample(value, places, names, count, cpu) for value in samples]
    except (IndexError, KeyError) as error:
        raise FormatError(f"it names something that it does not hold ({error})") from error


def _unzipped(data: bytes) -> bytes:
    if data[:2] != b"\x1f\x8b":
        return data
    try:
        unzip = zlib.decompressobj(wbits=31)
        body = unzip.decompress(data, BYTES_MAX)
    except zlib.error as error:
        raise FormatError(f"it cannot be unzipped ({error})") from error
    if unzip.unconsumed_tail:
        raise FormatError(f"it is larger than {BYTES_MAX:,} bytes")
    return body


def _numbers(body: bytes) -> dict[int, int]:
    return {field: value for field, value in fields(body) if isinstance(value, int)}


def _location(body: bytes) -> tuple[int, list[int]]:
    """(id, functions, innermost first)."""
    at, lines = 0, []
    for field, value in fields(body):
        if field == 1 and isinstance(value, int):
            at = value
        elif field == 4 and isinstance(value, bytes):
            lines.append(_numbers(value).get(1, 0))
    return at, lines


def _columns(names: Sequence[str]) -> tuple[int, int]:
    """Places of the samples' count and of the CPU time, -1 where there is none."""
    count = next((at for at, name in enumerate(names) if name in ("samples", "sample")), -1)
    cpu = next((at for at, name in enumerate(names) if name in ("cpu", "wall")), -1)
    return (0, cpu) if count < 0 and cpu != 0 else (count, cpu)


def _sample(
    body: bytes, places: dict[int, list[int]], names: dict[int, str], count: int, cpu: int
) -> WeightedStack:
    at: list[int] = []
    values: list[int] = []
    for field, value in fields(body):
        if field == 1:
            at += unpacked(value)
        elif field == 2:
            values += unpacked(value)
    frames = [names[function] for place in at for function in places[place]]
    return WeightedStack(
        tuple(reversed(frames)),
        values[count] if count >= 0 else 1,
        values[cpu] if cpu >= 0 else 0,
    )
