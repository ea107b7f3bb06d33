"""What calendar programs and news readers get: nothing new to them but what is new."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from xml.etree import ElementTree

import pytest
from icalendar import Calendar
from sqlalchemy import select

from sportsapp.core.leagues import BY_SLUG
from sportsapp.core.settings import Settings
from sportsapp.db.engine import db
from sportsapp.db.models import Game
from sportsapp.services import services_of
from sportsapp.sync.context import SyncContext
from sportsapp.sync.scoreboards import sync_day
from tests.integration.events import event

ENTRY = "{http://www.w3.org/2005/Atom}"
VISITORS = count()
THEN = datetime(2026, 1, 15, 12, tzinfo=UTC)
LATER = THEN + timedelta(minutes=10)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """One league with draws is followed, too."""
    return replace(settings, leagues=("nfl", "nba", "mls"))


def get(visitor, path: str):
    """A page that no request of this second has had: each visitor has another cookie."""
    return visitor.get(path, headers={"Cookie": f"visitor={next(VISITORS)}"})


def events_of(visitor, path: str) -> list:
    answer = get(visitor, path)
    assert answer.status_code == 200, path
    assert answer.content_type == "text/calendar; charset=utf-8"
    return Calendar.from_ical(answer.text).walk("VEVENT")


def entries_of(visitor, path: str) -> list[tuple[str, str, str]]:
    """Id, stamp and title of each entry."""
    feed = ElementTree.fromstring(get(visitor, path).data)  # noqa: S314 - our own
    parts = ("id", "updated", "title")
    entries = feed.findall(f"{ENTRY}entry")
    return [tuple(entry.findtext(f"{ENTRY}{part}") for part in parts) for entry in entries]


@pytest.fixture
def case(cases):
    """Reads one of the made-up answers."""
    return lambda name: json.loads((cases / f"{name}.json").read_text())


def store(app, feed, slug: str, board: dict, day: date, at: datetime = THEN) -> None:
    feed.say(slug, board)
    context = SyncContext(services_of(app).feed_client, db.session, at)
    sync_day(context, BY_SLUG[slug], day)


# ---------------------------------------------------------------- calendars


def test_game_without_a_venue_has_no_place(visitor, synced):
    synced("nfl", event(state="pre", venue=None), event("402", state="pre"))
    places = [game.get("LOCATION") for game in events_of(visitor, "/nfl/teams/ALP.ics")]
    assert sorted(places, key=str) == [None, "The Ground, Springfield"]


def test_game_leaves_the_subscribers_time_free_and_names_its_channel(visitor, synced):
    synced("nfl", event(state="pre"))
    (game,) = events_of(visitor, "/nfl/teams/ALP.ics")
    assert game["TRANSP"] == "TRANSPARENT"
    assert game["DESCRIPTION"] == "TV: TV One"


def test_calendar_says_how_often_it_changes(visitor, synced):
    synced("nfl", event(state="pre"))
    text = visitor.get("/nfl/teams/ALP.ics").text
    assert "REFRESH-INTERVAL;VALUE=DURATION:PT1H" in text
    assert "X-PUBLISHED-TTL:PT1H" in text


@pytest.mark.parametrize(
    "change",
    [
        {"start": "2026-01-15T22:00Z"},
        {"state": "postponed"},
        {"venue": {"fullName": "Another Ground", "address": {"city": "Springfield"}}},
        {"timeValid": False},
    ],
    ids=lambda change: next(iter(change)),
)
def test_sequence_grows_with_the_appointment(visitor, synced, change):
    synced("nfl", event(state="pre"), at=THEN)
    assert [game["SEQUENCE"] for game in events_of(visitor, "/nfl/teams/ALP.ics")] == [0]
    synced("nfl", event(**{"state": "pre"} | change), at=LATER)
    assert [game["SEQUENCE"] for game in events_of(visitor, "/nfl/teams/ALP.ics")] == [1]


def test_sequence_stays_while_a_game_is_played(visitor, synced):
    synced("nfl", event(state="pre"), at=THEN)
    synced("nfl", event(state="in", home=3, away=0), at=LATER)
    synced("nfl", event(home=20, away=17), at=LATER + timedelta(hours=3))
    assert [game["SEQUENCE"] for game in events_of(visitor, "/nfl/teams/ALP.ics")] == [0]


def test_game_on_neutral_ground_is_at_nobodys(app, visitor, feed, case):
    board = case("calendar-neutral-site")
    store(app, feed, "nfl", board, date.fromisoformat(board["events"][0]["date"][:10]))
    games = db.session.connection().exec_driver_sql("SELECT abbreviation FROM teams").all()
    (game,) = events_of(visitor, f"/nfl/teams/{games[0][0]}.ics")
    assert " vs " in game["SUMMARY"]
    assert " at " not in game["SUMMARY"]


def test_last_season_stays_until_the_new_one_has_games(visitor, synced):
    last = event(state="post") | {"season": {"year": 2025, "type": 2}}
    synced("nfl", last)  # the answer names 2026 as the running season
    assert [str(game["UID"])[:7] for game in events_of(visitor, "/nfl/teams/ALP.ics")] == [
        "nfl-401"
    ]
    page = visitor.get("/nfl/teams/ALP").text
    assert "Season 2025" in page
    assert "No games of this season yet" not in page
    first = event("402", "2026-09-10T20:00Z", "pre") | {"season": {"year": 2026, "type": 2}}
    synced("nfl", first, day=date(2026, 9, 10))
    assert [str(game["UID"])[:7] for game in events_of(visitor, "/nfl/teams/ALP.ics")] == [
        "nfl-402"
    ]


def test_league_has_a_calendar(visitor, synced, clock):
    synced("nfl", event(state="pre"), event("402", state="post"))
    synced("nfl", event("403", "2026-06-15T20:00Z", "pre"), day=date(2026, 6, 15))
    assert {str(game["UID"])[:7] for game in events_of(visitor, "/nfl/calendar.ics")} == {
        "nfl-401",
        "nfl-402",
    }


def test_favourites_have_one_calendar_with_each_game_once(visitor, synced):
    synced("nfl", event(state="pre"))
    synced("nba", event("77", state="pre"))
    games = events_of(visitor, "/calendar.ics?teams=nfl-1.nfl-2.nba-2.nba-99")
    assert sorted(str(game["UID"]).partition("@")[0] for game in games) == ["nba-77", "nfl-401"]


@pytest.mark.parametrize(
    ("teams", "status"), [("", 404), ("nfl-99", 404), (".".join(["nfl-1"] * 61), 400)]
)
def test_calendar_of_no_or_too_many_teams_is_refused(visitor, synced, teams, status):
    synced("nfl", event(state="pre"))
    assert visitor.get(f"/calendar.ics?teams={teams}").status_code == status


def test_pages_offer_calendars_to_subscribe_to(visitor, synced):
    synced("nfl", event(state="pre"))
    assert 'href="webcal://localhost/nfl/teams/ALP.ics"' in visitor.get("/nfl/teams/ALP").text
    page = visitor.get("/preferences", headers={"Cookie": "favourites=nfl-1.nfl-2"}).text
    assert 'href="webcal://localhost/calendar.ics?teams=nfl-1.nfl-2"' in page


# ---------------------------------------------------------------- Atom


def test_entry_is_not_new_when_only_attendance_and_a_record_change(app, visitor, feed, case):
    first, second = case("final-then-attendance-1"), case("final-then-attendance-2")
    day = date.fromisoformat(first["events"][0]["date"][:10])
    store(app, feed, "nfl", first, day)
    before = entries_of(visitor, "/nfl/scores.atom")
    assert len(before) == 1
    store(app, feed, "nfl", second, day, LATER)
    assert db.session.scalars(select(Game.updated_at)).one() == LATER
    assert entries_of(visitor, "/nfl/scores.atom") == before


def test_entry_is_new_when_its_score_is_corrected(visitor, synced):
    synced("nfl", event(home=20), at=THEN)
    ((before, stamp, _),) = entries_of(visitor, "/nfl/scores.atom")
    synced("nfl", event(home=21), at=LATER)
    assert entries_of(visitor, "/nfl/scores.atom") == [
        (before, "2026-01-15T12:10:00Z", "Beta 17, Alpha 21 (Final)")
    ]
    assert stamp == "2026-01-15T12:00:00Z"


def test_team_has_a_feed_of_its_own(visitor, synced):
    other = event("402")
    sides = other["competitions"][0]["competitors"]
    for side in sides:
        side["team"] = dict(side["team"], id=f"9{side['team']['id']}", abbreviation="OTH")
    synced("nfl", event(), other)
    assert len(entries_of(visitor, "/nfl/scores.atom")) == 2
    assert len(entries_of(visitor, "/nfl/teams/ALP.atom")) == 1
    assert 'href="/nfl/teams/ALP.atom"' in visitor.get("/nfl/teams/ALP").text


def test_who_won_on_penalties_is_in_api_and_atom_unless_hidden(app, visitor, feed, case):
    board = case("decided-on-penalties")
    store(app, feed, "mls", board, date(2026, 10, 24))
    game = visitor.get("/api/v1/games/mls/11").json
    assert (game["home"]["winner"], game["away"]["winner"]) == (True, False)
    assert game["series"] == "Alpha advance 4-2 on penalties"
    ((_, _, title),) = entries_of(visitor, "/mls/scores.atom")
    assert title == "Beta Beta 1, Alpha Alpha 1 (FT-Pens, Alpha Alpha won)"
    ((_, _, title),) = entries_of(visitor, "/mls/scores.atom?scores=hide")
    assert title == "Beta Beta at Alpha Alpha: final"


@pytest.mark.parametrize(
    ("without", "expected"),
    [
        ((0, 1), "Beta, Alpha (Final, no score in the feed, Beta won)"),
        ((0,), "Beta 17, Alpha (Final, no score in the feed for Alpha)"),
        ((), "Beta 17, Alpha 20 (Final)"),
    ],
)
def test_title_says_what_score_is_not_in_the_feed(visitor, synced, without, expected):
    game = event()
    sides = game["competitions"][0]["competitors"]
    for side in without:
        del sides[side]["score"]
    sides[1]["winner"] = True
    synced("nfl", game)
    ((_, _, title),) = entries_of(visitor, "/nfl/scores.atom")
    assert title == expected


def test_who_won_by_forfeit_is_in_the_title(visitor, synced):
    forfeit = event(home=0, away=0)
    competition = forfeit["competitions"][0]
    competition["status"]["type"] |= {"name": "STATUS_FORFEIT", "detail": "Forfeit"}
    for side in competition["competitors"]:
        side["winner"] = side["homeAway"] == "away"
    synced("nfl", forfeit)
    ((_, _, title),) = entries_of(visitor, "/nfl/scores.atom")
    assert title == "Beta 0, Alpha 0 (Forfeit, Beta won)"


def test_calendar_without_games_is_still_one(visitor, synced):
    synced("nfl", event(state="pre"))
    text = visitor.get("/nba/calendar.ics").text
    assert len(Calendar.from_ical(text).subcomponents) == 1
    assert "VEVENT" not in text
