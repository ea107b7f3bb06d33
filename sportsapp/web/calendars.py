"""Calendars that other programs subscribe to: a team's, a league's, and one for some teams."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from flask import Blueprint, abort, request, url_for
from flask.typing import ResponseReturnValue

from sportsapp.core.clock import game_day, utc_now
from sportsapp.core.leagues import BY_SLUG, season_of
from sportsapp.core.records import Status
from sportsapp.core.settings import VERSION
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.db.models import Team
from sportsapp.db.queries.games import BY_START, GameSummary
from sportsapp.services import services
from sportsapp.web.labels import matchup
from sportsapp.web.lookup import league_or_404, teams_or_404
from sportsapp.web.page import Freshness, answer
from sportsapp.web.preferences import MOST_FAVOURITES
from sportsapp.web.unread import reading_of

blueprint = Blueprint("calendars", __name__)

GAME_LASTS = timedelta(hours=3)
REFRESH = timedelta(hours=1)
BACK = timedelta(days=7)
AHEAD = timedelta(days=60)
CALLED_OFF = {Status.POSTPONED: "TENTATIVE", Status.CANCELLED: "CANCELLED"}


@blueprint.get("/<league_name>/teams/<address>.ics")
def team(league_name: str, address: str) -> ResponseReturnValue:
    """A team's season."""
    league = league_or_404(league_name)
    team = teams_or_404(league, address)[0]
    return _calendar([league.slug], team.display_name, lambda: _games_of([team]))


@blueprint.get("/<league_name>/calendar.ics")
def league(league_name: str) -> ResponseReturnValue:
    """A league's games from a week ago to two months ahead."""
    league = league_or_404(league_name)
    today = game_day(utc_now())
    days = today - BACK, today + AHEAD
    return _calendar(
        [league.slug],
        league.name,
        lambda: queries.games_between(db.session, league.slug, *days),
    )


@blueprint.get("/calendar.ics")
def teams() -> ResponseReturnValue:
    """The seasons of the teams in ``?teams=nfl-12.nba-5``: league and the team's feed id each.

    A calendar program sends no cookies, so the address names the favourites.
    """
    names = request.args.get("teams", "").split(".")
    if len(names) > MOST_FAVOURITES:
        abort(400, f"A calendar can have at most {MOST_FAVOURITES} teams.")
    followed = services().settings.leagues
    named = queries.teams_named(db.session, names)
    chosen = [team for team in named if team.league.slug in followed]
    if not chosen:
        abort(404, "No such teams. Name them as in /calendar.ics?teams=nfl-12.nba-5.")
    slugs = dict.fromkeys(team.league.slug for team in chosen)
    return _calendar([*slugs], "My teams", lambda: _games_of(chosen))


def _games_of(teams: Sequence[Team]) -> list[GameSummary]:
    """Each team's season; a game of two of them once."""
    games = {
        (game.league.slug, game.espn_id): game
        for team in teams
        for game in queries.games_of_team(
            db.session, team, queries.season_of_team(db.session, team)
        )
    }
    return sorted(games.values(), key=BY_START)


def _calendar(
    slugs: Sequence[str], name: str, games: Callable[[], Sequence[GameSummary]]
) -> ResponseReturnValue:
    """The games as iCalendar (RFC 5545, RFC 7986), without scores.

    A UID stays with its game, and SEQUENCE grows when teams, start, place or a cancellation
    change. Games leave the time free: nobody is busy because others play.
    """
    # at the top of the file it would take 5 MB of what all processes share, for few addresses
    from icalendar import Calendar, Event, Timezone, vDuration

    def render(_fresh: Freshness) -> str:
        calendar = Calendar()
        calendar.add("prodid", f"-//Sports Game Tracker//{VERSION}//EN")
        calendar.add("version", "2.0")
        for property_name in ("name", "x-wr-calname"):
            calendar.add(property_name, name)
        today = game_day(utc_now())
        leagues = [BY_SLUG[slug] for slug in slugs]
        readings = [reading_of(league, *season_of(league, today)) for league in leagues]
        if not all(reading.is_read for reading in readings):
            calendar.add("x-wr-caldesc", "Not all days of the season have been read from the feed.")
        calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
        calendar.add("x-published-ttl", vDuration(REFRESH))
        for game in games():
            event = Event()
            status = CALLED_OFF.get(Status(game.status)) if game.listed else "CANCELLED"
            word = game.status.capitalize() if game.listed else "No longer listed"
            summary = matchup(game)
            event.add("uid", f"{game.league.slug}-{game.espn_id}@sports-game-tracker")
            event.add("dtstamp", game.updated_at)
            event.add("last-modified", game.updated_at)
            event.add("sequence", game.revision)
            event.add("summary", f"{word}: {summary}" if status else summary)
            event.add("status", status or "CONFIRMED")
            event.add("transp", "TRANSPARENT")
            if game.venue or game.city:
                event.add("location", ", ".join(filter(None, (game.venue, game.city))))
            if game.broadcast:
                event.add("description", f"TV: {game.broadcast}")
            address = {"league_name": game.league.slug, "espn_id": game.espn_id}
            event.add("url", url_for("games.game", **address, _external=True))
            if game.time_set:
                event.add("dtstart", game.start_at)
                event.add("dtend", game.start_at + GAME_LASTS)
            else:
                event.add("dtstart", game.day)
            calendar.add_component(event)
        if not calendar.subcomponents:  # RFC 5545 has no calendar without a component
            calendar.add_component(Timezone.from_tzid("America/New_York"))
        text: str = calendar.to_ical().decode()
        return text

    response = answer(slugs, render)
    response.content_type = "text/calendar; charset=utf-8"
    return response
