"""The feed's pace, each process for itself; the shared count needs a broker and is tested there."""

from __future__ import annotations

import threading

import pytest

from sportsapp.feed.pace import WINDOW, Pace

AWAY = "redis://127.0.0.1:1/0"


class Clock:
    """A clock that moves only when somebody sleeps."""

    def __init__(self, now: float) -> None:
        self.now = now
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def make_pace(clock: Clock, per_minute: int = 3) -> Pace:
    return Pace(AWAY, per_minute, sleep=clock.sleep, clock=clock)


def test_requests_under_the_ceiling_do_not_wait():
    clock = Clock(600.0)
    pace = make_pace(clock)
    for _ in range(3):
        pace()
    assert clock.slept == []


@pytest.mark.parametrize(("second", "rest"), [(0, 60), (15, 45), (59.5, 0.5)])
def test_one_request_too_many_waits_for_the_next_minute(second, rest):
    clock = Clock(600.0 + second)
    pace = make_pace(clock)
    for _ in range(4):
        pace()
    assert clock.slept == [rest]


def test_each_minute_counts_anew():
    clock = Clock(600.0)
    pace = make_pace(clock, per_minute=2)
    for _ in range(7):
        pace()
    assert clock.slept == [WINDOW] * 3


def test_threads_are_counted_together():
    clock = Clock(600.0)
    pace = make_pace(clock, per_minute=100)
    threads = [threading.Thread(target=lambda: [pace() for _ in range(25)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clock.slept == []
    pace()
    assert clock.slept == [WINDOW]
