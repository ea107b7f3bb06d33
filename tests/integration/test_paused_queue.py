"""A paused queue: its runs wait, cost nothing, and go on when it is resumed."""

from __future__ import annotations

import json
import logging
import re
from datetime import timedelta

import pytest
from sqlalchemy import select
from werkzeug.wrappers import Response

from sportsapp.commands.shell import user_name
from sportsapp.core.clock import utc_now
from sportsapp.core.errors import BrokerUnavailableError, UnknownTaskError
from sportsapp.db.engine import db
from sportsapp.db.models import PausedQueue, RunState
from sportsapp.queue.huey import backfill_huey, huey
from sportsapp.tasks import actions, sync_all_live_games, sync_date_range_task
from tests.integration.events import board, event
from tests.panel import change, messages_of, row

QUEUE = "sportsapp-backfill"
ISO = r"\d{4}-\d\d-\d\dT[\d:]{8}Z"
LATE = {"due_at": utc_now() - timedelta(hours=3)}

pytestmark = pytest.mark.usefixtures("offline")


def queue_day(day: str = "2026-01-15", league: str = "NBA") -> str:
    return sync_date_range_task(league, day, day).id


def work() -> None:
    """What the workers of both queues do until there is nothing left for them."""
    for queue in (huey, backfill_huey):
        while (task := queue.dequeue()) is not None:
            queue.execute(task)


def paused() -> list[PausedQueue]:
    db.session.rollback()
    return list(db.session.scalars(select(PausedQueue)))


def test_waiting_run_of_a_paused_queue_is_not_started(feed):
    actions.set_paused(QUEUE, True, "maria")
    run_id = queue_day()
    live = sync_all_live_games().id
    work()
    assert (row(run_id).state, row(run_id).attempt) == (RunState.PENDING, 0)
    assert "nba 20260115" not in feed.asked()
    assert row(live).state == RunState.SUCCESS
    assert [(one.queue, one.paused_by) for one in paused()] == [(QUEUE, "maria")]


def test_nobody_looks_at_its_runs_again_until_it_is_resumed(feed, caplog):
    actions.set_paused(QUEUE, True, "maria")
    run_id = queue_day()
    work()
    change(run_id, **LATE)
    caplog.set_level(logging.INFO)
    for _ in range(3):
        backfill_huey.tracker.recover(backfill_huey)
    assert (backfill_huey.pending_count(), backfill_huey.scheduled_count()) == (0, 0)
    assert caplog.text == ""
    actions.set_paused(QUEUE, False)
    work()
    assert (row(run_id).state, row(run_id).attempt) == (RunState.SUCCESS, 1)
    assert "queued again" not in caplog.text
    assert paused() == []


def test_runs_start_in_their_order_after_the_pause(feed):
    actions.set_paused(QUEUE, True, "maria")
    ids = [queue_day(f"2026-01-{day}") for day in (12, 10, 11)]
    work()
    actions.set_paused(QUEUE, False)
    assert [task.id for task in backfill_huey.pending()] == ids
    actions.set_paused(QUEUE, False)
    assert backfill_huey.pending_count() == 3


def test_run_in_progress_gives_way_after_its_chunk_and_goes_on_from_there(app, feed):
    def pause_then_answer(_request: object) -> Response:
        with app.app_context():
            actions.set_paused(QUEUE, True, "maria")
        return Response(json.dumps(board(event())), mimetype="application/json")

    feed.say("nba", pause_then_answer, dates="202601")
    run_id = sync_date_range_task("NBA", "2026-01-01", "2026-03-31").id
    work()
    run = row(run_id)
    assert (run.state, run.progress_done, run.retries_left) == (RunState.PENDING, 1, 2)
    (task,) = backfill_huey.read_schedule(utc_now().replace(tzinfo=None) + timedelta(seconds=6))
    task.eta = None  # its time has come
    backfill_huey.execute(task)
    assert (row(run_id).state, feed.asked()) == (RunState.PENDING, ["nba 202601"])
    change(run_id, **LATE)
    actions.set_paused(QUEUE, False)
    work()
    assert (row(run_id).state, row(run_id).result) == (
        *(RunState.SUCCESS, {"synced": 1, "errors": []}),
    )
    assert feed.asked() == ["nba 202601", "nba 202602", "nba 202603"]


def test_run_that_lost_its_worker_waits_for_the_end_of_the_pause(feed):
    run_id = queue_day()
    backfill_huey.dequeue()
    actions.set_paused(QUEUE, True, "maria")
    long_ago = utc_now() - timedelta(minutes=5)
    change(run_id, state=RunState.STARTED, attempt=1, heartbeat_at=long_ago, host="", pid=0)
    backfill_huey.tracker.recovery.watched[run_id] = (long_ago, -100.0)
    backfill_huey.tracker.recover(backfill_huey)
    assert (row(run_id).state, backfill_huey.pending_count()) == (RunState.PENDING, 0)


def test_retry_keeps_its_time(feed):
    run_id = queue_day()
    feed.fail("nba", 503)
    work()
    assert row(run_id).state == RunState.RETRY
    actions.set_paused(QUEUE, True, "maria")
    actions.set_paused(QUEUE, False)
    assert (backfill_huey.pending_count(), backfill_huey.scheduled_count()) == (0, 1)


def test_pause_keeps_since_when_it_lasts():
    actions.set_paused(QUEUE, True, "maria")
    (first,) = paused()
    actions.set_paused(QUEUE, True, "otto")
    assert [(one.paused_at, one.paused_by) for one in paused()] == [(first.paused_at, "maria")]


def test_queue_with_a_schedule_cannot_be_paused():
    with pytest.raises(UnknownTaskError, match=f"{QUEUE}, sportsapp-notify$"):
        actions.set_paused("sportsapp", True)


def test_queue_is_resumed_while_the_broker_is_away(monkeypatch):
    actions.set_paused(QUEUE, True, "maria")
    run_id = queue_day()
    work()

    def away() -> None:
        raise BrokerUnavailableError("the broker cannot be reached")

    with monkeypatch.context() as patch:
        patch.setattr(backfill_huey, "message_ids", away)
        actions.set_paused(QUEUE, False)
    assert paused() == []
    change(run_id, **LATE)
    backfill_huey.tracker.recover(backfill_huey)
    assert backfill_huey.message_ids() == {run_id}


# ---------------------------------------------------------------- panel and shell


def test_panel_pauses_and_resumes_after_asking(panel):
    pause, resume = "/admin/pause-queue", "/admin/resume-queue"
    assert pause in panel.get("/admin/live")
    assert 'name="sure" value="yes"' in panel.post(pause, queue=QUEUE).text
    assert paused() == []
    assert f"{QUEUE} was paused" in panel.message_after(pause, queue=QUEUE, sure="yes")
    for page in ("/admin/live", "/admin/backfill/live"):
        text = panel.get(page)
        assert resume in text
        assert "paused since" in text
        assert "by maria" in text
    found = rf"{QUEUE} has been paused since {ISO} by maria: its runs do not start"
    assert re.search(found, panel.get("/admin/live"))
    assert "waiting backfills do not start" in messages_of(panel.get("/admin/backfill/live"))
    assert f"{QUEUE} was resumed" in panel.message_after(resume, queue=QUEUE)
    assert "paused since" not in panel.get("/admin/live") + panel.get("/admin/backfill/live")
    assert "unknown task" in panel.message_after(pause, queue="sportsapp", sure="yes")


def test_shell_pauses_and_resumes(runner):
    done = runner.invoke(args=["tasks", "pause", QUEUE, "--json"])
    assert json.loads(done.stdout) == {"queue": QUEUE, "paused": True}
    assert paused()[0].paused_by
    stats = runner.invoke(args=["tasks", "stats"]).stdout
    by = f" by {user_name()}" if user_name() else ""
    pauses = [re.search(rf", paused since {ISO}{by}$", line) for line in stats.splitlines()[:2]]
    assert [bool(each) for each in pauses] == [False, True]
    done = runner.invoke(args=["tasks", "resume", QUEUE])
    assert (done.exit_code, done.stdout) == (0, f"{QUEUE} is resumed\n")
    assert paused() == []
    assert runner.invoke(args=["tasks", "pause", "sportsapp"]).exit_code == 2
