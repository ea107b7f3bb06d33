"""Leagues between two games: whether the next one opens a season, and who won the last title.

Only what stored games prove is stated: a title by the game that decides it.
"""

import re
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from sportsapp.core.leagues import League, season_of
from sportsapp.core.records import Status
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.db.queries import GameSummary, TeamSummary
from sportsapp.web.spoilers import is_hidden

PRESEASON, POSTSEASON = 1, 3
GAME_NUMBER = re.compile(r"\bGame (\d)$")
SERIES_WON = re.compile(r"\bw[io]ns? series (\d)-(\d)")


class Idle(NamedTuple):
    """``opens`` is what the next game opens, if anything: ``season`` or ``preseason``.

    ``champion`` is None where it is not known, or hidden from this visitor.
    """

    opens: str
    champion: TeamSummary | None


def idle_leagues(leagues: Sequence[League], day: date) -> list[Idle]:
    """What is known of these leagues, which have no games on this day, in their order."""
    slugs = [league.slug for league in leagues]
    around = queries.games_around(db.session, slugs, day) if leagues else []
    idle = []
    for league in leagues:
        last = next((one for one in around if one.league is league and one.day < day), None)
        coming = next((one for one in around if one.league is league and one.day > day), None)
        opens = _opens(last, coming)
        idle.append(Idle(opens, _champion(last, coming, day) if opens or not coming else None))
    return idle


def _opens(last: GameSummary | None, coming: GameSummary | None) -> str:
    years = [game and game.season_year for game in (last, coming)]
    if coming is None or None in years or years[0] == years[1]:
        return ""
    return "preseason" if coming.season_type == PRESEASON else "season"


def _champion(
    last: GameSummary | None, coming: GameSummary | None, day: date
) -> TeamSummary | None:
    """Who won the last title, if ``last`` decides it and no season lies between it and the next.

    Without a game to come, the title has to be of the season that is running or just over.
    """
    if last is None or not decides_title(last) or is_hidden(last):
        return None
    if coming is None:
        is_newest = season_of(last.league, last.day) == season_of(last.league, day)
    else:
        is_newest = (last.season_year or 0) + 1 == coming.season_year
    return (last.home_team if last.home_winner else last.away_team) if is_newest else None


def decides_title(game: GameSummary) -> bool:
    """Whether a game won its league's title: a final of its own, or the last of the series.

    The last is the seventh, or the one whose number is that of all wins of a series that was won.
    """
    title = game.league.title
    if game.status != Status.FINAL or game.season_type != POSTSEASON:
        return False
    if not title or not game.note.startswith(title):
        return False
    if bool(game.home_winner) == bool(game.away_winner):
        return False
    number, wins = GAME_NUMBER.search(game.note), SERIES_WON.search(game.series)
    played = int(wins[1]) + int(wins[2]) if wins else 7
    return game.league.by_week or (number is not None and int(number[1]) == played)
