"""A broker or a database that is away: one line a minute, one at its end, and nothing else lost."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
import redis
from sqlalchemy.exc import OperationalError

from sportsapp.core import outages
from sportsapp.core.errors import BrokerUnavailableError, ForeignBrokerError
from sportsapp.core.outages import Outage, about, limit_lines

AWAY = BrokerUnavailableError("the broker cannot be reached: Error 111")
FULL = OperationalError("INSERT", {}, Exception("database or disk\nis full"))


class Clock:
    """A monotonic clock that the test sets."""

    seconds = 1000.0

    def monotonic(self) -> float:
        """The time."""
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the outages, which have not begun."""
    clock = Clock()
    monkeypatch.setattr(outages, "time", clock)
    for name in ("BROKER", "DATABASE", "WRITES"):
        monkeypatch.setattr(outages, name, Outage(f"{name} is back"))
    return clock


@pytest.fixture
def log(clock: Clock) -> list[str]:
    """What the log's handler takes, as level and text."""
    taken: list[str] = []

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            assert record.exc_info is None or "unmarked" in record.getMessage()
            taken.append(f"{record.levelname} {record.getMessage()}")

    handler = Keeper()
    handler.addFilter(limit_lines)
    root = logging.getLogger()
    root.addHandler(handler)
    yield taken
    root.removeHandler(handler)


def fail(error: Exception, text: str = "heartbeat failed", name: str = "sportsapp.x") -> None:
    try:
        raise error
    except type(error):
        logging.getLogger(name).exception(text, extra=about(error))


def test_hundred_lines_in_a_minute_are_one_and_the_next_minute_has_the_next(clock, log):
    for _ in range(100):
        fail(AWAY)
        clock.seconds += 0.5
    assert log == ["ERROR heartbeat failed: the broker cannot be reached: Error 111"]
    clock.seconds += 10
    fail(AWAY)
    assert log[1:] == [f"{log[0]} (99 more like it left out)"]


def test_end_is_one_line_with_its_duration_and_what_was_left_out(clock, log):
    for _ in range(3):
        fail(AWAY)
        clock.seconds += 10
    outages.BROKER.ended()
    outages.BROKER.ended()
    text = "WARNING BROKER is back after 30 s (2 more like it left out)"
    assert log[1:] == [text]


def test_without_an_outage_there_is_no_end(log):
    outages.BROKER.ended()
    assert log == []


def test_broker_that_comes_and_goes_is_two_lines_a_minute_at_most(clock, log):
    for _ in range(59):
        fail(AWAY)
        outages.BROKER.ended()
        clock.seconds += 1
    assert len(log) == 2
    clock.seconds += 1
    fail(AWAY)
    assert log[2].endswith("(58 more like it left out)")


def test_broker_and_database_have_a_line_each_and_the_reason_is_one_line(log):
    fail(AWAY)
    fail(FULL)
    assert log[1] == "ERROR heartbeat failed: database or disk is full"


@pytest.mark.parametrize("error", [ValueError("x"), ForeignBrokerError("another's")])
def test_every_other_error_is_logged_each_time_with_its_traceback(log, error):
    for _ in range(3):
        fail(error, "unmarked")
    assert log == ["ERROR unmarked"] * 3


def test_other_lines_pass_during_an_outage(clock, log):
    fail(AWAY)
    for _ in range(5):
        logging.getLogger("sportsapp").warning("it rains")
    assert log[1:] == ["WARNING it rains"] * 5


WORKER = "huey.consumer.Worker"


@pytest.mark.parametrize(
    "log_it",
    [
        lambda: fail(AWAY, "Error reading from queue", WORKER),
        lambda: fail(redis.ConnectionError("Error 111"), "Unhandled error of task 7", WORKER),
        lambda: logging.getLogger("flask-limiter").warning(
            "Rate limit storage unreachable - falling back to in-memory storage"
        ),
    ],
    ids=["huey reads", "huey forgets a task", "flask-limiter"],
)
def test_lines_of_libraries_are_limited_too(log, log_it: Callable[[], None]):
    for _ in range(3):
        log_it()
    assert len(log) == 1
    logging.getLogger("flask-limiter").warning("Rate limit storage recovered")
    assert len(log) == 2
    assert log[1].startswith("WARNING BROKER is back after 0 s")


@pytest.mark.parametrize("name", [WORKER, "flask-limiter"])
def test_other_lines_of_libraries_pass(log, name: str):
    for _ in range(2):
        fail(ValueError("x"), "unmarked", name)
    assert len(log) == 2
