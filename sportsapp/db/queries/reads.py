"""The map of what was read: when each league's days were last read to their end."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from sportsapp.core.clock import each_day, game_day
from sportsapp.db.engine import AnySession
from sportsapp.db.models import LeagueRow, Scoreboard

AHEAD_COUNTS = timedelta(days=7)


def day_read_at(session: AnySession, league_id: int, day: date) -> datetime | None:
    """When a league's day was last read to its end; None when it never was."""
    return days_read_at(session, [league_id], [day]).get((league_id, day))


def days_read_at(
    session: AnySession, league_ids: Collection[int], days: Collection[date]
) -> dict[tuple[int, date], datetime]:
    """When days were last read to their end, by league and day; without those that never were."""
    rows = session.execute(
        select(Scoreboard.league_id, Scoreboard.day, Scoreboard.read_at).where(
            Scoreboard.league_id.in_(league_ids),
            Scoreboard.day.in_(days),
        )
    )
    return {(row.league_id, row.day): row.read_at for row in rows if row.read_at}


class Span(NamedTuple):
    """A league's days from the first to the last, both included; none when they are in disorder."""

    slug: str
    first: date
    last: date


def spans_read_at(
    session: AnySession, spans: Sequence[Span], now: datetime
) -> list[datetime | None]:
    """When each of these spans was read to its end: the earliest time of its days, in one query.

    None for a span with a day that was not read, or without a day.
    """
    whole = [
        select(
            case((func.count() == (span.last - span.first).days + 1, func.min(Scoreboard.read_at)))
        )
        .where(*_is_read(span, now))
        .scalar_subquery()
        for span in spans
    ]
    return list(session.execute(select(*whole)).one()) if whole else []


def unread_days(session: AnySession, span: Span, now: datetime) -> list[date]:
    """The days of this span that were not read, in order."""
    read = set(session.scalars(select(Scoreboard.day).where(*_is_read(span, now))))
    return [day for day in each_day(span.first, span.last) if day not in read]


def _is_read(span: Span, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """The condition that a row is of a day of this span that was read.

    The feed lists games of days to come late: what was read of such a day counts for a week.
    """
    of_league = select(LeagueRow.id).where(LeagueRow.slug == span.slug).scalar_subquery()
    is_recent = Scoreboard.read_at > now - AHEAD_COUNTS
    return (
        Scoreboard.league_id == of_league,
        Scoreboard.day.between(span.first, span.last),
        or_(is_recent, and_(Scoreboard.read_at.is_not(None), Scoreboard.day <= game_day(now))),
    )
