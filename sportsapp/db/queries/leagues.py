"""Leagues: their rows, and how fresh their data is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, select

from sportsapp.core.records import State
from sportsapp.db.engine import AnySession
from sportsapp.db.models import Game, LeagueRow, Team
from sportsapp.db.queries.freshness import OLDEST_READ, moving_times

_of_league = Game.league_id == LeagueRow.id
_live = select(func.count()).where(_of_league, Game.state == State.IN, Game.listed)
_next_start = (
    select(Game.start_at)
    .where(_of_league, Game.state == State.PRE, Game.time_set, Game.listed)
    .where(Game.start_at > bindparam("starts_after"))
    .order_by(Game.start_at)
    .limit(1)
)
_SUMMARIES = select(
    LeagueRow.slug,
    LeagueRow.changed_at,
    LeagueRow.polled_at,
    LeagueRow.failing_since,
    _live.scalar_subquery(),
    _next_start.scalar_subquery(),
    OLDEST_READ,
    LeagueRow.next_read_at,
).where(LeagueRow.slug.in_(bindparam("slugs", expanding=True)))
"""Made once, since every page begins with it."""


@dataclass(frozen=True)
class LeagueSummary:
    """What a page shows of a league's data.

    ``changed_at`` is when anything a reader can see last changed, ``polled_at`` when the feed
    was last polled with success, ``failing_since`` when it began to fail (None while it works).
    ``live`` counts the live games; ``next_start`` is the earliest start to come. ``games_read_at``
    is when the oldest of the games that should be moving was read, None without such games.
    ``next_read_at`` is that of the league's row.
    """

    slug: str
    changed_at: datetime | None
    polled_at: datetime | None
    failing_since: datetime | None
    live: int
    next_start: datetime | None
    games_read_at: datetime | None
    next_read_at: datetime | None


def league_summaries(
    session: AnySession,
    slugs: Sequence[str],
    starts_after: datetime,
    now: datetime,
    grace: timedelta,
) -> list[LeagueSummary]:
    """The summaries of these leagues, in their order, in one query.

    A league that was never polled is left out. ``next_start`` is the earliest start after
    ``starts_after`` of a game that has not begun. A game should be moving since ``grace`` after
    its start.
    """
    values = {"slugs": slugs, "starts_after": starts_after} | moving_times(now, grace)
    rows = session.execute(_SUMMARIES, values)
    summaries = {row.slug: LeagueSummary(*row) for row in rows}
    return [summaries[slug] for slug in slugs if slug in summaries]


def league_rows(session: AnySession, slugs: Sequence[str]) -> dict[str, LeagueRow]:
    """The rows of these leagues by slug. A league that was never polled has none."""
    rows = session.scalars(select(LeagueRow).where(LeagueRow.slug.in_(slugs)))
    return {row.slug: row for row in rows}


def has_data(session: AnySession) -> bool:
    """Whether any game, or any team of a league's list, has been stored."""
    team = select(Team.id).where(Team.listed).limit(1)
    game = select(Game.id).limit(1)
    return session.scalar(team) is not None or session.scalar(game) is not None
