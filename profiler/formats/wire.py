"""The little of protobuf's wire format that pprof needs.

https://protobuf.dev/programming-guides/encoding/
"""

from collections.abc import Iterable, Iterator

from profiler.formats.weighted import FormatError

__all__ = ["fields", "message", "number", "packed", "unpacked"]

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
U64 = 1 << 64


def varint(value: int) -> bytes:
    value %= U64
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field: int, value: int) -> bytes:
    return varint(field << 3 | VARINT) + varint(value) if value else b""


def message(field: int, body: bytes) -> bytes:
    return varint(field << 3 | BYTES) + varint(len(body)) + body


def packed(field: int, values: Iterable[int]) -> bytes:
    return message(field, b"".join(map(varint, values)))


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """(number, value) of each field; raises FormatError where the bytes end too early."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if kind == VARINT:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        if kind == BYTES:
            size, at = _varint(data, at)
        elif kind in (FIXED64, FIXED32):
            size = 8 if kind == FIXED64 else 4
        else:
            raise FormatError(f"byte {at}: wire type {kind} is none of protobuf's")
        if at + size > len(data):
            raise FormatError(f"byte {at}: the file ends within a field")
        yield key >> 3, data[at : at + size]
        at += size


def unpacked(value: int | bytes) -> list[int]:
    """A repeated number, packed or not."""
    if isinstance(value, int):
        return [value]
    values, at = [], 0
    while at < len(value):
        one, at = _varint(value, at)
        values.append(one)
    return values


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value % U64, at
        shift += 7
    raise FormatError(f"byte {at}: a number does not end")
