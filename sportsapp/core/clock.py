"""The current time, and the rules of game days.

The feed files a game under the US Eastern date of its start. "Today" is the Eastern date and
lasts until 04:00 Eastern, so that a late game stays on today's page.
"""

from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sportsapp.core.errors import DateRangeError

EASTERN = ZoneInfo("America/New_York")
DAY_ENDS_AT = timedelta(hours=4)
FIRST_DAY = date(1900, 1, 1)
DAYS_AHEAD = 731

CLOCK_TOLERANCE = timedelta(minutes=1)
"""How far the clocks of two hosts may differ. What has happened later than this from now, by what
is stored, was written while a clock was ahead: when it really happened is unknown."""


def utc_now() -> datetime:
    """The current time, aware, in UTC."""
    return datetime.now(UTC)


def day_of(start_at: datetime) -> date:
    """The game day of a start: its US Eastern date."""
    return start_at.astimezone(EASTERN).date()


def game_day(now: datetime) -> date:
    """The day that is "today" for a visitor: the Eastern date, which lasts until 04:00."""
    return (now.astimezone(EASTERN).replace(tzinfo=None) - DAY_ENDS_AT).date()


def day_end(day: date) -> datetime:
    """When a game day ends: at 04:00 Eastern of the next one."""
    midnight = datetime.combine(day + timedelta(days=1), time())
    return (midnight + DAY_ENDS_AT).replace(tzinfo=EASTERN).astimezone(UTC)


def parse_day(text: str, now: datetime) -> date:
    """The day written as YYYY-MM-DD, between 1900 and two years from ``now``.

    Raises DateRangeError, whose message can be shown to a user.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:  # it reads 20260131 too
        raise DateRangeError(f"{text!r} is not a day: write it as YYYY-MM-DD, such as 2026-01-31")
    check_day(day, now)
    return day


def check_day(day: date, now: datetime) -> None:
    """Raise DateRangeError for a day before 1900 or more than two years ahead of ``now``."""
    latest = game_day(now) + timedelta(days=DAYS_AHEAD)
    if day < FIRST_DAY:
        raise DateRangeError(f"{day} is too early: the first day is {FIRST_DAY}")
    if day > latest:
        raise DateRangeError(f"{day} is too far ahead: the last day is {latest}")


def check_range(start: date, end: date, now: datetime) -> None:
    """Raise DateRangeError unless both days are within bounds and in order."""
    check_day(start, now)
    check_day(end, now)
    if start > end:
        raise DateRangeError(f"the start {start} comes after the end {end}")


def each_day(start: date, end: date) -> Iterator[date]:
    """Every day from start to end, both included."""
    for offset in range((end - start).days + 1):
        yield start + timedelta(days=offset)


def month_end(day: date) -> date:
    """The last day of this day's month."""
    return day.replace(day=monthrange(day.year, day.month)[1])


def iso_utc(time: datetime) -> str:
    """A time as ``2022-09-11T17:00:00Z``, without fractions of a second."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def duration(span: timedelta) -> str:
    """How long, in the largest unit that says enough: 90 s, 5 min, 3 h."""
    seconds = int(span.total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 7200:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h"
