"""The leagues this project knows: one row a league; adding a league is adding a row.

Serves every other module. A row says where the feed keeps the league and how its sport
counts time; ``docs`` and CONTRIBUTING tell how to add one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType

from sportsapp.errors import UnknownLeagueError


@dataclass(frozen=True, slots=True)
class League:
    """One league as the feed addresses it.

    ``slug`` is our lower-case name, used in addresses; ``sport`` and ``feed_slug`` make the
    feed's path. ``period_name`` is what the sport calls a period, ``periods`` how many a game
    has before overtime. ``by_week`` marks a league whose season goes by weeks.
    ``clock_runs`` is False where a game has no clock (baseball). ``game_hours`` is longer than
    any ordinary game lasts; a scheduled game older than that may still be live after a delay.
    ``season_turns`` is the month, in the off-season, that divides one season from the next.
    """

    slug: str
    name: str
    sport: str
    feed_slug: str
    periods: int
    period_name: str
    overtime_name: str
    by_week: bool = False
    clock_runs: bool = True
    game_hours: float = 6
    season_turns: int = 7

    @property
    def label(self) -> str:
        """The short name for people, such as ``NFL``."""
        return self.slug.upper()


ALL_LEAGUES: tuple[League, ...] = (
    League(
        "nfl", "National Football League", "football", "nfl", 4, "quarter", "OT", by_week=True,
        season_turns=4,
    ),
    League("nba", "National Basketball Association", "basketball", "nba", 4, "quarter", "OT"),
    League(
        "mlb", "Major League Baseball", "baseball", "mlb", 9, "inning", "", clock_runs=False,
        game_hours=9, season_turns=1,
    ),
    League("nhl", "National Hockey League", "hockey", "nhl", 3, "period", "OT"),
)  # fmt: skip

BY_SLUG = MappingProxyType({league.slug: league for league in ALL_LEAGUES})


def find_league(name: str, followed: Iterable[str] | None = None) -> League:
    """The league of this name, upper or lower case.

    ``followed`` limits the choice to these slugs. Raises UnknownLeagueError, which lists
    the known ones.
    """
    known = tuple(BY_SLUG) if followed is None else tuple(followed)
    slug = name.strip().lower()
    if slug not in known or slug not in BY_SLUG:
        raise UnknownLeagueError(name, [league.upper() for league in known])
    return BY_SLUG[slug]
