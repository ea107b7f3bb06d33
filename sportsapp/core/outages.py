"""A broker or a database that is away: one line of the log a minute, and one at its end.

Code that one of them fails marks its line (``extra=BROKER.lines``), and code that it serves again
calls ``BROKER.ended()``. ``limit_lines`` is the filter of the log's handler: it drops marked lines
that follow another one within a minute, and nothing else. Each process counts for itself.
"""

import logging
import os
import threading
import time

import redis
from sqlalchemy.exc import InterfaceError, OperationalError

from sportsapp.core.errors import BrokerUnavailableError, ForeignBrokerError

logger = logging.getLogger(__name__)

EVERY_SECONDS = 60.0


class Outage:
    """Something that this process may lack. ``end`` is what the log says once it has it again."""

    def __init__(self, end: str) -> None:
        self.lines = {"outage": self}
        self._end = end
        self._lock = threading.Lock()
        self._began_at: float | None = None
        self._logged_at: float | None = None
        self._is_logged = False
        self._left_out = 0
        os.register_at_fork(after_in_child=self._forget_lock)

    def admits(self) -> bool:
        """Whether a line about this outage is due; one that is not is counted."""
        now = time.monotonic()
        with self._lock:
            if self._began_at is None:
                self._began_at = now
            if self._logged_at is not None and now - self._logged_at < EVERY_SECONDS:
                self._left_out += 1
                return False
            self._logged_at, self._is_logged = now, True
            return True

    def ended(self) -> None:
        """Log that it is over, if it was there and was logged. It costs nothing otherwise."""
        if self._began_at is None:
            return
        with self._lock:
            began_at, self._began_at = self._began_at, None
            is_logged, self._is_logged = self._is_logged, False
            if began_at is None or not is_logged:
                return
        seconds = time.monotonic() - began_at
        logger.warning("%s after %.0f s%s", self._end, seconds, self.left_out())

    def left_out(self) -> str:
        """How many lines were dropped since the last call, in words; empty for none."""
        with self._lock:
            count, self._left_out = self._left_out, 0
        return f" ({count:,} more like it left out)" if count else ""

    def _forget_lock(self) -> None:
        """In a forked child: another thread of the parent may have held the lock."""
        self._lock = threading.Lock()


BROKER = Outage("the broker answers again")
DATABASE = Outage("the database answers again")
WRITES = Outage("the database takes writes again")

# Lines of libraries, which cannot mark them.
HUEYS_WORKER = "huey.consumer.Worker"
BROKER_ERRORS = (BrokerUnavailableError, redis.ConnectionError, redis.TimeoutError)
LIMITER = "flask-limiter"
LIMITER_FAILS, LIMITER_IS_BACK = "Rate limit storage unreachable", "Rate limit storage recovered"


def about(error: Exception) -> dict[str, Outage] | None:
    """The mark of a line about this error of something that writes; None if it is no outage's."""
    if isinstance(error, BrokerUnavailableError) and not isinstance(error, ForeignBrokerError):
        return BROKER.lines
    return WRITES.lines if isinstance(error, OperationalError | InterfaceError) else None


def limit_lines(record: logging.LogRecord) -> bool:
    """Whether the log takes this record; one about an outage becomes a single line."""
    outage = _outage_of(record)
    if outage is None:
        return True
    if record.msg == LIMITER_IS_BACK:
        outage.ended()
        return False
    if not outage.admits():
        return False
    text = record.getMessage()
    if record.exc_info and (error := record.exc_info[1]):
        text += f": {reason_of(error)}"
    record.msg, record.args = text + outage.left_out(), None
    record.exc_info = record.exc_text = None
    return True


def reason_of(error: BaseException) -> str:
    """What a library says of its error, on one line, without what SQLAlchemy adds to it."""
    return " ".join(str(getattr(error, "orig", None) or error).split())


def _outage_of(record: logging.LogRecord) -> Outage | None:
    """Which outage a record is about; None for any other."""
    if record.name == LIMITER:
        is_about = str(record.msg).startswith((LIMITER_FAILS, LIMITER_IS_BACK))
        return BROKER if is_about else None
    if record.name == HUEYS_WORKER and record.exc_info:
        # it could not read the queue; or, after a task's end, not remove what Huey keeps of it
        return BROKER if isinstance(record.exc_info[1], BROKER_ERRORS) else None
    outage: Outage | None = getattr(record, "outage", None)
    return outage
