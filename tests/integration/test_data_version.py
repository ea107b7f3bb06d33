"""The data's version: moves with every commit and with nothing else, whoever asks and how."""

from __future__ import annotations

import sqlite3
import threading
import types
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from sportsapp.db import data_version
from sportsapp.db.data_version import DataVersion
from sportsapp.db.engine import db, forget_connections, write_connection
from tests.forking import holds_in_a_child

pytestmark = pytest.mark.usefixtures("app")


def any_commit() -> None:
    with write_connection() as connection:
        connection.execute(
            text("INSERT INTO run_totals (task, state, count) VALUES ('a', random(), 1)")
        )


@pytest.fixture(params=["library", "driver"])
def version(request, monkeypatch, app) -> DataVersion:
    """Asked as it is by default, and as where SQLite's library is not to be found."""
    if request.param == "driver":
        monkeypatch.setattr(data_version, "_sqlite_library", lambda _driver: None)
    return DataVersion(db.engine)


@pytest.mark.only_sqlite("its library is asked")
def test_sqlite_is_asked_without_the_driver_where_that_can_be():
    version = DataVersion(db.engine)
    version.now()
    assert type(version._connection).__name__ == "_SqliteConnection"


def test_version_moves_with_every_commit_and_with_nothing_else(version):
    first = version.now()
    db.session.execute(text("SELECT count(*) FROM games"))
    assert version.now() == first is not None
    any_commit()
    second = version.now()
    assert second != first
    assert version.now() == second


@pytest.mark.only_sqlite("the other counts what was rolled back, too")
def test_what_is_not_committed_does_not_count(version):
    first = version.now()
    with write_connection() as connection:
        connection.execute(text("INSERT INTO run_totals (task, state, count) VALUES ('a','b',1)"))
        assert version.now() == first
        connection.rollback()
    assert version.now() == first


def test_version_can_be_told_again_after_the_engine_was_disposed_of(version):
    version.now()
    db.engine.dispose()
    assert version._connection is None
    first = version.now()
    any_commit()
    assert version.now() != first is not None


def test_versions_of_two_connections_are_never_taken_for_each_other(version):
    any_commit()
    seen = {version.now()}
    for _ in range(3):
        any_commit()
        db.engine.dispose()
        seen.add(version.now())
    assert len(seen) == 4


def test_no_thread_is_told_an_older_version_than_it_could_know(version):
    number = {version.now(): 0}  # how many commits there were at each version
    ended = threading.Event()

    def ask() -> list[tuple[int, object]]:
        told = []
        while not ended.is_set():
            told.append((len(number) - 1, version.now()))
        return told

    with ThreadPoolExecutor(4) as threads:
        asked = [threads.submit(ask) for _ in range(4)]
        for n in range(1, 21):
            any_commit()
            number[version.now()] = n
        ended.set()
    assert len(number) == 21
    for one in asked:
        assert len(one.result()) > 20
        assert all(number[now] >= known for known, now in one.result())


@pytest.mark.only_sqlite("it has a file")
def test_file_that_is_not_there_has_no_version_and_is_not_made(settings):
    version = DataVersion(db.engine)
    db.engine.dispose()
    for path in settings.instance_path.glob("tracker.db*"):
        path.unlink()
    assert version.now() is None
    assert not (settings.instance_path / "tracker.db").exists()


@pytest.mark.only_sqlite("it has a file")
def test_file_that_is_no_database_has_no_version(version, settings):
    db.engine.dispose()
    (settings.instance_path / "tracker.db").write_bytes(b"no database" * 1000)
    assert version.now() is None


@pytest.mark.only_sqlite("its library is asked")
def test_child_leaves_its_parent_s_connection_alone(app):
    version = DataVersion(db.engine)
    version.now()
    parents = version._connection

    def check() -> bool:
        forget_connections()
        return bool(parents.ask())

    assert holds_in_a_child(app, check)


@pytest.mark.only_sqlite("its library is asked")
def test_library_of_another_driver_is_not_used():
    other = types.ModuleType("another")
    other.connect = lambda *_: None
    assert data_version._sqlite_library(other) is None


@pytest.mark.only_sqlite("its library is asked")
def test_closed_version_is_not_asked_by_a_wild_pointer():
    version = DataVersion(db.engine)
    version.now()
    connection = version._connection
    connection.close()
    with pytest.raises(sqlite3.OperationalError):
        connection.ask()
