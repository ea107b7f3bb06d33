"""The ledger: what a run's row says, whatever happens to the run."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from huey.exceptions import TaskException, TaskTimeout
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError

from sportsapp.core.clock import utc_now
from sportsapp.core.errors import BrokerUnavailableError, FeedRefusedError, FeedUnavailableError
from sportsapp.db.engine import db, write_connection
from sportsapp.db.models import ConsumerProcess, DeadLetter, RunState, ScheduleRow, TaskRun, Trigger
from sportsapp.queue.consumer import SlotScheduler
from sportsapp.queue.huey import TrackerHuey, backfill_huey, huey
from sportsapp.runs import attempts, local, recovery, reports
from sportsapp.runs.chains import cancel_run
from sportsapp.runs.dead_letters import DEAD_LETTER_LIMIT, keep_dead_letter
from sportsapp.runs.local import record_local_run
from sportsapp.runs.progress import CurrentRun, RunCancelled, report_progress
from sportsapp.runs.pruning import prune
from sportsapp.runs.rows import run_origin
from sportsapp.sync import backfill
from sportsapp.sync.table import LIVE as LIVE_SYNC
from sportsapp.tasks import (
    sync_all_leagues,
    sync_all_live_games,
    sync_all_teams,
    sync_daily_schedule,
    sync_date_range_task,
)
from tests.panel import add_consumer, change, row

LEAGUES = ("nfl", "nba", "mlb", "nhl")


def rows() -> list[TaskRun]:
    db.session.rollback()
    return list(db.session.scalars(select(TaskRun).order_by(TaskRun.queued_at)))


@pytest.fixture
def broken_sync(monkeypatch):
    """Make every live sync raise what the test says."""

    def breaking(error: BaseException) -> None:
        def sync_live(*_: object) -> None:
            raise error

        monkeypatch.setattr("sportsapp.tasks.sync.LIVE", replace(LIVE_SYNC, run=sync_live))

    return breaking


def work(queue: TrackerHuey = huey) -> None:
    """Take one message and execute it, as a worker does."""
    queue.execute(queue.dequeue())


def test_success_keeps_result_and_times(immediate):
    run = row(sync_all_live_games().id)
    assert run.state == RunState.SUCCESS
    assert run.result == {"synced": 0, "errors": []}
    assert (run.attempt, run.trigger, run.queue) == (1, Trigger.COMMAND, "sportsapp")
    assert run.queued_at <= run.started_at <= run.finished_at
    assert run.took_seconds == (run.finished_at - run.started_at).total_seconds() > 0
    assert (run.host != "", run.pid is not None, run.error) == (True, True, "")


@pytest.mark.parametrize(
    ("call", "keys"),
    [
        (lambda: sync_all_live_games(), {"synced", "errors"}),
        (lambda: sync_daily_schedule(), {"synced", "errors"}),
        (lambda: sync_all_leagues(), {"created", "updated", "errors"}),
        (lambda: sync_date_range_task("NBA", "2026-01-01", "2026-01-02"), {"synced", "errors"}),
    ],
)
def test_result_of_each_task_has_the_promised_keys(immediate, call, keys):
    assert set(call().get(blocking=True, timeout=10)) == keys


def test_result_of_team_sync_has_the_promised_keys(immediate, feed):
    team = {"team": {"id": "1", "displayName": "A Team", "abbreviation": "A"}}
    for slug in LEAGUES:
        feed.say(slug, {"sports": [{"leagues": [{"teams": [team]}]}]}, kind="teams")
        feed.say(slug, {"athletes": []}, kind="roster")
    assert sync_all_teams().get(blocking=True, timeout=10) == {"synced": 4, "errors": []}


def test_arguments_are_kept_by_name(immediate):
    run = row(sync_date_range_task("NBA", "2026-01-01", end_date="2026-01-02").id)
    assert run.args == {"league": "NBA", "start_date": "2026-01-01", "end_date": "2026-01-02"}


def test_trigger_and_person_are_kept(immediate):
    with run_origin(Trigger.ADMIN, "maria"):
        run = row(sync_all_live_games().id)
    assert (run.trigger, run.asked_by) == (Trigger.ADMIN, "maria")


def test_run_is_recorded_before_it_is_on_the_broker(app):
    with pytest.raises(BrokerUnavailableError, match="cannot be reached"):
        sync_all_live_games()
    (run,) = rows()
    assert run.state == RunState.FAILURE
    assert "broker cannot be reached" in run.error


def test_failure_with_retries_left_waits_for_its_retry(offline, broken_sync):
    broken_sync(FeedUnavailableError("no answer"))
    run_id = sync_all_live_games().id
    work()
    run = row(run_id)
    assert (run.state, run.error, run.retries_left) == (RunState.RETRY, "no answer", 2)
    assert timedelta(seconds=4) < run.due_at - run.heartbeat_at <= timedelta(seconds=5)
    (task,) = huey.scheduled()
    assert (task.attempt, task.retries, task.retry_delay) == (1, 2, 10)


def test_attempts_before_the_last_are_kept(offline, broken_sync):
    broken_sync(FeedUnavailableError("no answer"))
    run_id = sync_all_live_games().id
    work()
    (first,) = row(run_id).earlier
    assert (first["attempt"], first["end"], first["error"]) == (1, "failed", "no answer")
    assert first["pid"] == os.getpid()
    assert first["started_at"] <= first["ended_at"]
    broken_sync(KeyboardInterrupt())
    (task,) = huey.scheduled()
    task.eta = None  # its time has come
    huey.execute(task)
    ends = [(one["attempt"], one["end"]) for one in row(run_id).earlier]
    assert ends == [(1, "failed"), (2, "interrupted")]


def test_attempts_that_are_kept_are_bounded(offline, broken_sync, monkeypatch):
    monkeypatch.setattr(attempts, "EARLIER_ATTEMPTS", 2)
    broken_sync(KeyboardInterrupt())
    run_id = sync_all_live_games().id
    for _ in range(3):
        work()
    assert [one["attempt"] for one in row(run_id).earlier] == [2, 3]


def test_last_failure_is_final_and_keeps_its_traceback(offline, broken_sync):
    broken_sync(ZeroDivisionError("oh"))
    result = huey.enqueue(sync_all_live_games.s(retries=0))
    work()
    run = row(result.id)
    assert (run.state, run.error) == (RunState.FAILURE, "ZeroDivisionError: oh")
    assert "sync_live" in run.traceback
    assert len(run.fingerprint) == 12
    with pytest.raises(TaskException):
        result.get()


def test_refusal_by_the_feed_is_not_retried(offline, broken_sync):
    broken_sync(FeedRefusedError("the feed refused us with 403"))
    run_id = sync_all_live_games().id
    work()
    assert row(run_id).state == RunState.FAILURE
    assert huey.scheduled() == []


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("XFL", "2026-01-01", "2026-01-02"), "unknown league 'XFL'"),
        (("NBA", "01.01.2026", "2026-01-02"), "is not a day"),
        (("NBA", "2026-01-03", "2026-01-02"), "comes after the end"),
        (("NBA", 5, "2026-01-02"), "not 5"),
        (("NBA",), "missing"),
        (("NBA", "2026-01-03", "2026-01-03", 1), "games is True or False, not 1"),
        (("NBA", "2026-01-03", "2026-01-03", True, 1), "too many"),
    ],
)
def test_bad_arguments_fail_at_once_without_a_retry(offline, args, words):
    run_id = sync_date_range_task(*args).id
    work(backfill_huey)
    run = row(run_id)
    assert run.state == RunState.FAILURE
    assert words in run.error
    assert backfill_huey.scheduled() == []


def test_time_out_without_retries_is_recorded_as_one(offline, broken_sync):
    broken_sync(TaskTimeout("timeout (2s)"))
    run_id = huey.enqueue(sync_all_live_games.s(retries=0)).id
    work()
    assert row(run_id).state == RunState.TIMEOUT


def test_interrupted_run_waits_again_and_is_on_the_broker(offline, broken_sync):
    broken_sync(KeyboardInterrupt())
    run_id = sync_all_live_games().id
    work()
    run = row(run_id)
    assert (run.state, run.attempt, run.retries_left) == (RunState.PENDING, 1, 3)
    (task,) = huey.pending()
    assert (task.id, task.attempt) == (run_id, 1)


def test_message_that_comes_twice_runs_once(offline, feed):
    run_id = sync_all_live_games().id
    data = huey.storage.enqueued_items()[0]
    huey.storage.enqueue(data)
    work()
    work()
    run = row(run_id)
    assert (run.state, run.attempt) == (RunState.SUCCESS, 1)


def test_message_without_a_run_is_dropped(offline, feed):
    sync_all_live_games()
    with write_connection() as connection:
        connection.execute(TaskRun.__table__.delete())
    work()
    assert rows() == []
    assert feed.requests == []


def test_expired_run_is_recorded_and_not_executed(offline, feed):
    run_id = huey.enqueue(sync_all_live_games.s(expires=datetime(2020, 1, 1))).id  # noqa: DTZ001
    work()
    assert row(run_id).state == RunState.EXPIRED
    assert feed.requests == []


def test_arguments_in_another_order_are_the_same_arguments(offline):
    """As another release may have written them; the message is rebuilt from the row, too."""
    run_id = sync_date_range_task("NBA", "2026-02-03", "2026-02-03").id
    change(run_id, args=dict(reversed(row(run_id).args.items())))
    assert list(row(run_id).args) == ["end_date", "start_date", "league"]
    work(backfill_huey)
    assert (row(run_id).state, row(run_id).attempt) == (RunState.SUCCESS, 1)
    assert db.session.scalars(select(DeadLetter)).all() == []


@pytest.mark.parametrize(
    "changes", [{"args": {"league": "NFL"}}, {"args": {}}, {"task": "sync_all_teams"}]
)
def test_message_that_says_something_else_than_its_run_claims_nothing(offline, feed, changes):
    run_id = sync_date_range_task("NBA", "2026-02-03", "2026-02-03").id
    change(run_id, **changes)
    work(backfill_huey)
    assert (row(run_id).state, row(run_id).attempt) == (RunState.PENDING, 0)
    (letter,) = db.session.scalars(select(DeadLetter))
    assert letter.reason == "the message differs from the run that it names"
    assert feed.requests == []


def test_dead_letter_that_cannot_be_kept_stops_no_worker(offline, monkeypatch, caplog):
    def fail(*_: object) -> None:
        raise OperationalError("INSERT", None, Exception("disk full"))

    monkeypatch.setattr(huey.tracker, "dead_letter", fail)
    sync_all_live_games()
    data = huey.storage.dequeue()
    huey.storage.enqueue(data.replace(b"sportsapp.tasks.sync.sync_all_live_games", b"a\\u001b[31m"))
    assert huey.dequeue() is None
    run_id = sync_all_live_games().id
    work()
    assert row(run_id).state == RunState.SUCCESS
    assert "a dead letter could not be kept" in caplog.text
    assert chr(27) not in caplog.text
    assert r'"name":"a\\u001b[31m"' in caplog.text  # the message itself, for a person


@pytest.mark.parametrize("follow", ["then", "error"])
def test_run_that_names_what_follows_it_is_refused_at_the_call(offline, follow):
    task = getattr(sync_all_live_games.s(), follow)(sync_daily_schedule)
    with pytest.raises(TypeError, match=r"chain\(\) of sportsapp.tasks is"):
        huey.enqueue(task)
    assert rows() == []
    assert huey.pending_count() == 0


def test_revoked_run_is_recorded_and_not_executed(offline, feed):
    result = sync_all_live_games()
    assert not result.is_revoked()
    result.revoke()
    assert row(result.id).state == RunState.REVOKED  # at once, not when a worker comes to it
    assert result.is_revoked()
    work()
    assert (row(result.id).state, row(result.id).attempt) == (RunState.REVOKED, 0)
    assert feed.requests == []


def test_running_backfill_that_is_revoked_stops_at_its_next_chunk(offline, monkeypatch):
    result = sync_date_range_task("NBA", "2026-01-01", "2026-03-31")
    monkeypatch.setattr(attempts, "_check_arguments", backfill_huey.revoke)
    work(backfill_huey)
    run = row(result.id)
    assert (run.state, run.progress_done, run.progress_total) == (RunState.REVOKED, 0, 3)


@pytest.mark.parametrize(
    "ask",
    [
        lambda result: huey.revoke(result.task, revoke_until=utc_now()),
        lambda result: result.restore(),
        lambda _: sync_all_live_games.revoke(),
        lambda _: sync_all_live_games.restore(),
    ],
)
def test_revoking_that_the_ledger_has_no_word_for_is_refused(offline, ask):
    result = sync_all_live_games()
    with pytest.raises(NotImplementedError):
        ask(result)
    assert row(result.id).state == RunState.PENDING
    assert not sync_all_live_games.is_revoked()


def test_cancelled_backfill_keeps_what_it_has(offline, monkeypatch):
    run_id = sync_date_range_task("NBA", "2026-01-01", "2026-03-31").id
    change(run_id, cancel_asked=True)
    work(backfill_huey)
    run = row(run_id)
    assert (run.state, run.result) == (RunState.REVOKED, {"synced": 0, "errors": []})
    assert (run.progress_done, run.progress_total) == (0, 3)


def test_backfill_reports_its_chunks(immediate):
    run = row(sync_date_range_task("NBA", "2026-01-01", "2026-03-31").id)
    assert (run.progress_done, run.progress_total) == (3, 3)


def test_stopping_consumer_ends_a_backfill_at_its_chunk(offline, feed, monkeypatch):
    run_id = sync_date_range_task("NBA", "2026-01-01", "2026-03-31").id
    stops = iter([False, True])
    monkeypatch.setattr(backfill_huey, "is_stopping", lambda: next(stops))
    work(backfill_huey)
    run = row(run_id)
    assert (run.state, run.progress_done, run.resume["done"]) == (RunState.PENDING, 1, 1)
    monkeypatch.setattr(backfill_huey, "is_stopping", lambda: False)
    work(backfill_huey)
    assert row(run_id).state == RunState.SUCCESS
    assert feed.asked() == ["nba 202601", "nba 202602", "nba 202603"]


def test_backfill_that_failed_wholly_begins_again_on_its_retry(offline, feed):
    feed.fail("nba", 400)
    run_id = sync_date_range_task("NBA", "2026-01-01", "2026-01-02").id
    work(backfill_huey)
    assert row(run_id).state == RunState.FAILURE  # refused: not worth a retry
    feed.fail("nba", 500)
    run_id = sync_date_range_task("NBA", "2026-01-01", "2026-01-02").id
    work(backfill_huey)
    run = row(run_id)
    assert (run.state, run.resume) == (RunState.RETRY, None)


def test_run_taken_over_by_another_worker_stops_at_its_chunk(offline, feed, monkeypatch):
    run_id = sync_date_range_task("NBA", "2026-01-01", "2026-03-31").id
    original = backfill.sync_month

    def taken_over(*args: object) -> int:
        change(run_id, attempt=7)
        return original(*args)

    monkeypatch.setattr(backfill, "sync_month", taken_over)
    work(backfill_huey)
    assert (row(run_id).attempt, row(run_id).state) == (7, RunState.STARTED)
    assert feed.asked() == ["nba 202601"]


# ---------------------------------------------------------------- recovery


@pytest.fixture(autouse=True)
def _unwatched(monkeypatch) -> None:
    """A heartbeat that is old counts when it is first seen."""
    monkeypatch.setattr(recovery, "WATCHED_FOR", timedelta(0))


def recover(now: datetime | None = None) -> None:
    huey.tracker.recover(huey)
    backfill_huey.tracker.recover(backfill_huey)


def lost_run(monkeypatch, **values: object) -> str:
    """A backfill that a worker began and whose last heartbeat is two minutes old."""
    run_id = sync_date_range_task("NBA", "2026-01-01", "2026-03-31").id
    backfill_huey.dequeue()
    silent = {"heartbeat_at": utc_now() - timedelta(minutes=2), "host": "elsewhere", "pid": 1}
    change(run_id, state=RunState.STARTED, attempt=1, **(silent | values))
    return run_id


def test_run_without_a_heartbeat_is_queued_again_and_ends_well(offline, monkeypatch, feed):
    resume = {"done": 2, "todo": [["2026-03-01", "2026-03-31", True]], "failures": {}, "kept": {}}
    resume |= {"result": {"synced": 5, "errors": []}}
    run_id = lost_run(monkeypatch, resume=resume)
    recover()
    run = row(run_id)
    assert (run.state, run.recoveries) == (RunState.PENDING, 1)
    assert [(one["end"], one["host"]) for one in run.earlier] == [
        ("lost with its worker", "elsewhere")
    ]
    work(backfill_huey)
    run = row(run_id)
    assert (run.state, run.attempt, run.result["synced"]) == (RunState.SUCCESS, 2, 5)
    assert feed.asked() == ["nba 202603"]


def test_beating_run_is_left_alone(offline, monkeypatch):
    run_id = lost_run(monkeypatch, heartbeat_at=utc_now())
    recover()
    assert row(run_id).state == RunState.STARTED


def test_run_whose_worker_shows_itself_meanwhile_is_left_alone(offline, monkeypatch):
    """As after a computer's sleep, when worker and scheduler wake at the same time."""
    run_id = lost_run(monkeypatch)
    is_gone = recovery._is_gone

    def is_gone_and_wakes(run: TaskRun) -> bool:
        change(run.id, heartbeat_at=utc_now())
        return is_gone(run)

    monkeypatch.setattr(recovery, "_is_gone", is_gone_and_wakes)
    recover()
    assert (row(run_id).state, row(run_id).recoveries) == (RunState.STARTED, 0)


def test_heartbeat_is_of_every_run_in_progress_in_this_process(offline, monkeypatch):
    """Worker threads execute several at the same time."""
    tracker = backfill_huey.tracker
    for run_id in (lost_run(monkeypatch), lost_run(monkeypatch)):
        current = CurrentRun(row(run_id), None, lambda: False)
        monkeypatch.setitem(tracker.attempts.running, run_id, current)
    tracker.beat(backfill_huey.name, "worker")
    assert all(utc_now() - run.heartbeat_at < timedelta(seconds=30) for run in rows())


def test_silent_run_of_a_dead_process_here_is_put_back_early(offline, monkeypatch):
    import socket

    early = utc_now() - timedelta(seconds=20)
    here = {"heartbeat_at": early, "host": socket.gethostname()}
    dead = lost_run(monkeypatch, **here, pid=2**22 + 1)
    alive = lost_run(monkeypatch, **here, pid=1)
    recover()
    assert (row(dead).state, row(alive).state) == (RunState.PENDING, RunState.STARTED)


def test_run_that_kills_its_worker_every_time_fails_in_the_end(offline, monkeypatch):
    began = utc_now() - timedelta(minutes=5)
    run_id = lost_run(monkeypatch, recoveries=3, stalls=3, started_at=began)
    recover()
    assert row(run_id).took_seconds >= 300
    run = row(run_id)
    assert run.state == RunState.FAILURE
    assert "its worker died every time" in run.error


def test_progress_gives_a_run_its_recoveries_back(offline, monkeypatch):
    run_id = lost_run(monkeypatch, recoveries=9, stalls=3)
    change(run_id, stalls=0)
    recover()
    assert (row(run_id).state, row(run_id).recoveries) == (RunState.PENDING, 10)


def test_waiting_run_that_the_broker_forgot_is_put_back(offline):
    run_id = sync_all_live_games().id
    change(run_id, due_at=utc_now() - timedelta(minutes=1), expires_at=None)
    huey.storage.flush_all()
    recover()
    work()
    assert row(run_id).state == RunState.SUCCESS


def test_waiting_run_that_the_broker_holds_is_left_alone(offline):
    run_id = sync_all_live_games().id
    change(run_id, due_at=utc_now() - timedelta(minutes=1))
    recover()
    assert len(huey.storage.enqueued_items()) == 1


def test_run_between_two_retries_survives_an_empty_broker(offline, broken_sync):
    broken_sync(FeedUnavailableError("no answer"))
    run_id = sync_all_live_games().id
    work()
    huey.storage.flush_all()
    change(run_id, due_at=utc_now() - timedelta(minutes=1))
    recover()
    (task,) = huey.pending()
    assert (task.id, task.attempt, task.retries, task.retry_delay) == (run_id, 1, 2, 10)


def test_forgotten_run_that_has_expired_is_not_put_back(offline):
    run_id = sync_all_live_games().id
    gone = utc_now() - timedelta(minutes=1)
    change(run_id, due_at=gone, expires_at=gone)
    huey.storage.flush_all()
    recover()
    assert row(run_id).state == RunState.EXPIRED
    assert huey.pending() == []


def test_forgotten_run_of_an_unknown_task_fails_by_name(offline):
    run_id = sync_all_live_games().id
    change(run_id, due_at=utc_now() - timedelta(minutes=1), task="sync_moon")
    huey.storage.flush_all()
    recover()
    assert "no task 'sync_moon'" in row(run_id).error


def consumers() -> list[ConsumerProcess]:
    db.session.rollback()
    return list(db.session.scalars(select(ConsumerProcess).order_by(ConsumerProcess.pid)))


def test_lost_consumer_is_remembered_for_a_day(offline):
    huey.tracker.beat("sportsapp", "worker")
    for ago, is_known in ((timedelta(hours=23), True), (timedelta(hours=25), False)):
        with write_connection() as connection:
            connection.execute(update(ConsumerProcess).values(beat_at=utc_now() - ago))
        recover()
        assert [each.role for each in consumers()] == ["worker"] * is_known


@pytest.mark.parametrize(
    ("queue", "role", "began", "known"),
    [
        ("sportsapp", "worker", timedelta(minutes=16), [42]),
        ("sportsapp", "worker", timedelta(minutes=18), [41, 42]),  # it was there before
        ("sportsapp", "scheduler", timedelta(minutes=16), [41, 42]),
        ("sportsapp-backfill", "worker", timedelta(minutes=16), [41, 42]),
    ],
)
def test_lost_process_is_forgotten_once_another_has_replaced_it(offline, queue, role, began, known):
    lost = utc_now() - timedelta(minutes=17)
    add_consumer(pid=41, started_at=lost - timedelta(hours=1), beat_at=lost)
    add_consumer(queue, role, pid=42, host="box-2", started_at=utc_now() - began)
    missed = [41] if 41 in known else []
    assert [each.pid for each in reports.missed_consumers(db.session, utc_now())] == missed
    recover()
    assert [each.pid for each in consumers()] == known


def test_process_with_the_id_of_a_lost_one_has_begun_anew(offline):
    huey.tracker.beat("sportsapp", "worker")
    old = utc_now() - timedelta(hours=2)
    for beat_at, is_new in ((utc_now() - timedelta(seconds=30), False), (old, True)):
        with write_connection() as connection:
            connection.execute(update(ConsumerProcess).values(started_at=old, beat_at=beat_at))
        huey.tracker.beat("sportsapp", "worker")
        (process,) = consumers()
        assert (process.started_at > old) == is_new


def test_old_runs_are_pruned_and_failures_kept_twice_as_long(offline):
    ids = {}
    for state in (RunState.SUCCESS, RunState.FAILURE, RunState.PENDING):
        ids[state] = sync_all_live_games().id
        old = utc_now() - timedelta(days=31)
        change(ids[state], state=state, finished_at=old, due_at=utc_now())
    recover()
    assert {run.id for run in rows()} == {ids[RunState.FAILURE], ids[RunState.PENDING]}


def test_old_heartbeat_counts_when_it_stays_the_same(offline, monkeypatch):
    monkeypatch.setattr(recovery, "WATCHED_FOR", timedelta(seconds=0.2))
    run_id = sync_daily_schedule().id
    for minutes in (2, 1.9):  # a consumer that is behind, and beats
        silent = utc_now() - timedelta(minutes=minutes)
        change(run_id, state=RunState.STARTED, heartbeat_at=silent, pid=os.getpid())
        huey.tracker.recover(huey)  # each queue has a scheduler of its own
        time.sleep(0.25)
        assert row(run_id).state == RunState.STARTED
    huey.tracker.recover(huey)  # each queue has a scheduler of its own
    assert row(run_id).state == RunState.PENDING


def test_old_dead_letters_are_pruned_a_day_at_a_time(offline):
    for days in (40, 39.5, 35, 29):
        keep_dead_letter(db.engine, huey.name, f"{days}".encode(), "garbage")
        age = {"received_at": utc_now() - timedelta(days=days)}
        newest = select(func.max(DeadLetter.id)).scalar_subquery()
        with write_connection() as connection:
            connection.execute(update(DeadLetter).where(DeadLetter.id == newest).values(age))
    letters = select(DeadLetter.message).order_by(DeadLetter.id)
    for kept in (["35", "29"], ["29"], ["29"]):
        prune(db.engine, timedelta(days=30), utc_now())
        db.session.rollback()
        assert list(db.session.scalars(letters)) == kept


# ---------------------------------------------------------------- shells


def test_work_in_a_shell_is_on_the_record(app):
    with record_local_run("sync_day", {"league": "NBA"}, "maria") as outcome:
        outcome.result = {"synced": 1, "errors": []}
    run = row(outcome.run_id)
    assert (run.state, run.result["synced"], run.asked_by) == (RunState.SUCCESS, 1, "maria")


def test_failing_work_in_a_shell_is_on_the_record_and_raised(app):
    with (
        pytest.raises(FeedUnavailableError),
        record_local_run("sync_day", {}) as outcome,
    ):
        raise FeedUnavailableError("no answer")
    assert row(outcome.run_id).state == RunState.FAILURE


def test_work_in_a_shell_that_is_cancelled_keeps_what_it_has(app):
    def sync() -> None:
        with record_local_run("sync_day", {}) as local_run:
            cancel_run(local_run.run_id)
            report_progress(1, 2, {"result": {"synced": 3}})

    with pytest.raises(RunCancelled):
        sync()
    (run,) = rows()
    assert (run.state, run.result, run.error) == (RunState.REVOKED, {"synced": 3}, "")


def test_shell_goes_on_beating_after_a_heartbeat_that_the_database_did_not_take(app, monkeypatch):
    taken = local.write_connection
    refused = iter([OperationalError("UPDATE", {}, Exception("database is locked"))] * 2)

    def write_connection(*args):
        if threading.current_thread() is threading.main_thread():
            return taken(*args)
        for error in refused:
            raise error
        return taken(*args)

    monkeypatch.setattr(local, "BEAT_SECONDS", 0.02)
    monkeypatch.setattr(local, "write_connection", write_connection)
    with record_local_run("sync_day", {}) as outcome:
        began = row(outcome.run_id).heartbeat_at
        deadline = time.monotonic() + 5
        while row(outcome.run_id).heartbeat_at == began:
            assert time.monotonic() < deadline
            db.session.rollback()


def test_shell_that_vanished_leaves_a_failure(offline):
    with record_local_run("sync_day", {}) as outcome:
        pass
    silent = utc_now() - timedelta(minutes=2)
    change(outcome.run_id, state=RunState.STARTED, heartbeat_at=silent)
    recover()
    run = row(outcome.run_id)
    assert (run.state, "its process ended" in run.error) == (RunState.FAILURE, True)


# ---------------------------------------------------------------- the scheduler

MONDAY = datetime(2026, 11, 23, 4, 0, 0, 400_000, tzinfo=UTC)


@pytest.fixture
def scheduler(offline):
    """A scheduler as a consumer has it, without its process."""

    def make(since: datetime) -> SlotScheduler:
        with write_connection() as connection:
            connection.execute(ScheduleRow.__table__.delete())
            connection.execute(
                ScheduleRow.__table__.insert(),
                [{"task": n, "paused": False, "since_at": since} for n in huey.periodic_tasks],
            )
        return SlotScheduler(huey, None, 1, True)

    return make


def queued() -> list[str]:
    return sorted(task.id for task in huey.pending())


def test_every_task_is_due_when_its_time_comes(scheduler):
    scheduler(MONDAY - timedelta(minutes=1)).enqueue_periodic_tasks(MONDAY)
    assert queued() == [
        "sync_all_live_games@2026-11-23T04:00:00Z",
        "sync_all_teams@2026-11-23T04:00:00Z",
        "sync_daily_schedule@2026-11-23T04:00:00Z",
    ]


def test_slot_is_claimed_once_by_any_number_of_schedulers(scheduler):
    first = scheduler(MONDAY - timedelta(minutes=1))
    second = SlotScheduler(huey, None, 1, True)
    for second_of_minute in range(60):
        for one in (first, second):
            one.enqueue_periodic_tasks(MONDAY + timedelta(seconds=second_of_minute))
    assert len(queued()) == 3


def test_restart_within_a_minute_doubles_nothing(scheduler):
    scheduler(MONDAY - timedelta(minutes=1)).enqueue_periodic_tasks(MONDAY)
    again = SlotScheduler(huey, None, 1, True)
    again.enqueue_periodic_tasks(MONDAY + timedelta(seconds=20))
    assert len(queued()) == 3


def test_newest_missed_slot_is_caught_up_and_only_that(scheduler):
    later = MONDAY + timedelta(hours=30, minutes=20)  # Tuesday 10:20
    scheduler(MONDAY - timedelta(days=3)).enqueue_periodic_tasks(later)
    newest = [
        "audit_seasons@2026-11-24T09:00:00Z",
        "sync_all_leagues@2026-11-24T03:00:00Z",
        "sync_all_live_games@2026-11-24T10:20:00Z",
        "sync_all_teams@2026-11-23T04:00:00Z",
        "sync_daily_schedule@2026-11-24T10:00:00Z",
    ]
    tasks = {slot.partition("@")[0] for slot in newest}  # there may be more
    assert [slot for slot in queued() if slot.partition("@")[0] in tasks] == newest


def test_slot_older_than_the_instance_is_not_caught_up(scheduler):
    now = MONDAY + timedelta(minutes=20)
    scheduler(now - timedelta(seconds=1)).enqueue_periodic_tasks(now)
    assert queued() == ["sync_all_live_games@2026-11-23T04:20:00Z"]


def test_paused_task_is_not_scheduled(scheduler):
    one = scheduler(MONDAY - timedelta(minutes=1))
    with write_connection() as connection:
        connection.execute(update(ScheduleRow).values(paused=True))
    one.enqueue_periodic_tasks(MONDAY)
    assert queued() == []


def test_tick_is_skipped_while_another_runs(scheduler):
    one = scheduler(MONDAY - timedelta(minutes=1))
    run_id = sync_all_live_games().id
    huey.dequeue()
    change(run_id, state=RunState.STARTED, heartbeat_at=utc_now())
    one.enqueue_periodic_tasks(MONDAY)
    assert not any(name.startswith("sync_all_live") for name in queued())


def test_tick_comes_when_the_running_one_has_no_heartbeat(scheduler):
    one = scheduler(MONDAY - timedelta(minutes=1))
    run_id = sync_all_live_games().id
    huey.dequeue()
    silent = utc_now() - timedelta(minutes=2)
    change(run_id, state=RunState.STARTED, heartbeat_at=silent)
    one.enqueue_periodic_tasks(MONDAY)
    assert "sync_all_live_games@2026-11-23T04:00:00Z" in queued()


def test_scheduled_run_keeps_its_result(scheduler):
    scheduler(MONDAY - timedelta(minutes=1)).enqueue_periodic_tasks(MONDAY)
    tick = huey.dequeue()
    tick.expires_resolved = None
    huey.execute(tick)
    promised = {"synced": 0, "errors": []}
    assert huey.result(tick.id, blocking=True, timeout=10) == promised
    assert row(tick.id).trigger == Trigger.SCHEDULE


# ---------------------------------------------------------------- messages nobody can read


@pytest.mark.parametrize(
    "data",
    [
        b"garbage",
        b"\x80\x04\x95pickle\x00",
        b"[]",
        b'{"attempt":0,"task":{"!message":{"id":"x","name":"no.such.task"}}}',
        b'{"attempt":"x","task":{}}',
        b'{"attempt":0,"task":{"!message":{"id":5,"name":"sportsapp.tasks.sync.sync_all_leagues"}}}',
        b'{"attempt":0,"task":{"!message":{"colour":"red"}}}',
        b"x" * 2_000_000,
        b"[" * 500_000,
    ],
)
def test_unreadable_message_becomes_a_dead_letter(offline, data):
    huey.storage.enqueue(data)
    assert huey.dequeue() is None
    letter = db.session.scalars(select(DeadLetter)).one()
    assert (letter.queue, letter.size) == ("sportsapp", len(data))
    assert letter.reason != ""
    assert len(letter.message) <= DEAD_LETTER_LIMIT * 4


def test_value_that_cannot_travel_is_refused_at_the_call(offline):
    with pytest.raises(TypeError, match="set cannot go into a message"):
        sync_date_range_task({"NBA"}, "2026-01-01", "2026-01-02")
    assert rows() == []
