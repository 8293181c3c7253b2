"""What a failed request tells of its error: kind, a scrubbed line, the application's own frames."""

from __future__ import annotations

import os
import re
from hashlib import blake2b
from types import FrameType
from typing import Optional

from dynoscope_probe.endpoint import ENDPOINT_FILE
from dynoscope_probe.request import Request

__all__ = ["note_error", "scrubbed"]

MESSAGE_MAX = 300
FRAMES_MAX = 5
#: Looked at before it is cut, so that scrubbing a huge message costs no more than this.
_RAW_MAX = 2000
_SCRUB = (
    (re.compile(r"[^\s@'\"<>]+@[^\s@'\"<>]+\.[A-Za-z]{2,}"), "<email>"),
    (re.compile(r"'[^']*'|\"[^\"]*\""), "<value>"),
    (re.compile(r"\b(?:0x[0-9a-fA-F]+|(?=[0-9a-fA-F-]*\d)[0-9a-fA-F][0-9a-fA-F-]{7,})\b"), "<hex>"),
    (re.compile(r"\d{4,}"), "<number>"),
)
_NOT_OWN = ("/site-packages/", "/dist-packages/", "/dynoscope_probe/")
_STDLIB = (os.path.dirname(os.__file__) + "/", "<")


def note_error(request: Request, error: BaseException) -> None:
    """Give the request the error's fingerprint and text; the first error of a request counts."""
    if request.error_fp:
        return
    kind = type(error).__qualname__
    frames = _own_frames(error)
    identity = "\x1f".join((kind, *frames)).encode("utf-8", "replace")
    request.error_fp = int.from_bytes(blake2b(identity, digest_size=8).digest(), "little")
    texts = request.process.error_texts
    if request.error_fp not in texts:
        text = "\x1f".join((kind, scrubbed(_message(error)), "\n".join(frames)))
        texts[request.error_fp] = request.process.ring.string_id(text, bulky=True)
    request.error_id = texts[request.error_fp]


def scrubbed(message: str) -> str:
    """The message on one line, without values: quoted texts, emails, hexadecimals, long numbers."""
    line = " ".join(message[:_RAW_MAX].split())
    for pattern, word in _SCRUB:
        line = pattern.sub(word, line)
    return line[:MESSAGE_MAX]


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # the application's __str__
        return ""


def _own_frames(error: BaseException) -> list[str]:
    """`module:qualname` of the application's own frames, innermost first."""
    frames: list[str] = []
    entry = error.__traceback__
    while entry is not None:
        name = _own_name(entry.tb_frame)
        if name is not None:
            frames.append(name)
        entry = entry.tb_next
    return frames[: -FRAMES_MAX - 1 : -1]


def _own_name(frame: FrameType) -> Optional[str]:
    code = frame.f_code
    path = code.co_filename
    if path == ENDPOINT_FILE or path.startswith(_STDLIB) or any(part in path for part in _NOT_OWN):
        return None
    return "%s:%s" % (
        frame.f_globals.get("__name__", ""),
        getattr(code, "co_qualname", code.co_name),
    )
