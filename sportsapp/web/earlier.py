"""What a game's page has of other games: form and meetings of both teams, the make-up game."""

import re
from datetime import date
from typing import NamedTuple

from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.db.models import Game, Team
from sportsapp.db.queries import GameSummary
from sportsapp.web.preferences import preferences
from sportsapp.web.spoilers import NEVER_PLAYED

MOST_GAMES = 5
MAKEUP = re.compile(r"\bmake-?up (from|date|on) ([a-z]+ \d{1,2})\b", re.IGNORECASE)


class Earlier(NamedTuple):
    """Each team with its last games of the season, and the last meetings of both; newest first."""

    form: list[tuple[Team, list[GameSummary]]]
    meetings: list[GameSummary]


def earlier_than(game: Game) -> Earlier:
    """What is stored of both teams from before this game; nothing where scores are hidden."""
    away, home = game.away_team_row, game.home_team_row
    if preferences().hides_scores or away is None or home is None:
        return Earlier([], [])
    games = queries.games_before(db.session, game, MOST_GAMES)[::-1]
    of_away, of_home = ([one for one in games if _plays(one, team)] for team in (away, home))
    in_season = [
        [one for one in of_team if one.season_year == game.season_year][:MOST_GAMES]
        for of_team in (of_away, of_home)
    ]
    meetings = [one for one in of_away if one in of_home][:MOST_GAMES]
    return Earlier(
        list(zip((away, home), in_season, strict=True)) if any(in_season) else [], meetings
    )


def _plays(game: GameSummary, team: Team) -> bool:
    return team.espn_id in [side.espn_id for side in (game.away_team, game.home_team) if side]


def makeup_of(game: Game) -> GameSummary | None:
    """The game that makes up for this one, or for which this one makes up, as their notes say.

    The feed gives a make-up game an id of its own and names but the other day, so that on a day
    with two games of these teams the note of the right one has to name this day.
    """
    is_makeup, named = _makeup_in(game.note)
    others = [
        other
        for other in (queries.meetings_of_season(db.session, game) if named else [])
        if _name_of(other.day) == named and (other.status in NEVER_PLAYED) == is_makeup
    ]
    exact = [one for one in others if _makeup_in(one.note) == (not is_makeup, _name_of(game.day))]
    others = exact or others
    return others[0] if len(others) == 1 else None


def _makeup_in(note: str) -> tuple[bool, str]:
    """Whether a note is a make-up game's ("Makeup from July 17"), and the day that it names."""
    named = MAKEUP.search(note)
    return (named[1].lower() == "from", named[2].title()) if named else (False, "")


def _name_of(day: date) -> str:
    return f"{day:%B} {day.day}"
