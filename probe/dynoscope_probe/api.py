"""What an application may say of the request that it is in. Outside a request: nothing happens."""

from __future__ import annotations

from contextlib import contextmanager
from hashlib import blake2b
from typing import Iterator, Union

from dynoscope_probe import guard
from dynoscope_probe.request import current_request

__all__ = ["flag", "note_flag", "set_endpoint", "set_user"]

FLAG_CHARACTERS_MAX = 64


@contextmanager
def flag(name: str, value: Union[str, bool, int, float]) -> Iterator[None]:
    """Run a block under a feature flag: the request's record carries `name=value`."""
    note_flag(name, value)
    yield


def note_flag(name: str, value: Union[str, bool, int, float]) -> None:
    """The same from here to the request's end. Long names and values are cut, which `…` shows."""
    try:
        request = current_request()
        if request is not None:
            request.add_flag(_bounded(str(name)), _bounded(str(value)))
    except Exception:
        guard.swallowed()


def set_endpoint(name: str) -> None:
    """Name the request's endpoint, where only the application knows it; the last name counts."""
    try:
        request = current_request()
        if request is not None:
            request.name(str(name))
    except Exception:
        guard.swallowed()


def set_user(user_id: Union[str, int]) -> None:
    """Note the request's user: a hash keyed with DYNOSCOPE_USER_HASH_KEY_FILE (or nothing)."""
    try:
        request = current_request()
        if request is None or not request.process.settings.user_hash_key:
            return
        key = request.process.settings.user_hash_key
        digest = blake2b(str(user_id).encode(), digest_size=8, key=key).digest()
        request.user_hash = int.from_bytes(digest, "little")
    except Exception:
        guard.swallowed()


def _bounded(text: str) -> str:
    short = text if len(text) <= FLAG_CHARACTERS_MAX else text[: FLAG_CHARACTERS_MAX - 1] + "…"
    return short if short.isprintable() else "".join(c if c.isprintable() else " " for c in short)
