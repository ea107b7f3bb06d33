"""Score events: written with the score, read in order, each once; kept for a season."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from demo import create_demo_feed
from demo.server import running_feed
from sportsapp.core.leagues import DEFAULT_LEAGUES
from sportsapp.db.engine import db, write_connection
from sportsapp.db.models import ScoreEvent
from sportsapp.feed.client import FeedClient
from sportsapp.runs.pruning import prune
from sportsapp.services import services_of
from sportsapp.sync import store
from sportsapp.sync.context import SyncContext
from sportsapp.sync.scoreboards import sync_day
from tests.conftest import QUICK
from tests.integration.events import event
from tests.score_events import replayed
from tests.stored import query, statements, writes

KICKOFF = datetime(2026, 1, 15, 20, 0, tzinfo=UTC)
PERIODS = {1: "1st", 2: "2nd", 3: "3rd", 4: "4th"}


def playing(clock: int, home: int, away: int, period: int = 1, espn_id: str = "401") -> Any:
    """A live game with so many seconds left."""
    game = event(espn_id, state="in", home=home, away=away)
    status = game["competitions"][0]["status"]
    shown = f"{clock // 60}:{clock % 60:02}"
    status |= {"period": period, "clock": float(clock), "displayClock": shown}
    status["type"]["detail"] = f"{shown} - {PERIODS[period]} Quarter"
    return game


def minutes(count: float) -> datetime:
    return KICKOFF + timedelta(minutes=count)


@pytest.fixture
def played(synced) -> None:
    """A game of the NFL and one of the NBA, from start to end."""
    synced("nfl", event(state="pre"), at=minutes(-5))
    synced("nba", event("77", state="pre"), at=minutes(-4))
    synced("nfl", playing(800, 0, 0), at=minutes(2))
    synced("nfl", playing(500, 0, 7), at=minutes(9))
    synced("nba", playing(600, 2, 0, espn_id="77"), at=minutes(10))
    synced("nfl", playing(900, 3, 7, 2), at=minutes(20))
    synced("nfl", event(home=20, away=7), at=minutes(180))


def listed(client: Any, query_string: str = "") -> list[Any]:
    """The events that the API lists, in short."""
    answer = client.get(f"/api/v1/events{query_string}").json
    return [(e["league"], e["kind"], e["team"], e["points"]) for e in answer["events"]]


NFL_EVENTS = [
    ("nfl", "start", None, None),
    ("nfl", "score", "2", 7),
    ("nfl", "lead", "2", None),
    ("nfl", "period_end", None, None),
    ("nfl", "score", "1", 3),
    ("nfl", "period_end", None, None),
    ("nfl", "score", "1", 17),
    ("nfl", "lead", "1", None),
    ("nfl", "final", None, None),
]
NBA_EVENTS = [
    ("nba", "start", None, None),
    ("nba", "score", "1", 2),
    ("nba", "lead", "1", None),
]


# ---------------------------------------------------------------- written with the score


@pytest.mark.usefixtures("played")
def test_events_of_a_game_replay_to_its_score():
    rows = query("SELECT * FROM score_events WHERE league_id = 1 ORDER BY id")
    assert replayed(rows) == (20, 7)
    assert [row["period"] for row in rows] == [1, 1, 1, 1, 2, 2, 3, 3, 3]
    assert rows[1]["detail"] == "8:20 - 1st Quarter"


def test_score_and_event_are_stored_together_or_not_at_all(synced, monkeypatch):
    synced("nfl", playing(800, 0, 0), at=minutes(2))

    write_events = store.write_events

    def write_and_fail(*arguments: Any) -> None:
        write_events(*arguments)
        raise RuntimeError("before the commit")

    monkeypatch.setattr(store, "write_events", write_and_fail)
    with pytest.raises(RuntimeError):
        synced("nfl", playing(700, 7, 0), at=minutes(3))
    assert query("SELECT home_score FROM games") == [{"home_score": 0}]
    assert [row["kind"] for row in query("SELECT kind FROM score_events")] == ["start"]


def test_events_cost_one_insert_and_an_unchanged_answer_nothing(synced):
    def cost(*games: Any, at: float) -> int:
        with statements() as count:
            synced("nfl", *games, at=minutes(at))
        return writes(count)

    others = [playing(800, 0, 0, espn_id=str(n)) for n in range(5)]
    synced("nfl", playing(800, 0, 0), *others, at=minutes(2))
    clock_alone = cost(playing(700, 0, 0), *others, at=3)
    scores = [playing(700, 6, 7, espn_id=str(n)) for n in range(5)]
    assert cost(playing(600, 3, 7), *scores, at=4) == clock_alone + 1
    assert cost(playing(600, 3, 7), *scores, at=4.01) == 0
    assert len(query("SELECT id FROM score_events")) == 6 + 6 * 3


def test_game_first_read_a_day_after_it_makes_no_event_until_it_is_corrected(synced):
    synced("nfl", event(home=20), at=minutes(60 * 30))
    assert query("SELECT id FROM score_events") == []
    synced("nfl", event(home=19), at=minutes(60 * 31))
    (row,) = query("SELECT kind, side, points, home_score FROM score_events")
    assert row == {"kind": "taken_back", "side": "home", "points": -1, "home_score": 19}


# ---------------------------------------------------------------- read by programs


@pytest.mark.usefixtures("played")
def test_api_lists_events_by_league_and_team(client):
    assert listed(client, "?league=NFL") == NFL_EVENTS
    assert listed(client, "?league=nba&team=1") == NBA_EVENTS
    assert sorted(listed(client)) == sorted(NFL_EVENTS + NBA_EVENTS)


@pytest.mark.usefixtures("played")
def test_event_has_the_promised_shape(client):
    (found,) = client.get("/api/v1/events?limit=1&after=1").json["events"]
    assert found == {
        "id": 2,
        "league": "nfl",
        "espn_id": "401",
        "kind": "score",
        "side": "away",
        "team": "2",
        "points": 7,
        "period": 1,
        "detail": "8:20 - 1st Quarter",
        "read_at": "2026-01-15T20:09:00Z",
        "home_score": 0,
        "away_score": 7,
    }


@pytest.mark.usefixtures("played")
@pytest.mark.parametrize("filters", ["", "&league=nfl", "&league=nfl&team=2"])
def test_cursor_returns_every_event_once_and_in_order(client, filters):
    ids: list[int] = []
    after = 0
    while found := client.get(f"/api/v1/events?limit=2&after={after}{filters}").json["events"]:
        ids += [one["id"] for one in found]
        after = ids[-1]
    whole = client.get(f"/api/v1/events?after=0{filters}").json
    assert ids == sorted(ids) == [one["id"] for one in whole["events"]]
    assert whole["next"] == after
    assert client.get(f"/api/v1/events?after={after}{filters}").json == {
        "events": [],
        "next": after,
    }


@pytest.mark.usefixtures("played")
def test_newest_events_come_without_a_cursor(client):
    answer = client.get("/api/v1/events?league=nfl&limit=2").json
    assert [one["kind"] for one in answer["events"]] == ["lead", "final"]
    assert answer["next"] == answer["events"][-1]["id"]


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        ("after=x", 400, "after must be the `next` value of an earlier answer, or 0"),
        ("after=-1", 400, "after must be"),
        ("after=1000000000000000", 400, "after must be"),
        ("limit=501", 400, "limit must be a whole number from 1 to 500"),
        ("team=1", 400, "team needs league"),
        ("league=nfl&team=a b", 400, "team must be the `espn_id` of a team"),
        ("league=nfl&team=999", 404, "no NFL team has the id '999'"),
        ("league=xyz", 404, "xyz"),
        ("wait=25", 400, "unknown parameter 'wait'"),
    ],
)
def test_malformed_request_gets_one_clear_line(client, synced, asked, status, words):
    synced("nfl", event())
    answer = client.get(f"/api/v1/events?{asked}")
    assert answer.status_code == status
    assert words in answer.json["error"]["message"]


def test_site_without_events_starts_at_none(client, app):
    assert client.get("/api/v1/events").json == {"events": [], "next": 0}


# ---------------------------------------------------------------- kept for a season


@pytest.mark.usefixtures("played")
def test_events_are_pruned_after_a_year_and_ids_never_come_again(synced):
    prune(db.engine, timedelta(days=30), minutes(10) + timedelta(days=366))
    last = query("SELECT max(id) AS id FROM score_events")[0]["id"]
    assert query("SELECT min(id) AS id FROM score_events") == [{"id": 4}]
    prune(db.engine, timedelta(days=30), minutes(10) + timedelta(days=367))
    db.session.rollback()
    assert query("SELECT id FROM score_events") == []
    synced("nfl", event(home=21, away=7), at=minutes(181))
    assert query("SELECT id FROM score_events") == [{"id": last + 1}]


@pytest.mark.usefixtures("played")
def test_events_are_pruned_a_day_at_a_time():
    with write_connection() as connection:
        of_day = update(ScoreEvent).where(ScoreEvent.id > 4)
        connection.execute(of_day.values(read_at=KICKOFF + timedelta(days=2)))
    prune(db.engine, timedelta(days=30), minutes(60 * 24 * 3000))
    assert query("SELECT min(id) AS id FROM score_events") == [{"id": 5}]


# ---------------------------------------------------------------- a whole day


@pytest.mark.long
def test_quick_day_of_the_demo_replays_to_the_stored_scores_at_every_reading(app):
    """A Sunday of all four leagues, on which a game takes three minutes."""
    midnight = datetime(2026, 10, 25, tzinfo=UTC)
    now = [midnight]
    with running_feed(create_demo_feed(60, now=lambda: now[0])) as url:
        client = FeedClient(url, services_of(app).settings.user_agent, retry_policy=QUICK)
        for hour in range(3, 29):
            for second in (0, 20, 60, 110, 150, 200, 300):  # most games begin at full hours
                now[0] = midnight + timedelta(hours=hour, seconds=second)
                for league in DEFAULT_LEAGUES:
                    sync_day(SyncContext(client, db.session, now[0]), league, midnight.date())
                assert_replayed()
        client.close()
    kinds = Counter(row["kind"] for row in query("SELECT kind FROM score_events"))
    finals = query("SELECT id FROM games WHERE status = 'final'")
    assert kinds["start"] == kinds["final"] == len(finals) > 20
    assert kinds["overtime"] > 0
    assert kinds["taken_back"] == 0


def assert_replayed() -> None:
    """The events of every game add up to its score."""
    by_game: dict[int, list[dict[str, Any]]] = {}
    for row in query("SELECT * FROM score_events ORDER BY id"):
        by_game.setdefault(row["game_id"], []).append(row)
    for game in query("SELECT id, home_score, away_score FROM games"):
        score = (game["home_score"] or 0, game["away_score"] or 0)
        events = by_game.get(game["id"])
        assert (replayed(events) if events else (0, 0)) == score
