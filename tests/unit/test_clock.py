"""Game days: Eastern dates, the turn of the day, bounds."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from sportsapp.core import clock
from sportsapp.core.errors import DateRangeError

NOW = datetime(2026, 10, 4, 18, 0, tzinfo=UTC)
LATEST = date(2028, 10, 4)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-07-05T03:59:59", date(2026, 7, 4)),  # summer: midnight Eastern is 04:00 UTC
        ("2026-07-05T04:00:00", date(2026, 7, 5)),
        ("2026-12-27T04:59:59", date(2026, 12, 26)),  # winter: 05:00 UTC
        ("2026-12-27T05:00:00", date(2026, 12, 27)),
        ("2026-03-08T04:59:59", date(2026, 3, 7)),  # the night clocks go forward
        ("2026-03-09T03:59:59", date(2026, 3, 8)),
        ("2026-03-09T04:00:00", date(2026, 3, 9)),
        ("2026-11-01T03:59:59", date(2026, 10, 31)),  # the night clocks go back
        ("2026-11-02T04:59:59", date(2026, 11, 1)),
        ("2028-02-29T17:00:00", date(2028, 2, 29)),
        ("2028-03-01T04:59:00", date(2028, 2, 29)),
        ("2027-01-01T01:15:00", date(2026, 12, 31)),
        ("2027-01-01T05:00:00", date(2027, 1, 1)),
    ],
)
def test_game_is_filed_under_its_eastern_date(moment, day):
    assert clock.day_of(utc(moment)) == day


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-07-05T07:59:59", date(2026, 7, 4)),
        ("2026-07-05T08:00:00", date(2026, 7, 5)),
        ("2026-12-27T08:59:59", date(2026, 12, 26)),
        ("2026-12-27T09:00:00", date(2026, 12, 27)),
        ("2026-03-08T06:59:59", date(2026, 3, 7)),  # 01:59:59, the last second of winter time
        ("2026-03-08T07:59:59", date(2026, 3, 7)),  # 03:59:59, an hour later by the clock
        ("2026-03-08T08:00:00", date(2026, 3, 8)),
        ("2026-11-01T05:30:00", date(2026, 10, 31)),  # 01:30 for the first time
        ("2026-11-01T06:30:00", date(2026, 10, 31)),  # 01:30 once more
        ("2026-11-01T08:59:59", date(2026, 10, 31)),
        ("2026-11-01T09:00:00", date(2026, 11, 1)),
        ("2027-01-01T08:59:59", date(2026, 12, 31)),
        ("2027-01-01T09:00:00", date(2027, 1, 1)),
        ("2028-03-01T08:59:59", date(2028, 2, 29)),
        ("2028-03-01T09:00:00", date(2028, 3, 1)),
    ],
)
def test_today_lasts_until_four_in_the_morning(moment, day):
    assert clock.game_day(utc(moment)) == day


def test_zone_in_which_a_moment_is_told_makes_no_difference():
    tokyo = timezone(timedelta(hours=9))
    moment = utc("2026-07-05T03:30:00")
    assert clock.day_of(moment.astimezone(tokyo)) == date(2026, 7, 4)
    assert clock.game_day(moment.astimezone(tokyo)) == date(2026, 7, 4)
    assert clock.iso_utc(moment.astimezone(tokyo)) == "2026-07-05T03:30:00Z"


def test_now_is_aware_and_in_utc():
    before = datetime.now(UTC)
    assert before <= clock.utc_now() <= datetime.now(UTC)
    assert clock.utc_now().tzinfo is UTC


def test_written_moment_has_no_fractions():
    assert clock.iso_utc(NOW.replace(microsecond=999_999)) == "2026-10-04T18:00:00Z"


@pytest.mark.parametrize("text", ["2026-10-04", "1900-01-01", "2028-02-29", "2028-10-04"])
def test_day_is_written_year_month_day(text):
    assert clock.parse_day(text, NOW).isoformat() == text


@pytest.mark.parametrize(
    "text",
    [
        "", "today", "20261004", "2026-1-4", "26-10-04", "2026-10-4", "2026-13-01", "2026-02-29",
        "2026-10-00", "2026-W40-7", "2026/10/04", " 2026-10-04", "2026-10-04\n", "2026-10-04T00",
        "\u0662\u0660\u0662\u0666-10-04", "0000-01-01", "-026-10-04",
    ],
)  # fmt: skip
def test_anything_else_is_not_a_day(text):
    with pytest.raises(DateRangeError, match="write it as YYYY-MM-DD"):
        clock.parse_day(text, NOW)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1899-12-31", "too early: the first day is 1900-01-01"),
        ("0001-01-01", "too early"),
        ("2028-10-05", "too far ahead: the last day is 2028-10-04"),
        ("9999-12-31", "too far ahead"),
    ],
)
def test_day_out_of_bounds_names_the_bound(text, said):
    with pytest.raises(DateRangeError, match=said):
        clock.parse_day(text, NOW)


def test_two_years_ahead_is_counted_from_the_game_day():
    early = utc("2026-10-05T07:00:00")  # 03:00 Eastern: still the fourth
    clock.check_day(LATEST, early)
    with pytest.raises(DateRangeError):
        clock.check_day(LATEST + timedelta(days=1), early)
    clock.check_day(LATEST + timedelta(days=1), early + timedelta(hours=1))


def test_range_in_order_is_fine():
    clock.check_range(date(2026, 1, 1), date(2026, 1, 1), NOW)
    clock.check_range(date(1900, 1, 1), LATEST, NOW)


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        (date(2026, 1, 2), date(2026, 1, 1), "start 2026-01-02 comes after the end 2026-01-01"),
        (date(1899, 1, 1), date(2026, 1, 1), "1899-01-01 is too early"),
        (date(2026, 1, 1), date(2029, 1, 1), "2029-01-01 is too far ahead"),
    ],
)
def test_range_that_makes_no_sense_is_refused(start, end, said):
    with pytest.raises(DateRangeError, match=said):
        clock.check_range(start, end, NOW)


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        (date(2026, 3, 7), date(2026, 3, 9), 3),
        (date(2026, 12, 31), date(2027, 1, 1), 2),
        (date(2028, 2, 28), date(2028, 3, 1), 3),
        (date(2027, 2, 28), date(2027, 3, 1), 2),
        (date(2026, 1, 1), date(2026, 1, 1), 1),
        (date(2026, 1, 2), date(2026, 1, 1), 0),
    ],
)
def test_each_day_counts_both_ends(start, end, days):
    found = list(clock.each_day(start, end))
    assert len(found) == days
    assert found[:1] == [start][:days]
    assert found[-1:] == [end][:days]
