"""What can go wrong in alerting, apart from the store.

AlertingError
+-- BadWebhook    an address that notifications cannot be sent to
"""

__all__ = ["AlertingError", "BadWebhook"]


class AlertingError(Exception):
    """One sentence: what, where, how to mend."""


class BadWebhook(AlertingError):
    """Not an http or https address with a host."""
