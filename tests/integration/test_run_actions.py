"""Run actions: backfill, run again, cancel, pause, dead letters."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import select

from sportsapp.core.clock import utc_now
from sportsapp.core.errors import (
    BrokerUnavailableError,
    DateRangeError,
    DeadLetterError,
    OverlapError,
    RunNotFoundError,
    UnknownTaskError,
)
from sportsapp.core.leagues import BY_SLUG
from sportsapp.db.engine import db
from sportsapp.db.models import DeadLetter, RunState, ScheduleRow, TaskRun, Trigger
from sportsapp.queue.huey import backfill_huey, huey
from sportsapp.sync.ranges import by_season, estimate
from sportsapp.tasks import actions, sync_all_live_games, sync_date_range_task
from sportsapp.tasks.backfills import queue_backfills
from sportsapp.tasks.chains import sync_everything
from tests.panel import change, row

NBA, NFL, MLB = BY_SLUG["nba"], BY_SLUG["nfl"], BY_SLUG["mlb"]
JANUARY = (date(2026, 1, 1), date(2026, 1, 31))

pytestmark = pytest.mark.usefixtures("offline")


def backfill(*leagues, days=JANUARY) -> list[str]:
    ranges = [(league, *days) for league in leagues or [NBA]]
    return queue_backfills(ranges, Trigger.ADMIN, "maria").run_ids


def test_backfill_is_one_run_a_league_on_the_record():
    runs = [row(run_id) for run_id in backfill(NBA, NFL)]
    assert [run.args["league"] for run in runs] == ["NBA", "NFL"]
    assert {(run.trigger, run.asked_by, run.state) for run in runs} == {
        (Trigger.ADMIN, "maria", RunState.PENDING)
    }
    assert backfill_huey.pending_count() == 2


@pytest.mark.parametrize(
    ("league", "start", "end", "parts"),
    [
        (NBA, date(2025, 10, 1), date(2026, 6, 30), 1),
        (NBA, date(2025, 1, 1), date(2026, 12, 31), 3),
        (NFL, date(2025, 9, 1), date(2026, 2, 15), 1),
        (MLB, date(2025, 12, 31), date(2026, 1, 1), 2),
    ],
)
def test_range_over_several_seasons_is_one_run_a_season(league, start, end, parts):
    cut = by_season([(league, start, end)])
    assert len(cut) == parts
    assert (cut[0][1], cut[-1][2]) == (start, end)
    for (_, _, before), (_, after, _) in pairwise(cut):
        assert after - before == timedelta(days=1)


def test_estimate_counts_requests():
    said = estimate([(league, date(2026, 1, 1), date(2026, 3, 2)) for league in (NBA, NFL)])
    assert (said.runs, said.requests) == (2, 8)  # two months and two single days, each league


@pytest.mark.parametrize(
    "days",
    [
        JANUARY,
        (date(2026, 1, 31), date(2026, 2, 1)),
        (date(2025, 12, 1), date(2026, 1, 1)),
        (date(2026, 1, 10), date(2026, 1, 10)),
        (date(2025, 12, 1), date(2026, 3, 1)),
    ],
)
@pytest.mark.parametrize("state", [RunState.PENDING, RunState.STARTED, RunState.RETRY])
def test_overlapping_backfill_is_refused_and_names_the_run(days, state):
    (first,) = backfill()
    change(first, state=state)
    with pytest.raises(OverlapError, match="NBA from 2026-01-01 to 2026-01-31") as refused:
        backfill(days=days)
    assert refused.value.run_id == first
    assert backfill_huey.pending_count() == 1


def test_of_equal_backfills_asked_for_at_once_one_is_queued(app):
    together = threading.Barrier(4)

    def ask(_: int) -> bool:
        with app.app_context():
            together.wait()
            try:
                return bool(backfill())
            except OverlapError:
                return False

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(ask, range(4))) == 1
    assert backfill_huey.pending_count() == 1


def test_broker_that_takes_only_the_first_run_leaves_the_others_failed(monkeypatch):
    push, seen = backfill_huey.push, []

    def push_once(task):
        seen.append(task.id)
        if len(seen) > 1:
            raise BrokerUnavailableError("away")
        return push(task)

    monkeypatch.setattr(backfill_huey, "push", push_once)
    with pytest.raises(BrokerUnavailableError):
        backfill(NBA, NFL, MLB)
    states = db.session.execute(select(TaskRun.args["league"].as_string(), TaskRun.state))
    assert dict(states.all()) == {"NBA": "PENDING", "NFL": "FAILURE", "MLB": "FAILURE"}


def test_backfill_that_has_ended_or_is_of_another_league_is_no_overlap():
    (first,) = backfill()
    assert backfill(NFL)
    change(first, state=RunState.SUCCESS)
    assert backfill()


def test_overlap_in_one_league_queues_none_of_them():
    backfill(NFL)
    with pytest.raises(OverlapError):
        backfill(NBA, NFL)
    assert backfill_huey.pending_count() == 1


def test_backfill_with_bad_days_is_refused():
    with pytest.raises(DateRangeError):
        backfill(days=(date(2026, 2, 1), date(2026, 1, 1)))


def test_run_again_has_the_same_arguments_and_a_new_id():
    first = sync_date_range_task("NBA", "2026-01-01", "2026-01-02").id
    change(first, state=RunState.FAILURE)
    again = actions.run_again(first, Trigger.ADMIN, "maria")
    assert again != first
    assert row(again).args == row(first).args
    assert row(again).trigger == Trigger.ADMIN


@pytest.mark.parametrize("state", [RunState.PENDING, RunState.STARTED, RunState.RETRY])
def test_run_again_of_what_waits_or_runs_is_refused(state):
    first = sync_date_range_task("NBA", "2026-01-01", "2026-01-02").id
    change(first, state=RunState.FAILURE)
    again = actions.run_again(first, Trigger.ADMIN, "maria")
    change(again, state=state)
    for _click in range(3):
        with pytest.raises(OverlapError, match=r"a backfill of the NBA .* already") as refused:
            actions.run_again(first, Trigger.ADMIN, "maria")
        assert refused.value.run_id == again
    sync_date_range_task("NBA", "2026-01-01", "2026-01-01")
    change(again, state=RunState.SUCCESS)
    assert actions.run_again(first, Trigger.ADMIN, "maria") not in (first, again)


def test_chain_that_is_under_way_is_not_started_again():
    sync_everything(Trigger.COMMAND, "maria")
    with pytest.raises(OverlapError, match="of sync_all_leagues with the same arguments already"):
        sync_everything(Trigger.COMMAND, "maria")


def test_run_again_of_nothing_is_said():
    with pytest.raises(RunNotFoundError):
        actions.run_again("none", Trigger.ADMIN, "")


def test_group_runs_again_once_for_each_set_of_arguments():
    for start in ("2026-01-01", "2026-01-01", "2026-02-01"):
        run_id = sync_date_range_task("NBA", start, "2026-02-02").id
        change(run_id, state=RunState.FAILURE, fingerprint="abc")
    again = actions.run_group_again("abc", Trigger.ADMIN, "maria")
    assert len(again) == 2
    assert len({row(run_id).batch_id for run_id in again} - {None}) == 1
    assert actions.run_group_again("abc", Trigger.ADMIN, "maria") == []


def test_run_of_a_group_that_is_under_way_is_left_out_of_its_batch():
    failed = [sync_date_range_task("NBA", day, day).id for day in ("2026-01-01", "2026-02-01")]
    for run_id in failed:
        change(run_id, state=RunState.FAILURE, fingerprint="abc")
    sync_date_range_task("NBA", "2026-01-01", "2026-01-31")
    (again,) = actions.run_group_again("abc", Trigger.ADMIN, "maria")
    assert (row(again).args["start_date"], row(again).batch_id) == ("2026-02-01", None)


def test_waiting_run_that_is_cancelled_never_runs(feed):
    run_id = sync_all_live_games().id
    assert actions.cancel(run_id) == "cancelled before it began"
    huey.execute(huey.dequeue())
    assert (row(run_id).state, feed.requests) == (RunState.REVOKED, [])


def test_running_run_is_asked_to_stop():
    (run_id,) = backfill()
    change(run_id, state=RunState.STARTED)
    assert "after its current chunk" in actions.cancel(run_id)
    assert row(run_id).cancel_asked


def test_ended_run_cannot_be_cancelled():
    run_id = sync_all_live_games().id
    change(run_id, state=RunState.SUCCESS)
    assert actions.cancel(run_id) == "has ended already (SUCCESS)"
    with pytest.raises(RunNotFoundError):
        actions.cancel("none")


def test_pause_stops_the_schedule_and_resume_does_not_catch_up():
    name = "sync_all_live_games"
    actions.set_paused(name, True)
    slot = utc_now().replace(microsecond=0)
    assert huey.tracker.claim(huey.periodic_tasks[name], slot) is None
    actions.set_paused(name, False)
    assert huey.tracker.since(name) >= slot
    assert huey.tracker.claim(huey.periodic_tasks[name], slot) is not None


def test_pause_of_a_task_keeps_since_when_and_by_whom_until_it_is_resumed():
    name = "sync_all_teams"

    def kept() -> tuple[bool, datetime | None, str]:
        db.session.rollback()
        task = db.session.get_one(ScheduleRow, name)
        return task.paused, task.paused_at, task.paused_by

    before = utc_now()
    actions.set_paused(name, True, "maria")
    first = kept()
    actions.set_paused(name, True, "otto")  # it is paused already
    assert kept() == first
    assert (first[0], first[2]) == (True, "maria")
    assert first[1] is not None
    assert before <= first[1] <= utc_now()
    actions.set_paused(name, False, "otto")
    assert kept() == (False, None, "")


@pytest.mark.parametrize("name", ["sync_moon", "sync_date_range_task"])
def test_only_periodic_tasks_can_be_paused(name):
    with pytest.raises(UnknownTaskError, match="known are sync_all_live_games"):
        actions.set_paused(name, True)


def test_paused_task_can_be_run_by_hand():
    actions.set_paused("sync_all_leagues", True)
    run_id = actions.run_now("sync_all_leagues", Trigger.ADMIN, "maria")
    assert row(run_id).state == RunState.PENDING


def dead_letter(data: bytes) -> int:
    huey.storage.enqueue(data)
    huey.dequeue()
    return db.session.scalars(select(DeadLetter.id)).one()


def test_dead_letter_can_be_put_back_or_discarded():
    letter = dead_letter(b"garbage")
    actions.put_back(letter)
    assert huey.storage.enqueued_items() == [b"garbage"]
    huey.dequeue()
    db.session.rollback()
    actions.discard(db.session.scalars(select(DeadLetter.id)).one())
    db.session.rollback()
    assert db.session.scalars(select(DeadLetter)).all() == []


def test_dead_letter_that_was_cut_cannot_be_put_back():
    with pytest.raises(DeadLetterError, match="not kept whole"):
        actions.put_back(dead_letter(b"x" * 2_000_000))


def test_schedules_know_since_when_they_run():
    huey.tracker.since("sync_all_teams")
    assert db.session.get(ScheduleRow, "sync_all_teams").paused is False
