"""`flask db-copy`: everything arrives, whatever the two databases are, or nothing does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, Insert, create_engine, event, func, insert, inspect, select

from sportsapp.accounts.accounts import add_account
from sportsapp.core.clock import utc_now
from sportsapp.db import copy as transfer
from sportsapp.db.engine import db, write_connection
from sportsapp.db.migrate import migrate_database
from sportsapp.db.models import AdminSession, AdminUser, Game, TaskRun
from sportsapp.db.types import Base
from sportsapp.factory import create_app
from sportsapp.services import services_of
from tests.integration.events import event as game
from tests.panel import add_consumer, add_failure, add_run, row, signed_in

pytestmark = pytest.mark.slow

LATER = datetime(2026, 1, 15, 22, 0, tzinfo=UTC)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def target(request, tmp_path) -> Iterator[str]:
    """An empty database without tables; its URL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'copy.db'}"
        return
    with request.getfixturevalue("postgres").empty_database() as url:
        yield url


@pytest.fixture
def filled(app, synced) -> None:
    """Rows in every table that a working instance fills, more than one batch of some."""
    synced("nba", game("1", state="in"), game("2", state="pre", start="2026-01-15T23:00Z"))
    add_account("boss", "a long pass phrase")
    add_failure(result={"synced": 0, "errors": ["é \u2028 '\"\\"]}, earlier=[{"attempt": 1}])
    run = row(add_run(id="run-0"))
    first = {one.key: getattr(run, one.key) for one in inspect(TaskRun).column_attrs}
    queued_at = first["queued_at"] - timedelta(days=1)
    more = [
        first | {"id": f"run-{n}", "queued_at": queued_at - timedelta(microseconds=n)}
        for n in range(1, transfer.BATCH + 1)
    ]
    with write_connection() as connection:
        connection.execute(insert(TaskRun), more)
    add_consumer(beat_at=utc_now() - timedelta(hours=1))


@contextmanager
def instance_on(app: Flask, url: str) -> Iterator[Flask]:
    """The same instance, set to another database."""
    other = create_app(replace(services_of(app).settings, database_url=url))
    with other.app_context():
        yield other
        db.session.remove()
        db.engine.dispose()


def rows_in(engine) -> dict[str, int]:
    with engine.connect() as connection:
        tables = [one for one in Base.metadata.sorted_tables if one not in transfer.LEFT_OUT]
        return {
            one.name: connection.scalar(select(func.count()).select_from(one)) for one in tables
        }


def copy(app: Flask, url: str):
    return app.test_cli_runner().invoke(args=["db-copy", url])


def test_every_row_arrives_and_the_copy_works_on(app, filled, target, feed, synced):
    expected = rows_in(db.engine)
    assert expected["games"] == 2
    assert expected["task_runs"] == transfer.BATCH + 2
    done = copy(app, target)
    assert done.exit_code == 0, done.output
    lines = dict(line.split(": ") for line in done.stdout.splitlines()[:-2])
    assert {name: int(count) for name, count in lines.items()} == expected
    assert f"{sum(expected.values())} rows copied and compared." in done.stdout
    with instance_on(app, target) as other:
        assert rows_in(db.engine) == expected
        before = db.session.scalar(select(func.max(Game.updated_at)))
        synced("nba", game("1", state="in"), game("3", state="pre"), at=LATER)  # a new id is free
        db.session.rollback()
        ids = dict(db.session.execute(select(Game.espn_id, Game.id)).all())
        assert sorted(ids) == ["1", "2", "3"]
        assert before == db.session.scalar(
            select(Game.updated_at).where(Game.espn_id == "1")
        )  # what is known already is not written again
        page = other.test_client().get("/nba/games/1")
        assert page.status_code == 200


def test_sessions_are_not_copied(app, filled, target):
    """Whoever uses the copy later could not know which of them have ended since."""
    signed_in(app)
    assert copy(app, target).exit_code == 0
    with instance_on(app, target):
        assert db.session.query(AdminUser).count() == 2
        assert db.session.query(AdminSession).count() == 0


def test_copy_of_the_copy_is_the_same(app, filled, target, tmp_path):
    assert copy(app, target).exit_code == 0
    back = f"sqlite:///{tmp_path / 'back.db'}"
    with instance_on(app, target) as other:
        done = copy(other, back)
        assert done.exit_code == 0, done.output
    runs = select(TaskRun.__table__).order_by(TaskRun.id)
    with create_engine(back).connect() as connection, db.engine.connect() as first:
        assert connection.execute(runs).all() == first.execute(runs).all()


def test_database_with_rows_is_refused_and_left_alone(app, filled, target):
    assert copy(app, target).exit_code == 0
    done = copy(app, target)
    assert done.exit_code == 1
    assert "not empty" in done.stderr
    with instance_on(app, target):
        assert rows_in(db.engine)["games"] == 2


@contextmanager
def inserts_changed(table: str, change: Callable[[list[dict[str, Any]]], None]) -> Iterator[None]:
    """What is inserted into this table passes through ``change`` first."""

    def before(_connection, statement, rows, params, _options):
        if isinstance(statement, Insert) and statement.table.name == table:
            change(rows or [params])  # a single row comes as params
        return statement, rows, params

    event.listen(Engine, "before_execute", before, retval=True)
    try:
        yield
    finally:
        event.remove(Engine, "before_execute", before)


def test_row_that_did_not_arrive_ends_in_nothing_copied(app, filled, target):
    with inserts_changed("games", lambda rows: rows.pop()):
        done = copy(app, target)
    assert done.exit_code == 1
    assert "nothing was copied: games: row 2 is not the same in both" in done.stderr
    with instance_on(app, target):
        assert set(rows_in(db.engine).values()) == {0}


def test_row_that_arrived_otherwise_ends_in_nothing_copied(app, filled, target):
    with inserts_changed("admin_users", lambda rows: rows[0].update(username="someone")):
        done = copy(app, target)
    assert (done.exit_code, "admin_users: row 1 is not the same" in done.stderr) == (1, True)
    with instance_on(app, target):
        assert set(rows_in(db.engine).values()) == {0}


def test_what_is_written_meanwhile_is_not_half_copied(app, filled, target):
    """Reads are of one moment: a game that comes after the first read is not in the copy."""

    def write_more(connection, *_: object) -> None:
        if not late:
            with app.app_context():  # the command is at work in the other one's
                late.append(add_run(id="late"))

    late: list[str] = []
    event.listen(db.engine, "after_cursor_execute", write_more_once := _on_games(write_more))
    try:
        done = copy(app, target)
    finally:
        event.remove(db.engine, "after_cursor_execute", write_more_once)
    assert done.exit_code == 0, done.output
    assert late
    with instance_on(app, target):
        assert db.session.get(TaskRun, "late") is None


def _on_games(action):
    def listener(connection, _cursor, statement, *_: object) -> None:
        if statement.lstrip().startswith("SELECT") and "FROM games" in statement:
            action(connection)

    return listener


def test_instance_at_work_is_refused_but_can_be_backed_up(app, filled, target, tmp_path):
    add_consumer(host="box", pid=4711)
    done = copy(app, target)
    assert (done.exit_code, "box, process 4711" in done.stderr) == (1, True)
    assert "stop them first" in done.stderr
    done = app.test_cli_runner().invoke(args=["db-copy", "--backup", target])
    assert done.exit_code == 0, done.output
    assert "DATABASE_URL" not in done.stdout
    with instance_on(app, target) as other:
        assert rows_in(db.engine)["games"] == 2
        back = f"sqlite:///{tmp_path / 'back.db'}"
        assert copy(other, back).exit_code == 0  # nobody is at work on a copy


@pytest.mark.parametrize(
    ("url", "status", "said"),
    [
        ("nonsense", 2, "URL: "),
        ("postgresql://me:hush@127.0.0.1:1/scores", 1, "nothing was copied: "),
    ],
)
def test_url_that_leads_nowhere_is_one_line_without_its_password(app, url, status, said):
    done = copy(app, url)
    assert done.exit_code == status
    (line,) = done.stderr.splitlines()
    assert line.startswith(said)
    assert "hush" not in line


def test_own_database_is_refused(app):
    done = copy(app, app.config["SQLALCHEMY_DATABASE_URI"].replace("+psycopg", ""))
    assert (done.exit_code, "names already" in done.stderr) == (2, True)


def test_database_that_is_behind_is_refused(app, target):
    with db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0005'")
    done = copy(app, target)
    assert (done.exit_code, "run `flask db upgrade` first" in done.stderr) == (1, True)


def test_target_that_is_migrated_already_is_fine(app, filled, target):
    with instance_on(app, target):
        migrate_database()
        assert "games" in inspect(db.engine).get_table_names()
    assert copy(app, target).exit_code == 0
