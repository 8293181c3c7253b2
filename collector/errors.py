"""What can go wrong in the collector.

CollectorError
+-- BadQuestion    a question with a parameter that is not understood: 400
+-- Refused        a batch or change that is not taken, with its HTTP status
+-- StoreError     the store does not open or answer: collector.store.errors
"""

__all__ = ["BadQuestion", "CollectorError", "Refused"]


class CollectorError(Exception):
    """One sentence: what, where, how to mend."""


class BadQuestion(CollectorError):
    """A parameter is missing, unknown or malformed."""


class Refused(CollectorError):
    """Input that is not taken. `status`: HTTP; `why`: one word for the count of rejections."""

    def __init__(self, status: int, why: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.why = why
