"""Leagues, teams and games as JSON, and the document that describes them."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, abort, current_app
from flask.typing import ResponseReturnValue

from sportsapp import queries
from sportsapp.api.document import Parameter, answers, encoded, make_document
from sportsapp.api.shapes import (
    GameJson,
    Games,
    Leagues,
    Teams,
    game_json,
    league_json,
    team_json,
)
from sportsapp.clock import parse_day, utc_now
from sportsapp.database import db
from sportsapp.errors import DateRangeError, UnknownLeagueError
from sportsapp.leagues import find_league
from sportsapp.records import State
from sportsapp.settings import Settings

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")

GAME_LIMIT = 500


# ---------------------------------------------------------------- parameters


def _slug(name: str) -> str:
    try:
        return find_league(name, _settings().leagues).slug
    except UnknownLeagueError as error:
        abort(404, str(error)[:200])


def _day(text: str) -> date:
    try:
        return parse_day(text, utc_now())
    except DateRangeError as error:
        abort(400, str(error)[:200])


def _state(text: str) -> str:
    if text not in set(State):
        abort(400, f"state is one of {', '.join(State)}")
    return text


def _slugs() -> dict[str, Any]:
    return {"type": "string", "enum": list(_settings().leagues)}


LEAGUE = Parameter("league", "Of this league only; upper case will do, too.", _slug, _slugs)
DATE = Parameter(
    "date", "On this US Eastern date only.", _day,
    lambda: {"type": "string", "format": "date"}, example="2026-01-15",
)  # fmt: skip
STATE = Parameter(
    "state", "To come (`pre`), live (`in`) or over (`post`).", _state,
    lambda: {"type": "string", "enum": list(State)},
)  # fmt: skip
LEAGUE_IN_PATH = Parameter("league", "The game's league.", _slug, _slugs, in_path=True)
ESPN_ID = Parameter(
    "espn_id", "The feed's id of the game.", str, lambda: {"type": "string", "minLength": 1},
    example="401437650", in_path=True,
)  # fmt: skip


# ---------------------------------------------------------------- answers


@blueprint.get("/leagues")
@answers(Leagues)
def leagues() -> Leagues:
    """The leagues that are followed, and when each was last read."""
    slugs = _settings().leagues
    rows = queries.leagues_by_slug(db.session, slugs)
    return Leagues([league_json(find_league(slug), rows.get(slug)) for slug in slugs])


@blueprint.get("/teams")
@answers(Teams, LEAGUE)
def teams(league: str | None) -> Teams:
    """The teams of one league, or of all."""
    rows = queries.teams_of(db.session, _wanted(league))
    return Teams([team_json(row) for row in rows])


@blueprint.get("/games")
@answers(Games, LEAGUE, DATE, STATE)
def games(league: str | None, date: date | None, state: str | None) -> Games:
    """Games by start, then id, the first 500; `league`, `date` and `state` narrow them."""
    rows = queries.game_list(db.session, _wanted(league), date, state, GAME_LIMIT)
    return Games([game_json(row) for row in rows])


@blueprint.get("/games/<league>/<espn_id>")
@answers(GameJson, LEAGUE_IN_PATH, ESPN_ID)
def game(league: str, espn_id: str) -> GameJson:
    """One game."""
    row = queries.find_game(db.session, league, espn_id)
    if row is None:
        abort(404, f"no {league.upper()} game has the id {espn_id[:40]!r}")
    return game_json(row)


@blueprint.get("/openapi.json")
def openapi() -> ResponseReturnValue:
    """All this as an OpenAPI document."""
    return encoded(make_document(current_app, blueprint))


@blueprint.route("/", defaults={"path": ""})
@blueprint.route("/<path:path>")
def unknown(path: str) -> ResponseReturnValue:
    """Anything else under the API."""
    abort(404, f"the API has no address {path[:80]!r}")


def _wanted(league: str | None) -> tuple[str, ...]:
    return (league,) if league else _settings().leagues


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings
