"""Which of two answers about a game counts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from sportsapp.sync.precedence import Answer, DayRead

NOW = datetime(2026, 10, 4, 19, 0, tzinfo=UTC)
OLD, NEW = date(2026, 10, 4), date(2026, 10, 5)


def game(day: date, **more: Any) -> dict[str, Any]:
    point = {"state": "in", "status": "live", "period": 2, "clock": "5:00", "clock_left": 300.0}
    point |= {"detail": "", "start_at": NOW - timedelta(hours=1)}
    return {"espn_id": "1", "day": day, "updated_at": NOW - timedelta(days=1)} | point | more


def read(*game_ids: str, minutes: float | None = -1) -> DayRead:
    read_at = None if minutes is None else NOW + timedelta(minutes=minutes)
    return DayRead(read_at, frozenset(game_ids))


@pytest.mark.parametrize(
    ("minutes", "counts"), [(-1, True), (0, True), (1, False), (60, False), (61, True)]
)
def test_answer_counts_unless_a_later_one_is_stored(minutes, counts):
    """What is later by more than an hour is from a clock that was ahead."""
    changed = game(OLD, updated_at=NOW + timedelta(minutes=minutes))
    assert Answer(NOW).counts(changed, game(OLD)) is counts
    for stored in (game(OLD), None):
        days = {OLD: read("1", minutes=minutes)}
        assert Answer(NOW, OLD, days).counts(stored, game(OLD)) is counts


def test_later_answer_of_either_day_knows_better():
    for later in (OLD, NEW):
        days = {OLD: read("1"), NEW: read()} | {later: read("1", minutes=1)}
        assert not Answer(NOW, None, days).counts(game(OLD), game(NEW))


@pytest.mark.parametrize("asked", [None, OLD, NEW])
@pytest.mark.parametrize(
    ("old_ids", "new_ids", "counts"),
    [
        ("1", "", {None, OLD, NEW}),  # it has just appeared on its new day
        ("", "1", {None, OLD, NEW}),  # its old day has dropped it
        ("", "", {None, OLD, NEW}),
        ("1", "1", {OLD}),  # both list it, so only the day under which it is stored may move it
    ],
)
def test_game_that_two_days_list_stays(asked, old_ids, new_ids, counts):
    days = {OLD: read(*old_ids, minutes=None), NEW: read(*new_ids, minutes=None)}
    assert Answer(NOW, asked, days).counts(game(OLD), game(NEW)) is (asked in counts)


@pytest.mark.parametrize(
    ("point", "counts"),
    [
        ({"period": 3}, True),
        ({"clock_left": 299.0}, True),
        ({"state": "post", "status": "final"}, True),
        ({"home_score": 3}, False),
        ({"clock_left": 301.0, "home_score": 3}, False),
        ({"state": "pre", "status": "scheduled"}, False),
        ({"state": "post", "status": "postponed"}, False),
    ],
)
def test_later_point_of_a_game_counts_although_it_was_asked_for_earlier(point, counts):
    days = {OLD: read("1", minutes=1)}
    stored = game(OLD, updated_at=NOW + timedelta(minutes=1))
    assert Answer(NOW, OLD, days).counts(stored, game(OLD, **point)) is counts


def test_later_point_moves_no_game_that_two_days_list():
    days = {OLD: read("1"), NEW: read("1", minutes=1)}
    assert not Answer(NOW, OLD, days).counts(game(NEW), game(OLD, period=3))
