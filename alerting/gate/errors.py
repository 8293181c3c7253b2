"""The gate's one error."""

__all__ = ["GateError"]


class GateError(Exception):
    """It could not be measured; the message says what, where and how to mend it."""
