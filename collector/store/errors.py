"""What can go wrong in the store.

CollectorError
+-- StoreError
    +-- StoreInUse      another process, or another folder in this one
    +-- StoreTooNew     written by a newer version
    +-- QueryStopped    a time or memory limit was reached
    +-- StoreAway       a server does not answer; another one of a cluster may
"""

from collector.errors import CollectorError

__all__ = ["QueryStopped", "StoreAway", "StoreError", "StoreInUse", "StoreTooNew"]


class StoreError(CollectorError):
    """One sentence: what, where, how to mend."""


class StoreInUse(StoreError):
    """The data folder belongs to another process."""


class StoreTooNew(StoreError):
    """The data folder was written by a newer version."""


class QueryStopped(StoreError):
    """A query reached its time or memory limit."""


class StoreAway(StoreError):
    """A server does not answer, or went away meanwhile: what was sent may have been done."""
