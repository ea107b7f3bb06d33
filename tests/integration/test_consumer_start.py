"""A consumer that is stopped while it starts, or whose workers cannot be replaced."""

from __future__ import annotations

import signal
import threading

import pytest
from huey.consumer import Consumer

from sportsapp.queue.huey import huey

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
    consumer = huey.create_consumer(workers=1, worker_type="process", graceful_signal="TERM")
    consumer.start()
    assert unheard == []
    assert consumer._signum == stop
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set()


@pytest.mark.usefixtures("offline")
def test_worker_that_cannot_be_replaced_does_not_end_the_consumer(monkeypatch, caplog):
    consumer = huey.create_consumer(workers=1, worker_type="process")

    def start(_process: object) -> None:
        raise OSError("too many processes")

    monkeypatch.setattr(consumer.environment, "is_alive", lambda _process: False)
    monkeypatch.setattr(consumer.environment.mp.Process, "start", start)
    assert not consumer.check_worker_health()
    assert "a process cannot be started: too many processes" in caplog.text
