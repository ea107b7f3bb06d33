"""Seasons by name, the map of what is stored of one, and the ranges that would fill its gaps."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sportsapp.core.clock import each_day, game_day
from sportsapp.core.errors import UnknownSeasonError
from sportsapp.core.leagues import League, season_of
from sportsapp.db import queries
from sportsapp.db.engine import AnySession
from sportsapp.db.queries import DayState, KnownSeasons, Span, StoredDay
from sportsapp.monitoring.checks.feed import STALE_AFTER
from sportsapp.sync.ranges import LeagueRange

MISSING = frozenset({DayState.UNREAD, DayState.STALE})
"""What is missing: days to read for the first time, or again since they were read too early."""
FAILED = frozenset({DayState.FAILED})


def season_name(league: League, day: date) -> str:
    """The name of the season around a day: ``2025-26``, or ``2026`` where it is one year's."""
    first, last = season_of(league, day)
    return f"{first.year}" if first.year == last.year else f"{first.year}-{last.year % 100:02}"


def find_season(league: League, name: str) -> tuple[date, date]:
    """The first and the last day of the season of this name. Raises UnknownSeasonError."""
    year = int(name[:4]) if name[:4].isdecimal() and name[:4].isascii() else 0
    if 1900 <= year <= 2100:
        first, last = season_of(league, date(year, league.season_turns, 1))
        if season_name(league, first) == name:
            return first, last
    example = season_name(league, date(2026, 1, 1))
    raise UnknownSeasonError(f"{name!r} is no season of the {league.label}: write {example}")


@dataclass(frozen=True)
class SeasonMap:
    """The days of a league's season from ``first`` to ``last``, each with its state.

    A state is None for a day that need not have been read yet (see ``queries.state_of``).
    """

    league: League
    first: date
    last: date
    days: dict[date, tuple[StoredDay, DayState | None]]

    @property
    def name(self) -> str:
        """The season's name."""
        return season_name(self.league, self.first)

    @property
    def counts(self) -> Counter[DayState]:
        """How many days are in each state."""
        return Counter(state for _, state in self.days.values() if state)

    def ranges(self, states: Collection[DayState]) -> list[LeagueRange]:
        """The days in these states: consecutive ones are one range; in order."""
        days = {day: None for day, (_, state) in self.days.items() if state in states}
        starts = [day for day in days if day - timedelta(days=1) not in days]
        ends = [day for day in days if day + timedelta(days=1) not in days]
        return [(self.league, *span) for span in zip(starts, ends, strict=True)]


def season_maps(
    session: AnySession,
    seasons: Iterable[tuple[League, date, date]],
    known: dict[str, KnownSeasons],
    now: datetime,
) -> list[SeasonMap]:
    """The maps of these seasons, or of parts of them, by one query.

    ``known`` is what ``queries.known_seasons`` gave.

    When a season begins is known of the running one alone; another one is taken as a whole, from
    the league's first season on.
    """
    seasons = list(seasons)
    spans = [Span(league.slug, first, last) for league, first, last in seasons]
    stored = queries.stored_days(session, spans, now, STALE_AFTER)
    maps = []
    for league, first, last in seasons:
        season, begins = season_of(league, first), known.get(league.slug, KnownSeasons()).begins
        if begins is None or not season[0] <= begins <= season[1]:
            begins = season[0]
        if league.first_season:
            begins = max(begins, date(league.first_season, league.season_turns, 1))
        days = {}
        for day in each_day(first, last):
            of_day = stored.get((league.slug, day), StoredDay())
            days[day] = of_day, queries.state_of(day, of_day, now, STALE_AFTER, begins)
        maps.append(SeasonMap(league, first, last, days))
    return maps


def ranges_in(
    session: AnySession,
    seasons: Sequence[LeagueRange],
    states: Collection[DayState],
    now: datetime,
) -> list[LeagueRange]:
    """The days of these seasons that are in these states, as ranges; in order."""
    known = queries.known_seasons(session, [league.slug for league, _, _ in seasons])
    maps = season_maps(session, seasons, known, now)
    return [days for one in maps for days in one.ranges(states)]


def running_seasons(leagues: Sequence[League], now: datetime) -> list[LeagueRange]:
    """The season of each league that is running, as a range of days."""
    return [(league, *season_of(league, game_day(now))) for league in leagues]
