"""Which changes subscribers need to know of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sportsapp.sync.stamps import next_stamps

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
STORED = {"status": "scheduled", "revision": 3, "updated_at": NOW - timedelta(days=1)}


@pytest.mark.parametrize(
    ("changes", "stamps"),
    [
        ({"start_at": NOW}, {"revision": 4}),
        ({"listed": False}, {"revision": 4}),
        ({"status": "postponed"}, {"revision": 4, "result_at": NOW}),
        ({"status": "live", "home_score": 0}, {"result_at": NOW}),
        ({"home_winner": True}, {"result_at": NOW}),
        ({"attendance": 70_000, "home_record": "3-2", "broadcast": "TV"}, {}),
    ],
)
def test_stamps_that_move(changes, stamps):
    assert next_stamps(STORED, changes, NOW) == stamps | {"updated_at": NOW}


def test_game_that_is_on_again_is_a_new_appointment():
    called_off = STORED | {"status": "postponed"}
    assert next_stamps(called_off, {"status": "scheduled"}, NOW)["revision"] == 4


@pytest.mark.parametrize(("minutes", "kept"), [(-1, False), (1, True), (60, True), (61, False)])
def test_stamps_never_go_back_except_from_a_clock_that_was_ahead(minutes, kept):
    before = NOW + timedelta(minutes=minutes)
    made = next_stamps(STORED | {"updated_at": before}, {"home_score": 7}, NOW)
    assert {made["updated_at"], made["result_at"]} == {before if kept else NOW}
