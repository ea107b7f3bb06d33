"""Batches: several runs that one request made, recorded, followed, cancelled and pruned as one."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from sportsapp.core.clock import utc_now
from sportsapp.core.errors import BrokerUnavailableError, OverlapError
from sportsapp.db.engine import db
from sportsapp.db.models import Batch, RunState, TaskRun, Trigger
from sportsapp.queue.huey import backfill_huey, huey
from sportsapp.runs.pruning import prune
from sportsapp.sync.ranges import Estimate
from sportsapp.tasks import audit_seasons, sync_date_range_task, sync_unread_days
from sportsapp.tasks.batches import start_batch
from tests.panel import change, row, runs_of

TASK = "sync_date_range_task"

pytestmark = pytest.mark.usefixtures("offline")


def start(*leagues: str, name: str = "January") -> str:
    tasks = [sync_date_range_task.s(league, "2026-01-01", "2026-01-31") for league in leagues]
    return start_batch(name, tasks, Trigger.ADMIN, "maria", Estimate(len(leagues), 8, 12))


def batches() -> list[Batch]:
    db.session.rollback()
    return list(db.session.scalars(select(Batch)))


def test_batch_is_on_the_record_with_its_runs_and_its_estimate():
    batch_id = start("NBA", "NFL")
    (batch,) = batches()
    assert (batch.id, batch.name, batch.trigger, batch.asked_by, batch.runs) == (
        *(batch_id, "January", Trigger.ADMIN, "maria", 2),
    )
    assert (batch.requests, batch.seconds) == (8, 12)
    assert {(run.batch_id, run.trigger, run.asked_by) for run in runs_of(TASK)} == {
        (batch_id, Trigger.ADMIN, "maria")
    }
    assert backfill_huey.pending_count() == 2


def test_run_that_is_queued_alone_is_in_no_batch():
    assert row(sync_date_range_task("NBA", "2026-01-01", "2026-01-02").id).batch_id is None


def test_runs_of_a_batch_go_to_the_queues_of_their_tasks():
    tasks = [sync_date_range_task.s("NBA", "2026-01-01", "2026-01-31"), audit_seasons.s("NBA")]
    start_batch("both", tasks, Trigger.ADMIN, "maria")
    assert (huey.pending_count(), backfill_huey.pending_count()) == (1, 1)
    assert {run.queue for run in db.session.scalars(select(TaskRun))} == {
        huey.name,
        backfill_huey.name,
    }
    assert batches()[0].seconds is None


@pytest.mark.parametrize("days", [("2026-01-01", "2026-01-31"), ("2026-01-31", "2026-02-02")])
def test_overlap_of_one_run_queues_none_and_leaves_no_batch(days):
    sync_date_range_task("NFL", *days)
    with pytest.raises(OverlapError):
        start("NBA", "NFL")
    assert batches() == []
    assert len(runs_of(TASK)) == 1


def test_runs_of_another_task_are_no_overlap():
    january = "2026-01-01", "2026-01-31"
    sync_date_range_task("NBA", *january)
    tasks = [sync_unread_days.s("NBA", *january), sync_date_range_task.s("NFL", *january)]
    assert start_batch("both", tasks, Trigger.ADMIN, "maria")


def test_batch_of_which_the_broker_takes_nothing_has_failed_runs(monkeypatch):
    def away(_task):
        raise BrokerUnavailableError("away")

    monkeypatch.setattr(backfill_huey, "push", away)
    with pytest.raises(BrokerUnavailableError):
        start("NBA", "NFL")
    assert {run.state for run in runs_of(TASK)} == {RunState.FAILURE}
    assert len(batches()) == 1


def test_batch_is_pruned_with_the_last_of_its_runs():
    start("NBA", "NFL")
    now = utc_now()
    first, second = runs_of(TASK)
    for run, days in ((first, 40), (second, 20)):
        change(run.id, state=RunState.SUCCESS, finished_at=now - timedelta(days=days))
    prune(db.engine, timedelta(days=30), now)
    assert (len(runs_of(TASK)), len(batches())) == (1, 1)
    prune(db.engine, timedelta(days=30), now + timedelta(days=11))
    assert (runs_of(TASK), batches()) == ([], [])


# ---------------------------------------------------------------- in a shell


def test_range_over_several_seasons_is_queued_as_a_batch(runner):
    words = ["sync", "range", "NBA", "2024-01-01", "2026-01-31", "--queue"]
    done = runner.invoke(args=words)
    (batch,) = batches()
    assert (done.exit_code, done.stdout) == (0, f"{batch.id}\n")
    runs = runs_of(TASK)
    assert [run.args["start_date"] for run in runs] == ["2024-01-01", "2024-07-01", "2025-07-01"]
    assert (batch.name, batch.requests) == ("NBA from 2024-01-01 to 2026-01-31", 25)
    for run in runs:
        change(run.id, state=RunState.SUCCESS)
    document = json.loads(runner.invoke(args=[*words, "--json"]).stdout)
    assert len(document["task_ids"]) == 3
    assert document["batch_id"] in {batch.id for batch in batches()} - {batch.id}


def test_range_within_a_season_is_queued_as_one_run(runner):
    words = ["sync", "range", "NBA", "2026-01-01", "2026-01-31", "--queue", "--json"]
    assert list(json.loads(runner.invoke(args=words).stdout)) == ["task_id"]
    assert batches() == []


def test_runs_of_a_batch_are_listed_with_how_far_it_is_those_in_progress_first(runner):
    batch_id = start("NBA", "NFL", "MLB")
    sync_date_range_task("NHL", "2026-01-01", "2026-01-31")
    first, second, _, _ = runs_of(TASK)
    began = utc_now() - timedelta(seconds=30)
    old = {"queued_at": began, "started_at": began}  # it would be the last in the list
    change(first.id, state=RunState.STARTED, heartbeat_at=utc_now(), **old)
    change(second.id, state=RunState.FAILURE, started_at=began, finished_at=utc_now())
    db.session.rollback()
    done = runner.invoke(args=["tasks", "runs", "--batch", batch_id])
    head, running, *others = done.stdout.splitlines()
    assert head.startswith("January: 1 of 3 runs have ended, 1 failed, 1 running, 1 waiting, for 3")
    assert head.endswith(" s, estimate 12 s")
    assert first.id in running
    assert len(others) == 2
    document = json.loads(
        runner.invoke(args=["tasks", "runs", "--batch", batch_id, "--json"]).stdout
    )
    assert document["batch"]["states"] == {"FAILURE": 1, "PENDING": 1, "STARTED": 1}
    assert (document["batch"]["ended"], document["batch"]["runs"]) == (1, 3)
    assert document["batch"]["estimate"] == {"requests": 8, "seconds": 12}
    shown = json.loads(runner.invoke(args=["tasks", "show", first.id, "--json"]).stdout)
    assert shown["batch_id"] == batch_id


def test_batch_is_cancelled_from_a_shell(runner):
    batch_id = start("NBA", "NFL")
    both = runner.invoke(args=["tasks", "cancel", runs_of(TASK)[0].id, "--batch", batch_id])
    assert (both.exit_code, both.stderr) == (2, "name one run, or one batch with --batch ID\n")
    done = runner.invoke(args=["tasks", "cancel", "--batch", batch_id])
    outcome = "is cancelled: 2 runs before they began, 0 after their current chunk"
    assert (done.exit_code, done.stdout) == (0, f"batch {batch_id} {outcome}\n")
    assert {run.state for run in runs_of(TASK)} == {RunState.REVOKED}
    assert "ended already" in runner.invoke(args=["tasks", "cancel", "--batch", batch_id]).stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["cancel"], "name one run, or one batch with --batch ID\n"),
        (["cancel", "x", "--batch", "y"], "no task run has the id 'x'\n"),
        (["cancel", "--batch", "nothing"], "no batch has the id 'nothing'\n"),
        (["runs", "--batch", "nothing"], "no batch has the id 'nothing'\n"),
    ],
)
def test_unknown_batch_is_one_line_and_misuse(runner, words, said):
    done = runner.invoke(args=["tasks", *words])
    assert (done.exit_code, done.stdout, done.stderr) == (2, "", said)
