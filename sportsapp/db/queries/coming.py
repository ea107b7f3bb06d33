"""What is around a day: the next day with games, the games before and after, a team's games."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, bindparam, or_, select, union_all
from sqlalchemy.orm import aliased

from sportsapp.core.records import State, Status
from sportsapp.db.engine import AnySession
from sportsapp.db.models import Game, LeagueRow, Team
from sportsapp.db.queries.games import SUMMARIES, GameSummary, by_start, last_and_next_games

CALLED_OFF = (Status.POSTPONED, Status.CANCELLED)
_league, _game = aliased(LeagueRow), aliased(Game)


def _nearest(is_wanted: ColumnElement[bool], *order: ColumnElement[Any]) -> Select[Any]:
    """The id of each league's game that comes first in this order."""
    is_shown = or_(_game.listed, _game.state != State.PRE)
    games = select(_game.id).where(_game.league_id == _league.id, is_wanted, is_shown)
    game = games.where(_game.status.not_in(CALLED_OFF)).order_by(*order).limit(1)
    return select(game.scalar_subquery()).where(
        _league.slug.in_(bindparam("slugs", expanding=True))
    )


# Built once: that takes longer than to execute it.
_AROUND = SUMMARIES.where(
    Game.id.in_(
        union_all(
            _nearest(_game.day < bindparam("day"), _game.day.desc(), _game.start_at.desc()),
            _nearest(_game.day > bindparam("day"), _game.day.asc(), _game.start_at.asc()),
        )
    )
)


class NextDay(NamedTuple):
    """A league's next day with games, None if none is known; ``LeagueRow.season_begins``."""

    day: date | None
    season_begins: date | None


def next_days(session: AnySession, slugs: Sequence[str], day: date) -> dict[str, NextDay]:
    """For each of these leagues the first day with games after this one.

    Games that were called off or are no longer listed do not count; a league that was never polled
    is left out.
    """
    next_day = (
        select(Game.day)
        .where(Game.league_id == LeagueRow.id, Game.day > day)
        .where(Game.status.not_in(CALLED_OFF), Game.listed)
        .order_by(Game.day)
        .limit(1)
    )
    days = select(LeagueRow.slug, next_day.label("day"), LeagueRow.season_begins)
    rows = session.execute(days.where(LeagueRow.slug.in_(slugs)))
    return {row.slug: NextDay(row.day, row.season_begins) for row in rows}


def games_around(session: AnySession, slugs: Sequence[str], day: date) -> list[GameSummary]:
    """Of each of these leagues the last game before this day and the first after it.

    By start, then id. What was called off, or is to come and no longer listed, is no game.
    """
    return by_start(session, _AROUND, slugs=slugs, day=day)


class TeamNow(NamedTuple):
    """A team's live game, its last one that is over and the one to come, None while one is live.

    ``current`` is the one to show: the live one, else today's (of two the one to come), else the
    next one, else the last one. Each is None where there is none.
    """

    live: GameSummary | None
    last: GameSummary | None
    next: GameSummary | None
    current: GameSummary | None


def team_now(session: AnySession, team: Team, today: date) -> TeamNow:
    """The team's games around now; what was called off is none."""
    games = last_and_next_games(session, [team.id], today)
    live = next((game for game in games if game.state == State.IN), None)
    last = next((game for game in reversed(games) if game.state == State.POST), None)
    coming = next((game for game in games if game.state == State.PRE and not live), None)
    of_today = (game for game in (coming, last) if game and game.day == today)
    return TeamNow(live, last, coming, live or next(of_today, None) or coming or last)
