"""The JSON API: the shape that programs rely on."""

from __future__ import annotations

import pytest

from sportsapp.clock import parse_day, utc_now
from sportsapp.database import db
from sportsapp.leagues import BY_SLUG
from sportsapp.sync.service import Sync, sync_day, sync_teams
from tests.integration.events import board, event

DAY = parse_day("2026-01-15", utc_now())


@pytest.fixture
def games(app, feed):
    """Two NFL games and one NBA game of one day."""
    sync = Sync(app.extensions["feed_client"], db.session, utc_now())
    feed.say("nfl", board(event("402", state="in"), event("401", state="in")))
    sync_day(sync, BY_SLUG["nfl"], DAY)
    feed.say("nba", board(event("77", "2026-01-15T19:00Z", "pre")))
    sync_day(sync, BY_SLUG["nba"], DAY)


def ids(client, query: str) -> list[str]:
    return [game["espn_id"] for game in client.get(f"/api/v1/games{query}").json["games"]]


def test_one_game_has_the_promised_shape(client, games):
    game = client.get("/api/v1/games/nfl/401").json
    updated_at = game.pop("updated_at")
    assert updated_at.endswith("Z")
    assert game == {
        "league": "nfl",
        "espn_id": "401",
        "day": "2026-01-15",
        "start_at": "2026-01-15T20:00:00Z",
        "time_set": True,
        "state": "in",
        "status": "live",
        "detail": "9:03 - 3rd Quarter",
        "period": 3,
        "clock": "9:03",
        "home": {
            "espn_id": "1",
            "abbreviation": "ALP",
            "name": "Alpha",
            "score": 20,
            "record": "3-1",
            "linescores": [17, 3],
        },
        "away": {
            "espn_id": "2",
            "abbreviation": "BET",
            "name": "Beta",
            "score": 17,
            "record": "3-1",
            "linescores": [14, 3],
        },
        "venue": "The Ground",
        "broadcast": "TV One",
    }


def test_score_is_null_before_the_start(client, games):
    game = client.get("/api/v1/games/nba/77").json
    assert (game["home"]["score"], game["home"]["linescores"]) == (None, [])


def test_unknown_side_is_tbd(client, app, feed):
    final = event(state="pre")
    final["competitions"][0]["competitors"][0]["team"]["id"] = "-1"
    feed.say("nhl", board(final))
    sync_day(Sync(app.extensions["feed_client"], db.session, utc_now()), BY_SLUG["nhl"], DAY)
    home = client.get("/api/v1/games/nhl/401").json["home"]
    assert (home["espn_id"], home["abbreviation"], home["name"]) == (None, "TBD", "TBD")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["77", "401", "402"]),
        ("?league=nfl", ["401", "402"]),
        ("?league=NFL&state=in", ["401", "402"]),
        ("?state=post", []),
        ("?date=2026-01-15&league=nba", ["77"]),
        ("?date=2026-01-16", []),
    ],
)
def test_games_are_narrowed_and_ordered_by_start_then_id(client, games, query, expected):
    assert ids(client, query) == expected


def test_leagues_say_when_they_were_read(client, games):
    leagues = {row["league"]: row for row in client.get("/api/v1/leagues").json["leagues"]}
    assert list(leagues) == ["nfl", "nba", "mlb", "nhl"]
    assert leagues["nfl"]["polled_at"].endswith("Z")
    assert leagues["mlb"]["polled_at"] is None


def test_teams_are_those_of_the_list(client, app, feed):
    team = {"id": "9", "displayName": "Nine", "abbreviation": "NIN", "color": "00ff00"}
    feed.say("nba", {"sports": [{"leagues": [{"teams": [{"team": team}]}]}]}, kind="teams")
    feed.say("nba", {"athletes": []}, kind="roster")
    sync_teams(Sync(app.extensions["feed_client"], db.session, utc_now()), [BY_SLUG["nba"]])
    (row,) = client.get("/api/v1/teams?league=nba").json["teams"]
    assert (row["espn_id"], row["name"], row["color"]) == ("9", "Nine", "00ff00")
    assert client.get("/api/v1/teams?league=nfl").json == {"teams": []}


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v1/games?league=xyz", 404, "not_found"),
        ("/api/v1/teams?league=xyz", 404, "not_found"),
        ("/api/v1/games/xyz/1", 404, "not_found"),
        ("/api/v1/games/nfl/none", 404, "not_found"),
        ("/api/v1/nothing", 404, "not_found"),
        ("/api/v1/games?date=2024-13-45", 400, "bad_request"),
        ("/api/v1/games?date=yesterday", 400, "bad_request"),
        ("/api/v1/games?state=over", 400, "bad_request"),
    ],
)
def test_errors_are_json_with_code_and_message(client, path, status, code):
    answer = client.get(path)
    assert (answer.status_code, answer.json["error"]["code"]) == (status, code)
    assert answer.json["error"]["message"]


def test_writing_is_refused(client):
    answer = client.post("/api/v1/games")
    assert (answer.status_code, answer.json["error"]["code"]) == (405, "method_not_allowed")
