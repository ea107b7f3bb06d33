"""Writing transactions: what ends one half-way leaves nothing behind, and holds no lock."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from huey.exceptions import TaskTimeout
from sqlalchemy import event, func, insert, select
from sqlalchemy.exc import IntegrityError, OperationalError

from sportsapp.core.clock import utc_now
from sportsapp.db.engine import autocommit_connection, db, forget_connections, write_connection
from sportsapp.db.models import ScheduleRow
from tests.forking import holds_in_a_child

pytestmark = pytest.mark.usefixtures("app")


def add(task: str) -> None:
    with write_connection() as connection:
        connection.execute(insert(ScheduleRow), {"task": task, "since_at": utc_now()})


def fail_after_adding(task: str) -> None:
    with write_connection() as connection:
        connection.execute(insert(ScheduleRow), {"task": task, "since_at": utc_now()})
        raise LookupError


def count() -> int:
    with db.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(ScheduleRow)) or 0


@contextmanager
def raising(name: str, error: BaseException) -> Iterator[None]:
    """Have the engine's event raise this, as a signal can at any point."""

    def fail(*_: object) -> None:
        raise error

    event.listen(db.engine, name, fail)
    try:
        yield
    finally:
        event.remove(db.engine, name, fail)


@pytest.mark.parametrize(
    "name", ["begin", "before_cursor_execute", "after_cursor_execute", "commit"]
)
@pytest.mark.parametrize("error", [KeyboardInterrupt(), TaskTimeout("time is up")], ids=repr)
def test_what_a_signal_ends_is_undone_and_holds_no_lock(name, error):
    before = count()
    with raising(name, error), pytest.raises(type(error)):
        add("one")
    add("two")
    assert count() == before + 1


def test_what_is_raised_inside_undoes_the_transaction():
    before = count()
    with pytest.raises(LookupError):
        fail_after_adding("one")
    assert count() == before


def test_error_s_text_has_no_parameters():
    add("a secret")
    with pytest.raises(IntegrityError) as caught:
        add("a secret")
    assert "a secret" not in str(caught.value.statement)
    assert "[parameters" not in str(caught.value)


@pytest.mark.only_sqlite("PostgreSQL has no lock that all writers need")
def test_lock_that_is_not_let_go_is_an_operational_error(monkeypatch):
    monkeypatch.setattr("sportsapp.db.engine.BUSY_MILLISECONDS", 50)
    db.engine.dispose()
    with write_connection(), pytest.raises(OperationalError, match="locked"):
        add("one")


@pytest.mark.only_sqlite("PostgreSQL has no lock that all writers need")
def test_time_limit_ends_a_statement_that_waits(monkeypatch):
    """A real SIGALRM, while another connection holds the lock."""
    monkeypatch.setattr("sportsapp.db.engine.BUSY_MILLISECONDS", 300)
    db.engine.dispose()

    def late(*_: object) -> None:
        raise TaskTimeout("time is up")

    handler = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        with write_connection(), pytest.raises((TaskTimeout, OperationalError)):
            add("one")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
    before = count()
    add("two")
    assert count() == before + 1


def test_autocommit_statement_is_committed_and_holds_no_lock(monkeypatch):
    monkeypatch.setattr("sportsapp.db.engine.BUSY_MILLISECONDS", 50)
    db.engine.dispose()
    before = count()
    with autocommit_connection(db.engine) as connection:
        connection.execute(insert(ScheduleRow), {"task": "one", "since_at": utc_now()})
        add("two")  # another connection writes meanwhile
        assert count() == before + 2
    again = {"task": "one", "since_at": utc_now()}
    with autocommit_connection(db.engine) as connection:
        connection.execute(insert(ScheduleRow), again | {"task": "three"})
        with pytest.raises(IntegrityError):
            connection.execute(insert(ScheduleRow), again)
    assert count() == before + 3  # a statement that fails takes back none before it


def test_child_leaves_its_parent_s_connection_alone(app):
    before = count()

    def check() -> bool:
        forget_connections()
        add("of the child")
        return True

    assert holds_in_a_child(app, check)
    add("of the parent")
    assert count() == before + 2
