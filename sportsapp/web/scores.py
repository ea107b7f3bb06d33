"""The score pages: all leagues today, what is live, one league's day or week."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue

from sportsapp.core.clock import day_end, game_day, utc_now
from sportsapp.core.leagues import League, season_of
from sportsapp.core.records import State
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.db.queries import GameSummary, NextDay, Span
from sportsapp.services import services
from sportsapp.tasks.visitors import may_have
from sportsapp.web.days import strip_of
from sportsapp.web.favourites import own_teams, rank
from sportsapp.web.idle import idle_leagues
from sportsapp.web.labels import OVER, is_week, week_label
from sportsapp.web.lookup import UnknownNameError, day_or_404, league_or_404
from sportsapp.web.page import Freshness, answer
from sportsapp.web.preferences import preferences
from sportsapp.web.text import render_page
from sportsapp.web.unread import Reading, are_read, days_between, reading_of, requested

blueprint = Blueprint("scores", __name__)

NOON = time(12)
TODAY = {"today", "scores", "schedule"}
"""What people write after a league's name for its own page."""
SIX_DAYS = timedelta(days=6)
TWO_WEEKS = timedelta(days=14)
NEVER_POLLED = NextDay(None, None)


@dataclass(frozen=True)
class Section:
    """One league's part of a page: its games in order, and the next day that has games.

    ``is_next`` is False when a day before ``next_day`` was not read: there may be games on it.
    ``finals`` are those of the day before, where they are shown.
    """

    league: League
    games: Sequence[GameSummary]
    reading: Reading
    is_next: bool
    next_day: date | None
    finals: Sequence[GameSummary]

    @property
    def cards(self) -> int:
        """The most games that are shown below one heading."""
        return max(len(self.games), len(self.finals))


@blueprint.get("/")
def home() -> ResponseReturnValue:
    """Every league's games today: live, then upcoming, then final; favourites first. With
    ``?day=`` (the date field) on that day.

    Yesterday's finals stay until the next noon in the visitor's zone: "today" begins at 04:00
    Eastern, which is morning in Europe, and nobody there has seen how the night ended.
    """
    today = game_day(utc_now())
    if day_text := request.args.get("day", ""):
        day = day_or_404(day_text)
        return redirect(f"/{day}" if day != today else "/", 303)
    return _all_leagues(today)


def first_noon(moment: datetime, zone: ZoneInfo) -> datetime:
    """The first noon in this zone after a moment."""
    noon = datetime.combine(moment.astimezone(zone).date(), NOON, zone)
    return noon if noon > moment else noon + timedelta(days=1)


def _all_leagues(day: date) -> ResponseReturnValue:
    slugs = services().settings.leagues
    now = utc_now()
    today = game_day(now)
    yesterday = today - timedelta(days=1)
    is_morning = day == today and now < first_noon(day_end(yesterday), preferences().tzinfo)

    def render(fresh: Freshness) -> str:
        read = queries.games_today if day == today else queries.games_on
        games = read(db.session, day, slugs)
        night = queries.games_on(db.session, yesterday, slugs) if is_morning else []
        finals = [game for game in night if game.status in OVER]
        sections = _sections(games, day, services().leagues, finals)
        empty = [section for section in sections if not section.cards]
        idle = [section for section in empty if section.reading.is_read]
        return render_page(
            "home",
            day=day,
            today=today,
            yesterday=yesterday,
            sections=[section for section in sections if section.cards],
            unread=[section for section in empty if not section.reading.is_read],
            idle=list(zip(idle, idle_leagues([one.league for one in idle], day), strict=True)),
            fresh=fresh if day == today else fresh.watching(games),
            strip=strip_of(slugs, day, today),
            own=own_teams(slugs, today) if day == today else [],
        )

    return answer(slugs, render, is_morning, has_text=True)


@blueprint.get("/live")
def live() -> ResponseReturnValue:
    """The live games, by league."""
    slugs = services().settings.leagues
    today = game_day(utc_now())

    def render(fresh: Freshness) -> str:
        leagues = services().leagues
        sections = _sections(queries.live_games(db.session, slugs), None, leagues)
        is_read = are_read([Span(slug, today, today) for slug in slugs])
        return render_page(
            "live",
            sections=[section for section in sections if section.games],
            unread=[league for n, league in enumerate(leagues) if not is_read[n]],
            fresh=fresh,
        )

    return answer(slugs, render, has_text=True)


@blueprint.get("/<league_name>")
def league(league_name: str) -> ResponseReturnValue:
    """One league today; with ``?day=`` (the date field) on that day. All leagues on a day."""
    if league_name[:1].isdigit():  # no league's name begins like that
        return _all_leagues(day_or_404(league_name))
    league = league_or_404(league_name)
    today = game_day(utc_now())
    if day_text := request.args.get("day", ""):
        day = day_or_404(day_text)
        if day != today:
            return redirect(_day_address(league, day), 303)
        return redirect(url_for("scores.league", league_name=league.slug), 303)
    if league_name != league.slug:
        return redirect(url_for("scores.league", league_name=league.slug), 301)
    return _day_page(league, today)


@blueprint.get("/<league_name>/<day_text>")
def league_day(league_name: str, day_text: str) -> ResponseReturnValue:
    """One league on any day."""
    league = league_or_404(league_name)
    if day_text.lower() in TODAY:
        return redirect(url_for("scores.league", league_name=league.slug), 301)
    if not day_text[:1].isdigit():
        message = f"The {league.label} has no page {day_text[:40]!r}."
        raise UnknownNameError(message, day_text, [league.slug])
    day = day_or_404(day_text)
    if league_name != league.slug:
        return redirect(_day_address(league, day), 301)
    return _day_page(league, day)


def _day_address(league: League, day: date) -> str:
    return url_for("scores.league_day", league_name=league.slug, day_text=day)


def _day_page(league: League, day: date) -> ResponseReturnValue:
    today = game_day(utc_now())

    def render(fresh: Freshness) -> str:
        read = queries.games_today if day == today else queries.games_on
        (section,) = _sections(read(db.session, day, [league.slug]), day, [league])
        around = list(section.games)
        shows_week = league.by_week and (day == today or not around)
        if shows_week:
            span = day - SIX_DAYS, day + TWO_WEEKS
            around += queries.games_between(db.session, league.slug, *span)
        week = next((name for game in around if game.day >= day and (name := _week(game))), None)
        shown = {game.espn_id for game in section.games}
        days = _by_day(
            game for game in around if week and _week(game) == week and game.espn_id not in shown
        )
        of_week = [game for game in around if week and _week(game) == week]
        is_over = not section.games and not days
        last_day = queries.day_before(db.session, league.slug, day) if is_over else None
        return render_page(
            "day",
            league=league,
            day=day,
            today=today,
            section=section,
            fresh=fresh.watching([*section.games, *itertools.chain(*days.values())]),
            last_day=last_day,
            is_last=not last_day or are_read([days_between(league.slug, last_day, day)])[0],
            week=week,
            reading=reading_of(league, *_days_of_week(of_week)) if shows_week and of_week else None,
            days=days,
            strip=strip_of([league.slug], day, today),
        )

    return answer([league.slug], render, has_text=True)


@blueprint.get("/<league_name>/weeks/<int:season>/<int:season_type>/<int:week>")
def league_week(league_name: str, season: int, season_type: int, week: int) -> ResponseReturnValue:
    """One week of a league that plays by weeks. ``season_type`` is the feed's: 1 pre, 3 post."""
    league = league_or_404(league_name)
    if not league.by_week or not 0 < season < 9999 or not is_week(league, season_type, week):
        abort(404, f"{league.label} week not found.")

    def render(fresh: Freshness) -> str:
        weeks = queries.weeks_of(db.session, league.slug, season)
        games = queries.games_in_week(db.session, league.slug, season, season_type, week)
        season_days = season_of(league, date(season, league.season_turns, 1))
        first, last = _days_of_week(games) if games else season_days
        reading = reading_of(league, first, last)
        if not games and (reading.is_read or not may_have(league, first, last)):
            abort(404, f"{league.label} week not found.")
        place = weeks.index((season_type, week)) if games else None
        return render_page(
            "week",
            league=league,
            season=season,
            name=week_label(league, season_type, week),
            fresh=fresh.watching(games),
            days=_by_day(games),
            reading=reading,
            before=weeks[place - 1] if place else None,
            after=weeks[place + 1] if place is not None and place + 1 < len(weeks) else None,
        )

    return answer([league.slug], render, has_text=True)


def _week(game: GameSummary) -> tuple[int, int, int] | None:
    """Season, season type and week, where the league plays by weeks and the feed has all three."""
    if not game.league.by_week or not (game.season_year and game.season_type and game.week):
        return None
    return game.season_year, game.season_type, game.week


def _days_of_week(games: Iterable[GameSummary]) -> tuple[date, date]:
    """The first and the last of all days that make a week with those of these games."""
    days = [game.day for game in games]
    return max(days) - SIX_DAYS, min(days) + SIX_DAYS


def _by_day(games: Iterable[GameSummary]) -> dict[date, list[GameSummary]]:
    """These games by their day, in the order of a page; no longer listed ones to come are none."""
    days: dict[date, list[GameSummary]] = {}
    for game in sorted(games, key=lambda game: (game.day, *rank(game))):
        if game.listed or game.state != State.PRE:
            days.setdefault(game.day, []).append(game)
    return days


def _days_until(slug: str, day: date, coming: NextDay) -> Span:
    """The days before the next one with games that may have some: none before a season begins."""
    next_day, begins = coming.day or day, coming.season_begins
    if begins and day < begins <= next_day:
        day = begins - timedelta(days=1)
    return days_between(slug, day, next_day)


def _sections(
    games: Sequence[GameSummary],
    day: date | None,
    leagues: Sequence[League],
    finals: Sequence[GameSummary] = (),
) -> list[Section]:
    """Each league's section. Leagues and games with favourites come first.

    With a ``day``, each section has the reading of that day and the next day that has games. A day
    that was not read is requested, but for today, which the next tick reads. ``finals`` are games
    of the day before.
    """

    slugs = [league.slug for league in leagues]
    coming = queries.next_days(db.session, slugs, day) if day else {}
    next_days = {slug: one.day for slug, one in coming.items()}
    readings = dict.fromkeys(slugs, (Reading(is_read=True), True))
    if day:
        spans = [Span(slug, day, day) for slug in slugs]
        spans += [_days_until(slug, day, coming.get(slug, NEVER_POLLED)) for slug in slugs]
        is_read = are_read(spans)
        is_today = day == game_day(utc_now())
        for n, league in enumerate(leagues):
            known = Reading(is_read[n])
            if not known.is_read and not is_today:
                known = requested(league, day, day)
            readings[league.slug] = known, is_read[len(slugs) + n]

    def of(league: League, games: Sequence[GameSummary]) -> list[GameSummary]:
        return sorted((game for game in games if game.league is league), key=rank)

    sections = [
        Section(
            league,
            of(league, games),
            *readings[league.slug],
            next_days.get(league.slug),
            of(league, finals),
        )
        for league in leagues
    ]
    with_favourites = {name.partition("-")[0] for name in preferences().favourites}
    return sorted(sections, key=lambda section: section.league.slug not in with_favourites)
