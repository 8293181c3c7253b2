"""The three tokens: files in the data folder, mode 0600, made where they are missing."""

import hashlib
import hmac
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from collector.errors import CollectorError

__all__ = ["Tokens", "load_or_make_tokens", "same"]

TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class Tokens:
    """What agents (ingest), people (read) and operators (admin) show. Never printed by repr."""

    ingest: str = field(repr=False)
    read: str = field(repr=False)
    admin: str = field(repr=False)


def load_or_make_tokens(data_dir: Path, *, may_make: bool = True) -> Tokens:
    """Read `ingest.token`, `read.token` and `admin.token`.

    Those that are missing are made, or refused without `may_make`: whoever listens on more than
    loopback says who may come in.
    """
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    ingest, read, admin = (
        _load_or_make(data_dir / f"{name}.token", may_make) for name in ("ingest", "read", "admin")
    )
    if len({ingest, read, admin}) != 3:
        raise CollectorError(f"Two of the tokens in {data_dir} are the same: delete one of them.")
    return Tokens(ingest=ingest, read=read, admin=admin)


def same(given: str, expected: str) -> bool:
    """Compare in constant time, whatever the lengths."""
    return hmac.compare_digest(
        hashlib.sha256(given.encode("utf-8", "surrogateescape")).digest(),
        hashlib.sha256(expected.encode()).digest(),
    )


def _load_or_make(path: Path, may_make: bool) -> str:
    if not may_make and not path.exists():
        raise CollectorError(
            f"{path} is missing: write a token into it (mode 0600) before listening on more than "
            "loopback, or start once on 127.0.0.1, which makes the tokens."
        )
    if path.exists():
        return _load(path)
    # Written aside and linked, so that of two processes one makes the file, and none sees half.
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(TOKEN_BYTES) + "\n")
    try:
        with suppress(FileExistsError):
            os.link(aside, path)
    finally:
        aside.unlink()
    return _load(path)


def _load(path: Path) -> str:
    if path.stat().st_mode & 0o077:
        raise CollectorError(f"Others may read {path}: run chmod 600 on it.")
    token = path.read_text("utf-8").strip()
    if len(token) < 16 or not token.isascii():
        raise CollectorError(f"{path} holds no token (16 plain characters or more): delete it.")
    return token
