"""Who is ranked: a poll a week, by strength and by what people make of it."""

from datetime import date
from functools import lru_cache

from demo.chance import share
from demo.fixtures import Fixture
from demo.leagues import LEAGUES
from demo.outcomes import strength
from demo.teams import DemoTeam, teams_of

OPINION = 0.35


def rank_of(game: Fixture, team: DemoTeam) -> int:
    """Return a team's rank in the poll before a game; 0 when it is not ranked."""
    return ranks_in(game.league.key, game.season, week_of(game.day)).get(team.id, 0)


def week_of(day: date) -> int:
    """Return the number of a week; polls come out on Mondays."""
    return (day.toordinal() - 1) // 7


@lru_cache(maxsize=100)
def ranks_in(key: str, season: int, week: int) -> dict[str, int]:
    """Return the ranks of a week by team id, from 1; empty where nobody is ranked."""

    def opinion(team: DemoTeam) -> float:
        return strength(team, season) + OPINION * share("poll", key, season, week, team.id)

    best = sorted(teams_of(key).values(), key=opinion, reverse=True)
    return {team.id: place for place, team in enumerate(best[: LEAGUES[key].ranked], start=1)}
