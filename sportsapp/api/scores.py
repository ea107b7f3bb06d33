"""Leagues, teams and games as JSON, and the document that describes them."""

from __future__ import annotations

import base64
import re
from datetime import date, datetime
from typing import Any

from flask import Blueprint, abort, current_app, render_template, url_for
from flask.typing import ResponseReturnValue

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
from sportsapp.core.clock import parse_day, utc_now
from sportsapp.core.errors import DateRangeError, UnknownLeagueError
from sportsapp.core.leagues import find_league
from sportsapp.core.records import State
from sportsapp.core.settings import Settings
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.db.models import Game
from sportsapp.db.queries import Place
from sportsapp.services import services

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")

GAME_LIMIT = 500
NUMBER = re.compile("[0-9]{1,3}")
CURSORS = re.compile("^[A-Za-z0-9_-]{1,200}$")


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


def _limit(text: str) -> int:
    if not NUMBER.fullmatch(text) or not 1 <= int(text) <= GAME_LIMIT:
        abort(400, f"limit is a whole number from 1 to {GAME_LIMIT}")
    return int(text)


def _cursor(text: str) -> Place:
    """The place that ``_cursor_of`` wrote."""
    try:
        if not CURSORS.fullmatch(text):
            raise ValueError("signs that none has")
        padded = text + "=" * (-len(text) % 4)
        start, slug, espn_id = base64.urlsafe_b64decode(padded).decode().split(" ")
        start_at = datetime.fromisoformat(start)
        if start_at.tzinfo is None:
            raise ValueError("no time zone")
    except ValueError:
        abort(400, "cursor is not the `next` of an earlier answer")
    return Place(start_at, espn_id, slug)


def _cursor_of(game: Game) -> str:
    place = f"{game.start_at.isoformat()} {game.league.slug} {game.espn_id}"
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


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
LIMIT = Parameter(
    "limit", f"At most so many, 1 to {GAME_LIMIT}, which is what you get without it.", _limit,
    lambda: {"type": "integer", "minimum": 1, "maximum": GAME_LIMIT},
)  # fmt: skip
CURSOR = Parameter(
    "cursor", "The `next` of an earlier answer: the games after those.", _cursor,
    lambda: {"type": "string", "pattern": CURSORS.pattern},
)  # fmt: skip
ESPN_ID = Parameter(
    "espn_id", "The feed's id of the game.", str, lambda: {"type": "string", "minLength": 1},
    example="401437650", in_path=True,
)  # fmt: skip


EXAMPLES: dict[str, dict[str, Any]] = {
    "leagues": {},
    "teams": {"league": "nba"},
    "games": {"league": "nba", "date": "2026-01-15", "limit": 50},
    "game": {"league": "nba", "espn_id": "401810426"},
}
"""For people: what each address may be asked, by the name of its view."""


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
@answers(Games, LEAGUE, DATE, STATE, LIMIT, CURSOR)
def games(
    league: str | None,
    date: date | None,
    state: str | None,
    limit: int | None,
    cursor: Place | None,
) -> Games:
    """Games by start, then id; `league`, `date` and `state` narrow them."""
    limit = limit or GAME_LIMIT
    rows = queries.game_list(db.session, _wanted(league), date, state, limit + 1, cursor)
    rest = _cursor_of(rows[limit - 1]) if len(rows) > limit else None
    return Games([game_json(row) for row in rows[:limit]], rest)


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


@blueprint.get("/")
def docs() -> ResponseReturnValue:
    """The same document as a page for people."""
    return render_template(
        "api.html",
        document=make_document(current_app, blueprint),
        examples={name: url_for(f"api.{name}", **values) for name, values in EXAMPLES.items()},
        limit=_settings().api_requests_per_minute,
    )


@blueprint.route("/<path:path>")
def unknown(path: str) -> ResponseReturnValue:
    """Anything else under the API."""
    abort(404, f"the API has no address {path[:80]!r}")


def _wanted(league: str | None) -> tuple[str, ...]:
    return (league,) if league else _settings().leagues


def _settings() -> Settings:
    settings: Settings = services().settings
    return settings
