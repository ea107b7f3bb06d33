"""`flask restore`: what it refuses, and that nothing is changed then."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from flask_migrate import downgrade, upgrade
from sqlalchemy import select

from sportsapp.db import migrate
from sportsapp.db.engine import db
from sportsapp.db.models import Activity, AdminSession, AdminUser, Game
from sportsapp.factory import create_app
from sportsapp.services import services_of
from tests.integration.events import event
from tests.panel import signed_in

pytestmark = [pytest.mark.slow, pytest.mark.only_sqlite("its file is replaced")]


@pytest.fixture
def backup(app, synced, runner, tmp_path) -> Path:
    """A backup with game 1, of an instance that has game 2 since."""
    synced("nba", event("1"))
    file = tmp_path / "backup.db"
    done = runner.invoke(args=["db-copy", "--backup", f"sqlite:///{file}"])
    assert done.exit_code == 0, done.output
    synced("nba", event("1"), event("2"))
    leave()
    return file


@pytest.fixture
def restore(runner):
    """Runs ``flask restore``; the result."""
    return lambda file: runner.invoke(args=["restore", str(file)])


def leave() -> None:
    """Close this process's connections to the database."""
    db.session.remove()
    db.engine.dispose()


def games() -> list[str]:
    found = sorted(db.session.scalars(select(Game.espn_id)))
    leave()
    return found


def content(folder: Path) -> dict[str, str]:
    """A digest of each file but the lock, which is empty."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.is_file() and path.name != "up.lock"
    }


def kept(folder: Path) -> Path:
    (path,) = folder.glob("tracker-*-replaced.db")
    return path


def games_in(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        return [row[0] for row in connection.execute("SELECT espn_id FROM games ORDER BY espn_id")]


def test_backup_is_in_place_and_the_old_database_beside_it(backup, restore, instance):
    before = content(backup.parent)
    assert games() == ["1", "2"]
    done = restore(backup)
    assert done.exit_code == 0, done.output
    assert games() == ["1"]
    assert games_in(kept(instance)) == ["1", "2"]
    assert str(kept(instance)) in done.stdout
    assert "with 1 games" in done.stdout
    assert content(backup.parent) == before
    assert stat.S_IMODE((instance / "tracker.db").stat().st_mode) == 0o600
    assert not list(instance.glob("restore-*"))
    again = restore(kept(instance))  # and back
    assert (again.exit_code, games()) == (0, ["1", "2"])


def test_restored_database_has_who_restored_it(backup, restore):
    assert restore(backup).exit_code == 0
    rows = db.session.execute(select(Activity.action, Activity.subject)).all()
    leave()
    assert ("restore", str(backup)) in [tuple(row) for row in rows]


def test_session_does_not_come_back_with_an_old_database(app, backup, restore, instance):
    """It may have ended since: by signing out, or with a password that was stolen."""
    signed_in(app)
    leave()
    assert restore(backup).exit_code == 0
    assert restore(kept(instance)).exit_code == 0
    assert games() == ["1", "2"]
    assert db.session.query(AdminUser).count() == 1
    assert db.session.query(AdminSession).count() == 0
    leave()


def test_rows_in_a_wal_file_that_was_left_are_kept_and_not_replayed(backup, restore, instance):
    """The state after kill -9: what was committed last is in the -wal file."""
    folder = backup.parent / "killed"
    folder.mkdir()
    with db.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_autocheckpoint = 0")
        connection.exec_driver_sql("UPDATE games SET espn_id = '3' WHERE espn_id = '2'")
        connection.commit()
        for end in ("", "-wal", "-shm"):
            shutil.copy(f"{instance}/tracker.db{end}", folder / f"tracker.db{end}")
    leave()
    for end in ("", "-wal", "-shm"):
        shutil.move(folder / f"tracker.db{end}", f"{instance}/tracker.db{end}")
    assert (instance / "tracker.db-wal").stat().st_size > 0
    done = restore(backup)
    assert done.exit_code == 0, done.output
    assert {path.name for path in instance.glob("*.db-*")} == set()
    assert games() == ["1"]
    assert games_in(kept(instance)) == ["1", "3"]


def test_database_that_is_damaged_is_replaced_and_kept_as_it_is(backup, restore, instance):
    noise = b"x" * 4096
    (instance / "tracker.db").write_bytes(noise)
    assert restore(backup).exit_code == 0
    assert games() == ["1"]
    assert kept(instance).read_bytes() == noise


def test_backup_with_its_wal_file_is_taken_whole(backup, restore):
    with closing(sqlite3.connect(backup)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("UPDATE games SET espn_id = '7'")
        connection.commit()
        assert Path(f"{backup}-wal").stat().st_size > 0
        assert restore(backup).exit_code == 0
    assert games() == ["7"]


def test_backup_of_an_earlier_release_is_brought_up_to_date(app, backup, restore, instance):
    settings = replace(services_of(app).settings, database_url=f"sqlite:///{backup}")
    with create_app(settings).app_context():
        downgrade(directory=migrate.FOLDER, revision="0008")
        db.engine.dispose()
    before = content(backup.parent)
    done = restore(backup)
    assert done.exit_code == 0, done.output
    with db.engine.connect() as connection:
        assert migrate.revision_of(connection) == migrate.newest_revision()
    assert games() == ["1"]
    assert content(backup.parent) == before


def damaged(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[4096 * 5 : 4096 * 12] = b"\xa5" * 4096 * 7
    file.write_bytes(data)


def truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: 4096 * 9])


def of_another_program(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE notes (text)")


def of_another_program_with_our_revision(file: Path) -> None:
    of_another_program(file)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num)")
        connection.execute("INSERT INTO alembic_version VALUES (?)", [migrate.newest_revision()])
        connection.commit()


def that_cannot_be_migrated(file: Path) -> None:
    of_another_program(file)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num)")
        connection.execute("INSERT INTO alembic_version VALUES ('0005')")
        connection.commit()


def of_a_later_release(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()


def folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (damaged, "malformed|damaged"),
        (truncated, "malformed|damaged"),
        (of_another_program, "has no tables that this release can read"),
        (of_another_program_with_our_revision, "no such table"),
        (that_cannot_be_migrated, "no such table"),
        (of_a_later_release, "has no tables that this release can read (9999)"),
        (lambda file: file.write_text("notes\n" * 1000), "file is not a database"),
        (lambda file: file.write_bytes(b""), "has no tables that this release can read"),
        (lambda file: file.unlink(), "is no file"),
        (folder, "is no file"),
    ],
)
def test_file_that_is_no_whole_backup_is_one_line_and_changes_nothing(
    backup, restore, instance, spoil, reason
):
    spoil(backup)
    before = content(instance), content(backup.parent)
    done = restore(backup)
    assert (done.exit_code, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("nothing was restored: ")
    assert any(part in line for part in reason.split("|")), line
    assert (content(instance), content(backup.parent)) == before
    assert not list(instance.glob("restore-*"))
    assert games() == ["1", "2"]


def test_database_that_a_program_has_open_is_not_replaced(backup, restore, instance):
    with closing(sqlite3.connect(instance / "tracker.db")) as other:
        other.execute("SELECT count(*) FROM games").fetchone()
        done = restore(backup)
    assert done.exit_code == 1
    assert "a program has" in done.stderr
    assert games() == ["1", "2"]


@pytest.fixture
def held(instance: Path) -> Iterator[None]:
    """Another process holds the instance's lock, as `flask up` does."""
    program = (
        "import fcntl, sys\n"
        "file = open(sys.argv[1], 'w')\n"
        "fcntl.lockf(file, fcntl.LOCK_EX)\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(instance / "up.lock")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout.readline() == b"held\n"
        yield


def test_instance_that_is_running_is_left_alone(backup, held, restore):
    done = restore(backup)
    assert done.exit_code == 1
    (line,) = done.stderr.splitlines()
    assert "another `flask up` is running" in line
    assert games() == ["1", "2"]


def test_restore_that_ends_halfway_leaves_the_old_database(backup, restore, monkeypatch):
    def ends(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", ends)
    done = restore(backup)
    assert (done.exit_code, "No space left" in done.stderr) == (1, True)
    assert games() == ["1", "2"]


def test_postgresql_is_refused_with_what_to_use(settings, tmp_path):
    other = replace(settings, database_url="postgresql://u:hush@127.0.0.1:1/none")
    done = create_app(other).test_cli_runner().invoke(args=["restore", str(tmp_path / "backup.db")])
    assert done.exit_code == 2
    (line,) = done.stderr.splitlines()
    assert "pg_restore" in line
    assert "flask db-copy" in line


# ---------------------------------------------------------------- copies before migrations


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
    assert runner.invoke(args=["restore", str(copy)]).exit_code == 0
    assert games() == ["1"]


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
