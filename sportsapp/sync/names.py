"""Teams that are renamed: their names now, and at the time of a game. Pure.

The rules:

- A game names its teams unless something newer has named them: a list of teams is of today, and a
  game still to come is of today too. So a backfill brings no old name back.
- A game that is older than its team's name keeps the name that its own answer has.
- A team that is renamed leaves its former names to the games that it has played.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from sportsapp.core.records import GameRecord, TeamRecord
from sportsapp.db.models.league import CALLED
from sportsapp.sync.doubts import Values
from sportsapp.sync.lists import differences, team_values

Named = dict[str, tuple[date, TeamRecord]]


def teams_named(games: Iterable[GameRecord], today: date) -> Named:
    """The teams of these games by the feed's id: the newest day that names each, and its names."""
    named: Named = {}
    for game in games:
        on = min(game.day, today)
        for team in (game.home.team, game.away.team):
            if team and (team.espn_id not in named or on >= named[team.espn_id][0]):
                named[team.espn_id] = on, team
    return named


def renamed(stored: Values, team: TeamRecord, on: date) -> dict[str, Any]:
    """The columns that change of a stored team that a game of this day names otherwise."""
    is_same = all(stored[name] == getattr(team, name) for name in ("abbreviation", "display_name"))
    if is_same or (stored["named_on"] and on < stored["named_on"]):
        return {}
    changes = differences(stored, team_values(team))
    return {name: value for name, value in changes.items() if value} | {"named_on": on}


def names_then(game: GameRecord, teams: Mapping[str, Values]) -> dict[str, Any]:
    """The columns ``home_called`` and ``away_called`` of a fetched game."""
    columns: dict[str, Any] = {}
    for side, team in (("home", game.home.team), ("away", game.away.team)):
        row = teams.get(team.espn_id) if team else None
        columns[f"{side}_called"] = None
        if team and row and row["named_on"] and game.day < row["named_on"]:
            names = {name: getattr(team, name) for name in CALLED}
            if any(row[name] != names[name] for name in ("abbreviation", "display_name")):
                columns[f"{side}_called"] = names
    return columns
