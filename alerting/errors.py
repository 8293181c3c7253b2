"""What can go wrong in alerting, apart from the store.

AlertingError
+-- BadReceiver    notifications cannot be sent there, or its file is not understood
"""

__all__ = ["AlertingError", "BadReceiver"]


class AlertingError(Exception):
    """One sentence: what, where, how to mend."""


class BadReceiver(AlertingError):
    """Not an address with a host, or a file of receivers with a mistake."""
