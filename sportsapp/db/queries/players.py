"""One player: who he is, and what the stored box scores have of him."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, case, func, or_, select
from sqlalchemy.orm import joinedload

from sportsapp.core.records import State, Status
from sportsapp.db.engine import AnySession
from sportsapp.db.models import (
    Game,
    LeagueRow,
    Player,
    PlayerLine,
    StatTable,
    SummaryRow,
    Team,
)
from sportsapp.db.queries.games import SUMMARIES, GameSummary, by_start
from sportsapp.db.queries.summaries import IS_CURRENT


class KnownPlayer(NamedTuple):
    """A player by his roster, or by his newest line; ``team`` is that of the roster, or None."""

    league_row: LeagueRow
    name: str
    jersey: str
    position: str
    team: Team | None = None


class StoredLine(NamedTuple):
    """A player's line in a table of a game's box score; ``stats`` go by ``labels`` and ``keys``.

    ``read_at`` is when the feed was asked for the box score, ``is_current`` whether that was since
    the game's score and status last changed.
    """

    game: GameSummary
    side: str
    note: str
    table: str
    labels: list[str]
    keys: list[str]
    stats: list[str]
    read_at: datetime
    is_current: bool


def find_player(session: AnySession, slug: str, espn_id: str) -> KnownPlayer | None:
    """The player of this id in the feed; None for one whom no roster and no box score has had."""
    listed = (
        select(LeagueRow, Player)
        .join(Player, Player.league_id == LeagueRow.id)
        .where(LeagueRow.slug == slug, Player.espn_id == espn_id)
        .options(joinedload(Player.team).joinedload(Team.league_row))
    )
    if row := session.execute(listed).first():
        league, player = row
        team = player.team if player.active else None
        return KnownPlayer(league, player.name, player.jersey, player.position, team)
    columns = LeagueRow, PlayerLine.name, PlayerLine.jersey, PlayerLine.position
    newest = _lines(slug, espn_id, *columns).order_by(Game.start_at.desc()).limit(1)
    line = session.execute(newest).first()
    return None if line is None else KnownPlayer(*line)


def seasons_of_player(session: AnySession, slug: str, espn_id: str) -> list[int]:
    """The years of the seasons of which there are lines of a player, the newest first."""
    years = _lines(slug, espn_id, Game.season_year).where(Game.season_year.is_not(None))
    return sorted(session.scalars(years.distinct()), reverse=True)


def lines_of_player(
    session: AnySession, slug: str, espn_id: str, season_year: int | None
) -> list[StoredLine]:
    """A player's lines of a season, the newest game first.

    Those of a game are in the order in which the league's tables were first stored. Without a year
    they are those of games whose season is not known.
    """
    in_season = Game.season_year == season_year
    columns = (
        *(PlayerLine.side, PlayerLine.note),
        *(StatTable.name, StatTable.labels, StatTable.keys, PlayerLine.stats),
        *(SummaryRow.read_at, IS_CURRENT),
    )
    ids = _lines(slug, espn_id, PlayerLine.game_id).where(in_season)
    games = {game.espn_id: game for game in by_start(session, SUMMARIES.where(Game.id.in_(ids)))}
    lines = _lines(slug, espn_id, Game.espn_id, *columns).where(in_season)
    lines = lines.join(SummaryRow, SummaryRow.game_id == PlayerLine.game_id)
    order = Game.start_at.desc(), Game.id, StatTable.id
    return [
        StoredLine(games[game_id], *line)
        for game_id, *line in session.execute(lines.order_by(*order))
        if game_id in games  # another game may have been stored meanwhile
    ]


def box_scores_of_team(session: AnySession, team: Team, season_year: int | None) -> tuple[int, int]:
    """Of a team's games of a season that are over: how many have players' lines, and how many.

    Lines that were read before the end of their game do not count.
    """
    lines = select(PlayerLine.game_id).where(PlayerLine.game_id == Game.id, IS_CURRENT)
    has_lines = lines.join(SummaryRow, SummaryRow.game_id == PlayerLine.game_id).exists()
    over = (
        select(func.count(case((has_lines, 1))), func.count())
        .where(or_(Game.home_team_id == team.id, Game.away_team_id == team.id))
        .where(Game.season_year == season_year, Game.state == State.POST)
        .where(Game.status.in_((Status.FINAL, Status.FORFEIT)))
    )
    known, games = session.execute(over).one()
    return known, games


def _lines(slug: str, espn_id: str, *columns: Any) -> Select[Any]:
    """These columns of a player's lines, their tables, games and league."""
    return (
        select(*columns)
        .select_from(PlayerLine)
        .join(StatTable, StatTable.id == PlayerLine.table_id)
        .join(Game, Game.id == PlayerLine.game_id)
        .join(LeagueRow, LeagueRow.id == Game.league_id)
        .where(PlayerLine.espn_id == espn_id, LeagueRow.slug == slug)
    )
