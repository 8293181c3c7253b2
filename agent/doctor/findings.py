"""What a check says: its state, one sentence, and how to mend what is wrong."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding", "State", "failed", "ok", "warning"]

State = Literal["ok", "warning", "failed"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`mend` is empty where there is nothing to do."""

    check: str
    state: State
    says: str
    mend: str = ""


def ok(check: str, says: str) -> Finding:
    """All is well."""
    return Finding(check, "ok", says)


def warning(check: str, says: str, mend: str) -> Finding:
    """It works, but less well than it could."""
    return Finding(check, "warning", says, mend)


def failed(check: str, says: str, mend: str) -> Finding:
    """Something that Dynoscope does cannot be done here."""
    return Finding(check, "failed", says, mend)
