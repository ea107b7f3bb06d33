"""The leagues this project knows: one row a league; adding a league is adding a row.

Serves every other module. A row says where the feed keeps the league, how its sport counts time,
what the feed holds back of it, and what its tables show; CONTRIBUTING tells how to add one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from sportsapp.core.errors import UnknownLeagueError

BY_WINS = ("wins", "losses", "ties", "winPercent", "gamesBehind", "streak")
IN_COLLEGE = ("wins", "losses", "winPercent", "vs. Conf.", "streak")
IN_HOCKEY = ("gamesPlayed", "wins", "losses", "ties", "otLosses", "points", "streak")
IN_SOCCER = ("gamesPlayed", "wins", "ties", "losses", "pointDifferential", "points")


@dataclass(frozen=True, slots=True)
class League:
    """One league as the feed addresses it.

    ``slug`` is our lower-case name, used in addresses; ``sport`` and ``feed_slug`` make the
    feed's path. ``period_name`` is what the sport calls a period, ``periods`` how many a game
    has before overtime; after ``overtimes`` of those it goes to a shootout, if it knows any.

    ``by_week`` marks a league whose season goes by weeks; ``rounds`` name those of the postseason.
    ``clock_runs`` is False where a game has no clock (baseball). ``clock_stops`` are the minutes
    at which each period's clock stops, where it counts up through the game; empty where it
    counts down. ``draws`` are ordinary: records read won-drawn-lost. ``game_hours`` is longer than
    any ordinary game lasts; a scheduled game older than that may still be live after a delay.
    ``season_turns`` is the month, in the off-season, that divides one season from the next.

    ``group`` is the division that has to be asked for, by the feed's number: without it, the feed
    leaves most of a college's day out. ``teams_limit`` is the longest list of teams to ask for.
    ``month_fits`` is False where a month has more games than one answer holds, so that days are
    asked for. ``named_by_place`` says that a team goes by its place or school ("Duke") rather
    than by its nickname. ``standings`` are the feed's names of what a table shows, in order.
    """

    slug: str
    name: str
    sport: str
    feed_slug: str
    periods: int
    period_name: str
    overtime_name: str
    overtimes: int = 1
    shootout_name: str = "SO"
    by_week: bool = False
    rounds: tuple[tuple[int, str], ...] = ()
    clock_runs: bool = True
    clock_stops: tuple[int, ...] = ()
    draws: bool = False
    game_hours: float = 6
    season_turns: int = 7
    group: int | None = None
    teams_limit: int = 500
    month_fits: bool = True
    named_by_place: bool = False
    standings: tuple[str, ...] = BY_WINS

    @property
    def label(self) -> str:
        """The short name for people, such as ``NFL``."""
        return self.slug.upper()


_college = partial(League, named_by_place=True, teams_limit=1000, standings=IN_COLLEGE)
_soccer = partial(
    League, sport="soccer", periods=2, period_name="half", overtime_name="ET", overtimes=2,
    shootout_name="PEN", clock_stops=(45, 90, 105, 120), draws=True, standings=IN_SOCCER,
)  # fmt: skip

DEFAULT_LEAGUES: tuple[League, ...] = (
    League(
        "nfl", "National Football League", "football", "nfl", 4, "quarter", "OT", by_week=True,
        rounds=((1, "Wild Card"), (2, "Divisional"), (3, "Conference"), (4, "Pro Bowl"),
                (5, "Super Bowl")),
        season_turns=4,
    ),
    League("nba", "National Basketball Association", "basketball", "nba", 4, "quarter", "OT"),
    League(
        "mlb", "Major League Baseball", "baseball", "mlb", 9, "inning", "", clock_runs=False,
        game_hours=9, season_turns=1,
    ),
    League(
        "nhl", "National Hockey League", "hockey", "nhl", 3, "period", "OT", standings=IN_HOCKEY,
    ),
)  # fmt: skip
"""Those that are followed unless the LEAGUES setting says otherwise."""

ALL_LEAGUES: tuple[League, ...] = (
    *DEFAULT_LEAGUES,
    League(
        "wnba", "Women's National Basketball Association", "basketball", "wnba", 4, "quarter",
        "OT", season_turns=1,
    ),
    _college(
        "ncaaf", "College Football", "football", "college-football", 4, "quarter", "OT",
        by_week=True, rounds=((1, "Bowls"), (999, "Playoff")), season_turns=4, group=80,
    ),
    _college(
        "ncaam", "Men's College Basketball", "basketball", "mens-college-basketball", 2, "half",
        "OT", group=50, month_fits=False,
    ),
    _college(
        "ncaaw", "Women's College Basketball", "basketball", "womens-college-basketball", 4,
        "quarter", "OT", group=50, month_fits=False,
    ),
    _soccer("mls", "Major League Soccer", feed_slug="usa.1", season_turns=1),
    _soccer("epl", "Premier League", feed_slug="eng.1"),
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
