"""Ranges of days: in chunks and cut by season, and what reading them costs. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sportsapp.core.clock import duration, each_day, month_end
from sportsapp.core.leagues import League, season_of
from sportsapp.sync.steps import Step

MONTH_FROM_DAYS = 4
SECONDS_PER_REQUEST = 1.5
SECONDS_PER_GAME = 1.0

LeagueRange = tuple[League, date, date]


# ---------------------------------------------------------------- chunks


@dataclass(frozen=True)
class Chunk:
    """Some days of one month, read from the month's answer or day by day."""

    start: date
    end: date
    by_month: bool

    def __str__(self) -> str:
        return str(self.start) if self.start == self.end else f"{self.start} to {self.end}"

    def as_step(self) -> Step:
        """This chunk as JSON holds it."""
        return [f"{self.start}", f"{self.end}", self.by_month]

    @classmethod
    def of_step(cls, step: Step) -> "Chunk":
        """The chunk of ``as_step``."""
        start, end, by_month = step
        return cls(date.fromisoformat(start), date.fromisoformat(end), by_month)

    @property
    def days(self) -> list[date]:
        """The days of this chunk, in order."""
        return list(each_day(self.start, self.end))

    @property
    def requests(self) -> int:
        """How many requests it takes, if a month's answer is whole."""
        return 1 if self.by_month else len(self.days)


def chunks_of(league: League, start: date, end: date) -> list[Chunk]:
    """A range in chunks, in order, one for each month: by month where it has four days or more.

    Shorter ones, and all where a month does not fit into an answer, are chunks of days.
    """
    chunks: list[Chunk] = []
    first = start
    while first <= end:
        last = min(end, month_end(first))
        is_long = (last - first).days + 1 >= MONTH_FROM_DAYS
        chunks.append(Chunk(first, last, by_month=is_long and league.month_fits))
        first = last + timedelta(days=1)
    return chunks


# ---------------------------------------------------------------- seasons and costs


def within_seasons(ranges: Sequence[LeagueRange]) -> tuple[list[LeagueRange], list[str]]:
    """These ranges without the days before their league's first season; a line for each cut."""
    kept, lines = [], []
    for league, start, end in ranges:
        first = start
        if league.first_season:
            first = max(start, date(league.first_season, league.season_turns, 1))
        if first > start:
            cut = Chunk(start, min(end, first - timedelta(days=1)), by_month=False)
            why = f"the first season begins in {league.first_season}"
            lines.append(f"{league.label} {cut} left out: {why}")
        if first <= end:
            kept.append((league, first, end))
    return kept, lines


def by_season(ranges: Sequence[LeagueRange]) -> list[LeagueRange]:
    """These ranges in order, each cut where one season of its league ends and the next begins."""
    parts = []
    for league, start, end in ranges:
        first = start
        while first <= end:
            last = min(end, season_of(league, first)[1])
            parts.append((league, first, last))
            first = last + timedelta(days=1)
    return parts


@dataclass(frozen=True)
class Estimate:
    """What a backfill costs: runs (one a season), requests to the feed, and roughly the seconds.

    ``games`` are those among the requests that read a summary.
    """

    runs: int
    requests: int
    seconds: int
    games: int = 0


def estimate(ranges: Sequence[LeagueRange], games: int = 0) -> Estimate:
    """What a backfill of these ranges and summaries will cost, if every month's answer is whole."""
    chunks = [chunk for league_range in ranges for chunk in chunks_of(*league_range)]
    requests = sum(chunk.requests for chunk in chunks)
    seconds = round(requests * SECONDS_PER_REQUEST + games * SECONDS_PER_GAME)
    return Estimate(len(by_season(ranges)), requests + games, seconds, games)


def cost_of(ranges: Sequence[LeagueRange], games: int = 0) -> str:
    """What reading these ranges takes, such as ``9 days in 1 request to the feed, about 2 s``.

    With summaries: ``365 days and 1,230 games in 1,242 requests to the feed, about 20 min``.
    """
    days = sum((last - first).days + 1 for _, first, last in ranges)
    cost = estimate(ranges, games)
    what = _counted(days, "day") + (f" and {_counted(games, 'game')}" if games else "")
    time = duration(timedelta(seconds=cost.seconds))
    return f"{what} in {_counted(cost.requests, 'request')} to the feed, about {time}"


def _counted(number: int, name: str) -> str:
    return f"{number:,} {name}{'' if number == 1 else 's'}"
