"""A consumer that is stopped while it starts, or that meets errors: it goes on."""

from __future__ import annotations

import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import redis
from flask import current_app
from huey.consumer import Consumer
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from sportsapp.core.clock import utc_now
from sportsapp.core.outages import WRITES
from sportsapp.queue import consumer
from sportsapp.queue.consumer import SlotScheduler
from sportsapp.queue.huey import TrackerHuey, huey

STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@pytest.fixture
def unheard():
    """Signals that found no handler of the consumer's."""
    found: list[int] = []
    before = {stop: signal.signal(stop, lambda number, _: found.append(number)) for stop in STOPS}
    yield found
    for stop, handler in before.items():
        signal.signal(stop, handler)


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("stop", STOPS)
def test_signal_during_the_start_is_heard_after_it(monkeypatch, unheard, stop):
    def begin(self: Consumer) -> None:
        signal.pthread_kill(threading.get_ident(), stop)  # not another thread of the tests
        self._set_signal_handlers()

    monkeypatch.setattr(Consumer, "start", begin)
    made = huey.create_consumer(workers=1, worker_type="process", graceful_signal="TERM")
    made.start()
    assert unheard == []
    assert made._signum == stop
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set()


@pytest.mark.usefixtures("offline")
def test_worker_that_cannot_be_replaced_does_not_end_the_consumer(monkeypatch, caplog):
    made = huey.create_consumer(workers=1, worker_type="process")

    def start(_process: object) -> None:
        raise OSError("too many processes")

    monkeypatch.setattr(made.environment, "is_alive", lambda _process: False)
    monkeypatch.setattr(made.environment.mp.Process, "start", start)
    assert not made.check_worker_health()
    assert "a process cannot be started: too many processes" in caplog.text


@pytest.fixture
def scheduler(offline, monkeypatch) -> SlotScheduler:
    """A scheduler that does not wait between its rounds, of an instance that is an hour old.

    It is half past a minute, whose tick has not expired.
    """
    monkeypatch.setattr(consumer, "utc_now", lambda: utc_now().replace(second=30))
    monkeypatch.setattr(huey.tracker, "since", lambda _task: utc_now() - timedelta(hours=1))
    stopped = threading.Event()
    stopped.set()
    return SlotScheduler(huey, stopped, 1, True)


def raising(error: Exception):
    """A function that raises this error, whatever it is called with."""

    def fail(*_: object) -> None:
        raise error

    return fail


def ticks() -> list[str]:
    return [task.id for task in huey.pending() if task.name == "sync_all_live_games"]


def test_scheduler_goes_on_when_database_or_broker_fail_in_a_part_of_its_round(
    scheduler, monkeypatch, caplog
):
    monkeypatch.setattr(huey.tracker, "recover", raising(SQLAlchemyError("locked")))
    monkeypatch.setattr(huey, "read_schedule", raising(redis.ConnectionError("refused")))
    scheduler.loop()
    assert "recovery failed" in caplog.text
    assert "reading the schedule failed" in caplog.text
    assert len(ticks()) == 1


def test_slot_that_could_not_be_claimed_is_claimed_in_the_next_round(scheduler, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(huey.tracker, "claim", raising(SQLAlchemyError("locked")))
        scheduler.loop()
    assert ticks() == []
    scheduler.loop()
    assert len(ticks()) == 1


def test_consumer_without_periodic_tasks_claims_no_slot(scheduler):
    scheduler.periodic = False
    scheduler.loop()
    assert ticks() == []


def test_scheduler_calls_what_its_queue_does_each_second(scheduler, monkeypatch, caplog):
    calls: list[str] = []

    def once_more() -> None:
        calls.append(current_app.name)
        if len(calls) == 1:
            raise OperationalError("SELECT 1", {}, Exception("the database is away"))

    monkeypatch.setattr(huey, "each_second", once_more)
    with ThreadPoolExecutor(1) as process:  # which has no app context, like a consumer's
        for _ in range(2):
            process.submit(scheduler.loop).result()
    assert calls == ["sportsapp", "sportsapp"]
    (line,) = [line for line in caplog.records if "the work of each second failed" in line.message]
    assert line.outage is WRITES


def test_queue_that_is_used_before_there_is_an_app_raises_at_once():
    with pytest.raises(RuntimeError, match="make the app first"):
        len(TrackerHuey("of a test"))
