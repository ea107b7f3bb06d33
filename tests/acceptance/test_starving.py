"""Long work beside ticks: a real consumer, a real broker, a slow feed, a tick every 2 s."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from datetime import timedelta

import pytest
from werkzeug.wrappers import Request, Response

from sportsapp.core.clock import utc_now
from sportsapp.db.models import RunState, TaskRun
from sportsapp.tasks import (
    sync_all_leagues,
    sync_all_teams,
    sync_daily_schedule,
    sync_date_range_task,
)
from tests.acceptance import harm
from tests.acceptance.conftest import wait_for

pytestmark = pytest.mark.long

LEAGUES = ("nfl", "nba", "mlb", "nhl")
TEAMS = 8
SLOT = timedelta(seconds=2)
QUICK_TICKS = (
    "-c",
    harm.HURRY_PROGRAM
    + f"import huey_config; huey_config.huey.tick_seconds = {SLOT.seconds}; consumer_main()",
)


def serve_teams(feed, seconds: float) -> None:
    """Every league has TEAMS teams, each of whose rosters takes its time."""

    def roster(_request: Request) -> Response:
        time.sleep(seconds)
        return Response('{"athletes": []}', mimetype="application/json")

    teams = [
        {"team": {"id": str(n), "displayName": f"Team {n}", "abbreviation": f"T{n}"}}
        for n in range(TEAMS)
    ]
    for slug in LEAGUES:
        feed.say(slug, {"sports": [{"leagues": [{"teams": teams}]}]}, kind="teams")
        feed.say(slug, roster, kind="roster")
        feed.say(slug, {"children": []}, kind="standings")
    harm.serve_live(feed)


def rosters_asked(feed) -> Counter[str]:
    return Counter(request.path for request in feed.requests if request.path.endswith("/roster"))


def ticks_after(moment, count: int) -> list[TaskRun]:
    """The first ticks of the slots after a moment, once that many slots are over."""
    end = moment + (count + 1) * SLOT
    time.sleep(max(0.0, (end - utc_now()).total_seconds()) + 0.5)
    slots = {tick.slot: tick for tick in harm.runs("sync_all_live_games") if tick.slot}
    first = min(slot for slot in slots if slot > moment)
    return [slots[first + n * SLOT] for n in range(count)]


def assert_in_their_slots(ticks: list[TaskRun]) -> None:
    for tick in ticks:
        assert tick.state == RunState.SUCCESS, (tick.slot, tick.state)
        assert tick.finished_at < tick.slot + SLOT, (tick.slot, tick.started_at, tick.finished_at)


def overlap(first: TaskRun, second: TaskRun) -> bool:
    return first.started_at < second.finished_at and second.started_at < first.finished_at


def test_ticks_keep_a_worker_while_two_syncs_of_teams_and_more_are_queued(
    real_app, start_consumer, feed
):
    serve_teams(feed, 0.7)
    queued = [sync_all_teams(), sync_all_teams(), sync_all_leagues()]
    start_consumer(door=QUICK_TICKS, live_sync_seconds=10)
    wait_for(lambda: any(harm.has_begun(run.id) for run in queued))
    assert_in_their_slots(ticks_after(utc_now(), 3))
    ended = [harm.ended(run.id, 60) for run in queued]
    assert [run.state for run in ended] == [RunState.SUCCESS] * 3
    assert ended[0].result == ended[1].result == {"synced": 4 * TEAMS, "errors": []}
    assert queued[0].get(blocking=True, timeout=5) == ended[0].result
    assert not overlap(ended[0], ended[1])
    assert set(rosters_asked(feed).values()) == {2}


@pytest.mark.timeout(200)  # its own limit is 120 s, after some seconds for the start
def test_ticks_keep_the_only_worker_and_the_sync_of_teams_resumes(real_app, start_consumer, feed):
    serve_teams(feed, 0.7)
    teams = sync_all_teams()
    start_consumer(door=QUICK_TICKS, options="-k process -w 1 -g TERM -m 1 -c 1")
    wait_for(lambda: harm.has_begun(teams.id))
    began = time.monotonic()
    schedule = sync_daily_schedule()
    assert harm.ended(schedule.id, 10).state == RunState.SUCCESS
    assert time.monotonic() - began < 4  # one step and a second for the queue
    assert harm.run_of(teams.id).state != RunState.SUCCESS
    run = harm.ended(teams.id, 120)
    assert (run.state, run.result) == (RunState.SUCCESS, {"synced": 4 * TEAMS, "errors": []})
    assert run.recoveries == 0
    assert set(rosters_asked(feed).values()) == {1}


def test_sync_of_teams_goes_on_after_a_kill(real_app, start_consumer, feed):
    serve_teams(feed, 0.3)
    teams = sync_all_teams()
    start_consumer(door=harm.HURRY)
    wait_for(lambda: harm.run_of(teams.id).progress_done > len(LEAGUES))  # the lists are read
    os.kill(harm.run_of(teams.id).pid, signal.SIGKILL)
    run = harm.ended(teams.id, 60)
    assert (run.state, run.recoveries) == (RunState.SUCCESS, 1)
    assert run.result == {"synced": 4 * TEAMS, "errors": []}
    twice = [path for path, count in rosters_asked(feed).items() if count > 1]
    assert len(twice) <= 4, twice  # the step in which it was killed


def test_ticks_keep_their_share_of_the_rate_while_a_backfill_uses_up_the_rest(
    real_app, start_consumer, feed
):
    limits = {"feed_requests_per_minute": 80, "live_sync_seconds": 10}
    harm.serve_live(feed)
    harm.serve_months(feed)
    backfill = sync_date_range_task("NBA", "2015-01-01", "2025-12-31")
    start_consumer("backfill_huey", **limits)
    start_consumer(door=QUICK_TICKS, **limits)
    asked = 0

    def is_at_the_ceiling() -> bool:
        nonlocal asked
        before, asked = asked, harm.run_of(backfill.id).progress_done
        return asked == before > 30

    wait_for(is_at_the_ceiling, 30, every=1.5)
    assert_in_their_slots(ticks_after(utc_now(), 3))
    assert harm.run_of(backfill.id).state == RunState.STARTED
