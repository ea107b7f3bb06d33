"""Shared by the fault tests: consumers with short intervals, a feed of games by month, the ledger.

FAULTS=long selects the long form of the fault tests. A test with random moments prints its seed;
FAULTS_SEED repeats it.
"""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from typing import Any

import requests
from sqlalchemy import select
from werkzeug.wrappers import Request, Response

from sportsapp.core.settings import PROJECT_ROOT, Settings
from sportsapp.db.engine import db
from sportsapp.db.models import Game, RunState, TaskRun
from sportsapp.db.models.run import OPEN
from sportsapp.runs.rows import find_run
from tests.acceptance.conftest import wait_for
from tests.integration.events import board, event
from tests.loopback import LoopbackFeed

IS_LONGEST = os.environ.get("FAULTS") == "longest"
IS_LONG = IS_LONGEST or os.environ.get("FAULTS") == "long"
SEED = int(os.environ.get("FAULTS_SEED", 0)) or random.SystemRandom().randrange(1, 10**6)

# A consumer that looks for lost runs every second instead of every fifteen.
HURRY_PROGRAM = """
from datetime import timedelta
from huey.bin.huey_consumer import consumer_main
from sportsapp.db import engine as database
from sportsapp.runs import consumers, recovery, slots
from sportsapp.queue import consumer
recovery.GRACE = timedelta(seconds=1)
recovery.DEAD_PID_AFTER = timedelta(seconds=1.5)
recovery.WATCHED_FOR = timedelta(seconds=3)
recovery.LOST_AFTER = consumers.LOST_AFTER = slots.LOST_AFTER = timedelta(seconds=10)
consumer.BEAT_SECONDS = 0.5
consumer.RECOVERY_SECONDS = 1
"""
HURRY = ("-c", HURRY_PROGRAM + "consumer_main()")
# The same on a host whose clock is two minutes behind.
BEHIND = (
    "-c",
    "from datetime import datetime, timedelta, UTC\n"
    "from sportsapp.core import clock\n"
    "clock.utc_now = lambda: datetime.now(UTC) - timedelta(minutes=2)\n"
    + HURRY_PROGRAM
    + "consumer_main()",
)
# The same, and it waits one second for the database's lock instead of ten.
IMPATIENT = (
    "-c",
    HURRY_PROGRAM
    + """
database.BUSY_MILLISECONDS = 1000
recovery.LOST_AFTER = consumers.LOST_AFTER = slots.LOST_AFTER = timedelta(seconds=4)
consumer_main()
""",
)


def run_of(run_id: str) -> TaskRun:
    """The run as the database has it now."""
    db.session.rollback()
    return find_run(run_id)


def ended(run_id: str, seconds: float = 30) -> TaskRun:
    """Wait until the run has ended; the run."""
    wait_for(lambda: run_of(run_id).state not in OPEN, seconds)
    return run_of(run_id)


def runs(task: str = "") -> list[TaskRun]:
    """All runs, or all of one task, as the database has them now."""
    db.session.rollback()
    statement = select(TaskRun).order_by(TaskRun.queued_at)
    if task:
        statement = statement.where(TaskRun.task == task)
    return list(db.session.scalars(statement))


def open_runs() -> list[str]:
    """The ids of the runs that wait or are in progress."""
    return [run.id for run in runs() if run.state in OPEN]


def games() -> list[str]:
    """The ids of all stored games, in order."""
    db.session.rollback()
    return sorted(db.session.scalars(select(Game.espn_id)))


def has_begun(run_id: str) -> bool:
    """Whether a worker executes the run."""
    return run_of(run_id).state == RunState.STARTED


# ---------------------------------------------------------------- web server and commands

PAGES = (
    "/",
    "/live",
    "/nfl",
    "/nba",
    "/nba/2026-01-15",
    "/nfl/games/900",
    "/nba/teams",
    "/nba/teams/ALP",
    "/nba/standings",
    "/search?q=alpha",
    "/preferences",
    "/nba/scores.atom",
    "/nba/teams/ALP.ics",
    "/api/v1/leagues",
    "/api/v1/games?league=nba&date=2026-01-15",
    "/api/v1/teams?league=nba",
    "/api/v1/games/nfl/900",
    "/healthz",
)


class RealWeb:
    """The web server on a port of its own, as `flask up` starts it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def answers(self, paths: Iterable[str] = PAGES) -> dict[str, int]:
        """The status of each page; 0 for no answer within five seconds."""
        return {path: self.status(path) for path in paths}

    def status(self, path: str) -> int:
        """The status of one page; 0 for no answer within five seconds."""
        try:
            return requests.get(self.url + path, timeout=5).status_code
        except requests.RequestException:
            return 0


def all_well(paths: Iterable[str] = PAGES) -> dict[str, int]:
    """What ``answers`` returns when nothing is wrong."""
    return dict.fromkeys(paths, 200)


def environ_of(settings: Settings) -> dict[str, str]:
    """The environment of our programs with these settings."""
    ours = {"INSTANCE_PATH": str(settings.instance_path), "ESPN_BASE_URL": settings.espn_base_url}
    ours |= {"API_REQUESTS_PER_MINUTE": "100000"}  # tests send more requests than people
    return {**os.environ, **ours, "DATABASE_URL": settings.database_url}


@contextmanager
def web_on(settings: Settings) -> Iterator[RealWeb]:
    """Start the web server and wait until it answers; it is killed at the end."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "serve", "--port", str(port)],
        cwd=PROJECT_ROOT,
        env=environ_of(settings),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    web = RealWeb(f"http://127.0.0.1:{port}")
    try:
        wait_for(lambda: web.status("/healthz") == 200, 60)
        yield web
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        process.wait()


def flask(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a ``flask`` command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "flask", *arguments],
        cwd=PROJECT_ROOT,
        env=environ_of(settings),
        capture_output=True,
        text=True,
        timeout=60,
    )


# ---------------------------------------------------------------- a feed of games by month


def months(first: date, count: int) -> Iterator[date]:
    """The first days of ``count`` months."""
    for _ in range(count):
        yield first
        first = (first + timedelta(days=32)).replace(day=1)


def games_of(month: str) -> list[dict[str, Any]]:
    """Three games of a month written YYYYMM."""
    return [event(f"{month}{day}", f"{month[:4]}-{month[4:]}-{day}T20:00Z") for day in (10, 15, 20)]


def ids_of(firsts: Iterable[date]) -> list[str]:
    """The ids of the games of these months, in order."""
    return sorted(game["id"] for first in firsts for game in games_of(f"{first:%Y%m}"))


def serve_months(
    feed: LoopbackFeed, seconds: float = 0, before: Callable[[str], object] = lambda _dates: None
) -> None:
    """Serve three NBA games in every month; ``before`` is called first, with the ``dates``."""

    def answer(request: Request) -> Response:
        dates = request.args["dates"]
        before(dates)
        time.sleep(seconds)
        listed = [game for game in games_of(dates[:6]) if game["id"].startswith(dates)]
        return Response(json.dumps(board(*listed)), mimetype="application/json")

    feed.say("nba", answer)


def serve_live(feed: LoopbackFeed, seconds: float = 0) -> None:
    """Serve one NFL game that is always live, after ``seconds``."""

    def answer(request: Request) -> Response:
        time.sleep(seconds)
        day = request.args["dates"]
        start = f"{day[:4]}-{day[4:6]}-{day[6:]}T17:00Z" if len(day) == 8 else "2026-01-15T20:00Z"
        body = json.dumps(board(event("900", start, state="in")))
        return Response(body, mimetype="application/json")

    feed.say("nfl", answer)
