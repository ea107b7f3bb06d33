"""The visitor's own teams: what each plays now, how its last game ended, when it plays next."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from sportsapp.core.records import State
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.db.models import Team
from sportsapp.db.queries import GameSummary
from sportsapp.web.preferences import preferences

ORDER: dict[str, int] = {State.IN: 0, State.PRE: 1, State.POST: 2}


class OwnTeam(NamedTuple):
    """A favourite with its last game that is over, and the one it plays now or next."""

    team: Team
    last: GameSummary | None
    next: GameSummary | None


def has_favourite(game: GameSummary) -> bool:
    """Whether one of the teams is the visitor's."""
    chosen, teams = preferences(), (game.home_team, game.away_team)
    return any(chosen.has_favourite(team, game.league.slug) for team in teams)


def rank(game: GameSummary) -> tuple[bool, int]:
    """A key to sort by: favourites first, then live, upcoming, final."""
    return not has_favourite(game), ORDER[game.state]


def own_teams(slugs: Sequence[str], today: date) -> list[OwnTeam]:
    """The visitor's favourites in these leagues, in their order; empty without favourites."""
    names = preferences().favourites
    if not names:
        return []
    teams = [team for team in queries.teams_named(db.session, names) if team.league.slug in slugs]
    games = queries.last_and_next_games(db.session, [team.id for team in teams], today)

    def of(team: Team) -> Iterator[GameSummary]:
        for game in games:
            sides = (game.home_team, game.away_team)
            ids = [side.espn_id for side in sides if side]
            if game.league is team.league and team.espn_id in ids:
                yield game

    own = []
    for team in teams:
        over = [game for game in of(team) if game.state == State.POST]
        ahead = [game for game in of(team) if game.state != State.POST]
        last, coming = over[-1] if over else None, ahead[0] if ahead else None
        own.append(OwnTeam(team, last, coming))
    return own
