"""Prepared statements do what the same statements do through SQLAlchemy, and fail as they do."""

from __future__ import annotations

import gc
import signal
import sqlite3
import threading
import weakref
from datetime import UTC, datetime, timedelta

import pytest
from huey.exceptions import TaskTimeout
from psycopg import errors
from sqlalchemy import bindparam, create_engine, delete, event, insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from sportsapp.db import prepared
from sportsapp.db.engine import db, forget_connections, write_connection
from sportsapp.db.models import RunState, TaskRun, Trigger
from sportsapp.db.prepared import prepared_statement, prepared_transaction
from tests.forking import holds_in_a_child

RUNS = TaskRun.__table__
NOON = datetime(2026, 3, 8, 12, 0, 0, 123456, UTC)
ROW = {
    "id": "one", "task": "a task", "queue": "q", "slot": None, "args": {"b": 1, "a": ["é", None]},
    "state": RunState.PENDING, "trigger": Trigger.ADMIN, "asked_by": "", "chain": ["next"],
    "queued_at": NOON, "due_at": NOON, "attempt": 0, "retries_left": 3, "earlier": [],
    "recoveries": 0, "stalls": 0, "host": "", "progress_done": 0, "progress_total": 0,
    "cancel_asked": False, "error": "", "fingerprint": "", "traceback": "", "resume": None,
}  # fmt: skip
ADD = insert(RUNS)
ADD_FRESH = insert(RUNS).values({"state": "FRESH", "chain": ["a constant"], "stalls": 7})
FIND = select(RUNS).where(RUNS.c.id == bindparam("wanted"))
START = (
    update(RUNS)
    .where(RUNS.c.id == bindparam("wanted"), RUNS.c.state == RunState.PENDING)
    .returning(RUNS.c.args, RUNS.c.queued_at)
)
OLDER = update(RUNS).where(RUNS.c.queued_at < bindparam("before"))
FORGET = delete(RUNS).where(RUNS.c.id == bindparam("wanted"))
MANY = select(RUNS.c.id).where(RUNS.c.id.in_(["one", "two"]))

pytestmark = pytest.mark.usefixtures("app")


def run() -> TaskRun | None:
    db.session.rollback()
    return db.session.get(TaskRun, "one", populate_existing=True)


def add(**changes: object) -> int:
    with prepared_statement(db.engine) as statement:
        return statement.count(ADD, **ROW | changes)


def test_values_are_written_as_sqlalchemy_writes_them():
    assert add() == 1
    with write_connection() as connection:
        connection.execute(ADD, ROW | {"id": "two"})
    with db.engine.connect() as connection:
        ours, theirs = connection.execute(select(RUNS).order_by(RUNS.c.id)).all()
    assert ours._asdict() | {"id": "two"} == theirs._asdict()
    assert run().args == ROW["args"]
    assert run().queued_at == NOON


def test_rows_are_read_as_sqlalchemy_reads_them():
    add()
    with prepared_statement(db.engine) as statement:
        (found,) = statement.rows(FIND, wanted="one")
        assert statement.rows(FIND, wanted="none such") == []
    with db.engine.connect() as connection:
        assert found._asdict() == connection.execute(FIND, {"wanted": "one"}).one()._asdict()


def test_what_an_update_returns_and_counts():
    add()
    with prepared_transaction(db.engine) as transaction:
        (row,) = transaction.rows(START, wanted="one", state=RunState.STARTED)
        assert transaction.rows(START, wanted="one", state=RunState.STARTED) == []
        assert transaction.count(OLDER, before=NOON, error="old") == 0
        assert transaction.count(OLDER, before=NOON + timedelta(seconds=1), error="old") == 1
    assert (row.args, row.queued_at) == (ROW["args"], NOON)
    assert (run().state, run().error) == (RunState.STARTED, "old")
    with prepared_statement(db.engine) as statement:
        assert statement.count(FORGET, wanted="one") == 1
    assert run() is None


def test_constants_of_a_statement_are_converted_too():
    with prepared_statement(db.engine) as statement:
        given = {k: v for k, v in ROW.items() if k not in ("state", "chain", "stalls")}
        statement.count(ADD_FRESH, **given)
    assert (run().state, run().chain, run().stalls) == ("FRESH", ["a constant"], 7)


def half_done() -> None:
    with prepared_transaction(db.engine) as transaction:
        transaction.count(OLDER, before=NOON + timedelta(days=1), error="old")
        raise LookupError


class Driver:
    """Stands before the driver's connection; every call of ``method`` raises."""

    def __init__(self, driver: object, method: str, error: BaseException) -> None:
        self._driver, self._method, self._error = driver, method, error

    def __getattr__(self, name: str) -> object:
        if name == self._method:
            raise self._error
        return getattr(self._driver, name)


@pytest.mark.parametrize("method", ["execute", "commit"])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), TaskTimeout("time is up")], ids=repr)
def test_what_a_signal_ends_is_undone_and_holds_no_lock(monkeypatch, method, error):
    add()
    lender = prepared._lender_of(db.engine)
    take = lender.take
    with monkeypatch.context() as patch:
        driver = take(db.engine)
        patch.setattr(lender, "take", lambda _engine: Driver(driver, method, error))
        with pytest.raises(type(error)), prepared_transaction(db.engine) as transaction:
            transaction.count(OLDER, before=NOON + timedelta(days=1), error="old")
    assert run().error == ""
    assert add(id="two") == 1
    assert run().error == ""


@pytest.mark.only_sqlite("its connections are kept beside the pool")
def test_time_limit_ends_a_statement_that_waits(app, monkeypatch):
    """A real SIGALRM, while another holds the lock."""
    monkeypatch.setattr("sportsapp.db.engine.BUSY_MILLISECONDS", 300)
    db.engine.dispose()

    def late(*_: object) -> None:
        raise TaskTimeout("time is up")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        with write_connection(), pytest.raises((TaskTimeout, OperationalError)):
            add()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert add() == 1


def test_what_is_raised_inside_undoes_the_transaction():
    add()
    with pytest.raises(LookupError):
        half_done()
    assert add(id="two") == 1  # on the same connection
    assert run().error == ""


@pytest.mark.parametrize("way", [prepared_statement, prepared_transaction])
def test_driver_s_errors_are_sqlalchemy_s(way):
    add()
    with pytest.raises(IntegrityError) as caught, way(db.engine) as opened:
        opened.count(ADD, **ROW)
    assert "a task" not in str(caught.value)  # no parameters in an error's text
    assert add(id="two") == 1


@pytest.mark.only_sqlite("PostgreSQL has no lock that all writers need")
def test_a_lock_that_is_not_let_go_is_an_operational_error(monkeypatch):
    monkeypatch.setattr("sportsapp.db.engine.BUSY_MILLISECONDS", 50)
    db.engine.dispose()
    with (
        write_connection(),
        pytest.raises(OperationalError, match="locked"),
        prepared_transaction(db.engine),
    ):
        pytest.fail("two writers at once")


@pytest.mark.only_sqlite("it has a file")
def test_a_file_that_cannot_be_opened_is_an_operational_error(settings, monkeypatch):
    db.engine.dispose()
    (settings.instance_path / "tracker.db").unlink()
    (settings.instance_path / "tracker.db").mkdir()
    with pytest.raises(OperationalError, match="unable to open"):
        add()


def test_a_list_is_refused():
    with (
        pytest.raises(TypeError, match="cannot be prepared"),
        prepared_statement(db.engine) as statement,
    ):
        statement.rows(MANY)


def test_a_default_of_python_is_refused():
    with (
        pytest.raises(TypeError, match="cannot be prepared"),
        prepared_statement(db.engine) as statement,
    ):
        statement.count(ADD, id="one")


def driver() -> object:
    """The driver's connection of a transaction, after it."""
    with prepared_statement(db.engine) as statement:
        return statement._driver


@pytest.mark.only_sqlite("its connections are kept beside the pool")
def test_connection_is_kept_until_the_engine_is_disposed_of():
    before = driver()
    assert driver() is before
    db.engine.dispose()
    assert driver() is not before
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        before.execute("SELECT 1")


@pytest.mark.only_sqlite("its connections are kept beside the pool")
def test_child_leaves_its_parent_s_connection_alone(app):
    before = driver()

    def check() -> bool:
        forget_connections()
        before.total_changes  # noqa: B018 - raises when it has been closed
        return driver() is not before and add(id="of the child") == 1

    assert holds_in_a_child(app, check)
    assert driver() is before
    assert add() == 1


def test_engine_that_nobody_uses_is_forgotten(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path}/some.db")
    with prepared_statement(engine) as statement:
        assert statement._driver
    gone = weakref.ref(engine)
    engine.dispose()
    del engine
    gc.collect()
    assert gone() is None


@pytest.mark.only_sqlite("its connections are kept beside the pool")
def test_connection_that_failed_is_not_used_again():
    add()
    before = driver()
    with pytest.raises(IntegrityError):
        add()
    assert driver() is not before


def test_threads_do_not_share_a_connection():
    inside = threading.Barrier(2, timeout=10)
    seen = []

    def look(engine: object) -> None:
        with prepared_statement(engine) as statement:
            seen.append(id(statement._driver))
            inside.wait()

    threads = [threading.Thread(target=look, args=[db.engine]) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(seen)) == 2


def test_a_postgresql_that_takes_nothing_is_an_operational_error(monkeypatch):
    class Standby:
        def take(self, _engine: object) -> object:
            raise errors.ReadOnlySqlTransaction("cannot execute INSERT in a read-only transaction")

    disposals = []

    engine = create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none")
    event.listen(engine, "engine_disposed", disposals.append)
    monkeypatch.setitem(prepared._lenders, engine, Standby())
    with pytest.raises(OperationalError, match="read-only"), prepared_statement(engine):
        pytest.fail("it takes nothing")
    assert disposals == [engine]  # no other connection to it is used again


def test_errors_keep_the_driver_s_as_their_cause():
    add()
    with pytest.raises(DBAPIError) as caught:
        add()
    assert isinstance(caught.value.__cause__, db.engine.dialect.loaded_dbapi.Error)
