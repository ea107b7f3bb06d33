"""The demo feed as a web application: ESPN's addresses, and the addresses to control it."""

import gzip
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, abort, g, jsonify, request

from demo import pages, standings
from demo.changes import CHANGES, IN_FORCE, refused_agent, refused_query, renamed
from demo.events import FeedView
from demo.faults import (
    BadControlError,
    DemoState,
    faulty_answer,
    json_response,
    refusal,
)
from demo.leagues import LEAGUES, DemoLeague, find_league
from demo.scoreboards import BadQueryError, scoreboard_json
from demo.seasons import find_game
from demo.shapes import JsonObject
from demo.summaries import summary_json
from demo.teams import DemoTeam, find_team

SITE = "/apis/site/v2/sports/<sport>/<key>"
WORTH_ZIPPING = 600


def create_demo_feed(
    speed: float = 1.0,
    now: Callable[[], datetime] | None = None,
    changes: Iterable[str] = IN_FORCE,
) -> Flask:
    """Return a WSGI application that answers like ESPN's JSON API.

    Games run `speed` times as fast as real ones, from their scheduled starts. `now` returns aware
    UTC times and stands in for the clock. `changes` are names of CHANGES. `app.extensions["demo"]`
    is a DemoState: its `fail`, `mend`, `change`, `force_game`, `free_game` and `requests` are for
    tests; /demo/ offers the same.
    """
    if speed <= 0:
        raise ValueError(f"speed must be above 0, not {speed}")
    app = Flask("demo", static_folder=None)
    state = DemoState(changes)
    app.extensions["demo"] = state
    clock = now or utc_now

    def look() -> FeedView:
        return FeedView(clock(), speed, state.forced)

    app.before_request(lambda: start_request(state))
    app.after_request(lambda response: finish_request(response))
    app.register_error_handler(BadQueryError, lambda _error: refusal(400))
    app.register_error_handler(BadControlError, explain)
    add_feed(app, look)
    add_controls(app, state)
    return app


def utc_now() -> datetime:
    return datetime.now(UTC)


def add_feed(app: Flask, look: Callable[[], FeedView]) -> None:
    """Add the feed's own addresses."""

    @app.get(f"{SITE}/scoreboard")
    def scoreboard(sport: str, key: str) -> Response:
        league = asked_league(sport, key)
        if refused_query(g.changes, request.args):
            abort(refusal(400))
        return answer(scoreboard_json(league, request.args, look(), g.changes))

    @app.get(f"{SITE}/teams")
    def teams(sport: str, key: str) -> Response:
        return answer(pages.teams_json(asked_league(sport, key), look()))

    @app.get(f"{SITE}/teams/<name>")
    def team(sport: str, key: str, name: str) -> Response:
        league, found = asked_team(sport, key, name)
        return answer(pages.team_json(league, found, look()))

    @app.get(f"{SITE}/teams/<name>/roster")
    def roster(sport: str, key: str, name: str) -> Response:
        league, found = asked_team(sport, key, name)
        return answer(pages.roster_json(league, found, look()))

    @app.get(f"{SITE}/teams/<name>/schedule")
    def schedule(sport: str, key: str, name: str) -> Response:
        league, found = asked_team(sport, key, name)
        return answer(pages.schedule_json(league, found, request.args, look()))

    @app.get(f"{SITE}/summary")
    def summary(sport: str, key: str) -> Response:
        league, view = asked_league(sport, key), look()
        game = find_game(league.key, request.args.get("event", ""))
        if game is None or not view.listed(game) or not view.known(game):
            abort(refusal(404))
        return answer(summary_json(view.fixture(game), view))

    @app.get(f"{SITE}/standings")
    def standings_stub(sport: str, key: str) -> Response:
        return answer(standings.standings_stub(asked_league(sport, key), look().now))

    @app.get("/apis/v2/sports/<sport>/<key>/standings")
    def standings_v2(sport: str, key: str) -> Response:
        return answer(standings.standings_json(asked_league(sport, key), request.args, look()))

    @app.errorhandler(404)
    def unknown(_error: Exception) -> Response:
        return refusal(404)


def asked_league(sport: str, key: str) -> DemoLeague:
    """Return the league of an address; stops the request with 400 for a pair there is not."""
    league = find_league(sport, key)
    if league is None:
        abort(refusal(400))
    return league


def asked_team(sport: str, key: str, name: str) -> tuple[DemoLeague, DemoTeam]:
    league = asked_league(sport, key)
    team = find_team(league.key, name)
    if team is None:
        abort(refusal(404))
    return league, team


def answer(body: JsonObject) -> Response:
    """Return compact JSON, through the fault that `start_request` took for this request."""
    if "fields" in g.changes:
        body = renamed(body)
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    fault = g.get("fault")
    broken = faulty_answer(fault, text) if fault else None
    return json_response(text) if broken is None else broken


def is_control() -> bool:
    return request.path.startswith("/demo/")


def start_request(state: DemoState) -> Response | None:
    """Log the request, refuse agents that ESPN refuses, and take the fault that it will meet."""
    if is_control():
        return None
    league = league_of_path(request.path)
    g.entry = {
        "method": request.method,
        "host": request.host,
        "path": request.path,
        "query": request.query_string.decode(),
        "user_agent": request.headers.get("User-Agent", ""),
        "league": league,
    }
    state.note_request(g.entry)
    g.changes = state.changes
    if refused_agent(g.changes, request.host, g.entry["user_agent"]):
        return refusal(403)
    g.fault = state.take_fault(league, request.path)
    return None


def league_of_path(path: str) -> str | None:
    parts = path.split("/")
    return next((part for part in parts if part in LEAGUES), None)


def finish_request(response: Response) -> Response:
    """Note the status, and zip what is worth it for clients that can unzip."""
    if "entry" in g:
        g.entry["status"] = response.status_code
    zips = "gzip" in request.headers.get("Accept-Encoding", "")
    if response.is_streamed or not zips or is_control():
        return response
    response.headers["Vary"] = "Accept-Encoding"
    body = response.get_data()
    if len(body) >= WORTH_ZIPPING:
        response.set_data(gzip.compress(body, compresslevel=3, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    return response


def explain(error: Exception) -> tuple[Response, int]:
    return jsonify({"error": str(error)}), 400


def add_controls(app: Flask, state: DemoState) -> None:
    """Add the addresses by which other processes switch faults and force games."""

    @app.get("/demo/faults")
    def faults() -> Response:
        return jsonify({"faults": state.faults()})

    @app.post("/demo/faults")
    def fail() -> Response:
        try:
            state.fail(**control_body())
        except TypeError as error:
            raise BadControlError(str(error)) from error
        return jsonify({"faults": state.faults()})

    @app.delete("/demo/faults")
    def mend() -> Response:
        state.mend(request.args.get("league"))
        return jsonify({"faults": state.faults()})

    @app.get("/demo/changes")
    def changes() -> Response:
        return jsonify({"changes": sorted(state.changes), "known": CHANGES})

    @app.put("/demo/changes")
    def change() -> Response:
        names = control_body().get("changes")
        if not isinstance(names, list):
            raise BadControlError("changes is a list of names")
        state.change(*names)
        return changes()

    @app.get("/demo/requests")
    def requests_seen() -> Response:
        return jsonify({"count": state.request_count, "requests": state.requests()})

    @app.delete("/demo/requests")
    def forget_requests() -> Response:
        state.forget_requests()
        return jsonify({"count": 0, "requests": []})

    @app.post("/demo/games/<key>/<event_id>")
    def force(key: str, event_id: str) -> Response:
        if find_game(key, event_id) is None:
            raise BadControlError(f"no such game: {key} {event_id}")
        fields = state.force_game(key, event_id, control_body())
        return jsonify({"forced": {name: plain(value) for name, value in fields.items()}})

    @app.delete("/demo/games/<key>/<event_id>")
    def free(key: str, event_id: str) -> Response:
        state.free_game(key, event_id)
        return jsonify({"forced": {}})


def plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def control_body() -> JsonObject:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise BadControlError("a JSON object is needed")
    return body
