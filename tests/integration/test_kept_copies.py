"""An SQLite database is copied before a migration changes it, so that it can be taken back."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from flask_migrate import downgrade, upgrade

from sportsapp.db import migrate
from sportsapp.db.engine import db
from tests.integration.events import event

pytestmark = pytest.mark.only_sqlite("its file is copied")


def leave() -> None:
    """Close this process's connections to the database."""
    db.session.remove()
    db.engine.dispose()


def games_in(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        return [row[0] for row in connection.execute("SELECT espn_id FROM games ORDER BY espn_id")]


def copies(folder: Path) -> list[Path]:
    return sorted(folder.glob("tracker-*-revision-*"))


def test_copy_is_kept_before_a_migration_and_takes_it_back(app, synced, runner, instance):
    synced("nba", event("1"))
    leave()
    assert runner.invoke(args=["db", "downgrade", "0007"]).exit_code == 0
    (copy,) = copies(instance)
    assert copy.name.endswith(f"-revision-{migrate.newest_revision()}.db")
    assert games_in(copy) == ["1"]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with closing(sqlite3.connect(copy)) as connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(alerts)")]
        assert "notified_at" in columns  # 0009 is still in it
    leave()
    copy.replace(instance / "tracker.db")  # SQLite removed the -wal file with its last connection
    assert not (instance / "tracker.db-wal").exists()
    with db.engine.connect() as connection:
        assert migrate.revision_of(connection) == migrate.newest_revision()


def test_nothing_is_kept_when_no_migration_is_due(app, runner, instance):
    for command in (["db", "upgrade"], ["db", "current"], ["db", "check"]):
        assert runner.invoke(args=command).exit_code == 0
    assert copies(instance) == []


def test_newest_three_copies_stay(app, instance):
    for n, revision in enumerate(("0008", "0007", "0006", "0005", "0004")):
        downgrade(directory=migrate.FOLDER, revision=revision)
        assert len(copies(instance)) == min(n + 1, 3)
    assert [path.stem[-4:] for path in copies(instance)] == ["0007", "0006", "0005"]
    upgrade(directory=migrate.FOLDER)
    assert copies(instance)[-1].stem[-4:] == "0004"


def test_migration_without_room_for_the_copy_is_one_line_and_does_not_begin(
    app, runner, instance, monkeypatch
):
    def no_room(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "rename", no_room)
    done = runner.invoke(args=["db", "downgrade"])
    (line,) = done.stderr.splitlines()
    assert (done.exit_code, "No space left" in line) == (1, True)
    assert list(instance.glob("tracker-*")) == []
    with db.engine.connect() as connection:
        assert migrate.revision_of(connection) == migrate.newest_revision()
