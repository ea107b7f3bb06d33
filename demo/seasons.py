"""Whole seasons, drawn once and kept: games by day and by id, and the table at any moment."""

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from demo import football, playoffs, regular
from demo.fixtures import (
    OFFSEASON,
    POSTSEASON,
    PRESEASON,
    REGULAR,
    Fixture,
    season_of_id,
)
from demo.leagues import LEAGUES, DemoLeague
from demo.script import ends_at
from demo.tables import Tally, seeds_of, tally_games
from demo.teams import teams_of


@dataclass(frozen=True, slots=True, eq=False)
class Season:
    """One season of one league: every game in order of days, the same again by day and by id."""

    league: DemoLeague
    year: int
    games: list[Fixture]
    by_day: dict[date, list[Fixture]]
    by_id: dict[str, Fixture]

    def days(self, kind: int) -> list[date]:
        """Return the days with games of a season type, in order."""
        return [day for day, games in self.by_day.items() if games[0].kind == kind]


@lru_cache(maxsize=40)
def season_of(key: str, year: int) -> Season:
    """Return a league's season by the feed's season year."""
    league = LEAGUES[key]
    games = (
        football.football_fixtures(year) if key == "nfl" else regular.regular_fixtures(league, year)
    )
    counted = [game for game in games if game.kind == REGULAR and game.fate == "played"]
    tallies = tally_games(league, teams_of(key), counted)
    seeds = seeds_of(league, teams_of(key), tallies)
    last_day = max(game.day for game in games)
    games = sorted(
        games + playoffs.bracket_games(league, year, last_day, seeds),
        key=lambda game: (game.day, game.start, game.index),
    )
    return index_games(league, year, games)


def index_games(league: DemoLeague, year: int, games: list[Fixture]) -> Season:
    by_day: dict[date, list[Fixture]] = defaultdict(list)
    for game in games:
        by_day[game.day].append(game)
    return Season(league, year, games, dict(by_day), {game.id: game for game in games})


def season_at(key: str, day: date) -> Season:
    """Return the season that a day belongs to."""
    return season_of(key, regular.season_on(key, day))


def games_on(key: str, day: date) -> list[Fixture]:
    """Return the league's games of one Eastern day, in order of their start."""
    return season_at(key, day).by_day.get(day, [])


def find_game(key: str, event_id: str) -> Fixture | None:
    """Return the game with this id, or None; an id tells its season, so nothing is searched."""
    found = season_of_id(event_id)
    if found is None or found[0].key != key:
        return None
    return season_of(key, found[1]).by_id.get(event_id)


def type_on(key: str, day: date) -> int:
    """Return the season type of a day: 1 pre, 2 regular, 3 post, 4 off-season."""
    season = season_at(key, day)
    if day < next(iter(season.by_day)):
        return OFFSEASON
    for kind in (PRESEASON, REGULAR, POSTSEASON):
        days = season.days(kind)
        if days and day <= days[-1]:
            return kind
    return OFFSEASON


@lru_cache(maxsize=80)
def ends_of(key: str, year: int, speed: float) -> tuple[list[datetime], list[Fixture]]:
    """Return when the regular season's games end, in order, and the games in the same order."""
    games = [
        game
        for game in season_of(key, year).games
        if game.kind == REGULAR and game.fate == "played"
    ]
    pairs = sorted((ends_at(game, speed), game.index, game) for game in games)
    return [end for end, _, _ in pairs], [game for _, _, game in pairs]


def table_at(key: str, year: int, now: datetime, speed: float) -> dict[str, Tally]:
    """Return the regular season's tallies by team id as they stand now."""
    ends, _ = ends_of(key, year, speed)
    return table_after(key, year, speed, bisect_right(ends, now))


@lru_cache(maxsize=60)
def table_after(key: str, year: int, speed: float, count: int) -> dict[str, Tally]:
    _, games = ends_of(key, year, speed)
    return tally_games(LEAGUES[key], teams_of(key), games[:count])
