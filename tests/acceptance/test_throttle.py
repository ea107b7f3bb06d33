"""The rate limiter, the outcomes and the hosts on a real broker: the same for all processes."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import redis

from sportsapp.core.clock import utc_now
from sportsapp.feed import pace
from sportsapp.feed.hosts import FIRST_WAIT, FeedHosts
from sportsapp.feed.pace import OutcomeCounter, RateLimiter

WINDOW = 2


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def make_limiter(broker, slept, monkeypatch) -> Callable[[], RateLimiter]:
    """Limiters on the same broker, as processes of their own have them; a window is short."""
    monkeypatch.setattr(pace, "WINDOW", WINDOW)

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        time.sleep(seconds)

    return lambda: RateLimiter(broker.settings.broker, 3, sleep=sleep)


def test_processes_are_counted_together(make_limiter, slept):
    first, second = make_limiter(), make_limiter()
    for limiter in (first, second, first):
        limiter.wait()
    assert slept == []
    began = time.monotonic()
    second.wait()
    assert slept
    assert time.monotonic() - began > WINDOW - 1


def test_count_is_forgotten_after_its_window(broker, make_limiter):
    make_limiter().wait()
    with redis.Redis.from_url(broker.settings.broker) as connection:
        (key,) = connection.keys("*sportsapp.feed/*")
        assert 0 < connection.pttl(key) <= WINDOW * 1000


def test_process_counts_for_itself_while_the_broker_is_away(broker, make_limiter, slept):
    limiter = make_limiter()
    for _ in range(3):
        limiter.wait()
    broker.kill()
    for _ in range(3):
        limiter.wait()
    assert slept == []
    limiter.wait()
    assert slept


def test_outcomes_are_counted_together_and_outlive_the_broker(broker):
    first, second = (OutcomeCounter(broker.settings.broker) for _ in range(2))
    for counter, outcome in ((first, "ok"), (second, "ok"), (second, "refused")):
        counter.add(outcome)
    assert first.counts() == {"ok": 2, "refused": 1}
    time.sleep(1.2)  # what was counted is on its way to the disk within a second
    broker.kill()
    first.add("ok")  # lost, and nothing raised
    broker.start()
    assert second.counts() == {"ok": 2, "refused": 1}


def test_hosts_that_answer_are_known_to_all_processes_and_outlive_the_broker_in_each(broker):
    urls = ("http://first", "http://second")
    one, another = (FeedHosts(urls, broker.settings.broker) for _ in range(2))
    assert another.order("day") == (urls[0], [*urls])
    one.order("day")
    one.answered("day", urls[1], "it refused")
    for hosts in (one, another):
        assert hosts.order("day") == (urls[1], [*reversed(urls)])
        assert hosts.order("month") == (urls[0], [*urls])
        assert {kind: each.reason for kind, each in hosts.moved().items()} == {"day": "it refused"}
    assert FeedHosts((urls[0], "http://third"), broker.settings.broker).moved() == {}
    broker.kill()
    assert another.order("day") == (urls[1], [*reversed(urls)])
    another.answered("day", urls[0], "")
    assert another.order("day") == (urls[0], [*urls])
    assert another.moved() is None


def test_one_process_tries_the_first_host_again_for_all(broker):
    urls, now = ("http://first", "http://second"), utc_now()
    clock = [now]
    several = [FeedHosts(urls, broker.settings.broker, lambda: clock[0]) for _ in range(3)]
    several[0].order("day")
    several[0].answered("day", urls[1], "it refused")
    clock[0] += FIRST_WAIT
    assert [hosts.order("day")[1][0] for hosts in several] == [urls[0], urls[1], urls[1]]
