"""When a periodic task is due: slots of Every and Cron on ordinary and on odd days."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta, timezone

import pytest

from sportsapp.queue.schedules import Cron, Every

HOURLY = Cron("hourly", minute="0")
DAILY = Cron("daily", hour="3", minute="0")
MONDAYS = Cron("Mondays", day_of_week="1", hour="4", minute="0")
MONTHLY = Cron("monthly", day="1", hour="3", minute="0")
YEARLY = Cron("yearly", month="7", day="1", hour="3", minute="30")
TWICE = Cron("twice", hour="3,15", minute="10,40")
LEAP = Cron("every February 29", month="2", day="29", hour="0", minute="0")
MINUTELY, TEN_SECONDS = Every(lambda: 60), Every(lambda: 10)
MINUTE = timedelta(minutes=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "after", "now", "slot"),
    [
        (MINUTELY, "2026-11-23T11:59:00", "2026-11-23T12:00:00", "2026-11-23T12:00:00"),
        (MINUTELY, "2026-11-23T12:00:00", "2026-11-23T12:00:59", None),
        (MINUTELY, "2026-11-23T12:00:00", "2026-11-23T12:09:30", "2026-11-23T12:09:00"),
        (MINUTELY, "2026-12-31T23:59:00", "2027-01-01T00:00:00", "2027-01-01T00:00:00"),
        (MINUTELY, "2026-11-23T12:00:00", "2026-11-23T11:00:00", None),  # the clock went back
        (TEN_SECONDS, "2026-11-23T12:00:00", "2026-11-23T12:00:19", "2026-11-23T12:00:10"),
        (TEN_SECONDS, "2028-02-28T23:59:50", "2028-02-29T00:00:03", "2028-02-29T00:00:00"),
        (HOURLY, "2026-11-23T11:00:00", "2026-11-23T11:59:59", None),
        (HOURLY, "2026-11-23T11:00:00", "2026-11-23T12:00:00", "2026-11-23T12:00:00"),
        (HOURLY, "2026-11-23T11:00:00", "2026-11-25T05:30:00", "2026-11-25T05:00:00"),
        (HOURLY, "2026-11-23T12:00:00", "2026-11-23T11:30:00", None),
        (HOURLY, "2026-12-31T23:30:00", "2027-01-01T00:20:00", "2027-01-01T00:00:00"),
        (DAILY, "2026-12-31T03:00:00", "2027-01-01T02:59:59", None),
        (DAILY, "2026-12-31T03:00:00", "2027-01-01T03:00:00", "2027-01-01T03:00:00"),
        (DAILY, "2028-02-28T03:00:00", "2028-02-29T09:00:00", "2028-02-29T03:00:00"),
        (DAILY, "2027-02-28T03:00:00", "2027-03-01T09:00:00", "2027-03-01T03:00:00"),
        (TWICE, "2026-11-23T03:40:00", "2026-11-23T15:09:59", None),
        (TWICE, "2026-11-23T03:40:00", "2026-11-23T15:39:00", "2026-11-23T15:10:00"),
        (TWICE, "2026-11-22T15:40:00", "2026-11-23T14:59:00", "2026-11-23T03:40:00"),
        (TWICE, "2026-11-22T15:10:00", "2026-11-23T03:09:00", "2026-11-22T15:40:00"),
        (MONDAYS, "2026-12-28T04:00:00", "2027-01-03T23:59:00", None),
        (MONDAYS, "2026-12-28T04:00:00", "2027-01-04T04:00:00", "2027-01-04T04:00:00"),
        (MONDAYS, "2028-02-21T04:00:00", "2028-02-29T12:00:00", "2028-02-28T04:00:00"),
        (MONDAYS, "2026-01-01T00:00:00", "2026-11-23T03:00:00", "2026-11-16T04:00:00"),
        (MONTHLY, "2026-11-01T03:00:00", "2026-11-30T23:59:59", None),
        (MONTHLY, "2026-10-01T03:00:00", "2026-11-30T23:59:59", "2026-11-01T03:00:00"),
        (YEARLY, "2025-07-01T03:30:00", "2026-07-01T03:29:59", None),
        (YEARLY, "2025-07-01T03:30:00", "2027-06-30T12:00:00", "2026-07-01T03:30:00"),
        (LEAP, "2020-03-01T00:00:00", "2027-06-30T12:00:00", "2024-02-29T00:00:00"),
    ],
)
def test_newest_slot_is_the_last_one_that_is_due(schedule, after, now, slot):
    assert schedule.newest_slot(utc(after), utc(now)) == (utc(slot) if slot else None)


@pytest.mark.parametrize(
    ("schedule", "now", "slot"),
    [
        (MINUTELY, "2026-12-31T23:59:00", "2027-01-01T00:00:00"),
        (TEN_SECONDS, "2026-11-23T12:00:59", "2026-11-23T12:01:00"),
        (HOURLY, "2026-11-23T12:00:00", "2026-11-23T13:00:00"),
        (HOURLY, "2026-12-31T23:00:01", "2027-01-01T00:00:00"),
        (DAILY, "2028-02-28T03:00:00", "2028-02-29T03:00:00"),
        (DAILY, "2027-02-28T03:00:00", "2027-03-01T03:00:00"),
        (MONDAYS, "2026-12-28T04:00:00", "2027-01-04T04:00:00"),
        (MONDAYS, "2028-02-28T04:00:00", "2028-03-06T04:00:00"),
        (MONTHLY, "2026-11-01T03:00:00", "2026-12-01T03:00:00"),
        (MONTHLY, "2026-11-01T02:59:59", "2026-11-01T03:00:00"),
        (YEARLY, "2026-07-01T03:30:00", "2027-07-01T03:30:00"),
        (LEAP, "2096-02-29T00:00:00", "2104-02-29T00:00:00"),
    ],
)
def test_next_slot_is_later_than_now(schedule, now, slot):
    assert schedule.next_slot(utc(now)) == utc(slot)


def test_schedule_that_is_never_due_is_refused_where_it_is_written():
    with pytest.raises(ValueError, match="not due within eight years: February 30"):
        Cron("February 30", month="2", day="30", hour="3", minute="0")


def test_next_slot_is_found_anew_when_the_clock_goes_back():
    schedule = Cron("daily", hour="3", minute="0")
    assert schedule.next_slot(utc("2026-11-23T12:00:00")) == utc("2026-11-24T03:00:00")
    assert schedule.next_slot(utc("2026-11-22T12:00:00")) == utc("2026-11-23T03:00:00")


@pytest.mark.parametrize(
    "day",
    [
        "2026-03-08",  # clocks go forward in New York
        "2026-11-01",  # and back
        "2026-03-29",  # the same in Europe
        "2026-10-25",
        "2028-02-29",
        "2026-12-31",
    ],
)
def test_every_day_has_its_slots_once_whatever_clocks_on_walls_do(day):
    start = utc(f"{day}T00:00:00") - timedelta(seconds=30)
    found: Counter[str] = Counter()
    looks = {"minutes": (MINUTELY, 1), "hours": (HOURLY, 7), "days": (DAILY, 60)}
    for name, (schedule, every) in looks.items():
        seen = start
        for minute in range(every, 24 * 60 + every, every):
            slot = schedule.newest_slot(seen, min(start + MINUTE * minute, start + MINUTE * 1440))
            found[name] += slot is not None
            seen = slot or seen
    assert found == {"minutes": 24 * 60, "hours": 24, "days": 1}


def test_slots_are_the_same_for_a_clock_in_another_zone():
    tokyo = timezone(timedelta(hours=9))
    now = utc("2026-11-23T12:30:00")
    for schedule in (MINUTELY, TEN_SECONDS, HOURLY, DAILY, MONDAYS, MONTHLY, YEARLY):
        there = schedule.newest_slot(now - timedelta(days=8), now.astimezone(tokyo))
        assert there == schedule.newest_slot(now - timedelta(days=8), now)
        assert schedule.next_slot(now.astimezone(tokyo)) == schedule.next_slot(now)
