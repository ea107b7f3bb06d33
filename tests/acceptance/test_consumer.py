"""A real consumer on a real broker: ticks, time limits, retries, results, and what kill -9 does."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from werkzeug.wrappers import Response

from sportsapp.core.clock import utc_now
from sportsapp.core.settings import PROJECT_ROOT
from sportsapp.db.engine import db
from sportsapp.db.models import ConsumerProcess, DeadLetter, Game, RunState, SummaryRow, TaskRun
from sportsapp.feed.fetch import PARALLEL
from sportsapp.queue.huey import backfill_huey, huey
from sportsapp.runs.rows import find_run
from sportsapp.services import services_of
from sportsapp.tasks import (
    sync_all_leagues,
    sync_all_live_games,
    sync_all_teams,
    sync_daily_schedule,
    sync_date_range_task,
)
from sportsapp.tasks.actions import set_paused
from tests.acceptance import harm
from tests.acceptance.conftest import is_alive, wait_for
from tests.integration.test_sync_game import said

LEAGUES = ("nfl", "nba", "mlb", "nhl")
ENDED = (RunState.SUCCESS, RunState.FAILURE, RunState.TIMEOUT, RunState.REVOKED, RunState.EXPIRED)


def run_of(run_id: str) -> TaskRun:
    db.session.rollback()
    return find_run(run_id)


def ended(run_id: str, seconds: float = 20) -> TaskRun:
    wait_for(lambda: run_of(run_id).state in ENDED, seconds)
    return run_of(run_id)


def letters_kept() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(DeadLetter))


def has_begun(run_id: str) -> bool:
    return run_of(run_id).state == RunState.STARTED


def event(number: int, day: str) -> dict:
    sides = [
        {"homeAway": side, "score": "1", "team": {"id": str(n), "displayName": f"Team {n}"}}
        for n, side in enumerate(("home", "away"), 1)
    ]
    status = {"period": 4, "type": {"name": "STATUS_FINAL", "state": "post", "completed": True}}
    competition = {"competitors": sides, "status": status, "date": f"{day}T20:00Z"}
    return {"id": str(number), "date": f"{day}T20:00Z", "competitions": [competition]}


def slow_months(feed, seconds: float) -> None:
    """Each month of the NBA has one game and takes its time."""

    def answer(request) -> Response:
        time.sleep(seconds)
        month = request.args["dates"]
        games = [event(int(month), f"{month[:4]}-{month[4:6]}-15")]
        return Response(json.dumps({"events": games, "leagues": []}))

    feed.say("nba", answer)


def hang(feed) -> threading.Event:
    """Every league hangs until the event is set."""
    release = threading.Event()

    def answer(_request) -> Response:
        release.wait(60)
        return Response("{}", 500)

    for slug in LEAGUES:
        feed.say(slug, answer)
    return release


def test_results_of_all_five_tasks_reach_the_caller(real_app, start_consumer, feed):
    team = {"team": {"id": "1", "displayName": "A Team", "abbreviation": "A"}}
    for slug in LEAGUES:
        feed.say(slug, {"sports": [{"leagues": [{"teams": [team]}]}]}, kind="teams")
        feed.say(slug, {"athletes": []}, kind="roster")
        feed.say(slug, {"children": []}, kind="standings")
    start_consumer()
    start_consumer("backfill_huey")
    results = {
        "live": sync_all_live_games(),
        "schedule": sync_daily_schedule(),
        "leagues": sync_all_leagues(),
        "teams": sync_all_teams(),
        "range": sync_date_range_task("NBA", "2026-01-01", "2026-01-02"),
    }
    said = {name: result.get(blocking=True, timeout=10) for name, result in results.items()}
    assert said["live"].keys() == {"synced", "errors"}
    assert said["schedule"] == {"synced": 0, "errors": []}
    assert said["leagues"]["created"] + said["leagues"]["updated"] == 4
    assert said["teams"] == {"synced": 4, "errors": []}
    assert said["range"] == {"synced": 0, "errors": []}


def sleep_to_middle_of_slots(slots: int, seconds: int = 10) -> None:
    """Until that many slots have begun, and half of the last has gone: no tick is at work then."""
    now = time.time()
    time.sleep(now // seconds * seconds + (slots + 0.5) * seconds - now)


@pytest.mark.long
def test_tick_comes_once_with_two_consumers_and_a_restart_in_between(
    real_app, start_consumer, feed
):
    first = start_consumer(live_sync_seconds=10)
    second = start_consumer(live_sync_seconds=10)
    sleep_to_middle_of_slots(2)
    first.kill_all()
    start_consumer(live_sync_seconds=10)
    sleep_to_middle_of_slots(1)
    second.stop()
    sleep_to_middle_of_slots(1)
    ticks = db.session.scalars(select(TaskRun).where(TaskRun.slot.is_not(None))).all()
    slots = sorted(tick.slot for tick in ticks if tick.task == "sync_all_live_games")
    assert len(slots) >= 3
    gaps = {after - before for before, after in pairwise(slots)}
    assert gaps == {timedelta(seconds=10)}
    said = {(str(tick.slot), tick.state, tick.attempt) for tick in ticks}
    assert said == {(str(tick.slot), RunState.SUCCESS, 1) for tick in ticks}


@pytest.mark.slow
def test_scheduled_tick_comes_by_itself_within_its_minute_and_keeps_its_result(
    real_app, start_consumer
):
    start_consumer()
    tick = wait_for(lambda: db.session.rollback() or db.session.scalar(select(TaskRun)), 65)
    assert tick.slot.second == 0
    assert tick.queued_at - tick.slot < timedelta(seconds=2)
    result = huey.result(tick.id, blocking=True, timeout=10)
    assert result == {"synced": 0, "errors": []}


def test_hanging_feed_is_cut_off_at_the_time_limit(real_app, start_consumer, feed):
    release = hang(feed)
    start_consumer()
    began = time.monotonic()
    run_id = huey.enqueue(sync_all_live_games.s(timeout=2, retries=0)).id
    run = ended(run_id)
    assert run.state == RunState.TIMEOUT
    assert 2 <= time.monotonic() - began < 5
    release.set()
    for slug in LEAGUES:
        feed.say(slug, {"events": [], "leagues": []})
    assert ended(sync_all_live_games().id).state == RunState.SUCCESS


def test_failing_feed_is_retried_with_growing_delays_and_fails_in_the_end(
    real_app, start_consumer, feed
):
    for slug in LEAGUES:
        feed.fail(slug, 500)
    start_consumer()
    run_id = huey.enqueue(sync_all_live_games.s(retries=2, retry_delay=2)).id
    waits: dict[int, timedelta] = {}
    starts: dict[int, datetime] = {}

    def watch() -> bool:
        run = run_of(run_id)
        if run.started_at:
            starts[run.attempt] = run.started_at
        if run.state == RunState.RETRY:
            waits[run.attempt] = run.due_at - run.heartbeat_at
        return run.state in ENDED

    wait_for(watch, 60)
    run = run_of(run_id)
    assert (run.state, run.attempt) == (RunState.FAILURE, 3)
    assert all(slug.upper() in run.error for slug in LEAGUES)
    assert [round(waits[n].total_seconds()) for n in (1, 2)] == [2, 4]
    assert starts[2] - starts[1] >= timedelta(seconds=2)
    assert starts[3] - starts[2] >= timedelta(seconds=4)


def test_one_failing_league_is_one_line_and_the_others_go_on(real_app, start_consumer, feed):
    feed.fail("nhl", 403)
    for slug in ("nfl", "nba", "mlb"):
        feed.say(slug, {"events": [event(7, "2026-01-02")], "leagues": []})
    start_consumer()
    run = ended(sync_all_live_games().id)
    assert (run.state, run.result["synced"]) == (RunState.SUCCESS, 3)
    (line,) = run.result["errors"]
    assert line.startswith("NHL")
    assert "403" in line


def test_queued_backfill_does_not_hold_up_a_live_score(real_app, start_consumer, feed):
    slow_months(feed, 1)
    start_consumer()
    start_consumer("backfill_huey")
    backfills = [sync_date_range_task("NBA", "2025-01-01", "2025-12-31").id for _ in range(3)]
    began = time.monotonic()
    feed.say("nba", {"events": [], "leagues": []}, dates="")
    assert ended(sync_all_live_games().id).state == RunState.SUCCESS
    assert time.monotonic() - began < 5
    assert {ended(run_id, 40).state for run_id in backfills} == {RunState.SUCCESS}


def test_hostile_messages_are_kept_and_the_next_good_one_runs_at_once(real_app, start_consumer):
    start_consumer()

    class Harm:
        def __reduce__(self):
            return os.system, (f"touch {real_app.instance_path}/harm",)

    hostile = [pickle.dumps(Harm()), b"garbage", b'{"a":1}', b"x" * 10_000_000, *[b"no"] * 40]
    for data in hostile:
        huey.storage.enqueue(data, 200)
    began = time.monotonic()
    assert ended(sync_all_live_games().id).state == RunState.SUCCESS
    assert time.monotonic() - began < 5
    # the other worker may have the last of them in hand
    wait_for(lambda: letters_kept() == len(hostile))
    assert "harm" not in {one.name for one in Path(real_app.instance_path).iterdir()}


def test_kill_of_a_master_leaves_no_orphan(real_app, start_consumer):
    consumer = start_consumer()
    children = consumer.children()
    assert len(children) == 3
    consumer.process.kill()
    consumer.process.wait()
    wait_for(lambda: not any(is_alive(pid) for pid in children), 2)


def test_consumers_show_that_they_are_alive_and_leave_in_order(real_app, start_consumer):
    consumer = start_consumer()

    def roles() -> Counter[str]:
        db.session.rollback()
        return Counter(db.session.scalars(select(ConsumerProcess.role)))

    wait_for(lambda: roles() == {"worker": 2, "scheduler": 1})
    assert consumer.stop() < 5
    assert roles() == {}


@pytest.mark.long
@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_backfill_stops_at_a_chunk_and_goes_on_after_the_restart(
    real_app, start_consumer, feed, signal_number
):
    slow_months(feed, 0.5)
    consumer = start_consumer("backfill_huey")
    run_id = sync_date_range_task("NBA", "2025-01-01", "2025-12-31").id
    wait_for(lambda: run_of(run_id).progress_done >= 2)
    assert consumer.stop(signal_number) < 10
    assert run_of(run_id).state == RunState.PENDING
    start_consumer("backfill_huey")
    run = ended(run_id, 30)
    assert (run.state, run.result["synced"], run.recoveries) == (RunState.SUCCESS, 12, 0)
    assert len(db.session.scalars(select(Game)).all()) == 12
    assert Counter(feed.asked()).most_common(1)[0][1] <= 2


@pytest.mark.long
def test_range_with_games_whose_worker_is_killed_goes_on_and_asks_for_nothing_twice(
    real_app, start_consumer, feed
):
    games = [event(int(f"{day}{n}"), f"2025-01-{day}") for day in (10, 11, 12) for n in range(6)]
    feed.say("nba", {"events": games, "leagues": []}, dates="202501")
    summary, asked = said(), []

    def answer(request) -> Response:
        asked.append(espn_id := request.args["event"])
        time.sleep(0.3)
        return Response(json.dumps(summary | {"header": summary["header"] | {"id": espn_id}}))

    feed.say("nba", answer, kind="summary")
    consumer = start_consumer("backfill_huey", door=harm.HURRY)
    run_id = sync_date_range_task("NBA", "2025-01-01", "2025-01-31", games=True).id
    wait_for(lambda: len(asked) > 8, 30)
    consumer.kill_all()
    start_consumer("backfill_huey", door=harm.HURRY)
    run = ended(run_id, 60)
    assert run.state == RunState.SUCCESS
    assert run.result == {"synced": 18, "errors": [], "box_scores": 18}
    assert set(asked) == {game["id"] for game in games}
    assert len(asked) <= 18 + PARALLEL
    assert len(db.session.scalars(select(SummaryRow.game_id)).all()) == 18


@pytest.mark.long
def test_paused_queue_keeps_its_runs_through_a_restart_and_goes_on(real_app, start_consumer, feed):
    slow_months(feed, 0.3)
    consumer = start_consumer("backfill_huey", door=harm.HURRY)
    years = (2023, 2024, 2025)  # two at work, one that waits
    ids = [sync_date_range_task("NBA", f"{year}-01-01", f"{year}-12-31").id for year in years]
    wait_for(lambda: sum(run_of(run_id).progress_done for run_id in ids) >= 4)
    set_paused("sportsapp-backfill", True, "maria")
    wait_for(lambda: {run_of(run_id).state for run_id in ids} == {RunState.PENDING}, 3)
    attempts = [run_of(run_id).attempt for run_id in ids]
    assert sorted(attempts) == [0, 1, 1]
    consumer.stop()
    start_consumer("backfill_huey", door=harm.HURRY)
    time.sleep(6.5)  # what gave way comes back after five seconds; recovery looks every second
    assert [run_of(run_id).attempt for run_id in ids] == attempts
    assert {run_of(run_id).state for run_id in ids} == {RunState.PENDING}
    assert backfill_huey.message_ids() == set()
    set_paused("sportsapp-backfill", False)
    ends = [ended(run_id, 30) for run_id in ids]
    assert [(run.state, run.result["synced"]) for run in ends] == [(RunState.SUCCESS, 12)] * 3
    assert Counter(feed.asked()).most_common(1)[0][1] == 1


OVERDUE = """
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from sqlalchemy import update
from sportsapp.db.engine import write_connection
from sportsapp.runs.rows import RUNS
from sportsapp.runs.local import record_local_run
from sportsapp.runs.progress import CurrentRun
from sportsapp.core.clock import utc_now
from sportsapp.services import services_of
from sportsapp.factory import create_app
app = create_app()
with app.app_context():
    with record_local_run("sync_all_teams", {}) as outcome:
        print(outcome.run_id, flush=True)
        began = utc_now() - timedelta(seconds=%d)
        with write_connection() as connection:
            began_then = update(RUNS).where(RUNS.c.id == outcome.run_id).values(started_at=began)
            row = connection.execute(began_then.returning(RUNS)).one()
        tracker = services_of(app).queues[0].tracker
        tracker.attempts.running[outcome.run_id] = CurrentRun(row, 5, lambda: False)
        tracker.beat("sportsapp", "worker")
"""


@pytest.mark.parametrize(
    ("overtime", "state", "code"),
    [(5 + 29, RunState.SUCCESS, 0), (5 + 31, RunState.TIMEOUT, -signal.SIGKILL)],
)
def test_work_that_cannot_be_interrupted_ends_with_its_process(real_app, overtime, state, code):
    environ = harm.environ_of(services_of(real_app).settings)
    command = [sys.executable, "-c", OVERDUE % overtime]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, cwd=PROJECT_ROOT)
    assert done.returncode == code
    assert run_of(done.stdout.strip()).state == state


@pytest.mark.slow
def test_broker_that_forgot_everything_gets_its_runs_back(real_app, start_consumer, feed, broker):
    waiting = [sync_date_range_task("NBA", "2026-01-01", "2026-01-02").id for _ in range(5)]
    broker.forget_everything()
    assert backfill_huey.pending_count() == 0
    with db.engine.begin() as connection:
        early = {"due": (utc_now() - timedelta(minutes=1)).replace(tzinfo=None)}
        connection.execute(text("UPDATE task_runs SET due_at = :due"), early)
    start_consumer("backfill_huey")
    assert {ended(run_id, 40).state for run_id in waiting} == {RunState.SUCCESS}
    assert all(run_of(run_id).attempt == 1 for run_id in waiting)


def test_range_that_is_queued_four_times_at_once_is_queued_once(real_app, real_settings):
    command = [sys.executable, "-m", "flask", "sync", "range", "NBA", "2026-01-01", "2026-01-31"]
    shells = [
        subprocess.Popen(
            [*command, "--queue"],
            cwd=PROJECT_ROOT,
            env=harm.environ_of(real_settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    said = [shell.communicate(timeout=60) for shell in shells]
    (queued,) = (out.strip() for out, _ in said if out)
    assert backfill_huey.message_ids() == {queued}
    assert sorted(shell.returncode for shell in shells) == [0, 1, 1, 1]
    refused = {error.strip() for _, error in said if error}
    assert refused == {"a backfill of the NBA from 2026-01-01 to 2026-01-31 already waits"}


@pytest.mark.long
def test_run_of_a_consumer_whose_clock_is_behind_is_not_taken_from_it(
    real_app, start_consumer, feed
):
    slow_months(feed, 1)
    run = sync_date_range_task("NBA", "2025-01-01", "2025-12-31")
    start_consumer("backfill_huey", door=harm.BEHIND)
    wait_for(lambda: has_begun(run.id))
    worker = run_of(run.id).pid
    start_consumer("backfill_huey", door=harm.HURRY)
    done = ended(run.id, 60)
    assert (done.state, done.attempt, done.recoveries) == (RunState.SUCCESS, 1, 0)
    assert done.pid == worker
    assert len(feed.asked()) == 12
