"""The rate limiter of one process; the count on the broker is tested in tests/acceptance."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from sportsapp.feed import pace
from sportsapp.feed.pace import RateLimiter

NO_BROKER = "redis://127.0.0.1:1/0"


class StoppedError(Exception):
    """Raised instead of sleeping."""


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def make_limiter(monkeypatch, slept) -> Callable[[int], RateLimiter]:
    """Limiters without a broker, whose window is a second."""
    monkeypatch.setattr(pace, "WINDOW", 1)

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        time.sleep(seconds)

    return lambda per_window: RateLimiter(NO_BROKER, per_window, sleep=sleep)


def test_requests_under_the_limit_do_not_wait(make_limiter, slept):
    limiter = make_limiter(3)
    for _ in range(3):
        limiter.wait()
    assert slept == []


def test_one_request_too_many_waits_for_the_next_window(make_limiter, slept):
    limiter = make_limiter(3)
    began = time.monotonic()
    for _ in range(3):
        limiter.wait()
    time.sleep(0.3)
    limiter.wait()
    assert 0.9 < time.monotonic() - began < 10
    assert 0.5 <= slept[0] <= 0.7


def test_each_window_counts_from_zero(make_limiter, slept):
    limiter = make_limiter(2)
    for _ in range(6):
        limiter.wait()
    assert len(slept) == 2


def test_window_is_a_minute(slept):
    def sleep(seconds: float) -> None:
        slept.append(seconds)
        raise StoppedError

    limiter = RateLimiter(NO_BROKER, 1, sleep=sleep)
    limiter.wait()
    with pytest.raises(StoppedError):
        limiter.wait()
    assert 50 < slept[0] <= 60


@pytest.mark.slow
def test_threads_are_counted_together(monkeypatch, make_limiter, slept):
    monkeypatch.setattr(pace, "WINDOW", 5)
    limiter = make_limiter(134)  # of which a quarter, 33, is kept for live syncs
    threads = [
        threading.Thread(target=lambda: [limiter.wait() for _ in range(25)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert slept == []
    limiter.wait()
    assert slept == []
    limiter.wait()
    assert len(slept) == 1


def test_live_syncs_keep_a_quarter_and_take_from_the_rest_when_it_is_used_up():
    def sleep(_seconds: float) -> None:
        raise StoppedError

    limiter = RateLimiter(NO_BROKER, 8, sleep=sleep)
    for _ in range(5):
        limiter.wait()
    with pace.live_share():
        for _ in range(2):
            limiter.wait()
    limiter.wait()  # the last of the rest
    with pytest.raises(StoppedError):
        limiter.wait()
    with pace.live_share(), pytest.raises(StoppedError):
        limiter.wait()


def test_live_syncs_have_their_share_when_all_the_rest_is_used_up():
    def sleep(_seconds: float) -> None:
        raise StoppedError

    limiter = RateLimiter(NO_BROKER, 8, sleep=sleep)
    for _ in range(6):
        limiter.wait()
    with pytest.raises(StoppedError):
        limiter.wait()
    with pace.live_share():
        for _ in range(2):
            limiter.wait()
