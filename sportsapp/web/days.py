"""What days have: the strip above the games, and a month as a calendar."""

from calendar import SUNDAY, Calendar
from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from sportsapp.core.clock import DAYS_AHEAD, FIRST_DAY, each_day, game_day, utc_now
from sportsapp.core.leagues import League
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.services import services
from sportsapp.web.lookup import day_or_404, league_or_404
from sportsapp.web.page import Freshness, answer
from sportsapp.web.preferences import preferences

blueprint = Blueprint("days", __name__)

AROUND = timedelta(days=3)
WEEKS = Calendar(SUNDAY)


class Day(NamedTuple):
    """What a day has: its games, whether all leagues' were read, whether a favourite plays."""

    day: date
    games: int
    is_read: bool
    has_favourite: bool


def strip_of(slugs: Sequence[str], day: date, today: date) -> list[Day]:
    """The days from three before to three after this one, for these leagues."""
    return _days_of(slugs, day - AROUND, day + AROUND, today)


@blueprint.get("/months/<month_text>")
def month(month_text: str) -> ResponseReturnValue:
    """A month of all leagues: which of its days have games, and which were not read."""
    return _month_page(None, month_text)


@blueprint.get("/<league_name>/months/<month_text>")
def league_month(league_name: str, month_text: str) -> ResponseReturnValue:
    """A month of one league."""
    league = league_or_404(league_name)
    if league_name != league.slug:
        target = url_for("days.league_month", league_name=league.slug, month_text=month_text)
        return redirect(target, 301)
    return _month_page(league, month_text)


def _month_page(league: League | None, month_text: str) -> ResponseReturnValue:
    first = day_or_404(f"{month_text}-01")
    today = game_day(utc_now())
    slugs = [league.slug] if league else services().settings.leagues

    def render(fresh: Freshness) -> str:
        weeks = WEEKS.monthdatescalendar(first.year, first.month)
        days = {one.day: one for one in _days_of(slugs, weeks[0][0], weeks[-1][-1], today)}
        before, after = first - timedelta(days=1), first + timedelta(days=31)
        return render_template(
            "month.html",
            league=league,
            month=first,
            today=today,
            weeks=[[days.get(day) for day in week] for week in weeks],
            before=before if before >= FIRST_DAY else None,
            after=after if after.replace(day=1) <= _last_day(today) else None,
            fresh=fresh,
        )

    return answer(slugs, render)


def _last_day(today: date) -> date:
    return today + timedelta(DAYS_AHEAD)


def _days_of(slugs: Sequence[str], first: date, last: date, today: date) -> list[Day]:
    """These days for these leagues, without those that have no page."""
    first, last = max(first, FIRST_DAY), min(last, _last_day(today))
    games = queries.games_by_day(db.session, slugs, first, last)
    read = queries.leagues_read_by_day(db.session, slugs, first, last, utc_now())
    names = preferences().favourites
    of_favourites = queries.days_of_teams(db.session, names, slugs, first, last) if names else ()
    return [
        Day(
            day,
            games=games.get(day, 0),
            is_read=read.get(day) == len(slugs),
            has_favourite=day in of_favourites,
        )
        for day in each_day(first, last)
    ]
