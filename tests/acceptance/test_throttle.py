"""The feed's pace on a real broker: one count for all processes."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import redis

from sportsapp.feed.pace import Pace, Tally

MINUTE = 600.0


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def make_pace(broker, slept) -> Callable[[], Pace]:
    """Paces on the same broker, as processes of their own have them; sleeping ends the minute."""
    url = broker.settings.broker
    return lambda: Pace(url, 3, sleep=slept.append, clock=lambda: MINUTE + 60 * len(slept))


def test_processes_are_counted_together(make_pace, slept):
    first, second = make_pace(), make_pace()
    for pace in (first, second, first):
        pace()
    assert slept == []
    second()
    assert slept == [60]


def test_count_is_forgotten_after_its_minute(broker, make_pace):
    make_pace()()
    with redis.Redis.from_url(broker.settings.broker) as connection:
        (key,) = connection.keys("sportsapp.feed.*")
        assert 60 < connection.ttl(key) <= 120


def test_process_counts_for_itself_while_the_broker_is_away(broker, make_pace, slept):
    pace = make_pace()
    pace()
    broker.kill()
    for _ in range(3):
        pace()
    assert slept == []
    pace()
    assert slept == [60]


def test_outcomes_are_counted_together_and_outlive_the_broker(broker):
    first, second = (Tally(broker.settings.broker) for _ in range(2))
    for tally, outcome in ((first, "ok"), (second, "ok"), (second, "refused")):
        tally(outcome)
    assert first.counts() == {"ok": 2, "refused": 1}
    time.sleep(1.2)  # what was counted is on its way to the disk within a second
    broker.kill()
    first("ok")  # lost, and nothing raised
    broker.start()
    assert second.counts() == {"ok": 2, "refused": 1}
