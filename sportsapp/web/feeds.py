"""What other programs subscribe to: a team's calendar and a league's results."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sportsapp.core.clock import utc_now
from sportsapp.core.records import Status
from sportsapp.core.settings import VERSION
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.db.queries import GameSummary
from sportsapp.web.games import team_name
from sportsapp.web.page import Freshness, answer
from sportsapp.web.preferences import preferences
from sportsapp.web.scores import wanted_league
from sportsapp.web.teams import wanted_teams

if TYPE_CHECKING:
    from icalendar import Event

blueprint = Blueprint("feeds", __name__)

FINALS = 50
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
GAME_LASTS = timedelta(hours=3)
CALLED_OFF = {Status.POSTPONED: "TENTATIVE", Status.CANCELLED: "CANCELLED"}


@blueprint.get("/<league_name>/teams/<address>.ics")
def calendar(league_name: str, address: str) -> ResponseReturnValue:
    """A team's season as iCalendar: stable UIDs, no scores."""
    league = wanted_league(league_name)
    team = wanted_teams(league_name, address)[0]
    from icalendar import Calendar  # takes 3 MB, and only a web process that is asked needs it

    def render(_fresh: Freshness) -> str:
        book = Calendar()
        book.add("prodid", f"-//Sports Game Tracker//{VERSION}//EN")
        book.add("version", "2.0")
        book.add("x-wr-calname", team.display_name)
        for game in queries.games_of_team(db.session, team, team.league_row.season_year):
            book.add_component(_entry(game))
        text: str = book.to_ical().decode()
        return text

    return _typed(answer([league.slug], render), "text/calendar; charset=utf-8")


def _entry(game: GameSummary) -> Event:
    from icalendar import Event

    entry = Event()
    name = f"{team_name(game.away_team)} at {team_name(game.home_team)}"
    status = CALLED_OFF.get(Status(game.status))
    entry.add("uid", f"{game.league.slug}-{game.espn_id}@sports-game-tracker")
    entry.add("dtstamp", game.updated_at)
    entry.add("last-modified", game.updated_at)
    entry.add("summary", f"{game.status.capitalize()}: {name}" if status else name)
    entry.add("status", status or "CONFIRMED")
    entry.add("location", ", ".join(part for part in (game.venue, game.city) if part))
    address = {"league_name": game.league.slug, "espn_id": game.espn_id}
    entry.add("url", url_for("games.game", **address, _external=True))
    if game.time_set:
        entry.add("dtstart", game.start_at)
        entry.add("dtend", game.start_at + GAME_LASTS)
    else:
        entry.add("dtstart", game.day)
    return entry


@blueprint.get("/<league_name>/scores.atom")
def atom(league_name: str) -> ResponseReturnValue:
    """A league's latest finals as Atom; with ``?scores=hide`` without their scores."""
    league = wanted_league(league_name)
    hides = preferences().hides_scores or request.args.get("scores") == "hide"

    def render(_fresh: Freshness) -> str:
        games = queries.latest_finals(db.session, league.slug, FINALS)
        page = render_template(
            "atom.xml", league=league, games=games, hides=hides, updated=_newest(games)
        )
        return NOT_XML.sub("", page)

    return _typed(answer([league.slug], render), "application/atom+xml; charset=utf-8")


def _newest(games: list[GameSummary]) -> datetime:
    return max((game.updated_at for game in games), default=utc_now())


def _typed(response: ResponseReturnValue, kind: str) -> ResponseReturnValue:
    if isinstance(response, Response):
        response.headers["Content-Type"] = kind
    return response
