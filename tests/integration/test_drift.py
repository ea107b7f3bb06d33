"""A field that the feed stops sending is one alert, a sample and a line on the panel."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from demo import create_demo_feed, running_feed
from sportsapp.core.leagues import BY_SLUG, DEFAULT_LEAGUES
from sportsapp.db.engine import db
from sportsapp.feed.client import FeedClient
from sportsapp.services import services_of
from sportsapp.sync import catalogue, fields, scoreboards
from sportsapp.sync.context import SyncContext
from tests.answers import make_board, make_event, make_roster, make_team, make_team_list
from tests.conftest import QUICK, RECORDED
from tests.stored import query, statements, writes

pytestmark = pytest.mark.slow

NBA = BY_SLUG["nba"]
NOW = datetime(2026, 10, 4, 18, 0, tzinfo=UTC)
DAY = date(2026, 10, 4)
SUNDAY = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)


@pytest.fixture
def sync(app) -> SyncContext:
    joined = services_of(app)
    return SyncContext(joined.feed_client, db.session, NOW, watch=joined.feed_watch)


def alerts() -> list[str]:
    """The texts of what has drifted now."""
    found = query("SELECT text FROM alerts WHERE kind = 'drift' AND active_since IS NOT NULL")
    return [row["text"] for row in found]


def a_board(score: int, **rename: str) -> bytes:
    """Four games that have begun, with other names of some fields."""
    games = [
        make_event(f"{n}", "live", score=(str(score), "0"), period=1, clock=9.0, shown="0:09")
        for n in range(4)
    ]
    text = json.dumps(make_board(*games))
    for name, other in rename.items():
        text = text.replace(f'"{name}"', f'"{other}"')
    return text.encode()


def poll(sync: SyncContext, feed: Any, answers: range, **rename: str) -> None:
    for score in answers:
        feed.say("nba", a_board(score, **rename))
        scoreboards.sync_day(sync, NBA, DAY)


# ---------------------------------------------------------------- noticed


@pytest.mark.parametrize(
    ("name", "gone"),
    [("displayClock", "clock 0 of 20 (before 100%)"), ("status", "event 0 of 20 (before 100%)")],
)
def test_renamed_field_of_scoreboards_is_one_alert_with_a_sample(sync, feed, app, name, gone):
    poll(sync, feed, range(5))
    assert alerts() == []
    poll(sync, feed, range(5, 9), **{name: "renamed"})
    assert alerts() == []  # one odd answer, or a few, may come from an odd server
    poll(sync, feed, range(9, 20), **{name: "renamed"})
    text = f"NBA scoreboard: the feed stopped sending what we read: {gone}"
    assert alerts() == [text]
    (alert,) = query("SELECT suppressed_count, notified FROM alerts WHERE kind = 'drift'")
    assert alert == {"suppressed_count": 0, "notified": 1}
    (sample,) = services_of(app).feed_watch.samples.glob("*-nba-*.sample")
    assert sample.read_bytes() == a_board(9, **{name: "renamed"})


def test_alert_is_a_line_on_the_panel_until_the_field_is_back(sync, feed, panel):
    poll(sync, feed, range(5))
    poll(sync, feed, range(5, 10), displayClock="renamed")
    line = "NBA scoreboard: the feed stopped sending what we read: clock 0 of 20 (before 100%)"
    assert line in panel.get("/admin/")
    poll(sync, feed, range(10, 15))
    assert alerts() == []
    assert "stopped sending" not in panel.get("/admin/")


def test_score_that_goes_missing_in_some_games_is_noticed(sync, feed):
    poll(sync, feed, range(5))
    board = json.loads(a_board(6))
    for event in board["events"][:3]:
        del event["competitions"][0]["competitors"][0]["score"]
    for number in range(5):
        feed.say("nba", board | {"number": number})
        scoreboards.sync_day(sync, NBA, DAY)
    (text,) = alerts()
    assert "score 5 of 20 (before 100%)" in text


def test_renamed_field_of_teams_rosters_and_standings_is_an_alert(sync, feed):
    teams = make_team_list(*(make_team(f"{n}", location="Town") for n in range(10)))
    roster = make_roster("7:Someone", "8:Another")
    for player in roster["athletes"][0]["items"]:
        player["jersey"] = "9"
    entry = {"stats": [{"name": "wins", "displayValue": "1"}]}
    lines = [{"team": make_team(f"{n}")} | entry for n in range(10)]
    table = {"children": [{"name": "East", "standings": {"entries": lines}}]}
    answers = {"teams": teams, "roster": roster, "standings": table}

    def read_all(**rename: str) -> None:
        for kind, answer in answers.items():
            text = json.dumps(answer)
            for name, other in rename.items():
                text = text.replace(f'"{name}"', f'"{other}"')
            feed.say("nba", text.encode(), kind=kind)
        catalogue.sync_teams(sync, [NBA])
        catalogue.sync_leagues(sync, [NBA])

    read_all()
    assert alerts() == []
    read_all(location="place", jersey="number", displayValue="text")
    begin = "the feed stopped sending what we read:"
    assert sorted(alerts()) == [
        f"NBA roster: {begin} jersey 0 of 10 (before 100%)",
        f"NBA standings: {begin} line 0 of 10 (before 100%)",
        f"NBA teams: {begin} location 0 of 10 (before 100%)",
    ]


# ---------------------------------------------------------------- what it costs


def test_window_costs_one_small_transaction_and_other_answers_nothing(sync, feed):
    poll(sync, feed, range(1))
    costs = []
    for watch in (sync.watch, None):
        context = SyncContext(sync.client, sync.session, NOW, watch=watch)
        with statements() as count:
            poll(context, feed, range(1, 5) if watch else range(5, 9))
        costs.append(count)
    counted, not_counted = costs
    assert writes(counted) == writes(not_counted) + 1
    with statements() as count:
        scoreboards.sync_day(sync, NBA, DAY)  # the same answer again
    assert writes(count) == 0


def test_days_of_the_past_are_not_counted(sync, feed):
    feed.say("nba", a_board(1))
    scoreboards.sync_day(sync, NBA, DAY - timedelta(days=2))
    assert windows(sync) == {}
    scoreboards.sync_day(sync, NBA, DAY - timedelta(days=1))
    assert len(windows(sync)) == 1


def windows(sync: SyncContext) -> dict[Any, fields.Window]:
    assert sync.watch is not None
    return sync.watch.windows


# ---------------------------------------------------------------- no false alarm


def first_start(body: bytes) -> str:
    return min((event["date"] for event in json.loads(body)["events"]), default="")


@pytest.fixture
def each_answer_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each answer is judged by itself: more alarms than in earnest."""
    monkeypatch.setattr(fields, "ANSWERS", {})
    monkeypatch.setattr(fields, "ENOUGH", 2)


@pytest.mark.usefixtures("each_answer_counts", "recorded")
@pytest.mark.parametrize("slug", ["nfl", "nba", "mlb", "nhl", "wnba", "mls", "epl"])
def test_recorded_scoreboards_in_their_order_are_no_alarm(sync, feed, slug):
    files = [*RECORDED.glob(f"{slug}/scoreboard-*"), *RECORDED.glob(f"{slug}/series-*")]
    for body in sorted((file.read_bytes() for file in files), key=first_start):
        for spaces in range(2):
            feed.say(slug, body + b" " * spaces)
            scoreboards.sync_day(sync, BY_SLUG[slug], DAY)
    assert alerts() == []
    assert query("SELECT kind FROM field_shares") == [{"kind": "scoreboard"}]


@pytest.mark.slow
@pytest.mark.usefixtures("each_answer_counts", "recorded")
def test_recorded_lists_of_teams_rosters_and_standings_are_no_alarm(sync, feed):
    for slug in ("nfl", "nba", "mlb", "nhl"):
        for kind in ("teams", "standings"):
            path = RECORDED / slug / f"{kind}.json"
            feed.say(slug, path.read_bytes() if path.exists() else {}, kind=kind)
        for path in sorted((RECORDED / slug).glob("roster-*")):
            feed.say(slug, path.read_bytes(), kind="roster")
            catalogue.sync_teams(sync, [BY_SLUG[slug]])
            catalogue.sync_leagues(sync, [BY_SLUG[slug]])
    assert alerts() == []
    kinds = {row["kind"] for row in query("SELECT kind FROM field_shares")}
    assert kinds >= {"teams", "roster", "standings"}


class DemoDay:
    """The demo feed on a Sunday that passes as the test says."""

    def __init__(self, app: Any) -> None:
        self.now = SUNDAY
        self.demo = create_demo_feed(now=lambda: self.now)
        self.watch = services_of(app).feed_watch

    def pass_hours(self, url: str, hours: float, minutes: int = 20) -> int:
        """Read today's scoreboards every so many minutes. Returns the most games live at once."""
        client = FeedClient(url, "Test/1 (+https://example.org)", retry_policy=QUICK)
        most = 0
        for _ in range(int(hours * 60 / minutes)):
            self.now += timedelta(minutes=minutes)
            context = SyncContext(client, db.session, self.now, watch=self.watch)
            scoreboards.sync_today(context, DEFAULT_LEAGUES)
            (live,) = query("SELECT count(*) AS n FROM games WHERE state = 'in'")
            most = max(most, live["n"])
        client.close()
        return most


@pytest.mark.slow
def test_whole_day_of_the_demo_feed_is_no_alarm(app):
    day = DemoDay(app)
    with running_feed(day.demo) as url:
        assert day.pass_hours(url, 24) >= 10
    assert alerts() == []


def test_other_names_of_the_demo_feed_are_noticed_within_the_hour(app):
    day = DemoDay(app)
    with running_feed(day.demo) as url:
        day.pass_hours(url, 5)
        assert alerts() == []
        day.demo.extensions["demo"].change("fields")
        day.pass_hours(url, 1, minutes=5)
    football = next(text for text in alerts() if text.startswith("NFL scoreboard: "))
    assert "clock 0 of" in football
    assert "score 0 of" in football
