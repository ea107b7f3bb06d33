"""Four processes sync one scoreboard at the same moment: rows as of one sync, the latest wins."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.wrappers import Request, Response

from sportsapp.core.clock import utc_now
from sportsapp.core.leagues import BY_SLUG
from sportsapp.core.settings import PROJECT_ROOT, Settings
from sportsapp.db.engine import db
from sportsapp.db.models import Game, Scoreboard, ScoreEvent, Team
from sportsapp.factory import create_app
from sportsapp.services import services_of
from sportsapp.sync.context import SyncContext
from sportsapp.sync.scoreboards import sync_day
from tests.acceptance import harm
from tests.databases import PostgresServer
from tests.integration.events import board, event

ROUNDS = 50 if harm.IS_LONG else 10
PROCESSES = 4
GAMES, SHARED = 20, 10  # of each process's answer, and of it with the next one's
DAY = date(2026, 1, 15)
SECONDS = 30

PROGRAM = """
import sys
from datetime import date, datetime
from sportsapp.db.engine import db
from sportsapp.factory import create_app
from sportsapp.core.leagues import BY_SLUG
from sportsapp.sync.context import SyncContext
from sportsapp.sync.scoreboards import sync_day
from sportsapp.services import services_of
app = create_app()
for line in sys.stdin:
    with app.app_context():
        now = datetime.fromisoformat(line.strip())
        sync = SyncContext(services_of(app).feed_client, db.session, now)
        print(sync_day(sync, BY_SLUG["nba"], date(2026, 1, 15)).synced, flush=True)
"""


def game(number: int, score: int) -> dict[str, Any]:
    """A game between two teams of its own, which each process may be the first to meet."""
    made = event(f"{number}", home=score, away=3)
    for side, competitor in zip("ha", made["competitions"][0]["competitors"], strict=True):
        name = f"{number}{side}"
        competitor["team"] = {"id": name, "displayName": name, "abbreviation": name}
        competitor["records"] = [{"type": "total", "summary": f"{score}-0"}]
    return made


def part(process: int, score: int) -> list[dict[str, Any]]:
    """What the feed lists for this process: half of it is what it lists for the next."""
    first = 100 + process * (GAMES - SHARED)
    return [game(number, score) for number in range(first, first + GAMES)]


def rows() -> list[tuple[Any, ...]]:
    """Games, teams and remembered answers, without ids and times."""
    db.session.rollback()
    found = select(
        Game.espn_id, Game.day, Game.state, Game.home_score, Game.away_score, Game.home_linescores
    ).order_by(Game.espn_id)
    teams = select(Team.espn_id, Team.name, Team.record).order_by(Team.espn_id)
    return [tuple(row) for query in (found, teams) for row in db.session.execute(query)]


@pytest.fixture(params=["sqlite", "postgresql"])
def app(
    request: pytest.FixtureRequest,
    settings: Settings,
    migrated_file: Path,
    postgres: PostgresServer,
) -> Iterator[Flask]:
    """The app on each kind of database."""
    with ExitStack() as cleanup:
        if request.param == "sqlite":
            shutil.copy(migrated_file, settings.instance_path / "tracker.db")
            url = ""
        else:
            url = cleanup.enter_context(postgres.migrated_database())
        app = create_app(replace(settings, database_url=url))
        with app.app_context():
            yield app
            db.session.remove()
            db.engine.dispose()


class Together:
    """Processes that sync the day whenever they are told to, all at the same moment."""

    def __init__(self, app: Flask, cleanup: ExitStack) -> None:
        settings = services_of(app).settings
        self.processes = []
        for number in range(PROCESSES):
            chosen = replace(settings, espn_base_url=f"{settings.espn_base_url}/{number}")
            environ = harm.environ_of(chosen) | {"REDIS_URL": settings.redis_url}
            process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM],
                cwd=PROJECT_ROOT, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                text=True,
            )  # fmt: skip
            cleanup.enter_context(process)
            cleanup.callback(process.kill)
            self.processes.append(process)

    def sync(self, asked_at: datetime, apart: timedelta = timedelta()) -> list[str]:
        """Tell all of them; what each says it has synced, nothing from one that died.

        The first one's clock says ``asked_at``, each other one's is ``apart`` from that before it.
        """
        for number, process in enumerate(self.processes):
            process.stdin.write(f"{(asked_at + number * apart).isoformat()}\n")
            process.stdin.flush()
        return [process.stdout.readline().strip() for process in self.processes]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_four_processes_that_store_one_scoreboard_at_once_leave_the_rows_of_one_sync(app, feed):
    score = 0
    gate = threading.Barrier(PROCESSES)

    def answer(request: Request) -> Response:
        gate.wait(SECONDS)  # so that all of them store at the same moment
        body = board(*part(int(request.path.split("/")[1]), score))
        return Response(json.dumps(body), mimetype="application/json")

    feed.say("nba", answer)
    with ExitStack() as cleanup:
        together = Together(app, cleanup)
        for score in range(1, ROUNDS + 1):
            # each claims to list the whole day: one asked for later would rule out the others
            assert together.sync(utc_now()) == [f"{GAMES}"] * PROCESSES
            db.session.rollback()
            assert set(db.session.scalars(select(Game.home_score))) == {score}
    at_once = rows()
    whole = {one["id"]: one for number in range(PROCESSES) for one in part(number, score)}
    feed.say("nba", board(*whole.values()))
    assert len(at_once) == 3 * len(whole)
    for table in (Scoreboard, ScoreEvent, Game, Team):
        with db.engine.begin() as connection:
            connection.execute(table.__table__.delete())
    sync = SyncContext(services_of(app).feed_client, db.session, utc_now())
    assert sync_day(sync, BY_SLUG["nba"], DAY).synced == len(whole)
    assert at_once == rows()
    kind = db.engine.dialect.name
    print(f"{kind}: {ROUNDS * PROCESSES} syncs, {len(whole)} games, {len(at_once)} rows as of one")


def moment(number: int) -> dict[str, Any]:
    """A live game, later and higher by the number."""
    kind = {"name": "STATUS_IN_PROGRESS", "state": "in", "completed": False, "detail": "Live"}
    left = 3600.0 - number
    status = {"period": 2, "clock": left, "displayClock": f"{left}", "type": kind}
    return event("900", state="in", home=number, away=0, status=status)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_latest_of_four_answers_wins_whatever_the_order_in_which_they_are_stored(app, feed):
    last = 0
    gate = threading.Barrier(PROCESSES)

    def answer(request: Request) -> Response:
        gate.wait(SECONDS)
        own = int(request.path.split("/")[1])
        return Response(json.dumps(board(moment(last - own))), mimetype="application/json")

    feed.say("nba", answer)
    with ExitStack() as cleanup:
        together = Together(app, cleanup)
        for last in range(PROCESSES, PROCESSES * (ROUNDS + 1), PROCESSES):
            # the latest answer, the first process's, is asked for first, last, or with the others
            apart = timedelta(milliseconds=5) * (last // PROCESSES % 3 - 1)
            assert together.sync(utc_now(), apart) == ["1"] * PROCESSES
            db.session.rollback()
            (found,) = db.session.execute(select(Game.home_score, Game.clock_left)).all()
            assert tuple(found) == (last, 3600.0 - last)
    print(f"{db.engine.dialect.name}: {ROUNDS} times four answers, the latest stored each time")
