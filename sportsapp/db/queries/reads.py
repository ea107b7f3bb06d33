"""The map of what was read: when each league's days were last read to their end."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, bindparam, case, extract, func, or_, select

from sportsapp.core.clock import each_day
from sportsapp.db.engine import AnySession
from sportsapp.db.models import LeagueRow, Scoreboard

EARLY_COUNTS = timedelta(days=7)
DAY_ENDED = timedelta(hours=24 + 9).total_seconds()  # 04:00 Eastern is 08:00 or 09:00 UTC


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
    values: dict[str, Any] = {"since": now - EARLY_COUNTS}
    for n, (slug, first, last) in enumerate(spans):
        values |= {f"slug{n}": slug, f"first{n}": first, f"last{n}": last}
        values[f"days{n}"] = (last - first).days + 1
    return list(session.execute(_spans_statement(len(spans)), values).one()) if spans else []


@lru_cache(maxsize=64)
def _spans_statement(count: int) -> Select[Any]:
    """The query about so many spans. It is built once: that takes longer than to execute it."""
    times = [
        select(case((func.count() == bindparam(f"days{n}"), func.min(Scoreboard.read_at))))
        .where(*_is_read(*(bindparam(f"{name}{n}") for name in Span._fields)))
        .scalar_subquery()
        for n in range(count)
    ]
    return select(*times)


def unread_days(session: AnySession, span: Span, now: datetime) -> list[date]:
    """The days of this span that were not read, in order."""
    values = {"since": now - EARLY_COUNTS}
    read = set(session.scalars(select(Scoreboard.day).where(*_is_read(*span)), values))
    return [day for day in each_day(span.first, span.last) if day not in read]


def leagues_read_by_day(
    session: AnySession, slugs: Sequence[str], first: date, last: date, now: datetime
) -> dict[date, int]:
    """For how many of these leagues each of these days was read; without days of none."""
    values = {"slugs": slugs, "first": first, "last": last, "since": now - EARLY_COUNTS}
    return dict(session.execute(_leagues_read(), values).all())


@cache
def _leagues_read() -> Select[date, int]:
    """The query above, built once."""
    return (
        select(Scoreboard.day, func.count())
        .join(LeagueRow, LeagueRow.id == Scoreboard.league_id)
        .where(LeagueRow.slug.in_(bindparam("slugs", expanding=True)))
        .where(*_counts(bindparam("first"), bindparam("last")))
        .group_by(Scoreboard.day)
    )


def _is_read(slug: Any, first: Any, last: Any) -> tuple[ColumnElement[bool], ...]:
    """The condition that a row is of a day of this span that was read."""
    of_league = select(LeagueRow.id).where(LeagueRow.slug == slug).scalar_subquery()
    return Scoreboard.league_id == of_league, *_counts(first, last)


def _counts(first: Any, last: Any) -> tuple[ColumnElement[bool], ...]:
    """The condition that a row is of one of these days, and that it was read.

    The feed lists games late, and moves them: what was read of a day counts for good only if it was
    read after the day's end, otherwise if it was read after ``since``, a parameter of the query.
    """
    read_at, day = Scoreboard.read_at, Scoreboard.day
    has_ended = extract("epoch", read_at) - extract("epoch", day) >= DAY_ENDED
    return day.between(first, last), or_(read_at > bindparam("since"), has_ended)
