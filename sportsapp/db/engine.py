"""The database: ``db`` for the whole project, and what SQLite and PostgreSQL need to behave.

Reads open deferred; whatever writes opens through ``writing`` or ``write_connection``, which
take SQLite's write lock at once, so that two writers wait for each other instead of failing
half-way. Services hold one short writing transaction a scoreboard.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, cast

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
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session, scoped_session
from sqlalchemy.types import TypeDecorator

logger = logging.getLogger(__name__)

BUSY_MILLISECONDS = 10_000
# A PostgreSQL that is gone without a word is noticed within seconds, not when TCP gives up.
POSTGRES = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
# PostgreSQL's numbers for what an operator has to mend: a server that takes nothing, as a standby
# does, tables or columns that are not there, and rights that are missing.
READ_ONLY = "25006"
UNFIT = frozenset({READ_ONLY, "42P01", "42703", "42501"})
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


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC, on SQLite too, which knows no time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        return None if value is None else _in_utc(value)

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        return _sqlite_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone")
    return value.astimezone(UTC)


def _sqlite_text(value: datetime | None) -> str | None:
    """A moment as SQLAlchemy's own type writes it to SQLite, in a fraction of the time."""
    if value is None:
        return None
    return _in_utc(value).replace(tzinfo=None).isoformat(" ", "microseconds")


Json = JSON(none_as_null=True).with_variant(
    postgresql.JSONB(none_as_null=True), "postgresql"
)  # JSONB compares and indexes; SQLite keeps text
OrderedJson = JSON(none_as_null=True)  # keeps the order of names, which JSONB does not


def init_database(app: Flask) -> None:
    """Join ``db`` to the app and teach its engine to behave."""
    url = app.config["SQLALCHEMY_DATABASE_URI"]
    protect_file(url, Path(app.instance_path))
    # what is written (hashes of passwords, too) does not belong into an error's text
    options: dict[str, Any] = {"hide_parameters": True}
    if make_url(url).get_backend_name() == "postgresql":
        options |= {"connect_args": POSTGRES, "pool_pre_ping": True}
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = options
    db.init_app(app)
    with app.app_context():
        _prepare(db.engine)


def _prepare(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    elif engine.dialect.name == "postgresql":
        # before SQLAlchemy's own first questions, whose answers it could not read
        event.listen(engine, "connect", _encoding_check(engine.dialect), insert=True)
    event.listen(engine, "handle_error", _tell_alike, retval=True)


def _set_up_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, below
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _encoding_check(dialect: Dialect) -> Callable[[Any, object], None]:
    """Refuses a PostgreSQL database that cannot hold every name; the server has told its encoding.

    Raised as the driver's own error, so that it is told as any other of a database is.
    """

    def check(connection: Any, _record: object) -> None:
        encoding = connection.info.parameter_status("server_encoding")
        if encoding not in (None, "UTF8"):
            connection.close()
            raise dialect.loaded_dbapi.OperationalError(
                f"its encoding is {encoding}, not UTF8: use a database made with "
                "CREATE DATABASE scores ENCODING 'UTF8' TEMPLATE template0"
            )

    return check


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _tell_alike(context: ExceptionContext) -> OperationalError | None:
    """A database that is not fit for use is an OperationalError, on PostgreSQL as on SQLite.

    A connection that was opened while the database was read-only may stay so: open another.
    """
    fault = context.original_exception
    if is_read_only(fault):
        context.is_disconnect = True
    if getattr(fault, "sqlstate", None) in UNFIT:
        return OperationalError(context.statement, None, fault, hide_parameters=True)
    return None


def is_read_only(fault: BaseException) -> bool:
    """Whether a driver's error says that nothing can be written, for now or by this connection."""
    return getattr(fault, "sqlstate", None) == READ_ONLY or "readonly database" in str(fault)


def as_sqlalchemy_error(fault: Exception, dialect: Dialect) -> DBAPIError:
    """A driver's error as SQLAlchemy's connections would raise it, without any parameters."""
    if getattr(fault, "sqlstate", None) in UNFIT:
        return OperationalError(None, None, fault, hide_parameters=True)
    error_class = dialect.loaded_dbapi.Error
    error = DBAPIError.instance(None, None, fault, error_class, True, dialect=dialect)
    return cast("DBAPIError", error)


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
def write_connection(engine: Engine | None = None) -> Iterator[Connection]:
    """A short writing transaction on a connection of its own, apart from any session.

    Of the current app's database, or of ``engine`` where there is no app context.
    """
    connection = (engine or db.engine).connect().execution_options(**{WRITES: True})
    with connection, connection.begin():
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
    unique: Sequence[str],
) -> int:
    """Insert rows, leaving out those whose ``unique`` columns are there already.

    Returns how many rows were inserted.
    """
    insert = _insert(session, table, tuple(unique), ())
    results: Iterable[Any] = (session.execute(insert, row) for row in rows)
    return sum(result.rowcount for result in results)


def insert_replacing(
    session: AnySession | Connection,
    table: Table,
    rows: Sequence[dict[str, Any]],
    unique: Sequence[str],
) -> None:
    """Insert rows; those whose ``unique`` columns are there already get the other values."""
    for row in rows:
        others = tuple(name for name in row if name not in unique)
        session.execute(_insert(session, table, tuple(unique), others), row)


def _insert(
    session: AnySession | Connection,
    table: Table,
    unique: tuple[str, ...],
    replaced: tuple[str, ...],
) -> Any:
    bind = session if isinstance(session, Connection) else session.get_bind()
    return _built_insert(bind.dialect.name, table, unique, replaced)


def inserting_unless_there(dialect: str, table: Table, unique: tuple[str, ...]) -> Any:
    """The statement that inserts a row, unless its ``unique`` columns are there already."""
    return _built_insert(dialect, table, unique, ())


@cache  # building it takes longer than running it
def _built_insert(
    dialect: str, table: Table, unique: tuple[str, ...], replaced: tuple[str, ...]
) -> Any:
    insert: Any = (postgresql if dialect == "postgresql" else sqlite).insert(table)
    if replaced:
        new = {name: insert.excluded[name] for name in replaced}
        return insert.on_conflict_do_update(index_elements=unique, set_=new)
    # the number of rows is not kept for inserts unless asked for
    return insert.on_conflict_do_nothing(index_elements=unique).execution_options(
        preserve_rowcount=True
    )


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
