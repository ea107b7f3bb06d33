"""The map of what is stored: each day of a league is read, empty, unread, failed or stale."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import and_, case, func, literal, or_, select, union_all

from sportsapp.core.clock import day_end, game_day
from sportsapp.core.leagues import League, season_of
from sportsapp.db.engine import AnySession
from sportsapp.db.models import FailedDay, Game, LeagueRow, Scoreboard
from sportsapp.db.queries.freshness import MOVING_DAYS, moving_times
from sportsapp.db.queries.games import IS_SHOWN
from sportsapp.db.queries.reads import EARLY_COUNTS, Span


class DayState(StrEnum):
    """What the database knows of a league's day."""

    READ = "read"
    EMPTY = "empty"
    UNREAD = "unread"
    FAILED = "failed"
    STALE = "stale"


class StoredDay(NamedTuple):
    """What is stored of a league's day.

    ``read_at`` is when it was last read to its end, ``failed_at`` when a sync of it last failed,
    ``moving_at`` when the oldest of its games that should be moving was read: None for never and
    for no such game. ``games`` counts those that pages show.
    """

    games: int = 0
    read_at: datetime | None = None
    failed_at: datetime | None = None
    moving_at: datetime | None = None


def state_of(
    day: date, stored: StoredDay, now: datetime, grace: timedelta, begins: date
) -> DayState | None:
    """The state of a day; None for one that need not have been read yet, and was not.

    Those are the days that have not ended, and the days before the season ``begins``. The first
    state that fits counts:

    - failed: a sync of it failed after it was last read;
    - unread: it was never read to its end;
    - stale: it has ended and was last read before that; or it goes on, or is to come, and was read
      more than a week ago; or a game of it should be moving and was read ``grace`` ago;
    - empty, read: it was read, and has no games, or some.
    """
    read_at, end = stored.read_at, day_end(day)
    if stored.failed_at and (read_at is None or read_at < stored.failed_at):
        return DayState.FAILED
    if read_at is None:
        return DayState.UNREAD if begins <= day and end <= now else None
    is_outdated = read_at < end if end <= now else read_at <= now - EARLY_COUNTS
    if is_outdated or (stored.moving_at and stored.moving_at < now - grace):
        return DayState.STALE
    return DayState.READ if stored.games else DayState.EMPTY


def stored_days(
    session: AnySession, spans: Iterable[Span], now: datetime, grace: timedelta
) -> dict[tuple[str, date], StoredDay]:
    """What is stored of these leagues' days, by slug and day, in one query.

    A day of which nothing is known is left out. A game should be moving since ``grace`` after its
    start.
    """
    parts: list[Any] = []
    for slug, first, last in spans:
        league = select(LeagueRow.id).where(LeagueRow.slug == slug).scalar_subquery()
        is_of_day = Game.league_id == Scoreboard.league_id, Game.day == Scoreboard.day, IS_SHOWN
        games = select(func.count()).select_from(Game).where(*is_of_day).scalar_subquery()
        name = literal(slug)
        parts += [
            select(name, literal("read_at"), Scoreboard.day, Scoreboard.read_at, games).where(
                Scoreboard.league_id == league, Scoreboard.day.between(first, last)
            ),
            select(
                name, literal("failed_at"), FailedDay.day, FailedDay.failed_at, literal(0)
            ).where(FailedDay.league_id == league, FailedDay.day.between(first, last)),
            MOVING_DAYS.with_only_columns(
                name, literal("moving_at"), *MOVING_DAYS.selected_columns, literal(0)
            ).where(LeagueRow.slug == slug, Game.day.between(first, last)),
        ]
    facts: dict[tuple[str, date], dict[str, Any]] = {}
    if parts:
        rows = session.execute(union_all(*parts), moving_times(now, grace))
        for slug, what, day, at, count in rows:
            of_day = facts.setdefault((slug, day), {"games": 0})
            of_day[what] = at
            of_day["games"] += count
    return {key: StoredDay(**of_day) for key, of_day in facts.items()}


def stored_day(
    session: AnySession, slug: str, day: date
) -> tuple[Scoreboard | None, FailedDay | None]:
    """The rows about a league's day: how it was last read, and how that last failed."""
    board, failure = Scoreboard, FailedDay
    rows = (
        select(board, failure)
        .select_from(LeagueRow)
        .outerjoin(board, and_(board.league_id == LeagueRow.id, board.day == day))
        .outerjoin(failure, and_(failure.league_id == LeagueRow.id, failure.day == day))
        .where(LeagueRow.slug == slug)
    )
    found = session.execute(rows).one_or_none()
    return (found[0], found[1]) if found else (None, None)


class Gaps(NamedTuple):
    """How many days of a season are unread and failed; ``begins`` is its first day with games."""

    begins: date
    unread: int
    failed: int


def season_gaps(session: AnySession, leagues: Iterable[League], now: datetime) -> dict[str, Gaps]:
    """The gaps of these leagues' running seasons, by slug, in one query that reads no games.

    A day counts as in ``state_of``. A league is left out while the feed's calendar has not named
    the first day of this season.
    """
    today, parts = game_day(now), []
    for league in leagues:
        first, last = season_of(league, today)
        first_day = literal(first, Scoreboard.day.type)
        begins = case((LeagueRow.season_begins > first, LeagueRow.season_begins), else_=first_day)
        of_board = Scoreboard.league_id == LeagueRow.id, Scoreboard.day >= begins
        is_read = Scoreboard.day < today, Scoreboard.read_at.is_not(None)
        read = select(func.count()).select_from(Scoreboard).where(*of_board, *is_read)
        failed = (
            select(func.count())
            .select_from(FailedDay)
            .outerjoin(
                Scoreboard,
                and_(Scoreboard.league_id == FailedDay.league_id, Scoreboard.day == FailedDay.day),
            )
            .where(FailedDay.league_id == LeagueRow.id, FailedDay.day.between(first, last))
        )
        never = Scoreboard.read_at.is_(None)
        counts = (
            read,
            failed.where(or_(never, Scoreboard.read_at < FailedDay.failed_at)),
            failed.where(never, FailedDay.day >= begins, FailedDay.day < today),
        )
        part = select(
            literal(league.slug),
            begins,
            *(count.correlate(LeagueRow).scalar_subquery() for count in counts),
        )
        parts.append(part.where(LeagueRow.slug == league.slug, LeagueRow.season_begins <= last))
    gaps = {}
    for slug, begins, read, failed, never_read in (
        session.execute(union_all(*parts)) if parts else ()
    ):
        ended = max((today - begins).days, 0)
        gaps[slug] = Gaps(begins, ended - read - never_read, failed)
    return gaps


class KnownSeasons(NamedTuple):
    """The first day of the season of the feed's calendar, and the first day that was read."""

    begins: date | None = None
    earliest: date | None = None


def known_seasons(session: AnySession, slugs: Sequence[str]) -> dict[str, KnownSeasons]:
    """What is known of these leagues' seasons, by slug; without those that have no row."""
    of_league = Scoreboard.league_id == LeagueRow.id
    earliest = select(func.min(Scoreboard.day)).where(of_league).scalar_subquery()
    columns = LeagueRow.slug, LeagueRow.season_begins, earliest
    rows = session.execute(select(*columns).where(LeagueRow.slug.in_(slugs)))
    return {slug: KnownSeasons(begins, first) for slug, begins, first in rows}
