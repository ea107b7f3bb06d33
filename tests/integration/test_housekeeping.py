"""What grows is kept in bounds: the ledger's rows, by age and by how they ended."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from sportsapp.core.clock import iso_utc, utc_now
from sportsapp.db.engine import db, write_connection
from sportsapp.db.models import AdminSession, AdminUser, RunState, TaskRun
from sportsapp.db.models.run import WAITING
from sportsapp.queue.consumer import SlotScheduler
from sportsapp.queue.huey import huey
from sportsapp.runs import recovery
from sportsapp.tasks import sync_all_live_games
from tests.panel import signed_in

DAYS = 30


def run_that_ended(days_ago: float, state: RunState, **more: object) -> str:
    run_id = sync_all_live_games().id
    ended = None if state in WAITING else utc_now() - timedelta(days=days_ago)
    values = {"state": state, "finished_at": ended, "queued_at": utc_now()} | more
    with write_connection() as connection:
        connection.execute(update(TaskRun).where(TaskRun.id == run_id).values(values))
    return run_id


def is_kept(run_id: str) -> bool:
    db.session.rollback()
    return db.session.get(TaskRun, run_id) is not None


@pytest.mark.parametrize(
    ("state", "kept_for"),
    [
        (RunState.SUCCESS, DAYS),
        (RunState.REVOKED, DAYS),
        (RunState.EXPIRED, DAYS),
        (RunState.SKIPPED, DAYS),
        (RunState.FAILURE, 2 * DAYS),
        (RunState.TIMEOUT, 2 * DAYS),
    ],
)
def test_runs_are_kept_as_long_as_the_setting_says_failures_twice(offline, state, kept_for):
    young, old = (run_that_ended(kept_for + days, state) for days in (-0.1, 0.1))
    huey.tracker.recover(huey)
    assert (is_kept(young), is_kept(old)) == (True, False)


@pytest.mark.parametrize("state", [RunState.PENDING, RunState.RETRY, RunState.STARTED])
def test_open_runs_are_kept_whatever_their_age(offline, state):
    run_id = run_that_ended(400, state, due_at=utc_now(), heartbeat_at=utc_now())
    huey.tracker.recover(huey)
    assert is_kept(run_id)


def test_rows_are_pruned_once_an_hour(offline, monkeypatch):
    huey.tracker.recover(huey)
    old = run_that_ended(DAYS + 1, RunState.SUCCESS)
    huey.tracker.recover(huey)
    assert is_kept(old)
    later = utc_now() + timedelta(minutes=61)
    monkeypatch.setattr(recovery, "utc_now", lambda: later)
    huey.tracker.recover(huey)
    assert not is_kept(old)


def test_sessions_that_are_over_are_deleted_after_a_day(app, offline):
    for hours in (23, 25):
        signed_in(app, f"admin{hours}")
        began = {"created_at": utc_now() - timedelta(hours=hours)}
        account = select(AdminUser.id).where(AdminUser.username == f"admin{hours}")
        with write_connection() as connection:
            mine = AdminSession.account_id == account.scalar_subquery()
            connection.execute(update(AdminSession).where(mine).values(began))
    huey.tracker.recover(huey)
    db.session.rollback()
    kept = select(AdminUser.username).join(AdminSession)
    assert list(db.session.scalars(kept)) == ["admin23"]


def test_weekly_run_is_not_repeated_because_its_slot_was_pruned(offline, monkeypatch):
    monkeypatch.setattr(huey.tracker.recovery, "retention", timedelta(days=1))
    name, now = "sync_all_teams", utc_now()
    periodic = huey.periodic_tasks[name]
    since = now - timedelta(days=30)
    with write_connection() as connection:
        connection.exec_driver_sql("DELETE FROM schedules")
    monkeypatch.setattr(huey.tracker, "since", lambda _: since)
    newest = periodic.schedule.newest_slot(now - timedelta(days=8), now)
    for slot in (newest - timedelta(days=7), newest):
        assert huey.tracker.claim(periodic, slot)
    with write_connection() as connection:
        done = {"state": RunState.SUCCESS, "finished_at": now - timedelta(days=3)}
        connection.execute(update(TaskRun).values(**done))
    huey.tracker.recover(huey)
    db.session.rollback()
    assert list(db.session.scalars(select(TaskRun.id))) == [f"{name}@{iso_utc(newest)}"]
    scheduler = SlotScheduler(huey, None, 1, True)
    scheduler.enqueue_periodic_tasks(now)
    assert name not in {task.name for task in huey.pending()}
