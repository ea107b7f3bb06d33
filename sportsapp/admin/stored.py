"""The map of what is stored: seasons as months and days, one day, and reading what they lack."""

from calendar import Calendar
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta

from flask import abort, request
from flask_admin import expose
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from sportsapp.accounts.sessions import current_admin
from sportsapp.admin.view import PanelView, form_action
from sportsapp.core.clock import game_day, parse_day, utc_now
from sportsapp.core.errors import DateRangeError, UnknownLeagueError, UnknownSeasonError
from sportsapp.core.leagues import League, find_league, season_of
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.db.models import Game, LeagueRow, Trigger
from sportsapp.services import services
from sportsapp.sync.ranges import LeagueRange, cost_of
from sportsapp.sync.seasons import (
    FAILED,
    MISSING,
    SeasonMap,
    find_season,
    ranges_in,
    running_seasons,
    season_maps,
    season_name,
)
from sportsapp.tasks.backfills import queue_backfills

SEASONS_SHOWN = 60
STATES = {"missing": MISSING, "failed": FAILED}
WEEKS = Calendar()


class StoredView(PanelView):
    """At /admin/stored/."""

    title, address = "Stored days", "stored"

    @expose("/")
    def index(self) -> str:
        """The leagues with what their running seasons lack; with ``?league=`` the map of one."""
        now = utc_now()
        if name := request.args.get("league", ""):
            with no_such_page():
                return self._season_page(find_league(name, services().settings.leagues))
        seasons = running_seasons(services().leagues, now)
        return self.render(
            "admin/stored.html",
            seasons=[(league, season_name(league, first)) for league, first, _ in seasons],
            gaps=queries.season_gaps(db.session, services().leagues, now),
        )

    def _season_page(self, league: League) -> str:
        now = utc_now()
        today, known = game_day(now), queries.known_seasons(db.session, [league.slug])
        running = season_of(league, today)
        name = request.args.get("season", "")
        season = find_season(league, name) if name else running
        (map_of,) = season_maps(db.session, [(league, *season)], known, now)
        earliest = known[league.slug].earliest if league.slug in known else None
        first = min(earliest or running[0], running[0], season[0])
        last = max(running[1] + timedelta(days=1), season[0])
        years = range(last.year, first.year - 2, -1)[:SEASONS_SHOWN]
        starts = [season_of(league, date(year, league.season_turns, 1))[0] for year in years]
        return self.render(
            "admin/stored_season.html",
            map=map_of,
            months=months_of(map_of),
            this_month=game_day(utc_now()).replace(day=1),
            leagues=services().leagues,
            names=[season_name(league, start) for start in starts],
            to_read=[
                ("missing", "Read what is missing", map_of.ranges(MISSING)),
                ("failed", "Read again what failed", map_of.ranges(FAILED)),
            ],
            cost_of=cost_of,
        )

    @expose("/day")
    def day(self) -> str:
        """What is stored of one league's day: how and when it was read, by which run; its games."""
        now = utc_now()
        with no_such_page():
            league = find_league(request.args.get("league", ""), services().settings.leagues)
            day = parse_day(request.args.get("day", ""), now)
        season = season_of(league, day)
        known = queries.known_seasons(db.session, [league.slug])
        (map_of,) = season_maps(db.session, [(league, day, day)], known, now)
        board, failure = queries.stored_day(db.session, league.slug, day)
        of_day = LeagueRow.slug == league.slug, Game.day == day
        rows = (joinedload(Game.league_row), joinedload(Game.home_team_row))
        games = select(Game).join(Game.league_row).where(*of_day).order_by(Game.start_at, Game.id)
        return self.render(
            "admin/stored_day.html",
            league=league,
            day=day,
            state=map_of.days[day][1],
            season=season_name(league, season[0]),
            board=board,
            failure=failure,
            games=db.session.scalars(games.options(*rows, joinedload(Game.away_team_row))).all(),
            one_day=timedelta(days=1),
        )

    @form_action("/read", "what")
    def read(self, what: str) -> str:
        """Queue the reading of a season's missing or failed days, or of one day, once confirmed."""
        subject, ranges = self._wanted(what)
        if not ranges:
            return f"{subject}: there is nothing to read"
        self.confirm(f"{subject}: read {cost_of(ranges)}?", "Read")
        queued = queue_backfills(ranges, Trigger.ADMIN, current_admin(), subject)
        return f"{subject}: {cost_of(ranges)}, queued as {queued}"

    def _wanted(self, what: str) -> tuple[str, list[LeagueRange]]:
        """What a form asks for: in words, and as ranges of days."""
        now, form = utc_now(), request.form
        league_name, season = form.get("league", ""), form.get("season", "")
        seasons = running_seasons(services().leagues, now)
        subject = "Running seasons"
        if league_name:
            league = find_league(league_name, services().settings.leagues)
            subject = f"{league.label} {season}"
            if what == "day":
                day = parse_day(form.get("day", ""), now)
                return f"{league.label} {day}", [(league, day, day)]
            seasons = [(league, *find_season(league, season))]
        states = STATES.get(what) or abort(400, "There is no such button.")
        return f"{subject}, {what} days", ranges_in(db.session, seasons, states, now)


@contextmanager
def no_such_page() -> Iterator[None]:
    """404 for a league, season or day in the address that there is not."""
    try:
        yield
    except (UnknownLeagueError, UnknownSeasonError, DateRangeError) as error:
        abort(404, f"{error}")


def months_of(season: SeasonMap) -> list[tuple[date, list[list[date | None]]]]:
    """The season's months, each as its first day and its weeks from Monday on.

    A week has None where it is in another month.
    """
    firsts = [day for day in season.days if day.day == 1]
    return [
        (
            first,
            [
                [first.replace(day=number) if number else None for number in week]
                for week in WEEKS.monthdayscalendar(first.year, first.month)
            ],
        )
        for first in firsts
    ]
