"""How the feed words states, clocks and dates."""

from dataclasses import dataclass
from datetime import datetime

from demo.fixtures import EASTERN
from demo.leagues import DemoLeague

BELOW_A_MINUTE = 60
TENTHS = {"nba", "wnba"}


@dataclass(frozen=True, slots=True)
class StatusType:
    """A status as the feed numbers and names it; post without completed is a game called off."""

    id: str
    name: str
    state: str
    completed: bool
    description: str


STATUS_TYPES = {
    kind.name: kind
    for kind in (
        StatusType("1", "STATUS_SCHEDULED", "pre", False, "Scheduled"),
        StatusType("2", "STATUS_IN_PROGRESS", "in", False, "In Progress"),
        StatusType("3", "STATUS_FINAL", "post", True, "Final"),
        StatusType("5", "STATUS_CANCELED", "post", False, "Canceled"),
        StatusType("6", "STATUS_POSTPONED", "post", False, "Postponed"),
        StatusType("7", "STATUS_DELAYED", "in", False, "Delayed"),
        StatusType("8", "STATUS_SUSPENDED", "post", False, "Suspended"),
        StatusType("17", "STATUS_RAIN_DELAY", "in", False, "Rain Delay"),
        StatusType("22", "STATUS_END_PERIOD", "in", False, "End of Period"),
        StatusType("23", "STATUS_HALFTIME", "in", False, "Halftime"),
        StatusType("25", "STATUS_FIRST_HALF", "in", False, "First Half"),
        StatusType("26", "STATUS_SECOND_HALF", "in", False, "Second Half"),
        StatusType("28", "STATUS_FULL_TIME", "post", True, "Full Time"),
    )
}


def ordinal(number: int) -> str:
    """Return 1st, 2nd, 3rd, 4th, 11th, 21st..."""
    tens = number % 100 // 10
    return f"{number}{'th' if tens == 1 else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def clock_text(league: DemoLeague, seconds: float) -> str:
    """Return 8:41; NBA and WNBA count the last minute in tenths (34.5), baseball has no clock."""
    if league.key in TENTHS and seconds < BELOW_A_MINUTE:
        return f"{seconds:.1f}"
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def running_text(minute: int, stop: int) -> str:
    """Return 67', or 45'+2' in the time added on after the minute at which a half stops."""
    return f"{minute}'" if minute <= stop else f"{stop}'+{minute - stop}'"


def overtime_name(league: DemoLeague, period: int) -> str:
    """Return OT, 2OT... for a period after regulation, else an empty string."""
    number = period - league.periods
    return "" if number < 1 else "OT" if number == 1 else f"{number}OT"


def period_text(league: DemoLeague, period: int) -> str:
    """Return 3rd Quarter, 2nd Period or OT."""
    return overtime_name(league, period) or f"{ordinal(period)} {league.period_word}"


def short_period(league: DemoLeague, period: int) -> str:
    return overtime_name(league, period) or ordinal(period)


def start_text(start: datetime) -> str:
    """Return Fri, March 27th at 7:00 PM EDT."""
    local = start.astimezone(EASTERN)
    return f"{local:%a}, {local:%B} {ordinal(local.day)} at {hour_text(local)}"


def short_start(start: datetime, time_set: bool) -> str:
    """Return 3/27 - 7:00 PM EDT, or 1/16 - TBD."""
    local = start.astimezone(EASTERN)
    return f"{local.month}/{local.day} - {hour_text(local) if time_set else 'TBD'}"


def hour_text(local: datetime) -> str:
    return f"{local.hour % 12 or 12}:{local:%M %p %Z}"


def feed_time(when: datetime) -> str:
    """Return 2025-06-01T17:05Z: UTC, minutes only."""
    return f"{when:%Y-%m-%dT%H:%MZ}"
