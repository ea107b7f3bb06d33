"""The game page."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from sportsapp.core.clock import iso_utc
from sportsapp.core.records import Status
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.db.models import Game
from sportsapp.db.queries import AnyTeam
from sportsapp.web.page import Freshness, answer
from sportsapp.web.scores import wanted_league

blueprint = Blueprint("games", __name__)

EVENT_STATUS = {
    Status.POSTPONED: "https://schema.org/EventPostponed",
    Status.CANCELLED: "https://schema.org/EventCancelled",
}


@blueprint.get("/<league_name>/games/<espn_id>")
def game(league_name: str, espn_id: str) -> ResponseReturnValue:
    """One game: score, line score, situation, leaders, venue."""
    league = wanted_league(league_name)
    if league_name != league.slug:
        target = url_for("games.game", league_name=league.slug, espn_id=espn_id)
        return redirect(target, 301)
    row = queries.find_game(db.session, league.slug, espn_id[:60])
    if row is None:
        abort(404, f"There is no {league.label} game {espn_id[:40]!r}.")

    def render(fresh: Freshness) -> str:
        return render_template(
            "game.html", game=row, league=league, fresh=fresh.watching([row]), event=event_of(row)
        )

    return answer([league.slug], render)


def event_of(game: Game) -> dict[str, object]:
    """The game as a schema.org SportsEvent. It has no score, so that it spoils nothing."""
    away, home = _team(game.away_team), _team(game.home_team)
    event: dict[str, object] = {
        "@context": "https://schema.org",
        "@type": "SportsEvent",
        "name": f"{away['name']} {'vs' if game.neutral_site else 'at'} {home['name']}",
        "startDate": iso_utc(game.start_at) if game.time_set else game.day.isoformat(),
        "eventStatus": EVENT_STATUS.get(Status(game.status), "https://schema.org/EventScheduled"),
        "homeTeam": home,
        "awayTeam": away,
    }
    if game.venue:
        event["location"] = {"@type": "Place", "name": game.venue, "address": game.city}
    return event


def _team(team: AnyTeam | None) -> dict[str, str]:
    return {"@type": "SportsTeam", "name": team_name(team)}


def team_name(team: AnyTeam | None) -> str:
    """A side's full name; TBD while nobody knows who it will be."""
    return team.display_name if team else "TBD"
