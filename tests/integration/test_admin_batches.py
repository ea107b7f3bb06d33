"""Batches in the panel: one row on the backfill page, one list, one button that cancels all."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from sportsapp.db.engine import db
from sportsapp.db.models import Batch, RunState
from tests.panel import add_batch, add_failure, add_run, counted, row, runs_of

pytestmark = pytest.mark.slow

TASK = "sync_date_range_task"
LIVE = "/admin/backfill/live"
RUNS = "/admin/runs/"
NBA_DECADE = {"league": "nba", "start": "2016-01-01", "end": "2025-12-31"}


def add_member(state: str, season: int = 2016, batch_id: str = "b1", **values: object) -> str:
    args = {"league": "NBA", "start_date": f"{season}-07-01", "end_date": f"{season + 1}-06-30"}
    more = {"queue": "sportsapp-backfill", "args": args, "batch_id": batch_id, **values}
    return add_run(TASK, state, **more)


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_backfill_of_several_seasons_is_one_row(panel):
    assert panel.post("/admin/backfill/", **NBA_DECADE).status_code == 303
    (batch,) = db.session.scalars(select(Batch))
    page = panel.get(LIVE)
    assert len(runs_of(TASK)) == batch.runs == 11
    assert page.count("<tr data-k=") == 1
    assert f"?batch={batch.id}" in page
    assert "NBA from 2016-01-01 to 2025-12-31" in page
    assert "0 of 11 runs (0 %)" in page
    assert "0 running, 11 waiting" in page
    assert "estimate 3 min 0 s" in text_of(page)


def test_backfill_of_one_season_is_a_run_and_no_batch(panel):
    panel.post("/admin/backfill/", league="nba", start="2026-01-01", end="2026-01-31")
    assert runs_of(TASK)[0].batch_id is None
    assert db.session.scalars(select(Batch)).all() == []


def test_row_shows_runs_in_progress_failures_and_time(panel):
    add_batch(seconds=120, requests=36)
    add_member(RunState.SUCCESS, 2016)
    add_member(RunState.FAILURE, 2017)
    running = add_member(RunState.STARTED, 2018, progress_done=2, progress_total=12)
    page = panel.get(LIVE)
    assert "2 of 3 runs (66 %)" in page
    assert "1 running, 0 waiting" in page
    assert "2 of 12 (17 %)" in page
    assert page.index("2 of 3 runs") < page.index(running)
    assert "?batch=b1&amp;state=failed" in page
    assert re.search(r"5 min \d s estimate 2 min 0 s", text_of(page))


def test_batch_that_has_ended_stays_for_a_day(panel):
    add_batch("b1", "of today", runs=1)
    add_member(RunState.SUCCESS, batch_id="b1")
    add_batch("b2", "of last week", runs=1)
    add_member(RunState.SUCCESS, batch_id="b2", ago=timedelta(days=7))
    page = panel.get(LIVE)
    assert "of today" in page
    assert "of last week" not in page
    assert re.search(r"of today maria ended 1 of 1 runs \(100 %\) 2.0 s", text_of(page))
    assert "Cancel all" not in page


def test_run_list_is_narrowed_to_a_batch_and_shows_how_far_it_is(panel):
    add_batch()
    mine = add_member(RunState.STARTED)
    other = add_run(TASK)
    page = panel.get(f"{RUNS}?batch=b1")
    assert mine in page
    assert other not in page
    assert "2 of 3 runs" in page
    assert 'value="b1" selected' in page
    assert "0 of 3" not in panel.get(RUNS)
    assert "?batch=b1" in panel.get(f"{RUNS}details/?id={mine}")


def test_run_list_of_a_batch_that_does_not_exist_is_empty(panel):
    add_run(TASK)
    assert "No rows match" in panel.get(f"{RUNS}?batch=none")


def test_cancelling_all_ends_what_waits_and_stops_what_runs(panel):
    add_batch(runs=4)
    done, failed = add_member(RunState.SUCCESS), add_member(RunState.FAILURE)
    waits, runs = add_member(RunState.PENDING), add_member(RunState.STARTED)
    alone = add_run(TASK, RunState.PENDING)
    assert 'name="sure" value="yes"' in panel.post(f"{RUNS}cancel-batch", id="b1").text
    assert row(waits).state == RunState.PENDING
    said = panel.message_after(f"{RUNS}cancel-batch", id="b1", sure="yes")
    assert "batch b1 is cancelled: 1 runs before they began, 1 after" in said
    assert [row(run_id).state for run_id in (done, failed, waits, runs, alone)] == [
        *(RunState.SUCCESS, RunState.FAILURE, RunState.REVOKED, RunState.STARTED),
        RunState.PENDING,
    ]
    assert row(runs).cancel_asked
    assert "no batch" in panel.message_after(f"{RUNS}cancel-batch", id="none", sure="yes")


def test_group_that_runs_again_is_a_batch(panel):
    for season in (2016, 2017):
        args = {"league": "NBA", "start_date": f"{season}-07-01", "end_date": f"{season}-07-09"}
        add_failure(task=TASK, args=args, error="the feed refused\nmore")
    said = panel.message_after("/admin/failures/again", fingerprint="abc123", sure="yes")
    assert "2 runs of failure abc123 were queued again" in said
    assert "Again what failed with: the feed refused" in panel.get(LIVE)


def test_batches_take_a_bounded_number_of_queries(panel):
    counts = []
    for numbers in (range(1), range(1, 15)):
        for n in numbers:
            add_batch(f"b{n}")
            add_member(RunState.STARTED, batch_id=f"b{n}")
        with counted() as statements:
            panel.get(LIVE)
            panel.get(f"{RUNS}?batch=b0")
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 17
