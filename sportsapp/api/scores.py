"""Leagues, teams, games and their events as JSON, and the document that describes them."""

import re
from datetime import date
from typing import Any

import msgspec
from flask import Blueprint, abort, current_app, render_template, url_for
from flask.typing import ResponseReturnValue

from sportsapp.api.cursors import GAMES_CURSOR, PLAYS_CURSOR, PlaysCursor, cursor_of_game
from sportsapp.api.document import Parameter, json_response, make_document, returns
from sportsapp.api.shapes import (
    Events,
    GameJson,
    Games,
    Leagues,
    TeamGames,
    Teams,
    event_json,
    game_in_full,
    game_json,
    league_json,
    team_games,
    team_json,
)
from sportsapp.api.summary_shapes import BoxScore, Plays, box_json, plays_json
from sportsapp.core.clock import game_day, iso_utc, parse_day, utc_now
from sportsapp.core.errors import DateRangeError, UnknownLeagueError
from sportsapp.core.leagues import find_league
from sportsapp.core.records import State
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.db.models import Game, Team
from sportsapp.db.queries import Cursor, Span, StoredSummary
from sportsapp.services import services
from sportsapp.tasks.visitors import request_days, want_summary

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")

LIMIT_MOST = 500
NUMBER = re.compile("[0-9]{1,15}")
LONGEST_TEAM = 60
AFTER_MOST = 10**15 - 1
TEAM_PATTERN = "^[A-Za-z0-9_-]{1,60}$"


# ---------------------------------------------------------------- parameters


def _slug(name: str) -> str:
    try:
        return find_league(name, _followed()).slug
    except UnknownLeagueError as error:
        abort(404, str(error)[:200])


def _day(text: str) -> date:
    if text == "today":
        return game_day(utc_now())
    try:
        return parse_day(text, utc_now())
    except DateRangeError as error:
        abort(400, str(error)[:200])


def _state(text: str) -> str:
    if text not in set(State):
        abort(400, f"state must be one of {', '.join(State)}")
    return text


def _limit(text: str) -> int:
    if not NUMBER.fullmatch(text) or not 1 <= int(text) <= LIMIT_MOST:
        abort(400, f"limit must be a whole number from 1 to {LIMIT_MOST}")
    return int(text)


def _after(text: str) -> int:
    if not NUMBER.fullmatch(text):
        abort(400, "after must be the `next` value of an earlier answer, or 0")
    return int(text)


def _team(text: str) -> str:
    if not re.fullmatch(TEAM_PATTERN, text):
        abort(400, "team must be the `espn_id` of a team")
    return text


def _slugs() -> dict[str, Any]:
    return {"type": "string", "enum": list(_followed())}


def _followed() -> tuple[str, ...]:
    return services().settings.leagues


LEAGUE = Parameter("league", "Only this league, in upper or lower case.", _slug, _slugs)
DATE = Parameter(
    name="date",
    description="Only games of this US Eastern date, or of `today`: until 04:00 Eastern.",
    read=_day,
    schema=lambda: {"anyOf": [{"type": "string", "format": "date"}, {"enum": ["today"]}]},
)
STATE = Parameter(
    name="state",
    description="Only games to come (`pre`), live (`in`) or over (`post`).",
    read=_state,
    schema=lambda: {"type": "string", "enum": list(State)},
)
LEAGUE_IN_PATH = Parameter("league", "The league.", _slug, _slugs, in_path=True)
TEAM_IN_PATH = Parameter(
    name="team",
    description="The team's abbreviation, or its name, as in the address of its page.",
    read=str,
    schema=lambda: {"type": "string", "minLength": 1, "maxLength": LONGEST_TEAM},
    in_path=True,
)
LIMIT = Parameter(
    name="limit",
    description=f"The most to return, from 1 to {LIMIT_MOST}; {LIMIT_MOST} if left out.",
    read=_limit,
    schema=lambda: {"type": "integer", "minimum": 1, "maximum": LIMIT_MOST},
)
TEAM = Parameter(
    name="team",
    description="Only games of the team with this `espn_id`; `league` is needed with it.",
    read=_team,
    schema=lambda: {"type": "string", "pattern": TEAM_PATTERN},
)
AFTER = Parameter(
    name="after",
    description=(
        "The `next` value of an earlier answer: returns the events after it. 0 is before the first"
        " event that is kept; left out, the newest events are returned."
    ),
    read=_after,
    schema=lambda: {"type": "integer", "minimum": 0, "maximum": AFTER_MOST},
)
ESPN_ID = Parameter(
    name="espn_id",
    description="The game's id in ESPN's feed.",
    read=str,
    schema=lambda: {"type": "string", "minLength": 1},
    in_path=True,
)

EXAMPLES: dict[str, dict[str, Any]] = {
    "leagues": {},
    "teams": {},
    "team": {"team": "CHI"},
    "games": {"state": "post", "limit": 50},
    "game": {"espn_id": "401810426"},
    "box": {"espn_id": "401810426"},
    "plays": {"espn_id": "401810426", "limit": 50},
    "events": {"after": 0, "limit": 50},
}
"""An example request for each view, by its name, but for the league."""


# ---------------------------------------------------------------- views


@blueprint.get("/leagues")
@returns(Leagues)
def leagues() -> Leagues:
    """The leagues of this site, and how fresh their data is."""
    rows = queries.league_rows(db.session, _followed())
    return Leagues([league_json(find_league(slug), rows.get(slug)) for slug in _followed()])


@blueprint.get("/teams")
@returns(Teams, LEAGUE)
def teams(league: str | None) -> Teams:
    """The teams of one league, or of all."""
    rows = queries.teams_of(db.session, [league] if league else _followed())
    return Teams([team_json(row) for row in rows])


@blueprint.get("/teams/<league>/<team>")
@returns(TeamGames, LEAGUE_IN_PATH, TEAM_IN_PATH)
def team(league: str, team: str) -> TeamGames:
    """A team, and its live, last and next game."""
    rows = queries.teams_at(db.session, league, team[:LONGEST_TEAM])
    if not rows:
        abort(404, f"no {league.upper()} team is named {team[:40]!r}")
    return _team_games(rows[0])


def _team_games(team: Team) -> TeamGames:
    return team_games(team, queries.team_now(db.session, team, game_day(utc_now())))


@blueprint.get("/games")
@returns(Games, LEAGUE, DATE, STATE, LIMIT, GAMES_CURSOR)
def games(
    league: str | None,
    date: date | None,
    state: str | None,
    limit: int | None,
    cursor: Cursor | None,
) -> Games:
    """Games by start, then id, a page at a time."""
    limit = limit or LIMIT_MOST
    slugs = [league] if league else _followed()
    rows = queries.game_list(db.session, slugs, date, state, limit + 1, cursor)
    next_cursor = cursor_of_game(rows[limit - 1]) if len(rows) > limit else None
    answer = Games([game_json(row) for row in rows[:limit]], next_cursor)
    if date:
        times = queries.spans_read_at(db.session, [Span(s, date, date) for s in slugs], utc_now())
        read = [read_at for read_at in times if read_at]
        answer.read_at = iso_utc(min(read)) if len(read) == len(slugs) else None
        for slug, read_at in zip(slugs, times, strict=True):
            if read_at is None:
                request_days(find_league(slug), date, date)
    return answer


@blueprint.get("/games/<league>/<espn_id>")
@returns(GameJson, LEAGUE_IN_PATH, ESPN_ID)
def game(league: str, espn_id: str) -> GameJson:
    """One game."""
    row, _ = _wanted_game(league, espn_id)
    return game_in_full(row)


@blueprint.get("/games/<league>/<espn_id>/box")
@returns(BoxScore, LEAGUE_IN_PATH, ESPN_ID)
def box(league: str, espn_id: str) -> BoxScore:
    """The box score of a game."""
    return box_json(league, espn_id, _summary_or_404(league, espn_id))


@blueprint.get("/games/<league>/<espn_id>/plays")
@returns(Plays, LEAGUE_IN_PATH, ESPN_ID, LIMIT, PLAYS_CURSOR)
def plays(league: str, espn_id: str, limit: int | None, cursor: PlaysCursor | None) -> Plays:
    """The plays of a game in order, a page at a time."""
    stored = _summary_or_404(league, espn_id)
    return plays_json(league, espn_id, stored, cursor, limit or LIMIT_MOST)


def _wanted_game(league: str, espn_id: str) -> tuple[Game, bool]:
    """A game, whose summary is had read as for its page, and whether that is on its way."""
    row = queries.find_game(db.session, league, espn_id)
    if row is None:
        abort(404, f"no {league.upper()} game has the id {espn_id[:40]!r}")
    return row, want_summary(row)


def _summary_or_404(league: str, espn_id: str) -> StoredSummary:
    row, is_coming = _wanted_game(league, espn_id)
    stored = queries.stored_summary(db.session, row.id)
    if not stored:
        name = f"the {league.upper()} game {espn_id}"
        why = "is being read: ask again in a few seconds" if is_coming else "is not stored"
        abort(404, f"the summary of {name} {why}")
    return stored


@blueprint.get("/events")
@returns(Events, LEAGUE, TEAM, AFTER, LIMIT)
def events(league: str | None, team: str | None, after: int | None, limit: int | None) -> Events:
    """What has changed in games, in the order in which it was stored."""
    of_team = None
    if team and not league:
        abort(400, "team needs league: the ids of teams are unique within a league only")
    if team and league:
        of_team = next(iter(queries.teams_named(db.session, [f"{league}-{team}"])), None)
        if of_team is None:
            abort(404, f"no {league.upper()} team has the id {team!r}")
    slugs = [league] if league else _followed()
    rows = queries.event_list(db.session, slugs, of_team, after, limit or LIMIT_MOST)
    return Events([event_json(row) for row in rows], rows[-1].event.id if rows else after or 0)


@blueprint.get("/openapi.json")
def openapi() -> ResponseReturnValue:
    """The OpenAPI document of this API."""
    return json_response(make_document(current_app))


@blueprint.get("/")
def docs() -> ResponseReturnValue:
    """The same document as a page for people, with an answer of each view from what is stored."""
    games = queries.game_list(db.session, _followed(), None, None, 1, None)
    slug = games[0].league.slug if games else _followed()[0]
    answers = _short_answers(slug)
    requests = {name: {"league": slug} | values for name, values in EXAMPLES.items()}
    requests["leagues"] = {}
    if game := answers.get("game"):  # else the address of one that there may be
        for name in ("game", "box", "plays"):
            requests[name]["espn_id"] = game.espn_id
        for team in queries.teams_named(db.session, [f"{slug}-{game.home.espn_id}"]):
            requests["team"]["team"] = team.address
            answers["team"] = _team_games(team)
    return render_template(
        "api.html",
        document=make_document(current_app),
        requests={name: url_for(f"api.{name}", **values) for name, values in requests.items()},
        answers={
            name: msgspec.json.format(msgspec.json.encode(answer)).decode()
            for name, answer in answers.items()
        },
        limit=services().settings.api_requests_per_minute,
    )


def _short_answers(slug: str) -> dict[str, Any]:
    """An answer of each view about this league, with one row; none of a game if none is stored."""
    rows = queries.game_list(db.session, [slug], None, None, 1, None)
    events = queries.event_list(db.session, [slug], None, None, 1)
    answers: dict[str, Any] = {
        "leagues": Leagues(
            [league_json(find_league(slug), queries.league_rows(db.session, [slug]).get(slug))]
        ),
        "teams": Teams([team_json(row) for row in queries.teams_of(db.session, [slug])[:1]]),
        "games": Games([game_json(row) for row in rows], None),
        "events": Events([event_json(row) for row in events], events[-1].event.id if events else 0),
    }
    if rows and (game := queries.find_game(db.session, slug, rows[0].espn_id)):
        answers["game"] = game_in_full(game)
        if stored := queries.stored_summary(db.session, game.id):
            answers["box"] = box_json(slug, game.espn_id, stored, most=1)
            answers["plays"] = plays_json(slug, game.espn_id, stored, None, 1)
    return answers


@blueprint.route("/<path:path>")
def unknown(path: str) -> ResponseReturnValue:
    """404 as JSON for every other address under the API."""
    abort(404, f"the API has no address {path[:80]!r}")
