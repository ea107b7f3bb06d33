"""An SQLite file with damaged pages: named by doctor and /readyz, and never an error of ours."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing

import pytest

from sportsapp.db.engine import db
from tests.integration.events import event
from tests.panel import add_consumer

pytestmark = pytest.mark.only_sqlite("its file is damaged")

PAGES = (
    "/", "/live", "/nba", "/nba/2026-01-15", "/nba/standings", "/nba/teams", "/nba/teams/BOS",
    "/nba/games/1", "/search?q=boston", "/preferences", "/nba.ics", "/nba/feed.atom",
    "/api/v1/games", "/api/v1/leagues", "/metrics", "/admin/sign-in",
)  # fmt: skip


@pytest.fixture
def damage(app, settings, synced, offline):
    """Overwrites the first page of a table and those of its indexes; a game and its teams are in.

    Everything else is well: what follows comes from the damage.
    """
    synced("nba", event("1", "2026-01-15T20:00Z", "in"))
    for queue in ("sportsapp", "sportsapp-backfill"):
        add_consumer(queue)
        add_consumer(queue, "scheduler", pid=42)

    def overwrite(table: str) -> None:
        db.session.remove()
        db.engine.dispose()
        path = settings.instance_path / "tracker.db"
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            (size,) = connection.execute("PRAGMA page_size").fetchone()
            query = "SELECT rootpage FROM sqlite_master WHERE tbl_name = ?"
            roots = [root for (root,) in connection.execute(query, (table,))]
        assert roots
        with path.open("r+b") as file:
            for root in roots:
                file.seek((root - 1) * size)
                file.write(b"\xff" * size)

    return overwrite


@pytest.mark.parametrize("table", ["games", "teams", "leagues", "schedules", "task_runs"])
def test_no_page_fails_with_an_error_of_ours(visitor, damage, table):
    healthy = {path: visitor.get(path).status_code for path in PAGES}
    assert set(healthy.values()) <= {200, 302, 308, 401, 404}
    damage(table)
    anew = {
        path: path if "api" in path else f"{path}{'&' if '?' in path else '?'}n=1" for path in PAGES
    }
    statuses = {path: visitor.get(anew[path]) for path in PAGES}
    faults = {path: answer.status_code for path, answer in statuses.items()}
    assert {path for path in PAGES if faults[path] not in (healthy[path], 503)} == set()
    if table in ("games", "teams", "leagues"):
        assert faults["/"] == 503
        assert statuses["/"].headers["Retry-After"] == "10"


@pytest.mark.parametrize("table", ["games", "teams", "leagues"])
def test_damage_that_pages_meet_is_not_ready(visitor, damage, table):
    assert visitor.get("/readyz").json["checks"]["database"] == "ok"
    damage(table)
    answer = visitor.get("/readyz")
    assert answer.status_code == 503
    assert answer.json["checks"]["database"] == "cannot be used or is not migrated"


@pytest.mark.parametrize("table", ["games", "players", "task_runs"])
def test_doctor_checks_every_page_of_the_file(app, damage, table):
    damage(table)
    done = app.test_cli_runner().invoke(args=["doctor", "--json"])
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert done.exit_code == 1
    name = "database" if table == "games" else "damage"  # which pages need
    assert checks[name]["state"] == "WRONG"
    assert re.search("malformed|damaged", checks[name]["says"])
    assert "backup" in checks[name]["do"]


def test_command_says_so_in_one_line(app, damage):
    damage("games")
    done = app.test_cli_runner().invoke(args=["sync", "live"])
    assert done.exit_code != 0
    assert done.stderr.count("\n") == 1
    assert "malformed" in done.stderr
