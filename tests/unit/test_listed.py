"""Games that answers lack: counted, shown, given up, and back at once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from sportsapp.sync.listed import plan_listing, without_lost_scores
from sportsapp.sync.plan import game_values
from tests.answers import make_board, make_event, read_board, read_game

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


# ---------------------------------------------------------------- scores that are left out

LIVE = {"status": "live", "period": 2, "score": ("7", "3")}


@pytest.mark.parametrize(
    ("before", "now", "is_lost"),
    [
        (LIVE, {"status": "live"}, True),
        (LIVE, {"status": "break"}, True),
        (LIVE, {"status": "final"}, True),
        (LIVE, {"status": "postponed"}, False),
        (LIVE, {"status": "scheduled"}, False),  # a step backwards has a rule of its own
        (LIVE, {"status": "live", "score": ("7", None)}, True),
        (LIVE, {"status": "live", "score": (None, "14")}, True),
        (LIVE | {"score": (None, None)}, {"status": "live"}, False),
        (LIVE | {"score": (None, "3")}, {"status": "live", "score": (None, "14")}, False),
        (LIVE | {"score": (None, "3")}, {"status": "live", "score": ("7", None)}, True),
        (LIVE | {"status": "final"}, {"status": "final"}, False),  # it cannot have changed
        ({"status": "scheduled"}, {"status": "live"}, False),
        (None, {"status": "live"}, False),
    ],
)
def test_answer_that_leaves_out_the_score_of_a_game_in_progress_could_not_be_read(
    before, now, is_lost
):
    event = make_event(**{"score": (None, None), "period": 2} | now)
    board = read_board(make_board(event, make_event("1002", **LIVE)))
    stored = {"1001": game_values(read_game(**before))} if before else {}
    readable = without_lost_scores(stored, board)
    lines = ("event 1001: its score is missing",) if is_lost else ()
    assert readable.errors == lines
    assert [game.espn_id for game in readable.games] == (["1001"] * (not is_lost) + ["1002"])
    assert (readable is board) == (not is_lost)
