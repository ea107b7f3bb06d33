"""Live games that somebody looks at, on a real broker: marked by views, read by live runs."""

from __future__ import annotations

import json
import os
import signal
import time
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Request, Response

from sportsapp.core.clock import game_day, iso_utc, utc_now
from sportsapp.core.leagues import BY_SLUG
from sportsapp.db.engine import db
from sportsapp.db.models import Game, RunState, SummaryRow, TaskRun, Trigger
from sportsapp.feed import watched
from sportsapp.feed.watched import WatchedGames
from sportsapp.queue.huey import huey
from sportsapp.services import services_of
from sportsapp.sync.context import SyncContext
from sportsapp.sync.scoreboards import sync_day
from sportsapp.web.unread import is_summary_coming
from tests.acceptance.conftest import wait_for
from tests.integration.conftest import Visitor
from tests.integration.events import board, event
from tests.integration.test_sync_game import said

NBA = BY_SLUG["nba"]
WAIT_SECONDS = watched.WAIT_SECONDS
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture(autouse=True)
def patient_marks(monkeypatch):
    """A mark waits for a broker that this machine keeps waiting; a page would leave it out."""
    monkeypatch.setattr(watched, "WAIT_SECONDS", 5)


def serve(app, feed, *states: str) -> None:
    """Store games 900, 901, ... of the NBA in these states, which began an hour ago."""
    start = utc_now() - timedelta(hours=1)
    games = [event(str(900 + n), iso_utc(start), state) for n, state in enumerate(states)]
    feed.say("nba", board(*games))
    summary = said(0.5 if "in" in states else 1.0)

    def answer(request: Request) -> Response:
        summary["header"]["id"] = request.args["event"]
        return Response(json.dumps(summary), mimetype="application/json")

    feed.say("nba", answer, kind="summary")
    client = services_of(app).feed_client
    sync_day(SyncContext(client, db.session, utc_now()), NBA, game_day(start))


def game(espn_id: str) -> Game:
    db.session.rollback()
    games = select(Game).options(joinedload(Game.league_row)).filter_by(espn_id=espn_id)
    return db.session.scalars(games).one()


def look(app, espn_id: str, agent: str = BROWSER, method: str = "GET") -> bool:
    """What a view of a game does."""
    with app.test_request_context(headers={"User-Agent": agent}, method=method):
        return is_summary_coming(game(espn_id))


def asked(feed) -> list[str]:
    return [request.args["event"] for request in feed.requests if "/summary" in request.path]


def test_live_game_that_is_looked_at_is_read_and_no_other_one(real_app, start_consumer, feed):
    serve(real_app, feed, "in", "in")
    start_consumer(live_sync_seconds=10, live_read_seconds=5)
    look(real_app, "901")
    wait_for(lambda: asked(feed), 30)
    stored = select(Game.espn_id).join(SummaryRow, SummaryRow.game_id == Game.id)

    def stored_ids() -> list[str]:
        db.session.rollback()
        return list(db.session.scalars(stored))

    wait_for(stored_ids, 10)
    assert (stored_ids(), set(asked(feed))) == (["901"], {"901"})


def test_mark_holds_for_two_minutes_and_a_game_is_taken_more_often(real_app, monkeypatch):
    games = WatchedGames(services_of(real_app).settings.broker)
    now = [time.time(), time.monotonic()]
    monkeypatch.setattr(watched.time, "time", lambda: now[0])
    monkeypatch.setattr(watched.time, "monotonic", lambda: now[1])

    def after(seconds: float) -> list[tuple[str, str]]:
        now[:] = [moment + seconds for moment in now]
        return games.take(5)

    assert games.take(5) == []
    games.mark(NBA, "900")
    assert games.take(5) == [("nba", "900")]
    assert after(15) == []
    assert after(10) == [("nba", "900")]
    assert after(80) == [("nba", "900")]
    assert after(31) == []


def test_ten_at_once_and_those_longest_unread_first(real_app):
    games = WatchedGames(services_of(real_app).settings.broker)
    for n in range(12):
        games.mark(NBA, str(900 + n))
    first = games.take(5)
    rest = games.take(5)
    assert (len(first), len(rest)) == (10, 2)
    assert not set(first) & set(rest)


def test_process_marks_a_game_once_in_half_a_minute(real_app, monkeypatch):
    games = WatchedGames(services_of(real_app).settings.broker)
    made = []
    pipeline = games._marking.pipeline
    monkeypatch.setattr(
        games._marking, "pipeline", lambda **options: made.append(1) or pipeline(**options)
    )
    for _ in range(5):
        games.mark(NBA, "900")
    assert len(made) == 1
    games.mark(NBA, "901")
    assert len(made) == 2


@pytest.mark.parametrize(("agent", "method"), [("a bot", "GET"), (BROWSER, "HEAD")])
def test_crawler_and_head_watch_nothing(real_app, feed, agent, method):
    serve(real_app, feed, "in")
    look(real_app, "900", agent, method)
    assert services_of(real_app).watched_games.take(5) == []
    look(real_app, "900")
    assert services_of(real_app).watched_games.take(5) == [("nba", "900")]


def test_broker_that_is_silent_costs_a_view_fifty_milliseconds_once(real_app, broker, monkeypatch):
    monkeypatch.setattr(watched, "WAIT_SECONDS", WAIT_SECONDS)
    games = WatchedGames(services_of(real_app).settings.broker)
    games.mark(NBA, "900")
    os.kill(broker.process.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        for n in range(20):
            games.mark(NBA, str(901 + n))
        took = time.monotonic() - began
    finally:
        os.kill(broker.process.pid, signal.SIGCONT)
    assert took < 0.1
    assert ("nba", "900") in games.take(5)


# ---------------------------------------------------------------- finals


def runs() -> list[TaskRun]:
    db.session.rollback()
    db.session.expire_all()
    return list(db.session.query(TaskRun))


def test_final_that_is_opened_is_read_once_for_its_visitor(real_app, feed):
    serve(real_app, feed, "post")
    assert [look(real_app, "900") for _ in range(3)] == [True] * 3
    (run,) = runs()
    assert (run.task, run.trigger) == ("sync_game", Trigger.VISITOR)
    huey.execute(huey.dequeue())
    assert runs()[0].state == RunState.SUCCESS
    assert not look(real_app, "900")
    assert (len(runs()), asked(feed)) == (1, ["900"])


def test_final_that_failed_is_not_asked_for_again_at_once(real_app, feed):
    serve(real_app, feed, "post")
    feed.fail("nba", 404, kind="summary")
    look(real_app, "900")
    huey.execute(huey.dequeue())
    assert runs()[0].state == RunState.FAILURE
    assert not look(real_app, "900")
    assert len(runs()) == 1


def test_crawler_asks_for_nothing_and_one_address_for_six(real_app, feed):
    serve(real_app, feed, *["post"] * 8)
    assert not look(real_app, "900", "a bot")
    assert runs() == []
    assert [look(real_app, str(900 + n)) for n in range(8)] == [True] * 6 + [False] * 2
    assert len(runs()) == 6


def test_visitor_s_run_keeps_to_a_pause(real_app, feed):
    serve(real_app, feed, "post")
    look(real_app, "900")
    services_of(real_app).feed_watch.pause(NBA, utc_now() + timedelta(minutes=5))
    huey.execute(huey.dequeue())
    assert (runs()[0].state, asked(feed)) == (RunState.SKIPPED, [])


@pytest.mark.parametrize("path", ["", "/box", "/plays", "/recap"])
def test_every_page_of_a_game_wants_its_summary(real_app, feed, path):
    serve(real_app, feed, "in", "post")
    visitor = Visitor(real_app, real_app.response_class, use_cookies=False)
    for espn_id in ("900", "901"):
        address = f"/nba/games/{espn_id}{path}"
        assert visitor.get(address, headers={"User-Agent": BROWSER}).status_code == 200
    assert services_of(real_app).watched_games.take(5) == [("nba", "900")]
    assert [run.args["espn_id"] for run in runs()] == ["901"]


def test_every_answer_of_the_api_about_a_game_wants_its_summary(real_app, feed):
    serve(real_app, feed, *["in"] * 3, *["post"] * 3)
    visitor = Visitor(real_app, real_app.response_class, use_cookies=False)
    got = [
        visitor.get(f"/api/v1/games/nba/{900 + n}{part}", headers={"User-Agent": "curl/8.5"})
        for n, part in enumerate(["", "/box", "/plays"] * 2)
    ]
    assert [answer.status_code for answer in got] == [200, 404, 404] * 2
    assert "not stored" in got[1].json["error"]["message"]
    assert "is being read" in got[4].json["error"]["message"]
    watched = services_of(real_app).watched_games.take(5)
    assert sorted(watched) == [("nba", str(900 + n)) for n in range(3)]
    assert sorted(run.args["espn_id"] for run in runs()) == ["903", "904", "905"]
