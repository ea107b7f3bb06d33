"""PostgreSQL that freezes or is locked, and a silent broker: /healthz answers all the time.

A page that cannot be made is a 503 with Retry-After, and soon: nobody waits in a queue behind
requests that wait for the database.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest
import requests
from sqlalchemy import create_engine, text

from sportsapp.core.settings import PROJECT_ROOT, Settings
from tests.acceptance import harm
from tests.acceptance.conftest import app_on, children_of, wait_for
from tests.acceptance.harm import RealWeb
from tests.databases import PostgresServer
from tests.panel import add_league

pytestmark = pytest.mark.long

PAGES = ("/", "/live", "/nfl", "/nfl/standings", "/search?q=alpha", "/nfl/scores.atom")
SECONDS = 9.0 if harm.IS_LONG else 7.0  # longer than a web server waits for a frozen database
VISITORS = 12


@dataclass
class Answer:
    """What a visitor got: the status, how many seconds it took, and Retry-After."""

    path: str
    status: int
    seconds: float
    retry_after: str


def get(web: RealWeb, path: str) -> Answer:
    """Request a page on a connection of its own; status 0 for no answer in 20 s."""
    began = time.monotonic()
    try:
        answer = requests.get(web.url + path, timeout=20)
    except requests.RequestException:
        return Answer(path, 0, time.monotonic() - began, "")
    seconds = time.monotonic() - began
    return Answer(path, answer.status_code, seconds, answer.headers.get("Retry-After", ""))


@contextmanager
def visitors(web: RealWeb, paths: tuple[str, ...], count: int) -> Iterator[list[Answer]]:
    """Visitors who request these pages again and again; their answers, whole at the end."""
    stop = threading.Event()
    answers: list[Answer] = []

    def visit(number: int) -> None:
        while not stop.is_set():
            answers.append(get(web, paths[number % len(paths)]))
            number += 1
            if answers[-1].status == 503:
                time.sleep(0.1)

    with ThreadPoolExecutor(count) as threads:
        work = [threads.submit(visit, number) for number in range(count)]
        try:
            yield answers
        finally:
            stop.set()
    for one in work:
        one.result()


def healthz_during(web: RealWeb, seconds: float) -> list[Answer]:
    """The answers of /healthz, asked ten times a second."""
    answers, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        answers.append(get(web, "/healthz"))
        time.sleep(0.1)
    return answers


@contextmanager
def frozen(url: str) -> Iterator[None]:
    """The whole server is stopped, as by a virtual machine that is paused."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        backend = connection.scalar(text("SELECT pg_backend_pid()"))
        shown = ["ps", "-o", "ppid=", "-p", str(backend)]
        found = subprocess.run(shown, capture_output=True, text=True).stdout.strip()
    engine.dispose()
    if not found:
        pytest.skip("the server's processes are not on this machine")
    pids = [int(found), *children_of(int(found))]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


@contextmanager
def locked(url: str) -> Iterator[None]:
    """A migration holds the lock of the table of games."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        connection.execute(text("LOCK TABLE games IN ACCESS EXCLUSIVE MODE"))
        yield
        connection.rollback()
    engine.dispose()


@contextmanager
def backup_beside_migration(
    url: str, settings: Settings, postgres: PostgresServer
) -> Iterator[None]:
    """`flask db-copy --backup` reads a table for long, a migration waits for it, and all for that.

    The copy takes long because its target cannot be written to.
    """
    with postgres.migrated_database() as target:
        to, source = (
            create_engine(one.replace("postgresql://", "postgresql+psycopg://"))
            for one in (target, url)
        )
        with to.connect() as blocker, source.connect() as migration:
            blocker.execute(text("LOCK TABLE leagues IN SHARE MODE"))
            copy = subprocess.Popen(
                [sys.executable, "-m", "flask", "db-copy", "--backup", target],
                cwd=PROJECT_ROOT,
                env=harm.environ_of(settings),
                stdout=subprocess.DEVNULL,
            )
            waits = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            wait_for(lambda: blocker.scalar(text(waits)))
            change = text("ALTER TABLE leagues ADD COLUMN more integer")
            with ThreadPoolExecutor(1) as threads:
                altered = threads.submit(migration.execute, change)
                wait_for(lambda: blocker.scalar(text(waits)) >= 2)
                yield
                blocker.rollback()
                assert copy.wait(20) == 0
                altered.result(20)
                migration.rollback()
        to.dispose()
        source.dispose()


@pytest.mark.parametrize("harm_done", ["frozen", "locked", "backup beside a migration"])
def test_healthz_has_a_thread_when_the_database_does_not_answer(
    real_settings, broker, postgres, harm_done
):
    with postgres.migrated_database() as url:
        settings = replace(real_settings, database_url=url)
        with app_on(settings):
            add_league("nfl")
        harms: dict[str, Callable[[], object]] = {
            "frozen": lambda: frozen(url),
            "locked": lambda: locked(url),
            "backup beside a migration": lambda: backup_beside_migration(url, settings, postgres),
        }
        with harm.web_on(settings) as web:
            assert web.answers(PAGES) == harm.all_well(PAGES)
            with harms[harm_done](), visitors(web, PAGES, VISITORS) as answers:
                health = healthz_during(web, SECONDS)
            wait_for(lambda: web.answers(PAGES) == harm.all_well(PAGES), 3)
            afterwards = [get(web, path).seconds for path in PAGES]
    slowest = max(one.seconds for one in health)
    assert {one.status for one in health} == {200}
    assert slowest < 1
    refused = [one for one in answers if one.status == 503]
    assert {one.status for one in answers} <= {200, 503}  # 200: of a page that needs no such table
    assert {1 <= int(one.retry_after) <= 60 for one in refused} == {True}
    at_once = [one for one in refused if one.seconds < 1]
    assert len(at_once) > len(refused) * 0.8
    assert max(afterwards) < 1
    print(
        f"{harm_done}: {len(health)} of /healthz, slowest {slowest:.2f} s; {len(refused)} of "
        f"{len(answers)} refused, {len(at_once)} within a second, "
        f"slowest {max(one.seconds for one in answers):.1f} s"
    )


def test_busy_site_refuses_nobody(real_settings, broker):
    with harm.web_on(real_settings) as web, visitors(web, PAGES, 32) as answers:
        time.sleep(3)  # from the very first request on
    assert {one.status for one in answers} == {200}
    print(
        f"{len(answers)} requests of 32 visitors, slowest {max(a.seconds for a in answers):.2f} s"
    )


def test_pages_do_not_wait_for_a_silent_broker(real_settings, broker):
    checks = ("/readyz", "/metrics")
    with harm.web_on(real_settings) as web:
        assert web.answers(PAGES) == harm.all_well(PAGES)
        assert get(web, "/metrics").status == 200  # a site that is watched
        os.kill(broker.process.pid, signal.SIGSTOP)
        try:
            with visitors(web, checks, 8) as answers:
                until, pages = time.monotonic() + 5, []
                while time.monotonic() < until:
                    pages += [get(web, path) for path in (*PAGES, "/healthz", "/api/v1/leagues")]
        finally:
            os.kill(broker.process.pid, signal.SIGCONT)
        wait_for(lambda: "broker_up 1" in requests.get(f"{web.url}/metrics", timeout=5).text, 5)
    slowest = max(pages, key=lambda one: one.seconds)
    assert {one.status for one in pages} == {200}
    assert slowest.seconds < 1, slowest
    assert {one.status for one in answers if one.path == "/metrics"} == {200}
    print(f"{len(pages)} pages, {slowest}; {len(answers)} answers to 8 callers of checks")
