"""kill -9 at random moments: every game is stored once, every run ends, nothing runs twice."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date, datetime
from itertools import pairwise

import pytest
from sqlalchemy import select
from werkzeug.wrappers import Request, Response

from sportsapp.core.leagues import DEFAULT_LEAGUES
from sportsapp.db.engine import db
from sportsapp.db.models import Player, RunState, TaskRun
from sportsapp.db.models.run import OPEN
from sportsapp.feed.fetch import PARALLEL
from sportsapp.queue.huey import huey
from sportsapp.tasks import chain, sync_all_leagues, sync_all_teams, sync_date_range_task
from sportsapp.tasks.actions import set_paused
from tests.acceptance import harm
from tests.acceptance.conftest import (
    RealBroker,
    RealConsumer,
    StartConsumer,
    is_alive,
    wait_for,
)
from tests.acceptance.harm import HURRY, ended, open_runs, run_of, runs
from tests.answers import make_roster, make_team, make_team_list
from tests.integration.events import board
from tests.loopback import LoopbackFeed

KILLS = 50 if harm.IS_LONG else 6
MONTHS_A_KILL = 12
FIRST = date(1970, 1, 1)
KINDS = ("worker", "consumers", "masters", "everything")
ORPHAN_SECONDS = 2


class House:
    """A broker and both consumers, to be killed in part or as a whole, and to be set up again."""

    def __init__(
        self, broker: RealBroker, start: StartConsumer, door: Sequence[str] = HURRY
    ) -> None:
        self.broker = broker
        self.start = start
        self.door = door
        self.killed: Counter[str] = Counter()
        self.slowest_orphan = 0.0
        self.consumers = self._start()

    def _start(self) -> list[RealConsumer]:
        live = self.start(door=self.door, live_sync_seconds=10)
        return [live, self.start("backfill_huey", door=self.door)]

    def kill(self, kind: str, run_id: str) -> None:
        """End this much of the house with kill -9, and start what is gone, as systemd would."""
        self.killed[kind] += 1
        if kind == "worker":
            self._kill_worker(run_id)
            return
        for consumer in self.consumers:
            if kind == "masters":
                self._kill_master(consumer)
            consumer.kill_all()
        if kind == "everything":
            self.broker.kill()
            self.broker.start()
        self.consumers = self._start()

    def _kill_master(self, consumer: RealConsumer) -> None:
        """The master alone: its workers and its scheduler have to end by themselves."""
        children = consumer.children()
        consumer.process.kill()
        began = time.monotonic()
        wait_for(lambda: not any(map(is_alive, children)), ORPHAN_SECONDS, 0.002)
        self.slowest_orphan = max(self.slowest_orphan, time.monotonic() - began)

    def _kill_worker(self, run_id: str) -> None:
        """The worker that has the run in hand, or any that waits for it."""
        run, idle = run_of(run_id), self.consumers[1].children()
        pid = run.pid if run.state == RunState.STARTED else idle[0]
        with suppress(ProcessLookupError):  # the last one to have it is dead already
            os.kill(pid, signal.SIGKILL)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_kills_at_random_moments_of_a_backfill_lose_and_double_nothing(
    real_app, start_consumer, broker, feed
):
    print(f"seed {harm.SEED}, {KILLS} kills")
    chance = random.Random(harm.SEED)  # noqa: S311 - moments, no secrets
    kinds = [KINDS[n % len(KINDS)] for n in range(KILLS)]
    chance.shuffle(kinds)
    firsts = list(harm.months(FIRST, KILLS * MONTHS_A_KILL))
    harm.serve_months(feed, 0.1)
    harm.serve_live(feed, 3)
    house = House(broker, start_consumer)
    last = date(firsts[-1].year, firsts[-1].month, 28)
    run_id = sync_date_range_task("NBA", f"{FIRST}", f"{last}").id
    at_once = 0
    for kind in kinds:
        # a run that is lost too often without progress counts as poisonous: not more than twice
        at_once = at_once + 1 if chance.random() < 0.3 and at_once < 2 else 0
        if not at_once:
            seen = run_of(run_id).progress_done
            wait_for(lambda seen=seen: run_of(run_id).progress_done > seen, 60)
        time.sleep(chance.uniform(0, 0.8))  # the random moment
        assert run_of(run_id).state in (RunState.PENDING, RunState.STARTED)
        house.kill(kind, run_id)
    run = ended(run_id, 120)
    assert run.state == RunState.SUCCESS, run.error
    assert [espn_id for espn_id in harm.games() if espn_id != "900"] == harm.ids_of(firsts)
    assert run.result == {"synced": 3 * len(firsts), "errors": []}
    assert 0 < run.recoveries <= KILLS
    lost = [one for one in run.earlier if one["end"] == "lost with its worker"]
    assert run.attempt == run.recoveries + 1 == len(lost) + 1
    asked = [
        line for line in feed.asked() if line.startswith("nba") and len(line) == len("nba 197001")
    ]
    assert len(firsts) <= len(asked) <= len(firsts) + run.recoveries  # only the chunk in hand again
    # a tick takes three seconds, and each one so far may have been killed
    wait_for(lambda: harm.games() == [*harm.ids_of(firsts), "900"], 60)
    wait_for(lambda: not open_runs(), 30)
    ticks = runs("sync_all_live_games")
    assert all(one.attempt == len(one.earlier) + 1 for one in ticks if one.state == "SUCCESS")
    print(
        f"{KILLS} kills {dict(house.killed)}: {run.recoveries} recoveries, "
        f"{3 * len(firsts)} games, lost 0, "
        f"{len(asked) - len(firsts)} of {len(firsts)} chunks read again, "
        f"slowest orphan {house.slowest_orphan:.3f} s"
    )
    print(f"{len(ticks)} ticks {dict(Counter(one.state for one in ticks))}, none left open")


# ---------------------------------------------------------------- chains

# As HURRY, and a worker's death is noticed within a second or so.
HASTE = (
    "-c",
    harm.HURRY_PROGRAM
    + """
recovery.DEAD_PID_AFTER = timedelta(seconds=0.5)
consumer.BEAT_SECONDS = 0.1
consumer_main()
""",
)
CHAIN_KINDS = ("worker",) * 10 + KINDS[1:]
TEAMS = 24
YEAR = list(harm.months(FIRST, 12))


def serve_lists(feed: LoopbackFeed, seconds: float) -> None:
    """Four leagues with teams of one player each, and the NBA's games; every answer takes time."""

    def slowly(body: object) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            time.sleep(seconds)
            said = body(request) if callable(body) else body
            return Response(json.dumps(said), mimetype="application/json")

        return answer

    for league in DEFAULT_LEAGUES:
        slug = league.slug
        teams = make_team_list(*(make_team(f"{n:02}") for n in range(TEAMS)))

        def roster(request: Request, slug: str = slug) -> object:
            return make_roster(f"{slug}{request.path.split('/')[-2]}:Ann")

        feed.say(slug, slowly(board()))
        feed.say(slug, slowly({"children": []}), kind="standings")
        feed.say(slug, slowly(teams), kind="teams")
        feed.say(slug, slowly(roster), kind="roster")
    harm.serve_months(feed, seconds)


def step_of(request: Request) -> str:
    """The step of its sync to which a request of the chain belongs."""
    *_, league, what = path = request.path.split("/")
    if what == "roster":
        return f"{path[-4]} rosters {int(path[-2]) // PARALLEL}"
    if what != "scoreboard":
        return f"{league if what == 'teams' else ''} {what}"
    dates = request.args["dates"]
    is_past = dates < "2000"
    return f"month {dates}" if is_past else "seasons" if len(dates) == 8 else "weeks to come"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_kills_at_random_moments_of_chains_repeat_one_step_each_at_most(
    real_app, start_consumer, broker, feed
):
    print(f"seed {harm.SEED}, {KILLS} kills")
    chance = random.Random(harm.SEED)  # noqa: S311 - moments, no secrets
    kinds = [CHAIN_KINDS[n % len(CHAIN_KINDS)] for n in range(KILLS)]
    chance.shuffle(kinds)
    serve_lists(feed, 0.1)
    for name in huey.periodic_tasks:
        set_paused(name, True)
    house = House(broker, start_consumer, door=HASTE)
    repeated: list[set[str]] = []
    chains = recoveries = at_once = 0
    while kinds:
        chains += 1
        feed.requests.clear()
        days = sync_date_range_task.s("NBA", f"{FIRST}", "1970-12-28")
        ids = [link.id for link in chain(sync_all_leagues.s(), sync_all_teams.s(), days)]
        cuts, seen = [], -1

        def done(ids: Sequence[str] = ids) -> int:
            return sum(run_of(run_id).progress_done for run_id in ids)

        def is_over(ids: Sequence[str] = ids) -> bool:
            return all(run_of(run_id).state not in OPEN for run_id in ids)

        while kinds:
            at_once = at_once + 1 if chance.random() < 0.3 and at_once < 2 else 0
            if not at_once:
                wait_for(lambda seen=seen: done() > seen or is_over(), 60)
            time.sleep(chance.uniform(0, 0.3))  # the random moment
            if is_over():
                break
            current = next(run_id for run_id in ids if run_of(run_id).state in OPEN)
            seen = done()
            house.kill(kinds.pop(), current)
            time.sleep(0.1)  # what was sent has arrived
            cuts.append(len(feed.requests))
        wait_for(is_over, 60)
        links = [run_of(run_id) for run_id in ids]
        assert [(link.state, link.error) for link in links] == [(RunState.SUCCESS, "")] * 3
        assert links[1].result == {"synced": 4 * TEAMS, "errors": []}
        assert links[2].result == {"synced": 3 * len(YEAR), "errors": []}
        assert all(link.attempt == link.recoveries + 1 for link in links)
        for first, second in pairwise(links):
            began = [one["started_at"] for one in second.earlier] or [f"{second.started_at}"]
            assert datetime.fromisoformat(began[0]) >= first.finished_at
        recoveries += sum(link.recoveries for link in links)
        asked = [(step_of(request), request.full_path) for request in feed.requests]
        for cut, following in pairwise([*cuts, len(asked)]):
            before = {path for _, path in asked[:cut]}
            repeated.append({step for step, path in asked[cut:following] if path in before})
        every = Counter(path for _, path in asked)
        assert len(every) == 4 + 4 + 4 * 2 + 4 + 4 * TEAMS + len(YEAR)
    assert [steps for steps in repeated if len(steps) > 1] == []
    assert 0 < recoveries <= KILLS
    db.session.rollback()
    assert db.session.query(Player).count() == 4 * TEAMS
    assert set(harm.ids_of(YEAR)) <= set(harm.games())
    counts = Counter(len(steps) for steps in repeated)
    print(
        f"{KILLS} kills {dict(house.killed)} in {chains} chains: {recoveries} recoveries; "
        f"{counts[0]} repeated nothing, {counts[1]} one step, more: 0"
    )


@pytest.mark.slow
def test_run_whose_third_chunk_always_kills_its_worker_fails_in_the_end(
    real_app, real_settings, start_consumer, feed
):
    def poison(dates: str) -> None:
        if dates.startswith("202603"):
            with real_app.app_context(), db.engine.connect() as connection:
                pid = connection.scalar(select(TaskRun.pid))
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    harm.serve_months(feed, before=poison)
    start_consumer("backfill_huey", door=HURRY)
    run = ended(sync_date_range_task("NBA", "2026-01-01", "2026-04-30").id, 60)
    assert (run.state, run.recoveries) == (RunState.FAILURE, 3)
    assert "its worker died every time" in run.error
    assert harm.games() == harm.ids_of([date(2026, 1, 1), date(2026, 2, 1)])


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_run_that_hangs_in_a_request_is_interrupted_and_goes_on_after_the_restart(
    real_app, start_consumer, feed, number
):
    release = threading.Event()
    harm.serve_months(feed, before=lambda dates: dates == "202603" and release.wait(30))
    consumer = start_consumer("backfill_huey", door=HURRY)
    run_id = sync_date_range_task("NBA", "2026-01-01", "2026-06-30").id
    wait_for(lambda: "nba 202603" in feed.asked())
    assert consumer.stop(number) < 10
    run = run_of(run_id)
    assert (run.state, run.progress_done) == (RunState.PENDING, 2)
    release.set()
    start_consumer("backfill_huey", door=HURRY)
    run = ended(run_id)
    assert (run.state, run.recoveries) == (RunState.SUCCESS, 0)
    assert {one["end"] for one in run.earlier} == {"interrupted"}
    assert run.result == {"synced": 18, "errors": []}
    assert max(Counter(feed.asked()).values()) == 2
