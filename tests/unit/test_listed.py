"""Games that answers lack: counted, shown, given up, and back at once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from sportsapp.sync.listed import plan_listing

NOW = datetime(2026, 10, 4, 18, tzinfo=UTC)
DAY = date(2026, 10, 4)
LISTED = {"missing_since": None, "missing_answers": 0, "listed": True}


def missing(answers: int, minutes: int, **more):
    since = NOW - timedelta(minutes=minutes)
    return {"day": DAY, "missing_since": since, "missing_answers": answers, "listed": True, **more}


def test_game_that_is_listed_costs_nothing():
    plan = plan_listing({"1": {"day": DAY, **LISTED}}, {"1"}, NOW, is_whole=True)
    assert (plan.news, plan.marks, plan.days, plan.due) == ({}, {}, set(), {})


@pytest.mark.parametrize(("is_whole", "answers"), [(True, 1), (False, 0)])
def test_only_a_whole_answer_counts_but_each_makes_the_game_old(is_whole, answers):
    plan = plan_listing({"1": {"day": DAY, **LISTED}}, (), NOW, is_whole=is_whole)
    marked = {"missing_since": NOW} | ({"missing_answers": 1} if answers else {})
    assert (plan.news, plan.marks, plan.days) == ({}, {"1": marked}, {DAY})


@pytest.mark.parametrize(("before", "is_news"), [(1, False), (2, True), (3, False)])
def test_third_answer_is_news(before, is_news):
    plan = plan_listing({"1": missing(before, 2)}, (), NOW, is_whole=True)
    assert (set(plan.news), set(plan.marks)) == (({"1"}, set()) if is_news else (set(), {"1"}))


@pytest.mark.parametrize(
    ("before", "minutes", "is_whole", "is_due"),
    [
        (4, 5, True, True),
        (3, 5, True, False),
        (4, 4, True, False),
        (9, 60, True, True),
        (9, 60, False, False),
    ],
)
def test_game_is_due_with_the_patience_of_doubts(before, minutes, is_whole, is_due):
    plan = plan_listing({"1": missing(before, minutes)}, (), NOW, is_whole=is_whole)
    assert plan.due == ({"1": DAY} if is_due else {})


@pytest.mark.parametrize(
    ("stored", "is_news"),
    [(missing(2, 1), False), (missing(3, 2), True), (missing(6, 9, listed=False), True)],
)
def test_game_that_is_listed_again_is_as_before(stored, is_news):
    plan = plan_listing({"1": stored}, {"1"}, NOW, is_whole=False)
    changes = (plan.news if is_news else plan.marks)["1"]
    assert stored | changes == {"day": DAY, **LISTED}
    assert (plan.days, plan.due) == (set(), {})
