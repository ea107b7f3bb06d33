"""What other programs subscribe to: a team's calendar and a league's results."""

import re
from datetime import timedelta

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sportsapp.core.clock import utc_now
from sportsapp.core.records import Status
from sportsapp.core.settings import VERSION
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.web.labels import team_name
from sportsapp.web.lookup import league_or_404, teams_or_404
from sportsapp.web.page import Freshness, answer
from sportsapp.web.preferences import preferences

blueprint = Blueprint("feeds", __name__)

FINALS = 50
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
GAME_LASTS = timedelta(hours=3)
CALLED_OFF = {Status.POSTPONED: "TENTATIVE", Status.CANCELLED: "CANCELLED"}


@blueprint.get("/<league_name>/teams/<address>.ics")
def calendar(league_name: str, address: str) -> ResponseReturnValue:
    """A team's season as iCalendar: stable UIDs, no scores."""
    # at the top of the file it would take 5 MB of what all processes share, for one address
    from icalendar import Calendar, Event

    league = league_or_404(league_name)
    team = teams_or_404(league, address)[0]

    def render(_fresh: Freshness) -> str:
        games = Calendar()
        games.add("prodid", f"-//Sports Game Tracker//{VERSION}//EN")
        games.add("version", "2.0")
        games.add("x-wr-calname", team.display_name)
        for game in queries.games_of_team(db.session, team, team.league_row.season_year):
            event = Event()
            name = f"{team_name(game.away_team)} at {team_name(game.home_team)}"
            status = CALLED_OFF.get(Status(game.status)) if game.listed else "CANCELLED"
            word = game.status.capitalize() if game.listed else "No longer listed"
            event.add("uid", f"{game.league.slug}-{game.espn_id}@sports-game-tracker")
            event.add("dtstamp", game.updated_at)
            event.add("last-modified", game.updated_at)
            event.add("summary", f"{word}: {name}" if status else name)
            event.add("status", status or "CONFIRMED")
            event.add("location", ", ".join(part for part in (game.venue, game.city) if part))
            address = {"league_name": game.league.slug, "espn_id": game.espn_id}
            event.add("url", url_for("games.game", **address, _external=True))
            if game.time_set:
                event.add("dtstart", game.start_at)
                event.add("dtend", game.start_at + GAME_LASTS)
            else:
                event.add("dtstart", game.day)
            games.add_component(event)
        text: str = games.to_ical().decode()
        return text

    response = answer([league.slug], render)
    response.content_type = "text/calendar; charset=utf-8"
    return response


@blueprint.get("/<league_name>/scores.atom")
def atom(league_name: str) -> ResponseReturnValue:
    """A league's latest finals as Atom; with ``?scores=hide`` without their scores.

    The ids (RFC 4151) name neither host nor scheme, so that no entry is new when these change.
    """
    league = league_or_404(league_name)
    hides = preferences().hides_scores or request.args.get("scores") == "hide"

    def render(_fresh: Freshness) -> str:
        games = queries.latest_finals(db.session, league.slug, FINALS)
        updated = max((game.updated_at for game in games), default=utc_now())
        page = render_template("atom.xml", league=league, games=games, hides=hides, updated=updated)
        return NOT_XML.sub("", page)

    response = answer([league.slug], render)
    response.content_type = "application/atom+xml; charset=utf-8"
    return response
