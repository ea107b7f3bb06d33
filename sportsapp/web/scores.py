"""The score pages: all leagues today, what is live, one league's day or week."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sportsapp.core.clock import DAYS_AHEAD, FIRST_DAY, game_day, parse_day, utc_now
from sportsapp.core.errors import DateRangeError, UnknownLeagueError
from sportsapp.core.leagues import League, find_league
from sportsapp.core.records import State
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.db.queries import GameSummary
from sportsapp.web.page import Freshness, answer, followed, settings
from sportsapp.web.preferences import Preferences, preferences

blueprint = Blueprint("scores", __name__)

ORDER: dict[str, int] = {State.IN: 0, State.PRE: 1, State.POST: 2}
SEASON_TYPES = {1: "Preseason", 2: "Week", 3: "Postseason", 4: "Off-season"}


@dataclass(frozen=True)
class Section:
    """One league's part of a page: its games in order, and where to look when it has none."""

    league: League
    games: Sequence[GameSummary]
    next_day: date | None = None


@blueprint.get("/")
def home() -> ResponseReturnValue:
    """Every league's games today: live, then upcoming, then final; favourites first."""
    slugs = settings().leagues
    day = game_day(utc_now())

    def render(fresh: Freshness) -> str:
        sections = _sections(queries.games_today(db.session, day, slugs), day, followed())
        return render_template("home.html", day=day, sections=sections, fresh=fresh)

    return answer(slugs, render)


@blueprint.get("/live")
def live() -> ResponseReturnValue:
    """What is on now, by league."""
    slugs = settings().leagues

    def render(fresh: Freshness) -> str:
        sections = _sections(queries.live_games(db.session, slugs), None, followed())
        return render_template(
            "live.html", sections=[one for one in sections if one.games], fresh=fresh
        )

    return answer(slugs, render)


@blueprint.get("/<league_name>")
def league(league_name: str) -> ResponseReturnValue:
    """One league today; with ``?day=`` (the date field) on that day."""
    found = wanted_league(league_name)
    if day_text := request.args.get("day", ""):
        return redirect(_day_address(found, wanted_day(day_text)), 303)
    if league_name != found.slug:
        return redirect(url_for("scores.league", league_name=found.slug), 301)
    return _day_page(found, game_day(utc_now()))


@blueprint.get("/<league_name>/<day_text>")
def league_day(league_name: str, day_text: str) -> ResponseReturnValue:
    """One league on any day."""
    found = wanted_league(league_name)
    if not day_text[:1].isdigit():
        abort(404, f"There is no such page for the {found.label}.")
    day = wanted_day(day_text)
    if league_name != found.slug:
        return redirect(_day_address(found, day), 301)
    return _day_page(found, day)


@blueprint.get("/<league_name>/weeks/<int:season>/<int:season_type>/<int:week>")
def league_week(league_name: str, season: int, season_type: int, week: int) -> ResponseReturnValue:
    """One week of a league that goes by weeks. ``season_type`` is the feed's: 1 pre, 3 post."""
    found = wanted_league(league_name)
    if not found.by_week or max(season, season_type, week) > 9999:
        abort(404, f"The {found.label} has no such week.")

    def render(fresh: Freshness) -> str:
        games = queries.games_in_week(db.session, found.slug, season, season_type, week)
        weeks = queries.weeks_of(db.session, found.slug, season)
        if (season_type, week) not in weeks:
            abort(404, f"No games of that {found.label} week are known.")
        place = weeks.index((season_type, week))
        return render_template(
            "week.html",
            league=found, season=season, name=week_name(found, season_type, week),
            fresh=fresh.watching(games), days=_by_day(games),
            before=weeks[place - 1] if place else None,
            after=weeks[place + 1] if place + 1 < len(weeks) else None,
        )  # fmt: skip

    return answer([found.slug], render)


def _day_page(league: League, day: date) -> ResponseReturnValue:
    today = game_day(utc_now())

    def render(fresh: Freshness) -> str:
        read = queries.games_today if day == today else queries.games_on
        (section,) = _sections(read(db.session, day, [league.slug]), day, [league])
        return render_template(
            "day.html",
            league=league, day=day, today=today, section=section,
            fresh=fresh.watching(section.games),
            day_before=day - timedelta(days=1) if day > FIRST_DAY else None,
            day_after=day + timedelta(days=1) if day < today + timedelta(DAYS_AHEAD) else None,
            last_day=queries.day_before(db.session, league.slug, day),
            week=_week_of(league, section.games),
        )  # fmt: skip

    return answer([league.slug], render)


def _sections(
    games: Sequence[GameSummary], day: date | None, leagues: Sequence[League]
) -> list[Section]:
    """Each league's section. Leagues and games with favourites come first."""
    chosen = preferences()
    liked = {name.partition("-")[0] for name in chosen.favourites}
    following = queries.next_days(db.session, [one.slug for one in leagues], day) if day else {}
    sections = []
    for one in leagues:
        mine = [game for game in games if game.league is one]
        mine.sort(key=lambda game: (not _is_liked(game, chosen), ORDER[game.state]))
        sections.append(Section(one, mine, following.get(one.slug)))
    sections.sort(key=lambda section: section.league.slug not in liked)
    return sections


def _is_liked(game: GameSummary, chosen: Preferences) -> bool:
    sides = (game.home_team, game.away_team)
    return any(side and chosen.has(game.league.slug, side.espn_id) for side in sides)


def _by_day(games: Sequence[GameSummary]) -> dict[date, list[GameSummary]]:
    days: dict[date, list[GameSummary]] = {}
    for game in games:
        days.setdefault(game.day, []).append(game)
    return days


def _week_of(league: League, games: Sequence[GameSummary]) -> tuple[int, int, int, str] | None:
    """Season, season type, week and its name, from a day's first game that tells them."""
    if not league.by_week:
        return None
    for game in games:
        if game.season_year and game.season_type and game.week:
            name = week_name(league, game.season_type, game.week)
            return game.season_year, game.season_type, game.week, name
    return None


def week_name(league: League, season_type: int, week: int) -> str:
    """A week in words: "Week 12", "Preseason 2", "Divisional"."""
    if season_type == 3:
        return dict(league.rounds).get(week, f"Postseason {week}")
    return f"{SEASON_TYPES.get(season_type, 'Week')} {week}"


# ---------------------------------------------------------------- what an address asks for


def wanted_league(name: str) -> League:
    """The followed league of this name; ends in 404 when there is none."""
    try:
        return find_league(name, settings().leagues)
    except UnknownLeagueError as error:
        abort(404, f"There is no league {name[:40]!r} here. Known are {', '.join(error.known)}.")


def wanted_day(text: str) -> date:
    """The day of this text; ends in 404 when it is none."""
    try:
        return parse_day(text[:20], utc_now())
    except DateRangeError as error:
        abort(404, f"{error}.")


def _day_address(league: League, day: date) -> str:
    if day == game_day(utc_now()):
        return url_for("scores.league", league_name=league.slug)
    return url_for("scores.league_day", league_name=league.slug, day_text=day)


@blueprint.app_context_processor
def for_every_page() -> dict[str, object]:
    """The menu's leagues, the visitor's preferences, and the ETag, for the script."""
    return {
        "menu": followed(),
        "chosen": preferences(),
        "week_name": week_name,
        "etag": f'W/"{g.etag}"' if "etag" in g else "",
    }
