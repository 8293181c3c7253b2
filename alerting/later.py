"""Questions that are asked at the same time: what they wait for, they wait for together."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Later"]

T = TypeVar("T")


class Later(Generic[T]):
    """What `ask` answers on a thread of its own, which nobody need wait for."""

    def __init__(self, ask: Callable[[], T]) -> None:
        self._answer: list[T] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(
            target=self._run, args=(ask,), name="alert-ask", daemon=True
        )
        self._thread.start()

    def _run(self, ask: Callable[[], T]) -> None:
        try:
            self._answer.append(ask())
        except BaseException as error:
            self._error = error

    def wait(self) -> None:
        """Until there is an answer or an error."""
        self._thread.join()

    def value(self) -> T:
        """Waits for it; raises what `ask` raised."""
        self.wait()
        if self._error is not None:
            raise self._error
        return self._answer[0]
