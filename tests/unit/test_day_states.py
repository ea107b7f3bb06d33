"""The states of a day on the map of what is stored, and the ranges that would fill its gaps."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from sportsapp.core.errors import UnknownSeasonError
from sportsapp.core.leagues import BY_SLUG
from sportsapp.db.queries import DayState, StoredDay, state_of
from sportsapp.sync.ranges import estimate
from sportsapp.sync.seasons import FAILED, MISSING, SeasonMap, find_season, season_name

NOW = datetime(2026, 1, 15, 18, tzinfo=UTC)  # 13:00 Eastern
END = datetime(2026, 1, 11, 9, tzinfo=UTC)  # of the 10th
TODAY, PAST, AHEAD = date(2026, 1, 15), date(2026, 1, 10), date(2026, 3, 1)
GRACE, SECOND = timedelta(minutes=5), timedelta(seconds=1)
LONG_AGO = NOW - timedelta(days=7)
READ = StoredDay(games=2, read_at=END)


@pytest.mark.parametrize(
    ("day", "stored", "state"),
    [
        (PAST, StoredDay(), "unread"),
        (date(2026, 1, 14), StoredDay(), "unread"),
        (TODAY, StoredDay(), None),
        (AHEAD, StoredDay(), None),
        (date(2025, 12, 31), StoredDay(), None),
        (date(2026, 1, 1), StoredDay(), "unread"),
        (PAST, StoredDay(games=2), "unread"),
        (PAST, READ, "read"),
        (PAST, StoredDay(read_at=END), "empty"),
        (date(2025, 12, 31), StoredDay(read_at=END), "empty"),
        (PAST, READ._replace(read_at=END - SECOND), "stale"),
        (PAST, READ._replace(read_at=END - SECOND, games=0), "stale"),
        (TODAY, READ._replace(read_at=LONG_AGO + SECOND), "read"),
        (TODAY, READ._replace(read_at=LONG_AGO), "stale"),
        (AHEAD, StoredDay(read_at=LONG_AGO + SECOND), "empty"),
        (AHEAD, StoredDay(read_at=LONG_AGO), "stale"),
        (TODAY, READ._replace(read_at=NOW, moving_at=NOW - GRACE), "read"),
        (TODAY, READ._replace(read_at=NOW, moving_at=NOW - GRACE - SECOND), "stale"),
        (PAST, READ._replace(moving_at=NOW - GRACE - SECOND), "stale"),
        (PAST, StoredDay(failed_at=END), "failed"),
        (AHEAD, StoredDay(failed_at=END), "failed"),
        (PAST, READ._replace(failed_at=END + SECOND), "failed"),
        (PAST, READ._replace(failed_at=END), "read"),  # the same sync read it in another way
        (PAST, READ._replace(failed_at=END - SECOND), "read"),
        (PAST, READ._replace(read_at=END - SECOND, failed_at=END), "failed"),
    ],
)
def test_state_of_a_day(day, stored, state):
    assert state_of(day, stored, NOW, GRACE, begins=date(2026, 1, 1)) == state


@pytest.mark.parametrize(
    ("slug", "day", "name", "first"),
    [
        ("nba", "2026-01-15", "2025-26", "2025-07-01"),
        ("nba", "1999-12-31", "1999-00", "1999-07-01"),
        ("nfl", "2026-03-31", "2025-26", "2025-04-01"),
        ("mlb", "2026-12-31", "2026", "2026-01-01"),
    ],
)
def test_season_is_found_by_its_name(slug, day, name, first):
    league = BY_SLUG[slug]
    assert season_name(league, date.fromisoformat(day)) == name
    assert find_season(league, name)[0] == date.fromisoformat(first)


@pytest.mark.parametrize("name", ["", "2025", "2025-27", "2025-2026", "1850-51", "٢٠٢٥-26", "x"])
def test_what_is_no_season_is_refused_with_an_example(name):
    with pytest.raises(UnknownSeasonError, match="no season of the NBA: write 2025-26"):
        find_season(BY_SLUG["nba"], name)


def test_consecutive_days_are_one_range():
    states = {
        **{date(2026, 1, day): DayState.UNREAD for day in (1, 2, 9)},
        **{date(2026, 1, day): DayState.STALE for day in (3, 31)},
        **{date(2026, 1, day): DayState.FAILED for day in (4, 5)},
        date(2026, 1, 6): DayState.READ,
        date(2026, 2, 1): DayState.UNREAD,
        date(2026, 2, 2): None,
    }
    days = {day: (StoredDay(), states[day]) for day in sorted(states)}
    nba = BY_SLUG["nba"]
    season = SeasonMap(nba, min(days), max(days), days)
    spans = [(first.isoformat(), last.isoformat()) for _, first, last in season.ranges(MISSING)]
    assert spans == [
        ("2026-01-01", "2026-01-03"),
        ("2026-01-09", "2026-01-09"),
        ("2026-01-31", "2026-02-01"),
    ]
    assert season.ranges(FAILED) == [(nba, date(2026, 1, 4), date(2026, 1, 5))]
    assert estimate(season.ranges(MISSING)).requests == 6
    assert season.counts == {"unread": 4, "stale": 2, "failed": 2, "read": 1}
