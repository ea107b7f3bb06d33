"""The game page."""

from flask import Blueprint, abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from sportsapp.core.clock import iso_utc
from sportsapp.core.records import Status
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.db.models import Game
from sportsapp.web.earlier import earlier_than, makeup_of
from sportsapp.web.labels import matchup, team_name
from sportsapp.web.lookup import league_or_404
from sportsapp.web.page import Freshness, answer
from sportsapp.web.timeline import timeline_of

blueprint = Blueprint("games", __name__)

EVENT_STATUS = {
    Status.POSTPONED: "https://schema.org/EventPostponed",
    Status.CANCELLED: "https://schema.org/EventCancelled",
}


@blueprint.get("/<league_name>/games/<espn_id>")
def game(league_name: str, espn_id: str) -> ResponseReturnValue:
    """One game: score, line score, situation, leaders, timeline, earlier games, venue."""
    league = league_or_404(league_name)
    if league_name != league.slug:
        target = url_for("games.game", league_name=league.slug, espn_id=espn_id)
        return redirect(target, 301)
    row = queries.find_game(db.session, league.slug, espn_id[:60])
    if row is None:
        abort(404, f"{league.label} game {espn_id[:40]!r} not found.")

    def render(fresh: Freshness) -> str:
        return render_template(
            "game.html",
            game=row,
            league=league,
            fresh=fresh.watching([row]),
            event=event_of(row),
            timeline=timeline_of(row),
            earlier=earlier_than(row),
            makeup=makeup_of(row),
        )

    return answer([league.slug], render)


def event_of(game: Game) -> dict[str, object]:
    """The game as a schema.org SportsEvent, without its score: it must not give it away."""
    status = Status(game.status) if game.listed else Status.CANCELLED
    event: dict[str, object] = {
        "@context": "https://schema.org",
        "@type": "SportsEvent",
        "name": matchup(game),
        "startDate": iso_utc(game.start_at) if game.time_set else game.day.isoformat(),
        "eventStatus": EVENT_STATUS.get(status, "https://schema.org/EventScheduled"),
        "homeTeam": {"@type": "SportsTeam", "name": team_name(game.home_team)},
        "awayTeam": {"@type": "SportsTeam", "name": team_name(game.away_team)},
    }
    if game.venue:
        event["location"] = {"@type": "Place", "name": game.venue, "address": game.city}
    return event
