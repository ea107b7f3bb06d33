"""A real consumer follows live games within its slots: stopped, killed, needed by others."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections import Counter
from datetime import timedelta

import pytest
from werkzeug.wrappers import Request, Response

from sportsapp.core.clock import game_day, utc_now
from sportsapp.db.engine import db
from sportsapp.db.models import RunState, ScheduleRow, TaskRun
from sportsapp.tasks import sync_all_leagues, sync_all_live_games
from tests.acceptance import harm
from tests.acceptance.conftest import wait_for

SLOT, EVERY = 10, 5
"""The shortest slots that there are: these tests wait for some to come and to pass."""
IN_A_ROW = (60, 10, 3.0, 10) if harm.IS_LONGEST else (SLOT, EVERY, 1.5, 3)
"""Seconds of a slot, between readings and for each answer, and how many slots: at the defaults."""
ONE_WORKER = "-k process -w 1 -g TERM -t 25 -m 1 -c 1"


def ticks() -> list[TaskRun]:
    """The scheduled runs, by their slot."""
    scheduled = [run for run in harm.runs("sync_all_live_games") if run.slot]
    return sorted(scheduled, key=lambda run: run.slot)


def begun() -> TaskRun | None:
    """The tick that is at work and has read once."""
    return next((run for run in ticks() if run.state == "STARTED" and run.progress_done), None)


@pytest.mark.long
@pytest.mark.timeout(1000 if harm.IS_LONGEST else 240)
def test_slots_in_a_row_are_followed_with_a_slow_feed(real_app, start_consumer, feed):
    slot, every, latency, slots = IN_A_ROW
    harm.serve_live(feed, latency)
    start_consumer(live_sync_seconds=slot, live_read_seconds=every)
    wait_for(lambda: len(ticks()) == slots + 2, (slots + 3) * slot, 0.5)
    followed = ticks()[1:-1]  # the first may have begun at any moment
    first = followed[0].slot
    assert [run.slot for run in followed] == [
        first + number * timedelta(seconds=slot) for number in range(slots)
    ]
    for run in followed:
        assert (run.state, run.attempt, run.error) == (RunState.SUCCESS, 1, "")
        assert run.result == {"synced": 1, "errors": []}
        assert run.started_at < run.slot + timedelta(seconds=2.5)
        assert run.finished_at <= run.slot + timedelta(seconds=slot - 1.9)
        assert run.progress_done == run.progress_total == slot // every
    assert feed.asked().count(f"nfl {game_day(first):%Y%m%d}") >= slots * (slot // every)


@pytest.mark.parametrize("in_hand", [False, True])
def test_stop_ends_a_run_that_follows_within_two_seconds(real_app, start_consumer, feed, in_hand):
    hung = threading.Event()
    served = []

    def answer(request: Request) -> Response:
        served.append(request)
        if in_hand and len(served) > 1:
            hung.wait(30)
        return live_answer(request)

    harm.serve_live(feed)
    live_answer = feed.answers["nfl", "scoreboard", ""]
    feed.say("nfl", answer)
    consumer = start_consumer(live_sync_seconds=SLOT, live_read_seconds=EVERY)
    run = wait_for(begun, 90)
    if in_hand:
        wait_for(lambda: len(served) > 1, 10)
    assert consumer.stop() < 3
    ended = harm.run_of(run.id)
    hung.set()
    assert (ended.state, ended.result) == (RunState.SUCCESS, {"synced": 1, "errors": []})
    assert ended.attempt == 1


def test_run_whose_first_reading_is_interrupted_by_a_stop_goes_on_after_it(
    real_app, start_consumer, feed
):
    hung, served = threading.Event(), []

    def answer(request: Request) -> Response:
        served.append(request)
        hung.wait(30)
        return live_answer(request)

    harm.serve_live(feed)
    live_answer = feed.answers["nfl", "scoreboard", ""]
    feed.say("nfl", answer)
    # slots of a minute, which expire no sooner than a consumer has started again
    long_ago = utc_now() - timedelta(hours=1)
    db.session.add(ScheduleRow(task="sync_all_live_games", paused=False, since_at=long_ago))
    db.session.commit()
    consumer = start_consumer(live_read_seconds=5)
    wait_for(lambda: served, 90)
    assert consumer.stop() < 3
    (waiting,) = ticks()
    assert (waiting.state, harm.games()) == (RunState.PENDING, [])
    hung.set()
    start_consumer(live_read_seconds=5)
    wait_for(harm.games, 30)
    assert harm.run_of(waiting.id).attempt >= 2


@pytest.mark.long
def test_kill_in_the_middle_of_a_run_loses_and_doubles_nothing(real_app, start_consumer, feed):
    harm.serve_live(feed)
    start_consumer(door=harm.HURRY, live_sync_seconds=20, live_read_seconds=5)
    run = wait_for(begun, 40)
    os.kill(run.pid, signal.SIGKILL)
    wait_for(
        lambda: len(ticks()) > ticks().index(next(t for t in ticks() if t.id == run.id)) + 2, 60
    )
    assert harm.run_of(run.id).finished_at <= run.slot + timedelta(seconds=18.5)
    done = [tick for tick in ticks() if tick.state not in (RunState.PENDING, RunState.STARTED)]
    assert {tick.state for tick in done} == {RunState.SUCCESS}
    assert harm.run_of(run.id).recoveries == 1
    assert Counter(tick.slot for tick in ticks()).most_common(1)[0][1] == 1


@pytest.mark.long
def test_one_worker_follows_and_does_what_is_asked_for(real_app, start_consumer, feed):
    harm.serve_live(feed)
    feed.say("nba", {"children": []}, kind="standings")
    start_consumer(options=ONE_WORKER, live_sync_seconds=30, live_read_seconds=5)
    run = wait_for(begun, 60)
    began = time.monotonic()
    by_hand, leagues = sync_all_live_games(), sync_all_leagues()
    assert harm.ended(by_hand.id, 20).result == {"synced": 1, "errors": []}
    assert 8 < time.monotonic() - began < 16  # another message waits for ten seconds
    assert harm.run_of(run.id).state == RunState.SUCCESS
    harm.ended(leagues.id, 20)
    following = wait_for(lambda: begun() if begun() and begun().id != run.id else None, 50)
    assert following.slot == run.slot + timedelta(seconds=30)
    assert following.started_at < following.slot + timedelta(seconds=5)


@pytest.mark.long
def test_slot_that_is_due_while_a_run_still_ends_is_claimed_after_it(
    real_app, start_consumer, feed
):
    """The feed takes longer than a slot for its first answer."""
    served = []

    def answer(_request: Request) -> Response:
        served.append(time.monotonic())
        if len(served) == 1:
            time.sleep(12)
        return Response(json.dumps({"events": []}), mimetype="application/json")

    feed.say("nfl", answer)
    start_consumer(live_sync_seconds=10, live_read_seconds=5)
    wait_for(lambda: len(ticks()) > 2, 60)
    slots = [run.slot for run in ticks()]
    assert slots[1] - slots[0] == timedelta(seconds=10)
    assert ticks()[1].started_at >= ticks()[0].finished_at
    assert utc_now() > slots[1]
