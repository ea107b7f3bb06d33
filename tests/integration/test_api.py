"""The JSON API: the shape that programs rely on."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from html import unescape

import pytest
from sqlalchemy import select

from sportsapp.core.clock import game_day, parse_day, utc_now
from sportsapp.core.leagues import BY_SLUG
from sportsapp.core.summary import VERSION, SideRecord, SummaryRecord, pack
from sportsapp.db.engine import db
from sportsapp.db.models import Game, SummaryRow
from sportsapp.services import services_of
from sportsapp.sync.catalogue import sync_teams
from sportsapp.sync.context import SyncContext
from sportsapp.sync.scoreboards import sync_day
from tests.integration.events import board, event

SIDES = ("away", "home")
DAY = parse_day("2026-01-15", utc_now())


@pytest.fixture
def games(app, feed):
    """Two NFL games and one NBA game of one day."""
    sync = SyncContext(services_of(app).feed_client, db.session, utc_now())
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
        "title": "Beta 17, Alpha 20",
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
            "rank": None,
            "linescores": [17, 3],
            "winner": None,
            "red_cards": 0,
        },
        "away": {
            "espn_id": "2",
            "abbreviation": "BET",
            "name": "Beta",
            "score": 17,
            "record": "3-1",
            "rank": None,
            "linescores": [14, 3],
            "winner": None,
            "red_cards": 0,
        },
        "venue": "The Ground",
        "broadcast": "TV One",
        "note": "",
        "series": "",
        "listed": True,
        "missing_since": None,
        "about": {"weather": "", "headline": "", "players": []},
    }


def test_one_game_has_what_the_feed_tells_about_it(client, synced):
    star = {"name": "firstStar", "athlete": {"fullName": "Ann"}, "team": {"id": "1"}}
    final = event(headlines=[{"type": "Recap", "shortLinkText": "Alpha beat Beta"}])
    final["competitions"][0]["status"]["featuredAthletes"] = [star, star | {"team": {"id": "9"}}]
    synced("nhl", final)
    about = client.get("/api/v1/games/nhl/401").json["about"]
    person = {"category": "First star", "name": "Ann", "value": ""}
    people = [person | {"side": side} for side in ("home", None)]
    assert about == {"weather": "", "headline": "Alpha beat Beta", "players": people}
    (listed,) = client.get("/api/v1/games?league=nhl").json["games"]
    assert "about" not in listed


def test_score_is_null_before_the_start(client, games):
    game = client.get("/api/v1/games/nba/77").json
    assert (game["home"]["score"], game["home"]["linescores"]) == (None, [])


def test_unknown_side_is_tbd(client, app, feed):
    final = event(state="pre")
    final["competitions"][0]["competitors"][0]["team"]["id"] = "-1"
    feed.say("nhl", board(final))
    sync_day(SyncContext(services_of(app).feed_client, db.session, utc_now()), BY_SLUG["nhl"], DAY)
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


@pytest.mark.parametrize(
    ("query", "expected"),
    [("", ["77", "401"]), ("?state=in", ["401", "402"]), ("?date=2026-01-15", ["77", "401"])],
)
def test_list_ends_at_its_limit_over_all_leagues(client, games, monkeypatch, query, expected):
    monkeypatch.setattr("sportsapp.api.scores.LIMIT_MOST", 2)
    assert ids(client, query) == expected


@pytest.mark.usefixtures("clock")
def test_today_is_the_day_of_the_games_until_four_eastern(visitor, synced, clock):
    synced("nfl", event("401"))
    clock.shown = datetime(2026, 1, 16, 8, 59, tzinfo=UTC)
    assert ids(visitor, "?date=today") == ["401"]
    clock.shown = datetime(2026, 1, 16, 9, 0, tzinfo=UTC)
    assert ids(visitor, "?date=today&league=nfl") == []


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    ("games", "current", "last", "coming"),
    [
        (["13 post", "15 in", "18 pre"], "1", "0", None),
        (["13 post", "15 post", "15 pre 22", "18 pre"], "2", "1", "2"),
        (["13 post", "15 post", "18 pre"], "1", "1", "2"),
        (["12 post", "13 post", "17 pre", "18 pre"], "2", "1", "2"),
        (["12 post", "13 post", "18 postponed"], "1", "1", None),
        (["18 pre"], "0", None, "0"),
    ],
)
def test_team_has_the_game_to_show_its_last_and_its_next(
    visitor, synced, games, current, last, coming
):
    """A game is its day in January, its state and its hour in UTC; its id is its place here."""
    for n, text in enumerate(games):
        day, state, hour = (*text.split(), "20")[:3]
        made = event(str(n), f"2026-01-{day}T{hour}:00Z", state)
        if n % 2:  # away
            for side, where in zip(made["competitions"][0]["competitors"], SIDES, strict=True):
                side["homeAway"] = where
        synced("nfl", made, day=date(2026, 1, int(day)))
    answer = visitor.get("/api/v1/teams/nfl/alp").json
    assert answer["team"]["abbreviation"] == "ALP"
    found = [answer[name] and answer[name]["espn_id"] for name in ("current", "last", "next")]
    assert found == [current, last, coming]


def test_title_is_the_game_in_a_few_words(visitor, synced):
    neutral = event("403", "2026-01-15T22:00Z", "pre", neutralSite=True)
    unknown = event("404", "2026-01-15T23:00Z", "pre")
    unknown["competitions"][0]["competitors"][0]["team"]["id"] = "-1"
    synced("nfl", event("401"), event("402", "2026-01-15T21:00Z", "pre"), neutral, unknown)
    titles = [game["title"] for game in visitor.get("/api/v1/games?league=nfl").json["games"]]
    assert titles == ["Beta 17, Alpha 20", "Beta at Alpha", "Beta vs Alpha", "Beta at TBD"]


def test_leagues_say_when_they_were_read(client, app, feed):
    sync = SyncContext(services_of(app).feed_client, db.session, utc_now())
    sync_day(sync, BY_SLUG["nba"], DAY)
    sync_day(sync, BY_SLUG["nfl"], game_day(utc_now()))
    leagues = {row["league"]: row for row in client.get("/api/v1/leagues").json["leagues"]}
    assert list(leagues) == ["nfl", "nba", "mlb", "nhl"]
    assert leagues["nfl"]["polled_at"].endswith("Z")
    assert leagues["nba"]["polled_at"] is leagues["mlb"]["polled_at"] is None


def test_teams_are_those_of_the_list(client, app, feed):
    team = {"id": "9", "displayName": "Nine", "abbreviation": "NIN", "color": "00ff00"}
    feed.say("nba", {"sports": [{"leagues": [{"teams": [{"team": team}]}]}]}, kind="teams")
    feed.say("nba", {"athletes": []}, kind="roster")
    sync_teams(SyncContext(services_of(app).feed_client, db.session, utc_now()), [BY_SLUG["nba"]])
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
        ("/api/v1/teams/nfl/nobody", 404, "not_found"),
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


# ---------------------------------------------------------------- page by page


def pages(client, query: str, limit: int) -> list[list[tuple[str, str]]]:
    """All pages of a list, one after the other."""
    found, cursor = [], ""
    while len(found) < 50:
        answer = client.get(f"/api/v1/games?{query}&limit={limit}&cursor={cursor}").json
        found.append([(game["league"], game["espn_id"]) for game in answer["games"]])
        cursor = answer["next"]
        if cursor is None:
            return found
    raise AssertionError("the pages do not end")


@pytest.fixture
def many(synced) -> None:
    """Games of three leagues with the same starts, and even the same ids."""
    for slug in ("nfl", "nba", "mlb"):
        starts = [f"2026-01-15T{hour}:00Z" for hour in (18, 18, 19, 20)]
        events = [event(f"40{n}", start) for n, start in enumerate(starts)]
        synced(slug, *events, event("409", "2026-01-15T17:00Z", "in"))


@pytest.mark.parametrize("query", ["", "league=nba", "state=post", "date=2026-01-15", "state=in"])
@pytest.mark.parametrize("limit", [1, 2, 4, 5, 500])
def test_pages_together_are_the_whole_list_each_game_once(client, many, query, limit):
    (whole,) = pages(client, query, 500)
    found = pages(client, query, limit)
    assert [game for page in found for game in page] == whole
    assert all(len(page) == limit for page in found[:-1])
    assert 0 < len(found[-1]) <= limit
    assert len(set(whole)) == len(whole)


def test_game_that_comes_between_two_pages_moves_nothing(client, many, synced):
    first = client.get("/api/v1/games?league=nba&limit=2").json
    synced("nba", event("400b", "2026-01-15T17:30Z"), event("410", "2026-01-15T21:00Z"))
    rest = client.get(f"/api/v1/games?league=nba&cursor={first['next']}").json
    assert [game["espn_id"] for game in first["games"]] == ["409", "400"]
    assert [game["espn_id"] for game in rest["games"]] == ["401", "402", "403", "410"]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=501",
        "limit=-1",
        "limit=ten",
        "limit=1.5",
        "limit=%D9%A3",
        "cursor=abc",
        "cursor=%C3%A9",
        "cursor=MjAyNi0wMS0xNSBuYmEgNDA",
        "cursor=" + "A" * 300,
        "cursor=__8",
    ],
)
def test_limit_or_cursor_that_is_none_is_refused(client, query):
    answer = client.get(f"/api/v1/games?{query}")
    assert (answer.status_code, answer.json["error"]["code"]) == (400, "bad_request")


# ---------------------------------------------------------------- for programs of others


def test_what_is_known_is_not_sent_again_until_it_changes(client, synced):
    synced("nba", event("77", state="in"))
    first = client.get("/api/v1/games")
    assert first.headers["Cache-Control"] == "public, no-cache"
    known = {"If-None-Match": first.headers["ETag"]}
    again = client.get("/api/v1/games", headers=known)
    assert (again.status_code, again.data) == (304, b"")
    synced("nba", event("77", state="in", home=99))
    changed = client.get("/api/v1/games", headers=known)
    assert changed.status_code == 200
    assert changed.headers["ETag"] != first.headers["ETag"]


@pytest.mark.parametrize(
    "path", ["leagues", "games", "games/nfl/none", "nothing", "openapi.json", ""]
)
def test_pages_of_other_sites_may_read_everything(visitor, path):
    answer = visitor.get(f"/api/v1/{path}", headers={"Origin": "https://other.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_preflight_allows_reading_and_nothing_else(visitor):
    answer = visitor.open(
        "/api/v1/games",
        method="OPTIONS",
        headers={
            "Origin": "https://other.example",
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "if-none-match",
        },
    )
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"
    assert answer.headers["Access-Control-Allow-Headers"] == "If-None-Match"


def test_other_addresses_are_not_for_pages_of_other_sites(visitor):
    for path in ("/", "/nba", "/admin/sign-in", "/healthz", "/metrics"):
        answer = visitor.get(path, headers={"Origin": "https://other.example"})
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_one_address_is_limited_over_all_of_the_api_and_told_so(app, visitor):
    most = services_of(app).settings.api_requests_per_minute
    for left in reversed(range(most)):
        answer = visitor.get(f"/api/v1/{('leagues', 'games', 'nothing')[left % 3]}")
        assert answer.status_code in (200, 404)
        assert answer.headers["X-RateLimit-Limit"] == str(most)
        assert answer.headers["X-RateLimit-Remaining"] == str(left)
        assert "Retry-After" not in answer.headers
    refused = visitor.get("/api/v1/leagues", headers={"Origin": "https://other.example"})
    assert (refused.status_code, refused.json["error"]["code"]) == (429, "too_many_requests")
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["Access-Control-Allow-Origin"] == "*"
    for other in ("/", "/nba", "/healthz"):
        assert visitor.get(other).status_code == 200
    proxied = visitor.get("/api/v1/leagues", headers={"X-Forwarded-For": "203.0.113.7"})
    assert proxied.status_code == 200


# ---------------------------------------------------------------- the page for people


def store_summary(espn_id: str) -> None:
    """A summary without plays beside a stored game."""
    side = SideRecord("", None, ())
    document = pack(SummaryRecord(espn_id, "post", True, "Final", side, side))
    game_id = db.session.scalars(select(Game.id).where(Game.espn_id == espn_id)).one()
    row = SummaryRow(
        game_id=game_id, version=VERSION, digest="", read_at=utc_now(), document=document
    )
    db.session.add(row)
    db.session.commit()


def test_every_example_of_the_documentation_works(visitor, synced):
    synced("nba", event("401810426"))
    store_summary("401810426")
    page = visitor.get("/api/v1/").text
    found = [unescape(one) for one in re.findall(r'class="example" href="([^"]+)"', page)]
    assert len(found) == 8
    for address in found:
        assert visitor.get(address).status_code == 200, address


def test_documentation_has_an_answer_for_each_address_and_leads_to_a_stored_game(visitor, synced):
    made = event("77")
    synced("nfl", made)
    store_summary("77")
    page = visitor.get("/api/v1/").text
    answers = [
        json.loads(unescape(one)) for one in re.findall(r"<pre>(.*?)</pre>", page, re.DOTALL)
    ]
    assert len(answers) == 8
    found = [unescape(one) for one in re.findall(r'class="example" href="([^"]+)"', page)]
    for address, answer in zip(found, answers, strict=True):
        real = visitor.get(address).json
        assert real.keys() == answer.keys(), address
    assert "/api/v1/games/nfl/77" in found


def test_documentation_shows_no_game_to_who_hides_scores(visitor, synced):
    synced("nfl", event("77", home=183, away=197))
    assert "183" in visitor.get("/api/v1/").text
    page = visitor.get("/api/v1/", headers={"Cookie": "scores=hide"}).text
    assert "183" not in page
    assert "<pre>" not in page


def test_contents_of_the_documentation_lead_to_every_section(visitor):
    page = visitor.get("/api/v1/").text
    contents = page.partition('aria-label="Contents"')[2].partition("</nav>")[0]
    sections = re.findall(r'<h2 id="(\w+)"', page)
    assert re.findall(r'href="#(\w+)"', contents) == sections
    assert len(sections) > 10


def test_documentation_has_everything_that_the_document_has(visitor):
    page = visitor.get("/api/v1/").text
    assert "Macro" not in page  # the page around it has names of its own
    document = visitor.get("/api/v1/openapi.json").json
    parameters = [
        one["name"] for path in document["paths"].values() for one in path["get"]["parameters"]
    ]
    fields = [
        field
        for schema in document["components"]["schemas"].values()
        for field in schema.get("properties", ())
    ]
    for name in [*document["paths"], *parameters, *fields]:
        assert f"<code>{name}</code>" in page
    links = re.findall(r'href="#(\w+)"', page)
    assert links
    assert all(f'id="{name}"' in page for name in links)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            "games?team=6",
            "unknown parameter 'team'; this address takes league, date, state, limit, cursor",
        ),
        (
            "games?week=12&season=2",
            "unknown parameter 'week'; this address takes league, date, state, limit, cursor",
        ),
        (
            "games?League=nfl",
            "unknown parameter 'League'; this address takes league, date, state, limit, cursor",
        ),
        ("games?=1", "unknown parameter ''; this address takes league, date, state, limit, cursor"),
        ("teams?date=2026-01-15", "unknown parameter 'date'; this address takes league"),
        ("leagues?league=nfl", "unknown parameter 'league'; this address takes none"),
        ("games/nfl/401?league=nfl", "unknown parameter 'league'; this address takes none"),
    ],
)
def test_parameter_that_there_is_not_is_refused_by_name(client, games, query, message):
    answer = client.get(f"/api/v1/{query}")
    assert answer.status_code == 400
    assert answer.json == {"error": {"code": "bad_request", "message": message}}


def test_long_name_of_a_parameter_does_not_come_back_whole(client):
    answer = client.get("/api/v1/games", query_string={"x" * 5000: "1"})
    assert answer.status_code == 400
    assert len(answer.data) < 300
