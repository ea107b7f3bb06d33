"""The scoreboard: which games a query asks for, and the answer around them."""

import calendar
import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from demo import football, regular
from demo.changes import cut
from demo.events import FeedView, event_json
from demo.fixtures import (
    EASTERN,
    OFFSEASON,
    Fixture,
    pacific_midnight,
)
from demo.leagues import DemoLeague
from demo.polls import rank_of
from demo.seasons import Season, find_game, season_at, season_of, type_on
from demo.shapes import JsonObject
from demo.wording import feed_time

NEW_DAY = timedelta(hours=11, minutes=30)
TYPE_NAMES = {
    1: ("Preseason", "pre"),
    2: ("Regular Season", "reg"),
    3: ("Postseason", "post"),
    4: ("Off Season", "off"),
}
FIRST_YEAR, LAST_YEAR = 1950, 2100


class BadQueryError(ValueError):
    """The feed would answer this query with HTTP 400."""


def scoreboard_json(
    league: DemoLeague, query: Mapping[str, str], view: FeedView, changes: frozenset[str]
) -> JsonObject:
    """Return the answer to a scoreboard query; raises BadQueryError where ESPN answers 400.

    Top-level `season` and `day` (NFL: `week`) come only when the query names no date, or a week.
    """
    dates = query.get("dates", "")
    by_week = league.key == "nfl" and "week" in query
    today = default_day(view)
    if dates or by_week:
        day, games = asked_games(league, dates, query, today)
    else:
        day, games = today, default_games(league, today)
    listed = in_division(league, current(league, games, view, day), query)
    shown = [event_json(game, view) for game in cut(listed, changes, query)]
    answer: JsonObject = {"leagues": [league_json(league, day)]}
    if not dates or by_week:
        answer |= day_fields(league, day)
    return answer | {"events": shown}


def default_day(view: FeedView) -> date:
    """Return ESPN's day: the Eastern date, turning over late in the morning."""
    return (view.now.astimezone(EASTERN) - NEW_DAY).date()


def default_games(league: DemoLeague, day: date) -> list[Fixture]:
    season = season_at(league.key, day)
    if league.key != "nfl":
        return season.by_day.get(day, [])
    week = football.week_on(season.year, day)
    return games_of_week(season, week.kind, week.number)


def asked_games(
    league: DemoLeague, dates: str, query: Mapping[str, str], today: date
) -> tuple[date, list[Fixture]]:
    """Return a day that the answer is about, and the games asked for."""
    if league.key == "nfl" and len(dates) in {0, 4}:
        return football_games(dates, query, today)
    first, last = days_asked(dates)
    return first, games_between(league.key, first, last)


def days_asked(dates: str) -> tuple[date, date]:
    """Return first and last day of YYYYMMDD, YYYYMM, YYYY or a range; nonsense is refused."""
    if re.fullmatch(r"\d{8}-\d{8}", dates):
        return days_asked(dates[:8])[0], days_asked(dates[9:])[0]
    if not re.fullmatch(r"\d{4}(\d\d){0,2}", dates):
        raise BadQueryError(dates)
    year, month, day = int(dates[:4]), int(dates[4:6] or 0), int(dates[6:] or 0)
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise BadQueryError(dates)
    try:
        first = date(year, month or 1, day or 1)
    except ValueError:
        raise BadQueryError(dates) from None
    if day:
        return first, first
    return first, last_of_month(year, month or 12)


def last_of_month(year: int, month: int) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])


def games_between(key: str, first: date, last: date) -> list[Fixture]:
    """Return the games of these Eastern days, in order; they may touch two seasons."""
    seasons = dict.fromkeys((season_at(key, first).year, season_at(key, last).year))
    return [
        game
        for year in seasons
        for day, games in season_of(key, year).by_day.items()
        if first <= day <= last
        for game in games
    ]


def football_games(dates: str, query: Mapping[str, str], today: date) -> tuple[date, list[Fixture]]:
    """Return a season's games, of one season type or week if the query names it.

    For the NFL `dates=YYYY` is the season's year, so January's games are under the year before.
    """
    season = season_of("nfl", year_asked(dates) if dates else season_at("nfl", today).year)
    kind = number_asked(query, "seasontype")
    week = number_asked(query, "week")
    if week:
        games = games_of_week(season, kind or type_on("nfl", today), week)
    else:
        games = [game for game in season.games if kind in {0, game.kind}]
    return (games[0].day if games else football.kickoff(season.year)), games


def year_asked(dates: str) -> int:
    first, _ = days_asked(dates)
    return first.year


def number_asked(query: Mapping[str, str], name: str) -> int:
    text = query.get(name, "0")
    if not text.isdecimal():
        raise BadQueryError(text)
    return int(text)


def games_of_week(season: Season, kind: int, week: int) -> list[Fixture]:
    return [game for game in season.games if (game.kind, game.week) == (kind, week)]


def current(league: DemoLeague, games: list[Fixture], view: FeedView, day: date) -> list[Fixture]:
    """Return the games listed now, with those moved by force on the day they moved to."""
    moved = {key[1] for key, fields in view.forced.items() if "start" in fields}
    kept = [game for game in games if view.listed(game) and game.id not in moved]
    days = {game.day for game in games} | {day}
    for event_id in moved:
        game = find_game(league.key, event_id)
        if game and view.fields(game) and view.listed(game):
            game = view.fixture(game)
            kept += [game] if game.day in days else []
    return sorted(kept, key=lambda game: (game.start, game.index)) if moved else kept


def in_division(
    league: DemoLeague, games: list[Fixture], query: Mapping[str, str]
) -> list[Fixture]:
    """Return a college's games; those of ranked teams alone when nobody asks for its division."""
    if not league.division or query.get("groups") == league.division:
        return games
    return [game for game in games if any(rank_of(game, team) for team in (game.home, game.away))]


def day_fields(league: DemoLeague, day: date) -> JsonObject:
    season = season_at(league.key, day)
    if league.key != "nfl":
        kind = type_on(league.key, day)
        return {"season": {"type": kind, "year": season.year}, "day": {"date": f"{day}"}}
    week = football.week_on(season.year, day)
    return {
        "season": {"type": week.kind, "year": season.year},
        "week": {"number": week.number},
    }


def league_json(league: DemoLeague, day: date) -> JsonObject:
    """Return the league as a scoreboard carries it, with the season that the day is in."""
    season = season_at(league.key, day)
    first, last = season_bounds(season)
    return {
        "id": league.id,
        "uid": league.uid,
        "name": league.name,
        "abbreviation": league.abbreviation,
        "slug": league.key,
        "season": season_json(season, type_on(league.key, day)),
        "logos": [
            {
                "href": f"https://a.espncdn.com/i/teamlogos/leagues/500/{league.key}.png",
                "width": 500,
                "height": 500,
                "alt": "",
                "rel": ["full", "default"],
            }
        ],
        "calendarType": "list" if league.key == "nfl" else "day",
        "calendarIsWhitelist": league.key != "mlb",
        "calendarStartDate": feed_time(pacific_midnight(first)),
        "calendarEndDate": feed_time(end_of_day(last)),
        "calendar": calendar_json(season),
    }


def season_json(season: Season, kind: int) -> JsonObject:
    first, last = season_bounds(season)
    name, abbreviation = TYPE_NAMES[kind]
    return {
        "year": season.year,
        "startDate": feed_time(pacific_midnight(first)),
        "endDate": feed_time(end_of_day(last)),
        "displayName": season_name(season),
        "type": {"id": str(kind), "type": kind, "name": name, "abbreviation": abbreviation},
    }


def season_name(season: Season) -> str:
    """Return 2025-26 for leagues that play over New Year, but 2025 for football.

    The Premier League's season goes by the year it begins in, the others' by that it ends in.
    """
    if season.league.key in {"nfl", "mlb", "usa.1", "wnba", "college-football"}:
        return str(season.year)
    first = season.year - int(season.league.key != "eng.1")
    return f"{first}-{(first + 1) % 100:02d}"


def season_bounds(season: Season) -> tuple[date, date]:
    """Return the first and the last day of a season's calendar."""
    days = list(season.by_day)
    return days[0], days[-1] + timedelta(days=3)


def end_of_day(day: date) -> datetime:
    return pacific_midnight(day + timedelta(days=1)) - timedelta(minutes=1)


@cache
def calendar_json(season: Season) -> list[Any]:
    """Return weeks for the NFL, days with games for NBA and NHL, days without for MLB."""
    if season.league.key == "nfl":
        return football_calendar(season)
    if season.league.key != "mlb":
        return [feed_time(pacific_midnight(day)) for day in season.by_day]
    first, last = season_bounds(season)
    empty = [day for day in regular.days_between(first, last) if day not in season.by_day]
    return [feed_time(pacific_midnight(day)) for day in empty]


def football_calendar(season: Season) -> list[JsonObject]:
    """Return season types with their weeks; the off-season comes last and without entries."""
    weeks = football.weeks_of(season.year)
    parts = [
        calendar_part(kind, [week for week in weeks if week.kind == kind]) for kind in (1, 2, 3)
    ]
    following = football.weeks_of(season.year + 1)[0].first - timedelta(days=1)
    rest = span_json(weeks[-1].last + timedelta(days=1), following)
    return [*parts, {"label": "Off Season", "value": str(OFFSEASON), **rest}]


def calendar_part(kind: int, weeks: list[football.Week]) -> JsonObject:
    return {
        "label": TYPE_NAMES[kind][0],
        "value": str(kind),
        **span_json(weeks[0].first, weeks[-1].last),
        "entries": [week_json(week) for week in weeks],
    }


def week_json(week: football.Week) -> JsonObject:
    first, last = week.first, week.last
    ending = f"{last:%b} {last.day}" if last.month != first.month else f"{last.day}"
    return {
        "label": week.label,
        "alternateLabel": week.short,
        "detail": f"{first:%b} {first.day}-{ending}",
        "value": str(week.number),
        **span_json(first, last),
    }


def span_json(first: date, last: date) -> JsonObject:
    return {
        "startDate": feed_time(pacific_midnight(first)),
        "endDate": feed_time(end_of_day(last)),
    }
