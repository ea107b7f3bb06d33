"""What two teams have played before a game: each its last games, and both against each other."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, or_, select, union_all

from sportsapp.core.records import State, Status
from sportsapp.db.engine import AnySession
from sportsapp.db.models import Game, LeagueRow
from sportsapp.db.queries.games import SUMMARIES, GameSummary, by_start

MEETING_SEASONS = 5
PRESEASON = 1


def games_before(session: AnySession, game: Game, limit: int) -> list[GameSummary]:
    """What was over before this game started, by start, then id: of each of its teams the last
    ``limit`` games at home and away of its season, and those between them, of five seasons.

    What is of the preseason counts in the preseason alone. Empty while a team is not known.
    """
    home, away, year = game.home_team_id, game.away_team_id, game.season_year
    if home is None or away is None or year is None:
        return []
    is_over = Game.state == State.POST, Game.status.in_((Status.FINAL, Status.FORFEIT))
    sides = Game.home_team_id, Game.away_team_id

    def last(*wanted: ColumnElement[bool]) -> Any:
        games = select(Game.id).where(*wanted, *is_over, Game.start_at < game.start_at)
        if game.season_type != PRESEASON:
            games = games.where(or_(Game.season_type.is_(None), Game.season_type != PRESEASON))
        return select(games.order_by(Game.start_at.desc()).limit(limit).subquery().c.id)

    of_season = [
        last(side == team, Game.season_year == year) for side in sides for team in (home, away)
    ]
    recent = Game.season_year.between(year - MEETING_SEASONS + 1, year)
    between = [last(*_pair(*pair), recent) for pair in ((home, away), (away, home))]
    return by_start(session, SUMMARIES.where(Game.id.in_(union_all(*of_season, *between))))


def meetings_of_season(session: AnySession, game: Game) -> list[GameSummary]:
    """All games of both teams against each other in the game's season, by start, then id."""
    home, away = game.home_team_id, game.away_team_id
    in_season = Game.season_year == game.season_year
    pairs = [
        select(Game.id).where(*_pair(*pair), in_season) for pair in ((home, away), (away, home))
    ]
    return by_start(session, SUMMARIES.where(Game.id.in_(union_all(*pairs))))


def games_with_ids(
    session: AnySession, slug: str, espn_ids: Collection[str]
) -> dict[str, GameSummary]:
    """The stored games of a league among these, by the feed's id."""
    wanted = SUMMARIES.where(LeagueRow.slug == slug, Game.espn_id.in_(espn_ids))
    return {game.espn_id: game for game in by_start(session, wanted)}


def _pair(home: int | None, away: int | None) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return Game.home_team_id == home, Game.away_team_id == away
