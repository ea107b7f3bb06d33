"""An answer that costs something, made for one request at a time and kept for a second."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from werkzeug.exceptions import ServiceUnavailable

Value = TypeVar("Value")

KEEP_SECONDS = 1.0
RECENT_SECONDS = 10.0
WAIT_SECONDS = 0.3


class KeptAnswer(Generic[Value]):
    """The last value of something that reads database and broker, which may be silent."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: tuple[float, Value] | None = None

    def get(self, make: Callable[[], Value]) -> Value:
        """The value of the last second; else a new one.

        While another request makes it, one that is less than ``RECENT_SECONDS`` old. Raises
        ServiceUnavailable when there is none and that request takes longer than a moment.
        """
        recent = self._younger_than(RECENT_SECONDS)
        if not self._lock.acquire(timeout=0 if recent else WAIT_SECONDS):
            if recent:
                return recent[0]
            raise ServiceUnavailable("Another request has begun this check.", retry_after=1)
        try:
            if kept := self._younger_than(KEEP_SECONDS):
                return kept[0]
            value = make()
            self._kept = time.monotonic(), value
            return value
        finally:
            self._lock.release()

    def _younger_than(self, seconds: float) -> tuple[Value] | None:
        if self._kept and time.monotonic() - self._kept[0] < seconds:
            return (self._kept[1],)
        return None
