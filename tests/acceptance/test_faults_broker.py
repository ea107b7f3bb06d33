"""The broker goes away, forgets everything, comes back: nothing is lost, nothing runs twice."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import pairwise

import pytest
from werkzeug.wrappers import Response

from sportsapp.commands.up.broker import data_folder
from sportsapp.core.clock import utc_now
from sportsapp.core.errors import BrokerUnavailableError
from sportsapp.db.models import RunState
from sportsapp.queue.huey import backfill_huey
from sportsapp.tasks import sync_date_range_task
from tests.acceptance import harm
from tests.acceptance.conftest import RealBroker, wait_for
from tests.acceptance.harm import HURRY, all_well, ended, run_of, runs
from tests.panel import signed_in

GAME_DAYS = [first.replace(day=10) for first in harm.months(date(2020, 1, 1), 20)]
TICK = timedelta(seconds=10)
SECONDS_AWAY = 30 if harm.IS_LONG else 8
BACKFILLS = 40 if harm.IS_LONG else 8


def backfill_of(day: date, **more: object) -> str:
    """Queue one day of the NBA; the run's id."""
    return backfill_huey.enqueue(sync_date_range_task.s("NBA", f"{day}", f"{day}", **more)).id


@pytest.mark.slow
def test_broker_that_starts_empty_gets_twenty_waiting_backfills_back_and_runs_each_once(
    real_app, real_settings, start_consumer, broker, feed
):
    release = threading.Event()
    fails_once = iter([Response("busy", 503, {"Retry-After": "60"})])

    def hold(dates: str) -> None:
        if dates.startswith("2019"):
            release.wait(9)

    harm.serve_months(feed, before=hold)
    listed = feed.answers["nba", "scoreboard", ""]
    retried = f"{GAME_DAYS[0]:%Y%m%d}"
    feed.say("nba", lambda request: next(fails_once, None) or listed(request), dates=retried)
    harm.serve_live(feed)
    panel = signed_in(real_app)
    start_consumer(door=HURRY, live_sync_seconds=10)
    start_consumer("backfill_huey", door=HURRY)
    assert ended(backfill_of(date(2026, 1, 15))).state == RunState.SUCCESS
    with harm.web_on(real_settings) as web:
        wait_for(lambda: web.status("/nfl/games/900") == 200)
        # from here to the kill is a second or two: the two at work are held for nine
        waiting = [backfill_of(GAME_DAYS[0], retry_delay=8)]
        wait_for(lambda: run_of(waiting[0]).state == RunState.RETRY)
        busy = [backfill_of(date(2019, month, 10)) for month in (1, 2)]
        wait_for(lambda: all(harm.has_begun(run_id) for run_id in busy))
        waiting += [backfill_of(day) for day in GAME_DAYS[1:]]
        assert [run_of(one).state for one in waiting] == [RunState.RETRY, *["PENDING"] * 19]
        broker.kill()
        shutil.rmtree(data_folder(real_settings) / "appendonlydir")
        left = {path.name for path in data_folder(real_settings).iterdir()}
        assert left == {"lock", "broker.sock"}
        # producers are told, and what they asked for will never run
        with pytest.raises(BrokerUnavailableError, match="cannot be reached"):
            backfill_of(date(2018, 1, 10))
        form = {"league": "nba", "start": "2018-02-10", "end": "2018-02-10"}
        said = panel.post("/admin/backfill/", **form)
        assert (said.status_code, "the broker cannot be reached" in said.text) == (422, True)
        done = harm.flask(real_settings, "sync", "day", "NBA", "2018-03-10", "--queue")
        (line,) = done.stderr.splitlines()
        assert (done.returncode, "the broker cannot be reached" in line) == (1, True)
        assert web.answers() == all_well()
    wait_for(lambda: run_of(waiting[0]).due_at < utc_now())
    broker.start()
    back_at = utc_now()
    release.set()
    assert {ended(run_id).state for run_id in [*waiting, *busy]} == {RunState.SUCCESS}
    assert [run_of(run_id).attempt for run_id in waiting] == [2, *[1] * 19]
    asked = Counter(line.removeprefix("nba ") for line in feed.asked())
    times = [asked[f"{day:%Y%m%d}"] for day in GAME_DAYS]
    assert times == [2, *[1] * 19]
    assert not [dates for dates in asked if dates.startswith("2018")]
    assert {f"{day:%Y%m%d}" for day in GAME_DAYS} <= set(harm.games())

    def ticks() -> list:
        return [run for run in runs("sync_all_live_games") if run.slot]

    wait_for(lambda: [one for one in ticks() if one.slot > back_at and one.state == "SUCCESS"])
    slots = sorted(one.slot for one in ticks())
    assert {after - before for before, after in pairwise(slots)} == {TICK}
    print(f"20 waiting, run once each: {sorted(Counter(times).items())}; {len(slots)} ticks")


@contextmanager
def away(broker: RealBroker, how: str) -> Iterator[None]:
    """The broker is gone, or says nothing; it comes back with what it had."""
    if how == "killed":
        broker.kill()
        yield
        broker.start()
    else:
        os.kill(broker.process.pid, signal.SIGSTOP)
        yield
        os.kill(broker.process.pid, signal.SIGCONT)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["killed", "frozen"])
def test_broker_that_is_away_under_load_doubles_nothing_and_nobody_needs_a_restart(
    real_app, real_settings, start_consumer, broker, feed, how
):
    harm.serve_months(feed, 0.1)
    harm.serve_live(feed)
    consumers = [
        start_consumer(door=HURRY, live_sync_seconds=10),
        start_consumer("backfill_huey", door=HURRY),
    ]
    assert ended(backfill_of(date(2026, 1, 15))).state == RunState.SUCCESS
    children = [consumer.children() for consumer in consumers]
    years = range(1980, 1980 + BACKFILLS)
    with harm.web_on(real_settings) as web:
        wait_for(lambda: web.status("/nfl/games/900") == 200)
        load = [sync_date_range_task("NBA", f"{year}-01-01", f"{year}-06-30").id for year in years]
        wait_for(lambda: run_of(load[2]).state == RunState.STARTED)
        with away(broker, how):
            until = time.monotonic() + SECONDS_AWAY
            while time.monotonic() < until:
                assert web.answers() == all_well()
        back = time.monotonic()
        asked_later = sync_date_range_task("NBA", "1970-01-10", "1970-01-10").id
        assert {ended(run_id, 60).state for run_id in load} == {RunState.SUCCESS}
        assert web.answers() == all_well()
    assert ended(asked_later).state == RunState.SUCCESS
    after = time.monotonic() - back
    assert [run_of(run_id).attempt for run_id in load] == [1] * BACKFILLS
    asked = Counter(line for line in feed.asked() if "nba 1970" <= line < "nba 2025")
    assert set(asked.values()) == {1}
    assert len(asked) == 6 * BACKFILLS + 1
    for consumer, before in zip(consumers, children, strict=True):
        assert consumer.has_lost_nobody(before)
    # two consumers, each with two workers and a scheduler, log to one file
    said = consumers[0].log.read_text().splitlines()
    assert 1 <= len([line for line in said if "the broker cannot be reached" in line]) <= 6
    assert 1 <= len([line for line in said if "the broker answers again after" in line]) <= 6
    assert [line for line in said if line.startswith("| ")] == []  # no tracebacks
    print(
        f"{how} for {SECONDS_AWAY} s: {BACKFILLS} backfills of 6 chunks, each read once, "
        f"the last done {after:.1f} s after the return"
    )
