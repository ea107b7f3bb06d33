"""The score pages, through HTTP."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import update

from sportsapp.core.clock import game_day, utc_now
from sportsapp.core.leagues import BY_SLUG
from sportsapp.db.engine import db, write_connection
from sportsapp.db.models import LeagueRow
from sportsapp.services import services_of
from sportsapp.sync.context import SyncContext
from sportsapp.sync.scoreboards import sync_today
from tests.integration.events import board, event
from tests.panel import add_league


@pytest.mark.parametrize("path", ["/", "/nfl", "/nba/2026-01-15", "/healthz"])
def test_pages_answer_on_an_empty_database(client, path):
    assert client.get(path).status_code == 200


def test_empty_database_says_that_nothing_has_been_read(client):
    assert "Nothing has been read from the feed yet" in client.get("/").text


def test_day_page_shows_teams_scores_and_state(client, synced):
    synced("nfl", event(state="in"))
    page = client.get("/nfl/2026-01-15").text
    assert all(part in page for part in ("Alpha", "Beta", ">20<", ">17<", "<b>9:03 - 3rd</b>"))


def test_game_before_its_start_shows_the_time_and_no_score(client, synced):
    synced("nfl", event(state="pre"))
    page = client.get("/nfl/2026-01-15").text
    assert "3:00 PM" in page
    assert ">20<" not in page


def test_time_that_is_not_set_is_not_shown_as_one(client, synced):
    synced("nfl", event(state="pre", start="2026-01-15T05:00Z", timeValid=False))
    assert "Time not set" in client.get("/nfl/2026-01-15").text
    assert "time not set" in client.get("/nfl/games/401").text


def test_postponed_game_is_no_final(client, synced):
    synced("mlb", event(state="postponed", home=0, away=0))
    page = client.get("/mlb/2026-01-15").text
    assert "Postponed" in page
    assert ">0<" not in page


def test_page_of_a_postponed_game_tells_nothing_of_play(client, synced):
    leaders = [
        {
            "displayName": "Points",
            "leaders": [
                {"displayValue": "31", "athlete": {"displayName": "Ann Other"}, "team": {"id": "1"}}
            ],
        }
    ]
    synced("mlb", event(state="post", leaders=leaders, attendance=1234))
    page = client.get("/mlb/games/401").text
    assert all(part in page for part in ("Ann Other", "1,234", "Score by inning"))
    synced("mlb", event("402", state="postponed", leaders=leaders, attendance=1234))
    page = client.get("/mlb/games/402").text
    assert "Postponed" in page
    assert not any(part in page for part in ("Ann Other", "1,234", "Score by inning"))


def test_game_page_has_the_line_score(client, synced):
    synced("nfl", event())
    page = client.get("/nfl/games/401").text
    assert "Score by quarter" in page
    assert "<td>17</td><td>3</td><td></td><td></td>" in page
    assert "The Ground, Springfield" in page
    assert "TV One" in page


@pytest.mark.parametrize(
    ("slug", "detail", "periods", "headings"),
    [
        ("nfl", "Final/OT", 5, ["4", "OT"]),
        ("nba", "Final/2OT", 6, ["4", "OT", "2OT"]),
        ("nhl", "Final/SO", 5, ["3", "OT", "SO"]),
        ("nhl", "Final/2OT", 5, ["3", "OT", "2OT"]),
        ("mlb", "Final/10", 10, ["9", "10"]),
    ],
)
def test_line_score_grows_for_overtime(client, synced, slug, detail, periods, headings):
    game = event()
    competition = game["competitions"][0]
    competition["status"]["type"]["detail"] = detail
    for side in competition["competitors"]:
        side["linescores"] = [{"value": 1.0} for _ in range(periods)]
    synced(slug, game)
    page = client.get(f"/{slug}/games/401").text
    row = "".join(f'<th scope="col">{heading}</th>' for heading in headings)
    assert row in page


def test_live_games_come_first_and_finals_last(client, app, feed):
    today = game_day(utc_now())
    start = f"{today}T20:00Z"
    events = [event("1", start, "post"), event("2", start, "pre"), event("3", start, "in")]
    feed.say("nba", board(*events))
    sync_today(SyncContext(services_of(app).feed_client, db.session, utc_now()), [BY_SLUG["nba"]])
    page = client.get("/").text
    places = [page.index(f"/nba/games/{n}") for n in (3, 2, 1)]
    assert places == sorted(places)


@pytest.mark.parametrize("days", [-1, 1])
def test_game_that_is_on_is_on_todays_pages_whatever_its_date(client, synced, clock, days):
    today = game_day(utc_now())
    other = today + timedelta(days=days)
    synced("nba", event("1", f"{other}T20:00Z", "in"), event("2", f"{other}T20:00Z"), day=other)
    for path in ("/", "/nba", f"/nba/{other}"):
        page = client.get(path).text
        assert page.count('href="/nba/games/1"') == 1
        assert ('href="/nba/games/2"' in page) == (path == f"/nba/{other}")


def test_failing_feed_is_said_with_since_when_and_the_data_stays(client, synced):
    synced("nfl", event())
    since = utc_now() - timedelta(hours=2)
    with write_connection() as connection:
        connection.execute(update(LeagueRow).values(failing_since=since, failure="x"))
    page = client.get("/nfl/2026-01-15").text
    assert "NFL: the feed has been failing since" in page
    assert f'datetime="{since:%Y-%m-%dT%H:%M:%SZ}"' in page
    assert "Alpha" in page


@pytest.mark.parametrize(
    ("failing", "path", "words"),
    [
        (["nba"], "/", "NBA: the feed has been failing since <time"),
        (["nba"], "/live", "NBA: the feed has been failing since <time"),
        (["nba", "mlb"], "/", "NBA, MLB: the feed has been failing since <time"),
        (["nba", "mlb"], "/nba", "NBA: the feed has been failing since <time"),
        (["nba", "mlb"], "/nfl", ""),
        (["nfl", "nba", "mlb", "nhl"], "/", "No league can be read: the feed has been failing"),
        (["nfl", "nba", "mlb", "nhl"], "/nfl", "NFL: the feed has been failing since <time"),
    ],
)
def test_notice_begins_with_the_leagues_that_fail(client, settings, failing, path, words):
    assert set(settings.leagues) == {"nfl", "nba", "mlb", "nhl"}
    for slug in settings.leagues:
        add_league(slug, failing_since=utc_now() if slug in failing else None)
    notices = re.findall(r'<p class="alarm" id="failing">(.*?)</p>', client.get(path).text)
    assert len(notices) == bool(words)
    assert all(notice.startswith(words) for notice in notices)


def test_markup_in_the_feed_is_shown_as_text(client, synced):
    game = event()
    game["competitions"][0]["competitors"][0]["team"]["displayName"] = "<script>alert(1)</script>"
    synced("nfl", game)
    for path in ("/nfl/2026-01-15", "/nfl/games/401"):
        page = client.get(path).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/NFL", "/nfl"),
        ("/Nba/2026-01-15", "/nba/2026-01-15"),
        ("/MLB/games/5", "/mlb/games/5"),
    ],
)
def test_upper_case_leads_to_lower_case(client, path, target):
    answer = client.get(path)
    assert (answer.status_code, answer.location) == (301, target)


@pytest.mark.parametrize(
    "path",
    [
        "/xyz",
        "/nfl/2024-13-45",
        "/nfl/games/abc",
        "/nfl/0001-01-01",
        "/nfl/9999-12-31",
        "/nfl/nothing",
        "/xyz/2026-01-15",
        "/xyz/games/1",
        "/nfl/games/" + "9" * 5000,
        "/nfl/%01",
        "/nfl/games/%27%20OR%201=1",
    ],
)
def test_unknown_things_are_a_page_that_leads_back(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert 'href="/"' in answer.text
    assert "Traceback" not in answer.text


def test_own_fault_says_nothing_private(app, client, monkeypatch):
    from sportsapp.db import queries

    def broken(*_: object) -> None:
        raise RuntimeError("secret path /srv")

    monkeypatch.setattr(queries, "games_today", broken)
    app.testing = False
    answer = client.get("/")
    assert answer.status_code == 500
    assert "secret" not in answer.text


def test_pages_never_ask_the_feed(client, synced, feed):
    synced("nfl", event())
    asked = len(feed.requests)
    for path in ("/", "/nfl", "/nfl/2026-01-15", "/nfl/games/401", "/api/v1/games"):
        client.get(path)
    assert len(feed.requests) == asked


@pytest.mark.parametrize(
    ("host", "trusted", "asked", "status"),
    [
        ("127.0.0.1", (), "anything.example", 400),
        ("127.0.0.1", (), "localhost:5000", 200),
        ("127.0.0.1", (), "scores.localhost", 200),
        ("127.0.0.1", (), "[::1]:5000", 200),
        ("127.0.0.7", (), "127.0.0.7:5000", 200),
        ("::1", (), "[::1]:5000", 200),
        ("fd00::5", (), "[fd00::5]:5000", 200),
        ("0.0.0.0", (), "anything.example", 400),
        ("0.0.0.0", (), "localhost", 200),
        ("0.0.0.0", ("scores.example",), "scores.example", 200),
        ("127.0.0.1", ("scores.example",), "other.example", 400),
        ("127.0.0.1", ("Tabellenführer.example",), "xn--tabellenfhrer-4ob.example", 200),
    ],
)
def test_only_trusted_hosts_are_answered(settings, host, trusted, asked, status):
    from dataclasses import replace

    from sportsapp.factory import create_app

    app = create_app(replace(settings, host=host, trusted_hosts=trusted))
    with app.app_context():
        answer = app.test_client().get("/healthz", headers={"Host": asked})
        db.engine.dispose()
    assert answer.status_code == status


@pytest.mark.parametrize("path", ["/", "/nfl", "/search", "/preferences", "/api/v1/", "/xyz"])
def test_page_has_one_description(client, path):
    assert client.get(path).text.count('<meta name="description"') == 1
