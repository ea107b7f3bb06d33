"""Leagues, teams and games as JSON."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, abort, current_app, request
from flask.typing import ResponseReturnValue

from sportsapp import queries
from sportsapp.api.shapes import game_json, league_json, team_json
from sportsapp.clock import parse_day, utc_now
from sportsapp.database import db
from sportsapp.errors import DateRangeError, UnknownLeagueError
from sportsapp.leagues import find_league
from sportsapp.records import State
from sportsapp.settings import Settings

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")

GAME_LIMIT = 500


@blueprint.get("/leagues")
def leagues() -> ResponseReturnValue:
    """The leagues that are followed, and when each was last read."""
    slugs = _settings().leagues
    rows = queries.leagues_by_slug(db.session, slugs)
    return {"leagues": [league_json(find_league(slug), rows.get(slug)) for slug in slugs]}


@blueprint.get("/teams")
def teams() -> ResponseReturnValue:
    """The teams of one league, or of all."""
    rows = queries.teams_of(db.session, _wanted_leagues())
    return {"teams": [team_json(row) for row in rows]}


@blueprint.get("/games")
def games() -> ResponseReturnValue:
    """Games by start, then id; ``league``, ``date`` and ``state`` narrow them."""
    rows = queries.game_list(
        db.session, _wanted_leagues(), _wanted_day(), _wanted_state(), GAME_LIMIT
    )
    return {"games": [game_json(row) for row in rows]}


@blueprint.get("/games/<league_name>/<espn_id>")
def game(league_name: str, espn_id: str) -> ResponseReturnValue:
    """One game."""
    slug = _slug(league_name)
    row = queries.find_game(db.session, slug, espn_id)
    if row is None:
        abort(404, f"no {slug.upper()} game has the id {espn_id[:40]!r}")
    return game_json(row)


@blueprint.route("/", defaults={"path": ""})
@blueprint.route("/<path:path>")
def unknown(path: str) -> ResponseReturnValue:
    """Anything else under the API."""
    abort(404, f"the API has no address {path[:80]!r}")


def _wanted_leagues() -> tuple[str, ...]:
    name = request.args.get("league", "")
    return (_slug(name),) if name else _settings().leagues


def _slug(name: str) -> str:
    try:
        return find_league(name, _settings().leagues).slug
    except UnknownLeagueError as error:
        abort(404, str(error)[:200])


def _wanted_day() -> date | None:
    text = request.args.get("date", "")
    try:
        return parse_day(text, utc_now()) if text else None
    except DateRangeError as error:
        abort(400, str(error)[:200])


def _wanted_state() -> str | None:
    state = request.args.get("state", "")
    if state and state not in set(State):
        abort(400, f"state is one of {', '.join(State)}")
    return state or None


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings
