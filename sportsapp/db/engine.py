"""The database: ``db`` for the whole project, and what SQLite and PostgreSQL need to behave alike.

A transaction is for reading, and opens deferred, unless it carries the execution option
``writes``. Then SQLite takes its write lock at once, so that two writers wait for each other
instead of failing half-way. ``writing`` and ``write_connection`` set it. The statements of an
``autocommit_connection`` are transactions of their own.
"""

import hashlib
import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from flask import Config, Flask, has_request_context
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine, event, func, select
from sqlalchemy.engine import Dialect, ExceptionContext, make_url
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session, scoped_session
from sqlalchemy.pool import ConnectionPoolEntry

from sportsapp.core.errors import NoInstanceError
from sportsapp.core.outages import WRITES
from sportsapp.db.types import Base

logger = logging.getLogger(__name__)

BUSY_MILLISECONDS = 10_000
REQUEST_BUSY_MILLISECONDS = 2_000
"""How long a web request waits for another writer; on PostgreSQL as long (``db.deadline``)."""
# A PostgreSQL server that vanishes is noticed within seconds, not when TCP gives up.
POSTGRES = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
# PostgreSQL's codes for what an operator has to mend: a server that accepts no writes (such as a
# standby), a missing table or column, a missing right.
READ_ONLY = "25006"
UNFIT = frozenset({READ_ONLY, "42P01", "42703", "42501"})
# A damaged file: SQLite's codes, and PostgreSQL's of damaged data and damaged indexes.
DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, "XX001", "XX002"})
FILE = "file"
"""Of SQLite's connections: the path of the file, and its number when it was opened."""

AnySession = Session | scoped_session[Any]

db = SQLAlchemy(model_class=Base)


def init_database(app: Flask) -> None:
    """Join ``db`` to the app and set up its engine. Connects to nothing yet."""
    url = app.config["SQLALCHEMY_DATABASE_URI"]
    if app.config.get("MAKES_INSTANCE", True):
        protect_file(url, Path(app.instance_path))
    # parameters (password hashes among them) must not appear in an error's text
    options: dict[str, Any] = {"hide_parameters": True}
    if make_url(url).get_backend_name() == "postgresql":
        options |= {"connect_args": POSTGRES, "pool_pre_ping": True}
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = options
    db.init_app(app)
    with app.app_context():
        engine = db.engine
    if engine.dialect.name == "sqlite":
        # not the app itself: `db` keeps the engine for as long as there is the app
        config, folder = app.config, Path(app.instance_path)
        event.listen(engine, "do_connect", lambda *_: require_file(config, folder))
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        event.listen(engine, "checkout", _hurry_in_requests)
    elif engine.dialect.name == "postgresql":
        # before SQLAlchemy's own first queries, whose answers it could not decode
        event.listen(engine, "connect", _encoding_check(engine.dialect), insert=True)
        from sportsapp.db import deadline  # loads the driver, which SQLite does not need

        event.listen(engine, "do_connect", deadline.connect)
        event.listen(engine, "checkout", deadline.set_limits)
    event.listen(engine, "handle_error", _as_operational_error, retval=True)


def require_file(config: Config, folder: Path) -> None:
    """Raise NoInstanceError where SQLite's file is missing and this app is not to create it.

    ``config`` and ``folder`` are the app's configuration and instance folder.
    """
    path = sqlite_path(config["SQLALCHEMY_DATABASE_URI"])
    if path is None or config.get("MAKES_INSTANCE", True):
        return
    with suppress(PermissionError):  # connecting to it reports that
        if not path.exists():
            setting = "INSTANCE_PATH" if path.parent == folder else "DATABASE_URL"
            place = path if path.parent.exists() else path.parent
            raise NoInstanceError(
                f"{setting}: there is no {place}; name another one, or make it with `flask up`"
            )


def _set_up_sqlite(connection: Any, record: ConnectionPoolEntry) -> None:
    path = connection.execute("SELECT file FROM pragma_database_list").fetchone()[0]
    record.info[FILE] = path, _inode(path)
    connection.isolation_level = None  # the driver must not begin transactions: _begin_sqlite does
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _inode(path: str) -> int | None:
    """The number of the file at this path; None without one, as for a database in memory."""
    try:
        return Path(path).stat().st_ino if path else None
    except FileNotFoundError:
        return None


def _hurry_in_requests(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
    """A web process has its connections for requests alone, so this holds from the first one on."""
    if has_request_context() and "hurries" not in record.info:
        connection.execute(f"PRAGMA busy_timeout = {REQUEST_BUSY_MILLISECONDS}")
        record.info["hurries"] = True


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not options.get("autocommit"):
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writes") else "BEGIN")


def _encoding_check(dialect: Dialect) -> Callable[[Any, object], None]:
    """Refuses a PostgreSQL database whose encoding cannot hold every name.

    Raises the driver's own error, so that it is reported like any other of the database.
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


def _as_operational_error(context: ExceptionContext) -> OperationalError | None:
    """Make a database that is unfit for use an OperationalError, which all callers handle.

    Its file is damaged, or it lacks what an operator has to mend (on PostgreSQL; on SQLite that
    is an OperationalError already). A connection that was opened while the database was
    read-only may stay so: drop it.
    """
    fault = context.original_exception
    sqlstate = getattr(fault, "sqlstate", None)
    if sqlstate == READ_ONLY or "readonly database" in str(fault):
        context.is_disconnect = True
    code = getattr(fault, "sqlite_errorcode", 0) & 0xFF or sqlstate
    if code in UNFIT | DAMAGED:
        return OperationalError(context.statement, None, fault, hide_parameters=True)
    return None


def file_is_gone(connection: Connection) -> bool:
    """Whether SQLite's file was removed or replaced since this connection was opened.

    Such a connection goes on as if nothing had happened: what it writes is lost.
    """
    path, inode = connection.info.get(FILE, ("", None))
    return bool(inode != _inode(path))


def database_reason(error: SQLAlchemyError) -> str:
    """The database's own message, in one line."""
    return " ".join(str(getattr(error, "orig", None) or error).split())


def damage_in(connection: Connection) -> str:
    """What SQLite finds wrong with its file, in one line; empty for a sound file.

    Reads the whole file. PostgreSQL checks its pages itself when it reads them: always empty.
    """
    if connection.dialect.name != "sqlite":
        return ""
    found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
    return "" if found == "ok" else " ".join(found.split())


@contextmanager
def writing(session: AnySession) -> Iterator[AnySession]:
    """A writing transaction of this session: committed at the end, rolled back on any exception.

    Ends the session's reading transaction first, so what was read before is read again.
    """
    session.rollback()
    session.connection(execution_options={"writes": True})
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    WRITES.ended()


@contextmanager
def write_connection(engine: Engine | None = None) -> Iterator[Connection]:
    """A short writing transaction on a connection of its own, apart from any session.

    Uses the current app's database, or ``engine`` where there is no app context. Committed at
    the end, rolled back on any exception.
    """
    connection = (engine or db.engine).connect().execution_options(writes=True)
    with connection, connection.begin():
        yield connection
    WRITES.ended()


@contextmanager
def autocommit_connection(engine: Engine) -> Iterator[Connection]:
    """A connection on which every statement is committed by itself.

    For one statement that is enough, and SQLite's write lock is then held only while it executes:
    processes that each write a row hardly wait for one another.
    """
    is_sqlite = engine.dialect.name == "sqlite"  # whose driver commits what _begin_sqlite does not
    options = {"autocommit": True} if is_sqlite else {"isolation_level": "AUTOCOMMIT"}
    with engine.connect().execution_options(**options) as connection:
        yield connection
    WRITES.ended()


def merge_wal() -> None:
    """Write what SQLite's ``-wal`` file holds into the database's file, which is whole then.

    While another program reads the database the ``-wal`` file stays, which is logged.
    """
    db.session.remove()
    if db.engine.dialect.name == "sqlite":
        with autocommit_connection(db.engine) as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout = 0")
            if connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar_one():
                logger.warning("another program reads the database: its -wal file is needed")
    db.engine.dispose()  # the busy_timeout was for this connection alone


def lock_until_commit(connection: Connection, name: str) -> None:
    """Wait for the lock of this name, and hold it until this transaction ends.

    For a check and an insert that must not race with another process's. On SQLite it does
    nothing: a writing transaction excludes all others there.
    """
    if connection.dialect.name == "postgresql":
        lock = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
        connection.execute(select(func.pg_advisory_xact_lock(lock)))


def forget_connections() -> None:
    """In a forked child: leave the parent's connections open, and use new ones."""
    db.engine.dispose(close=False)


def sqlite_path(url: str) -> Path | None:
    """The file of an SQLite database; None for one without, or with options in its name."""
    name = make_url(url).database if url.startswith("sqlite:") else None
    return Path(name) if name and name != ":memory:" and not name.startswith("file:") else None


def protect_file(url: str, folder: Path) -> None:
    """Create a missing SQLite file for its owner alone; in our ``folder``, restrict it to him.

    SQLite gives the files beside it the same mode. A file that cannot be created or changed is
    no error here: connecting to it reports the reason, and a read-only one can still be read.
    """
    path = sqlite_path(url)
    try:
        if path:
            _make_private(path, folder)
    except OSError as error:
        logger.debug("%s cannot be made private: %s", path, error)


def _make_private(path: Path, folder: Path) -> None:
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        status = path.stat()
        if path.is_relative_to(folder) and status.st_uid == os.getuid():
            path.chmod(status.st_mode & 0o700)
