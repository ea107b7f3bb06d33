"""Leagues: their rows, and how fresh their data is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from sportsapp.core.records import State
from sportsapp.db.engine import AnySession
from sportsapp.db.models import Game, LeagueRow, Team


@dataclass(frozen=True)
class LeagueSummary:
    """What a page shows of a league's data.

    ``changed_at`` is when anything a reader can see last changed, ``polled_at`` when the feed
    was last polled with success, ``failing_since`` when it began to fail (None while it works).
    ``live`` counts the live games; ``next_start`` is the earliest start to come.
    """

    slug: str
    changed_at: datetime | None
    polled_at: datetime | None
    failing_since: datetime | None
    live: int
    next_start: datetime | None


def league_summaries(
    session: AnySession, slugs: Sequence[str], starts_after: datetime
) -> list[LeagueSummary]:
    """The summaries of these leagues, in their order, in one query.

    A league that was never polled is left out. ``next_start`` is the earliest start after
    ``starts_after`` of a game that has not begun.
    """
    of_league = Game.league_id == LeagueRow.id
    live = select(func.count()).where(of_league, Game.state == State.IN, Game.listed)
    next_start = (
        select(Game.start_at)
        .where(of_league, Game.state == State.PRE, Game.time_set, Game.start_at > starts_after)
        .where(Game.listed)
        .order_by(Game.start_at)
        .limit(1)
    )
    rows = session.execute(
        select(
            LeagueRow.slug,
            LeagueRow.changed_at,
            LeagueRow.polled_at,
            LeagueRow.failing_since,
            live.scalar_subquery(),
            next_start.scalar_subquery(),
        ).where(LeagueRow.slug.in_(slugs))
    )
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
