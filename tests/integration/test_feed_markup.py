"""Markup in the feed's texts: whatever it calls a team, pages and programs read it as text."""

from __future__ import annotations

import json
from datetime import date
from typing import Any
from xml.etree import ElementTree

import pytest
from icalendar import Calendar
from sqlalchemy import select
from werkzeug.test import TestResponse

from sportsapp.core.clock import utc_now
from sportsapp.core.leagues import DEFAULT_LEAGUES
from sportsapp.db.engine import db
from sportsapp.db.models import Game, LeagueRow, Player, TaskRun, Team
from sportsapp.services import services_of
from sportsapp.sync.catalogue import sync_leagues, sync_teams
from sportsapp.sync.context import SyncContext
from sportsapp.sync.scoreboards import sync_day
from tests.answers import read_sample, sample, sample_bytes
from tests.hostile import Markup, assert_harmless
from tests.panel import add_consumer, add_failure

# Short enough for most fields to take it whole, and each ends another kind of context.
PAYLOADS = {
    "element": "<x-planted>",
    "attribute": "' x-planted='\" x-planted=\"",
    "script": "</script><x-planted>",
    "template": "{{77777*77777}}&lt;x-planted&gt;",
    "lines": "a\r\nX-PLANTED:1\r\n",
}
# What the parser has to understand stays as it is; all other texts of the feed are poisoned.
MEANT = {
    "id",
    "uid",
    "date",
    "startDate",
    "state",
    "homeAway",
    "type",
    "market",
    "slug",
    "dateOfBirth",
    "calendarStartDate",
    "calendarEndDate",
    "abbreviation",
    "score",
    "calendarType",
}
PROPERTIES = {
    "UID",
    "DTSTAMP",
    "LAST-MODIFIED",
    "SUMMARY",
    "STATUS",
    "LOCATION",
    "URL",
    "DTSTART",
    "DTEND",
    "SEQUENCE",
    "TRANSP",
    "DESCRIPTION",
}
PARTS = {
    "venue": {"fullName": "The Ground", "address": {"city": "Springfield", "state": "IL"}},
    "notes": [{"headline": "A note"}],
    "broadcasts": [{"market": "national", "names": ["TV One"]}],
    "series": {"summary": "Tied 1-1"},
}
ROSTER = {"nba": "nba-roster", "nfl": "mlb-roster", "mlb": "mlb-roster", "nhl": "nba-roster"}


def poisoned(node: Any, payload: str, key: str = "") -> Any:
    """A document whose texts all begin with this, but for those that have to be understood."""
    if isinstance(node, dict):
        kept = MEANT | ({"name"} if {"state", "value", "displayValue"} & set(node) else set())
        return {
            name: part
            if name in kept and not isinstance(part, (dict, list))
            else poisoned(part, payload, name)
            for name, part in node.items()
        }
    if isinstance(node, list):
        return [poisoned(part, payload, key) for part in node]
    return payload + node if isinstance(node, str) else node


def days_of(name: str) -> set[date]:
    """The days on which a sample has games."""
    return {game.day for game in read_sample(name, sample_bytes(name)).games}


@pytest.fixture(params=PAYLOADS.values(), ids=list(PAYLOADS))
def payload(request, app, feed, clock) -> str:
    """What every text of the feed begins with; all of it is in the database."""
    payload: str = request.param
    clock.shown = clock.shown.replace(year=2026, month=10, day=11, hour=18)
    sync = SyncContext(services_of(app).feed_client, db.session, utc_now())
    for league in DEFAULT_LEAGUES:
        slug = league.slug
        boards = sample(f"{slug}-scoreboard")
        for event in boards["events"]:
            event["competitions"][0] = PARTS | event["competitions"][0]
        feed.say(slug, poisoned(boards, payload))
        teams = sample("nba-teams")
        for entry in teams["sports"][0]["leagues"][0]["teams"]:
            entry["team"]["color"] = "123456;" + payload
        feed.say(slug, poisoned(teams, payload), kind="teams")
        feed.say(slug, poisoned(sample(ROSTER[slug]), payload), kind="roster")
        kind = "nhl-standings" if slug == "nhl" else "nba-standings"
        feed.say(slug, poisoned(sample(kind), payload), kind="standings")
    sync_leagues(sync, DEFAULT_LEAGUES)
    sync_teams(sync, DEFAULT_LEAGUES)
    for league in DEFAULT_LEAGUES:
        for day in days_of(f"{league.slug}-scoreboard"):
            assert sync_day(sync, league, day).synced
    return payload


def addresses() -> list[str]:
    """Every public address that the stored data has."""
    found = ["/", "/live", "/preferences", "/search?q=a", "/search?q=b", "/api/v1/leagues"]
    found += ["/api/v1/teams", "/api/v1/games"]
    for league in DEFAULT_LEAGUES:
        found += [f"/{league.slug}{part}" for part in ("", "/teams", "/standings", "/scores.atom")]
    for game, slug in some(db.session.query(Game, LeagueRow.slug).join(Game.league_row)):
        found += [f"/{slug}/games/{game.espn_id}", f"/api/v1/games/{slug}/{game.espn_id}"]
        found.append(f"/{slug}/{game.day}")
        if game.week and slug == "nfl":
            found.append(f"/nfl/weeks/{game.season_year}/{game.season_type}/{game.week}")
    for team, slug in some(db.session.query(Team, LeagueRow.slug).join(Team.league_row)):
        found += [f"/{slug}/teams/{team.address}{end}" for end in ("", ".ics")]
    return list(dict.fromkeys(found))


def some(rows: Any) -> list[Any]:
    """A few of each league: pages of one kind are made alike."""
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row[1], []).append(row)
    return [row for mine in found.values() for row in mine[:4]]


def panel_addresses() -> list[str]:
    """What the panel shows of the data: tables, rows, what is taken home, the dashboard."""
    found = ["/admin/", "/admin/live", "/admin/failures/", "/admin/schedule/", "/admin/backfill/"]
    found += ["/admin/stored/?league=nba", "/admin/stored/day?league=nba&day=2026-01-15"]
    found += ["/admin/games/?search=Alpha", "/admin/runs/?search=<b>"]
    models = {
        "runs": TaskRun,
        "leagues": LeagueRow,
        "teams": Team,
        "players": Player,
        "games": Game,
    }
    for name, model in models.items():
        found += [f"/admin/{name}/", f"/admin/{name}/export/csv/", f"/admin/{name}/export/json/"]
        ids = db.session.scalars(select(model.id).limit(3))
        found += [f"/admin/{name}/details/?id={row}" for row in ids]
    return found


@pytest.mark.long
def test_markup_of_the_feed_is_text_everywhere(visitor, payload, panel):
    """The whole site, its feeds, its API and the panel, with the feed at its worst."""
    liked = ".".join(f"nba-{row.espn_id}" for row in db.session.query(Team).limit(9))
    told, hides = {}, {"Cookie": f"scores=hide; favourites={liked}"}
    for path in addresses():
        for headers in (told, hides):
            check(visitor.get(path, headers=headers, buffered=True), path)
    add_failure(error=payload, traceback=payload, args={"league": payload}, result={"a": payload})
    add_consumer(host=payload)
    for path in panel_addresses():
        check(panel.open(path), path)


SHOWN = (
    "/",
    "/live",
    "/nfl",
    "/nfl/weeks/2026/2/5",
    "/nfl/games/910001",
    "/nba/teams",
    "/search?q=b",
    "/nba/standings",
    "/nba/teams/BOS",
    "/nba/teams/BOS.ics",
    "/nfl/scores.atom",
    "/api/v1/games",
    "/api/v1/teams",
    "/api/v1/games/nfl/910001",
    "/api/v1/leagues",
)


@pytest.mark.parametrize("payload", ["<x-planted>"], indirect=True)
def test_text_of_the_feed_is_shown_whole(visitor, payload):
    assert [path for path in SHOWN if payload not in said_by(visitor.get(path))] == []


@pytest.mark.parametrize("payload", ["<x-planted>"], indirect=True)
def test_every_part_of_a_game_is_shown_whole(visitor, payload):
    """So many texts of one game: none is lost, and none is left out of the test above."""
    said = said_by(visitor.get("/nfl/games/910001"))
    (game,) = db.session.query(Game).filter_by(espn_id="910001")
    leaders = [text for row in game.leaders for text in (row["category"], row["name"])]
    parts = [game.detail, game.venue, game.city, game.broadcast, game.home_record, *leaders]
    parts += [game.situation["down_distance"], game.situation["last_play"]]
    assert [part for part in parts if not part.startswith(payload) or part not in said] == []


def check(answer: TestResponse, path: str) -> None:
    """It is there, nothing in it is the feed's but text, and programs can read it."""
    assert answer.status_code == 200, path
    assert_harmless(answer)
    said_by(answer)


def said_by(answer: TestResponse) -> str:
    """All the text that a reader of this answer gets, a program where it is made for one."""
    if answer.mimetype == "text/html":
        event = answer.text.partition('type="application/ld+json">')[2].partition("</script>")[0]
        assert not event or json.loads(event)["@type"] == "SportsEvent"
        return "".join(Markup(answer.text).texts)
    if answer.mimetype == "application/json":
        return "".join(leaves(answer.json))
    if answer.mimetype == "text/calendar":
        events = Calendar.from_ical(answer.text).walk("VEVENT")
        assert {name for event in events for name in event} <= PROPERTIES
        return "".join(event["SUMMARY"] + event["LOCATION"] for event in events)
    if answer.mimetype == "application/atom+xml":
        return "".join(ElementTree.fromstring(answer.data).itertext())  # noqa: S314 - our own
    return answer.text


def leaves(node: Any) -> list[str]:
    """The texts of a JSON document."""
    if isinstance(node, (dict, list)):
        parts = node.values() if isinstance(node, dict) else node
        return [text for part in parts for text in leaves(part)]
    return [node] if isinstance(node, str) else []
