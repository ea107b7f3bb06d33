"""The database: ``db`` for the whole project, and what SQLite and PostgreSQL need to behave.

Reads open deferred; whatever writes opens through ``writing`` or ``write_connection``, which
take SQLite's write lock at once, so that two writers wait for each other instead of failing
half-way. Services hold one short writing transaction a scoreboard.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    JSON,
    Connection,
    DateTime,
    Engine,
    MetaData,
    Table,
    event,
    func,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect, ExceptionContext, make_url
from sqlalchemy.orm import DeclarativeBase, Session, scoped_session
from sqlalchemy.types import TypeDecorator

logger = logging.getLogger(__name__)

BUSY_MILLISECONDS = 10_000
WRITES = "writes"

NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

AnySession = Session | scoped_session[Any]


class Base(DeclarativeBase):
    """Base of all models; every constraint has a name, so that migrations can speak of it."""

    metadata = MetaData(naming_convention=NAMES)


db = SQLAlchemy(model_class=Base)


class Moment(TypeDecorator[datetime]):
    """An aware datetime in UTC, on SQLite too, which knows no time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


Json = JSON(none_as_null=True).with_variant(
    postgresql.JSONB(none_as_null=True), "postgresql"
)  # JSONB compares and indexes; SQLite keeps text
OrderedJson = JSON(none_as_null=True)  # keeps the order of names, which JSONB does not


def init_database(app: Flask) -> None:
    """Join ``db`` to the app and teach its engine to behave."""
    protect_file(app.config["SQLALCHEMY_DATABASE_URI"], Path(app.instance_path))
    db.init_app(app)
    with app.app_context():
        _prepare(db.engine)


def _prepare(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        event.listen(engine, "handle_error", _drop_read_only)


def _set_up_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, below
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _drop_read_only(context: ExceptionContext) -> None:
    """A connection that was opened while the file was read-only stays so: open another."""
    if "readonly database" in str(context.original_exception):
        context.is_disconnect = True


@contextmanager
def writing(session: AnySession) -> Iterator[AnySession]:
    """A writing transaction: committed at the end, rolled back when anything is raised.

    Ends the session's reading transaction first, so what was read before is read again.
    """
    session.rollback()
    session.connection(execution_options={WRITES: True})
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise


@contextmanager
def write_connection() -> Iterator[Connection]:
    """A short writing transaction on a connection of its own, apart from any session."""
    with db.engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        yield connection


def wait_for_turn(connection: Connection, name: str) -> None:
    """Until this transaction ends, no other that waits for a turn of this name goes on.

    For checks that what is inserted next must not race with. Writers on SQLite take turns anyway.
    """
    if connection.dialect.name == "postgresql":
        lock = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
        connection.execute(select(func.pg_advisory_xact_lock(lock)))


def forget_connections() -> None:
    """For a forked child: leave the parent's connections alone and open our own."""
    db.engine.dispose(close=False)


def insert_ignoring(
    session: AnySession | Connection,
    table: Table,
    rows: Sequence[dict[str, Any]],
    unique: Iterable[str],
) -> int:
    """Insert rows, leaving out those whose ``unique`` columns are there already.

    Returns how many rows were inserted.
    """
    if not rows:
        return 0
    insert = (
        _insert(session)(table)
        .on_conflict_do_nothing(index_elements=list(unique))
        .execution_options(preserve_rowcount=True)  # not kept for inserts unless asked for
    )
    inserted = 0
    for row in rows:
        result: Any = session.execute(insert, row)
        inserted += result.rowcount
    return inserted


def _insert(session: AnySession | Connection) -> Any:
    bind = session if isinstance(session, Connection) else session.get_bind()
    return postgresql.insert if bind.dialect.name == "postgresql" else sqlite.insert


def protect_file(url: str, folder: Path) -> None:
    """Make a missing SQLite file for its owner alone; in our folder, take it from all others.

    SQLite gives the files beside it the same mode. A file that cannot be made or changed is no
    fault here: whoever connects to it is told why, and a read-only one can still be read.
    """
    name = make_url(url).database if url.startswith("sqlite:") else None
    if not name or name == ":memory:" or name.startswith("file:"):
        return
    try:
        _make_private(Path(name), folder)
    except OSError as error:
        logger.debug("%s cannot be made private: %s", name, error)


def _make_private(path: Path, folder: Path) -> None:
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        status = path.stat()
        if path.is_relative_to(folder) and status.st_uid == os.getuid():
            path.chmod(status.st_mode & 0o700)
