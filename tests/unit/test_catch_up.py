"""Which days are read again after they have ended, and when; how they become requests."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from sportsapp.core.clock import day_end
from sportsapp.core.leagues import BY_SLUG
from sportsapp.sync.catch_up import NEVER, Reading, chunks_of_days, is_due
from sportsapp.sync.ranges import Chunk

END = datetime(2026, 3, 10, 8, tzinfo=UTC)
BEFORE = END - timedelta(hours=9)


def after(hours: float) -> datetime:
    return END + timedelta(hours=hours)


@pytest.mark.parametrize(
    ("day", "end"),
    [
        (date(2026, 3, 7), datetime(2026, 3, 8, 8, tzinfo=UTC)),  # four hours of the night it is
        (date(2026, 3, 9), END),
        (date(2026, 1, 9), datetime(2026, 1, 10, 9, tzinfo=UTC)),
    ],
)
def test_day_ends_at_four_eastern(day, end):
    assert day_end(day) == end


@pytest.mark.parametrize(
    ("read_at", "tried_at", "is_open", "now", "expected"),
    [
        (NEVER, NEVER, False, after(1), True),
        (BEFORE, BEFORE, False, after(1), True),
        (after(1), after(1), False, after(9999), False),
        (after(1), after(1), True, after(1.9), False),  # open: an hour after the first ...
        (after(1), after(1), True, after(2), True),
        (after(2), after(2), True, after(3.9), False),  # ... then two, then four ...
        (after(2), after(2), True, after(4), True),
        (after(240), after(240), True, after(479), False),  # ... then ten days
        (BEFORE, after(1), False, after(1.9), False),  # tried, in vain
        (BEFORE, after(1), False, after(2), True),
        (NEVER, after(240), False, after(263), False),
        (NEVER, after(240), True, after(264), True),  # at most a day
    ],
)
def test_day_is_due_until_it_was_read_after_its_end(read_at, tried_at, is_open, now, expected):
    assert is_due(END, Reading(read_at, tried_at), is_open, now) is expected


@pytest.mark.parametrize(
    ("slug", "days", "tried", "expected"),
    [
        ("nba", range(4, 8), (), ["2026-03-04 to 2026-03-07"]),
        ("nba", [1, 4, 5, 20], (), ["2026-03-01 to 2026-03-20"]),
        ("nba", range(4, 7), (), ["2026-03-04", "2026-03-05", "2026-03-06"]),
        ("ncaam", range(4, 9), (), [f"2026-03-0{day}" for day in range(4, 9)]),
        ("nba", range(1, 8), (1, 5), ["2026-03-02 to 2026-03-07", "2026-03-01"]),
        ("nba", range(4, 8), (4,), [f"2026-03-0{day}" for day in range(4, 8)]),
        ("nba", (), (), []),
    ],
)
def test_missed_days_are_read_by_month_where_they_are_many(slug, days, tried, expected):
    missed = {
        date(2026, 3, day): Reading(tried_at=after(999) if day in tried else NEVER) for day in days
    }
    chunks = chunks_of_days(BY_SLUG[slug], missed)
    assert [f"{chunk}" for chunk in chunks] == expected
    assert [chunk.by_month for chunk in chunks] == [chunk.start < chunk.end for chunk in chunks]


def test_months_are_chunks_of_their_own():
    days = [date(2026, 2, 27) + timedelta(days=number) for number in range(6)]
    assert chunks_of_days(BY_SLUG["nba"], {day: Reading() for day in days}) == [
        Chunk(date(2026, 2, 27), date(2026, 2, 27), by_month=False),
        Chunk(date(2026, 2, 28), date(2026, 2, 28), by_month=False),
        Chunk(date(2026, 3, 1), date(2026, 3, 4), by_month=True),
    ]
