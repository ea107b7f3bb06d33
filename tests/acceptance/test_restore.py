"""A `flask up` that ends while it writes: its file is whole; a backup can be put in place."""

from __future__ import annotations

import json
import re
import shutil
import signal
import sqlite3
import subprocess
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from sportsapp.core.settings import PROJECT_ROOT
from tests.acceptance import harm
from tests.acceptance.conftest import wait_for
from tests.acceptance.test_up import Running, Up, up  # noqa: F401 - a fixture, asked for by name
from tests.loopback import LoopbackFeed

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(240),
    pytest.mark.only_sqlite("its file is replaced"),
]

MONTH = harm.ids_of([date(2020, 1, 1)])
SELECT_OLD = "SELECT espn_id FROM games WHERE day < '2025-01-01' ORDER BY espn_id"


def flask(running: Running, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        running.command(*words), cwd=PROJECT_ROOT, env=running.environ, capture_output=True,
        text=True, timeout=120,
    )  # fmt: skip


def old_games(file: Path) -> list[str]:
    """The games of the backfill, not those that the schedule stores."""
    with closing(sqlite3.connect(file)) as connection:
        return [row[0] for row in connection.execute(SELECT_OLD)]


def start_and_back_up(up: Up, feed: LoopbackFeed, backup: Path) -> Running:  # noqa: F811
    """A `flask up` with a backup of one month, at work on a backfill of thirty years."""
    harm.serve_months(feed, 0.02)
    running = up(LIVE_SYNC_SECONDS="10")
    running.page_with("/healthz", "ok")
    done = flask(running, "sync", "range", "NBA", "2020-01-01", "2020-01-31")
    assert done.returncode == 0, done.stderr
    done = flask(running, "db-copy", "--backup", f"sqlite:///{backup}")
    assert done.returncode == 0, done.stderr
    assert flask(running, "sync", "range", "NBA", "1980-01-01", "2019-12-31", "--queue").stdout
    wait_for(lambda: len(old_games(running.folder / "tracker.db")) > 30, 60)
    return running


def end(running: Running, how: signal.Signals) -> None:
    running.process.send_signal(how)
    running.process.wait(15)
    wait_for(lambda: running.processes() == [], 10)


def stored_games(running: Running) -> list[str]:
    """The backfill's games in the database with its -wal file, which stays as it is."""
    copy = running.folder.parent / "look"
    copy.mkdir()
    for part in running.folder.glob("tracker.db*"):
        shutil.copy(part, copy)
    return old_games(copy / "tracker.db")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_file_alone_is_whole_after_an_orderly_end(up: Up, feed, tmp_path, how):  # noqa: F811
    running = start_and_back_up(up, feed, tmp_path / "backup.db")
    end(running, how)
    expected = stored_games(running)
    assert len(expected) > 30
    alone = tmp_path / "alone.db"
    shutil.copy(running.folder / "tracker.db", alone)
    assert old_games(alone) == expected


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_backup_is_restored_after_any_end(up: Up, feed, tmp_path, how):  # noqa: F811
    backup = tmp_path / "backup.db"
    running = start_and_back_up(up, feed, backup)
    done = flask(running, "restore", str(backup))
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "another `flask up` is running" in done.stderr
    end(running, how)
    expected = stored_games(running)
    database = running.folder / "tracker.db"

    done = flask(running, "restore", str(backup))
    assert done.returncode == 0, done.stderr
    assert old_games(backup) == old_games(database) == MONTH
    aside = Path(re.search(r"that was there is (\S+)\.$", done.stdout, re.MULTILINE)[1])
    assert old_games(aside) == expected

    again = up()
    again.page_with("/healthz", "ok")
    assert "Alpha" in again.get("/nba/2020-01-10").text
    assert "Alpha" not in again.get("/nba/1980-01-10").text
    checks = wait_for(lambda: checks_of(again), 30, 0.5)
    assert {check["state"] for check in checks if check["name"] == "database"} == {"ok"}
    again.end()
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert old_games(database) == MONTH


def checks_of(running: Running) -> list[dict[str, str]]:
    """What `flask doctor` finds, once nothing is wrong."""
    done = flask(running, "doctor", "--json")
    return json.loads(done.stdout)["checks"] if done.returncode == 0 else []
