"""A team that moves to another city: its addresses, its calendar, its games of before."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime

import pytest
from icalendar import Calendar

from sportsapp.core.leagues import BY_SLUG
from sportsapp.db.engine import db
from sportsapp.services import services_of
from sportsapp.sync.catalogue import sync_teams
from sportsapp.sync.context import SyncContext
from sportsapp.sync.scoreboards import sync_day
from tests.integration.events import board, event

OLD_DAY, NEW_DAY = date(2024, 4, 1), date(2025, 4, 1)
OLD = {"abbreviation": "OAK", "displayName": "Oakland Athletics", "shortDisplayName": "Athletics"}
NEW = {"abbreviation": "ATH", "displayName": "Athletics", "shortDisplayName": "Athletics"}


def game(espn_id: str, day: date, names: dict) -> dict:
    """A final of the team that is renamed, at home."""
    one = event(espn_id, f"{day}T20:00Z") | {"season": {"year": day.year, "type": 2}}
    home = one["competitions"][0]["competitors"][0]
    home["team"] = {"id": "11"} | names
    return one


@pytest.fixture
def played(app, feed):
    """Stores a day of the MLB as of a later day."""

    def store(day: date, *events: dict, asked: datetime | None = None) -> None:
        feed.say("mlb", board(*events))
        at = asked or datetime(day.year, day.month, day.day, 23, tzinfo=UTC)
        sync_day(SyncContext(services_of(app).feed_client, db.session, at), BY_SLUG["mlb"], day)

    return store


def heading(page: str) -> str:
    """What a listener hears of a page's first heading."""
    first = re.search("<h1[^>]*>(.*?)</h1>", page, re.DOTALL)[1]
    return " ".join(re.sub("<i .*?</i>|<small>.*?</small>|<[^>]*>", " ", first).split())


def test_scoreboard_renames_a_team_and_old_addresses_lead_to_it(visitor, played):
    played(OLD_DAY, game("1", OLD_DAY, OLD))
    assert "Oakland Athletics" in heading(visitor.get("/mlb/teams/OAK").text)
    played(NEW_DAY, game("2", NEW_DAY, NEW))
    answer = visitor.get("/mlb/teams/OAK")
    assert (answer.status_code, answer.location) == (308, "/mlb/teams/ATH")
    assert heading(visitor.get("/mlb/teams/ATH").text) == "Athletics"
    calendar = visitor.get("/mlb/teams/OAK.ics")
    assert calendar.status_code == 200
    assert Calendar.from_ical(calendar.text)["X-WR-CALNAME"] == "Athletics"
    assert visitor.get("/mlb/teams/OAK.atom").status_code == 200


def test_old_games_keep_the_name_of_then(visitor, played):
    played(OLD_DAY, game("1", OLD_DAY, OLD))
    played(NEW_DAY, game("2", NEW_DAY, NEW))
    assert "Beta 17, Oakland Athletics 20" in heading(visitor.get("/mlb/games/1").text)
    assert "Beta 17, Athletics 20" in heading(visitor.get("/mlb/games/2").text)
    games = visitor.get(f"/api/v1/games?league=mlb&date={OLD_DAY}").json["games"]
    assert [game["home"]["abbreviation"] for game in games] == ["OAK"]


def test_backfill_brings_no_old_name_back(visitor, played):
    played(NEW_DAY, game("2", NEW_DAY, NEW))
    later = datetime(2025, 6, 1, tzinfo=UTC)
    played(OLD_DAY, game("1", OLD_DAY, OLD), asked=later)
    assert heading(visitor.get("/mlb/teams/ATH").text) == "Athletics"
    assert visitor.get("/mlb/teams/OAK").status_code == 404  # it never had that address here
    assert "Beta 17, Oakland Athletics 20" in heading(visitor.get("/mlb/games/1").text)


def test_abbreviation_that_another_team_has_now_is_that_teams(visitor, played):
    played(OLD_DAY, game("1", OLD_DAY, OLD))
    other = game("3", NEW_DAY, OLD)
    other["competitions"][0]["competitors"][0]["team"] |= {"id": "99", "displayName": "New Oaks"}
    played(NEW_DAY, game("2", NEW_DAY, NEW), other)
    assert "New Oaks" in heading(visitor.get("/mlb/teams/OAK").text)


def test_list_of_teams_renames_too(app, feed, visitor, cases):
    feed.say("mlb", {"athletes": []}, kind="roster")
    for number, month in ((1, 1), (2, 2)):
        teams = json.loads((cases / f"team-renamed-teams-{number}.json").read_text())
        feed.say("mlb", teams, kind="teams")
        at = datetime(2025, month, 1, tzinfo=UTC)
        sync_teams(SyncContext(services_of(app).feed_client, db.session, at), [BY_SLUG["mlb"]])
    assert visitor.get("/mlb/teams/OAK").location == "/mlb/teams/ATH"
    feed.say("mlb", json.loads((cases / "team-renamed-scoreboard.json").read_text()))
    at = datetime(2025, 4, 1, tzinfo=UTC)
    client = services_of(app).feed_client
    sync_day(SyncContext(client, db.session, at), BY_SLUG["mlb"], date(2025, 3, 31))
    assert "Seattle Mariners at Athletics" in heading(visitor.get("/mlb/games/7001").text)
