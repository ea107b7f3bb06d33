"""When the spares of a consumer help its first worker."""

from __future__ import annotations

import time

import pytest

from sportsapp.queue.huey import FIRST_IS_GONE_SECONDS, FirstWorker


class Clock:
    """The monotonic clock, set by the test."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    return clock


@pytest.fixture
def first(clock) -> FirstWorker:
    return FirstWorker()


def test_one_that_waits_needs_none(first, clock):
    for _ in range(10):
        clock.now += 1
        first.looks()
        assert not first.needs_help()


def test_one_that_is_stopped_or_killed_while_it_waits_needs_it(first, clock):
    clock.now += FIRST_IS_GONE_SECONDS - 0.1
    assert not first.needs_help()
    clock.now += 0.2
    assert first.needs_help()


def test_one_long_task_needs_it_after_a_moment_and_until_it_looks_again(first, clock):
    clock.now += 0.5
    first.takes()
    clock.now += 0.05
    assert not first.needs_help()
    clock.now += 0.1
    assert first.needs_help()
    clock.now += 3_600
    assert first.needs_help(), "even if it has died with the task in hand"
    first.looks()
    assert not first.needs_help()


def test_short_tasks_one_after_the_other_need_it(first, clock):
    for _ in range(4):
        first.looks()
        clock.now += 0.001
        first.takes()
        clock.now += 0.05
    assert first.needs_help()


@pytest.mark.parametrize("gap", [0.001, 0.01, 0.019, 0.021, 0.5])
def test_task_after_a_long_wait_is_no_queue_of_tasks(first, clock, gap):
    first.looks()
    first.takes()
    for _ in range(100):
        clock.now += 1
        first.looks()
    clock.now += gap
    first.takes()
    assert not first.needs_help()


def test_short_tasks_with_pauses_need_none(first, clock):
    for _ in range(40):
        first.looks()
        clock.now += 0.5
        first.takes()
        clock.now += 0.05
        assert not first.needs_help()
