"""The game page, and the picture that others show beside a link to it."""

import hashlib

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from sportsapp.core.clock import iso_utc
from sportsapp.core.records import State, Status
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.db.models import Game
from sportsapp.http.page_cache import conditional_response
from sportsapp.web.drawing import Scene, Side, picture_of
from sportsapp.web.earlier import earlier_than, makeup_of, season_series
from sportsapp.web.labels import full_time, matchup, short_day, short_state, start_of, team_name
from sportsapp.web.lookup import game_or_404, league_or_404
from sportsapp.web.page import Freshness, answer, code_version
from sportsapp.web.preferences import sends_no_preferences
from sportsapp.web.spoilers import is_hidden, is_revealed
from sportsapp.web.summaries import tabs_of
from sportsapp.web.text import render_page
from sportsapp.web.timeline import timeline_of
from sportsapp.web.unread import is_summary_coming

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
    row = game_or_404(league, espn_id)
    is_summary_coming(row)

    def render(fresh: Freshness) -> str:
        stored = queries.stored_summary(db.session, row.id) if is_revealed(row) else None
        return render_page(
            "game",
            tabs=tabs_of(row, stored),
            game=row,
            league=league,
            fresh=fresh.watching([row]),
            event=event_of(row),
            timeline=timeline_of(row),
            earlier=earlier_than(row),
            makeup=makeup_of(row),
            season_series=season_series(row),
            picture=f"{request.base_url}/picture.png?v={_digest(scene_of(row))}",
        )

    return answer([league.slug], render, has_text=True)


@blueprint.get("/<league_name>/games/<espn_id>/picture.png")
def picture(league_name: str, espn_id: str) -> ResponseReturnValue:
    """Teams, score and state as a picture; without the score for who hides scores.

    Crawlers have no preferences, so theirs has the score, as the page that they read has it. Its
    address in the page changes with what it shows: they keep a picture for days.
    """
    scene = scene_of(game_or_404(league_or_404(league_name), espn_id))
    response = conditional_response(
        _digest(scene), None, None, lambda: picture_of(scene), shared=sends_no_preferences()
    )
    response.mimetype = "image/png"
    return response


def scene_of(game: Game) -> Scene:
    """What a visitor may see of a game at a glance."""
    day, _ = start_of(game)
    is_coming = game.state == State.PRE and game.status == Status.SCHEDULED and game.listed
    shows_score = not is_hidden(game) and game.state != State.PRE
    teams = (
        (game.away_team, game.away_score, game.home_winner),
        (game.home_team, game.home_score, game.away_winner),
    )
    away, home = (
        Side(
            team_name(team),
            f"#{team.color}" if team and team.color else "#eef1f5",
            str(score) if shows_score and score is not None else "",
            has_lost=shows_score and bool(other_won),
        )
        for team, score, other_won in teams
    )
    return Scene(
        f"{game.league.label} · {short_day(day)}, {day.year}",
        (away, home),
        full_time(game.start_at) if is_coming and game.time_set else short_state(game),
        is_live=game.state == State.IN,
    )


def _digest(scene: Scene) -> str:
    return hashlib.sha256(f"{code_version()}{scene}".encode()).hexdigest()[:20]


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
