"""The leagues this project knows: one row a league; adding a league is adding a row.

A row holds the feed's path of the league, how its sport counts time, which parts of it the feed
leaves out unless they are requested, and the columns of its standings. CONTRIBUTING.md has the
steps of adding one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from types import MappingProxyType

from sportsapp.core.errors import UnknownLeagueError

RECORDS = ("Home", "Road", "Last Ten Games", "pointDifferential", "streak")
BY_WINS = ("wins", "losses", "ties", "winPercent", "gamesBehind", *RECORDS)
IN_COLLEGE = ("wins", "losses", "winPercent", "vs. Conf.", "streak")
IN_HOCKEY = ("gamesPlayed", "wins", "losses", "ties", "otLosses", "points", *RECORDS)
IN_SOCCER = ("gamesPlayed", "wins", "ties", "losses", "pointDifferential", "points", "deductions")

# What the feed's marks in standings mean.
CLINCHED = (
    ("*", "best record"),
    ("z", "first place is certain"),
    ("y", "division won"),
    ("x", "in the playoffs"),
    ("w", "in the playoffs as a wild card"),
    ("xp", "in the playoffs through the play-in"),
    ("pb", "in the play-in"),
    ("e", "out of the playoffs"),
)
NFL_CLINCHED = (
    ("*", "first seed"),
    ("z", "division won"),
    ("y", "in the playoffs as a wild card"),
    ("x", "in the playoffs"),
    ("e", "out of the playoffs"),
)

# The weeks of the postseason, by the feed's numbers.
NFL_ROUNDS = (
    (1, "Wild Card"),
    (2, "Divisional"),
    (3, "Conference"),
    (4, "Pro Bowl"),
    (5, "Super Bowl"),
)
COLLEGE_ROUNDS = ((1, "Bowls"), (999, "Playoff"))

WITH_WILD_CARDS = ("division", "conference", "wild-card", "all")


@dataclass(frozen=True, slots=True)
class League:
    """One league.

    Where the feed has it: ``slug`` is our lower-case name, used in addresses; ``sport`` and
    ``feed_slug`` make the feed's path. ``group`` is the feed's number of a college division:
    without it the feed leaves most games of a day out. ``teams_limit`` is the ``limit`` of the
    list of teams. ``month_fits`` is False where a month has more games than one answer holds, so
    that it is read day by day.

    Its time: ``period_name`` is the sport's name for a period; a game has ``periods`` of them
    and then up to ``overtimes`` before a shootout, if the sport has one. ``clock_runs`` is False
    where a game has no clock (baseball). A game is close and late when at most ``close_points``
    lie between the sides and at most ``late_seconds`` of its last period are left; without a clock,
    in all of that. ``clock_stops`` are the minutes at which each period
    ends, where the clock counts up through the game; empty where it counts down. ``game_hours``
    is longer than any ordinary game lasts: live polling does not wait any longer for a game to
    begin that the feed still lists as scheduled.

    Its season: ``by_week`` marks a season that goes by weeks; ``rounds`` name the weeks of its
    postseason, and ``title`` is how the feed's note on a game for the title begins, empty where
    that is not known. ``season_turns`` is the month, in the off-season, in which one season ends
    and the next begins. ``first_season`` is the year in which the first season begins that the feed
    can have: the league's first, or the feed's where it is known to lack earlier ones; None where
    neither is known. ``season_games`` is about how many games a season has, with preseason and
    playoffs.

    Its tables: ``draws`` are ordinary, so that records read won-drawn-lost. ``named_by_place``
    marks teams that go by their place or school ("Duke") rather than by their nickname.
    ``standings`` are the feed's names of the columns, in order; ``tables`` are how its teams are
    divided, the usual way first; ``grouped_by`` is what its groups are, and ``clinched`` the
    meaning of the feed's marks. Of each group the first ``seeds`` play on after the season; 0
    where seeds do not tell. Where there are divisions the first ``leaders`` of each play on, and
    the best ``wild_cards`` of the others in a group.

    What is left out is as in the NBA.
    """

    slug: str
    name: str
    sport: str
    feed_slug: str
    periods: int = 4
    period_name: str = "quarter"
    overtime_name: str = "OT"
    overtimes: int = 1
    shootout_name: str = "SO"
    by_week: bool = False
    rounds: tuple[tuple[int, str], ...] = ()
    title: str = ""
    clock_runs: bool = True
    close_points: int = 5
    late_seconds: int = 300
    clock_stops: tuple[int, ...] = ()
    draws: bool = False
    game_hours: float = 6
    season_turns: int = 7
    first_season: int | None = None
    season_games: int = 1400
    group: int | None = None
    teams_limit: int = 500
    month_fits: bool = True
    named_by_place: bool = False
    standings: tuple[str, ...] = BY_WINS
    tables: tuple[str, ...] = ("conference", "all")
    grouped_by: str = "Conference"
    clinched: tuple[tuple[str, str], ...] = CLINCHED
    leaders: int = 0
    wild_cards: int = 0
    seeds: int = 0

    @property
    def label(self) -> str:
        """The short name that pages show, such as ``NFL``."""
        return self.slug.upper()

    @property
    def path(self) -> str:
        """Where the feed has it, such as ``football/nfl``."""
        return f"{self.sport}/{self.feed_slug}"

    @property
    def has_divisions(self) -> bool:
        """Whether its conferences have divisions."""
        return "division" in self.tables


_soccer = partial(
    League,
    sport="soccer",
    periods=2,
    period_name="half",
    overtime_name="ET",
    overtimes=2,
    shootout_name="PEN",
    clock_stops=(45, 90, 105, 120),
    close_points=1,
    late_seconds=600,
    draws=True,
    standings=IN_SOCCER,
)
_college = partial(League, named_by_place=True, teams_limit=1000, standings=IN_COLLEGE)
_college_basketball = partial(
    _college, sport="basketball", season_games=6000, group=50, month_fits=False
)

DEFAULT_LEAGUES = (
    League(
        "nfl",
        "National Football League",
        "football",
        "nfl",
        close_points=8,
        by_week=True,
        rounds=NFL_ROUNDS,
        title="Super Bowl",
        season_turns=4,
        first_season=1920,
        season_games=335,
        tables=WITH_WILD_CARDS,
        clinched=NFL_CLINCHED,
        leaders=1,
        wild_cards=3,
        seeds=7,
    ),
    League(
        "nba",
        "National Basketball Association",
        "basketball",
        "nba",
        title="NBA Finals",
        first_season=1946,
        tables=("conference", "division", "all"),
        seeds=10,
    ),
    League(
        "mlb",
        "Major League Baseball",
        "baseball",
        "mlb",
        periods=9,
        period_name="inning",
        overtime_name="",
        clock_runs=False,
        close_points=1,
        game_hours=9,
        title="World Series",
        season_turns=1,
        season_games=2900,
        tables=WITH_WILD_CARDS,
        grouped_by="League",
        leaders=1,
        wild_cards=3,
        seeds=6,
    ),
    League(
        "nhl",
        "National Hockey League",
        "hockey",
        "nhl",
        periods=3,
        period_name="period",
        close_points=1,
        title="Stanley Cup Final",
        first_season=1917,
        season_games=1500,
        standings=IN_HOCKEY,
        tables=WITH_WILD_CARDS,
        leaders=3,
        wild_cards=2,
    ),
)
"""The leagues that are followed when LEAGUES is not set."""

ALL_LEAGUES = (
    *DEFAULT_LEAGUES,
    League(
        "wnba",
        "Women's National Basketball Association",
        "basketball",
        "wnba",
        season_turns=1,
        first_season=1997,
        season_games=330,
    ),
    _college(
        "ncaaf",
        "College Football",
        "football",
        "college-football",
        close_points=8,
        by_week=True,
        rounds=COLLEGE_ROUNDS,
        season_turns=4,
        first_season=2001,
        season_games=900,
        group=80,
    ),
    _college_basketball(
        slug="ncaam",
        name="Men's College Basketball",
        feed_slug="mens-college-basketball",
        periods=2,
        period_name="half",
    ),
    _college_basketball(
        slug="ncaaw", name="Women's College Basketball", feed_slug="womens-college-basketball"
    ),
    _soccer(
        slug="mls",
        name="Major League Soccer",
        feed_slug="usa.1",
        season_turns=1,
        first_season=1996,
        season_games=550,
    ),
    _soccer(
        slug="epl",
        name="Premier League",
        feed_slug="eng.1",
        first_season=1992,
        season_games=380,
    ),
)
"""Every league that LEAGUES may name. Add a league here."""

BY_SLUG = MappingProxyType({league.slug: league for league in ALL_LEAGUES})


def find_league(name: str, followed: Iterable[str] | None = None) -> League:
    """The league with this slug, in upper or lower case.

    ``followed`` limits the choice to these slugs. Raises UnknownLeagueError, whose message
    lists the slugs that can be chosen.
    """
    known = tuple(BY_SLUG) if followed is None else tuple(followed)
    slug = name.strip().lower()
    if slug not in known or slug not in BY_SLUG:
        raise UnknownLeagueError(name, [league.upper() for league in known])
    return BY_SLUG[slug]


def season_of(league: League, day: date) -> tuple[date, date]:
    """The first and the last day of the season around a day; it turns in the off-season."""
    turn = date(day.year, league.season_turns, 1)
    after = turn if day < turn else turn.replace(year=turn.year + 1)
    return after.replace(year=after.year - 1), after - timedelta(days=1)
