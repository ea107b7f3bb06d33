"""Whether anything at all has been committed to the database since it was last asked.

Asked for every kept page, so it is a matter of microseconds. SQLite counts the commits of all
other connections for each connection, so one is kept for this alone; PostgreSQL's snapshot names
the transactions whose work can be seen. Either way equal answers mean equal data.
"""

from __future__ import annotations

import ctypes
import logging
import os
import sqlite3
import threading
from collections.abc import Hashable
from functools import cache
from typing import Any, Protocol, cast

from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError

logger = logging.getLogger(__name__)

SQLITE_OK, SQLITE_ROW, SQLITE_OPEN_READWRITE = 0, 100, 2
ON_SQLITE = "PRAGMA data_version"
ON_POSTGRESQL = "SELECT pg_current_snapshot()::text"


class Connection(Protocol):
    """A connection that is asked nothing but the version."""

    def ask(self) -> object:
        """The version at this moment. Raises the driver's errors."""

    def close(self) -> None:
        """It is not asked any more."""


class DataVersion:
    """Any thread may ask. The connection is made when first asked, after a process's forks."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._is_known = engine.url.database not in (None, "", ":memory:")
        self._connection: Connection | None = None
        self._connections = 0
        self._owner = os.getpid()
        self._lock = threading.RLock()
        event.listen(engine, "engine_disposed", self._close)

    def now(self) -> object:
        """The version at this moment, or None when it cannot be told."""
        if not self._is_known:
            return None
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self._connect()
                    self._connections += 1
                # each connection counts for itself
                return self._connections, self._connection.ask()
            except (DBAPIError, sqlite3.Error, self._engine.dialect.loaded_dbapi.Error) as error:
                logger.debug("the data's version cannot be told: %s", error)
                self._close()
                return None

    def _connect(self) -> Connection:
        self._owner = os.getpid()
        dialect, name = self._engine.dialect, str(self._engine.url.database)
        if dialect.driver == "pysqlite" and not name.startswith("file:"):
            library = _sqlite_library(cast("Hashable", dialect.loaded_dbapi))
            if library:
                return _SqliteConnection(library, name)
        return _DriverConnection(self._engine)

    def _close(self, *_: object) -> None:
        with self._lock:
            connection, self._connection = self._connection, None
            if connection and self._owner == os.getpid():  # a fork leaves its parent's alone
                connection.close()


class _DriverConnection:
    """Asks through the driver."""

    def __init__(self, engine: Engine) -> None:
        is_sqlite = engine.dialect.name == "sqlite"
        self._question = ON_SQLITE if is_sqlite else ON_POSTGRESQL
        connection = engine.raw_connection()
        self._driver = cast("Any", connection.dbapi_connection)
        connection.detach()  # it is not the pool's any more
        if not is_sqlite:
            self._driver.autocommit = True  # each question is a transaction of its own

    def ask(self) -> object:
        return self._driver.execute(self._question).fetchone()[0]

    def close(self) -> None:
        self._driver.close()


class _SqliteConnection:
    """Asks SQLite itself, and does not let go of Python's lock meanwhile, as the driver would.

    Where several threads send pages, to get the lock back takes several times as long as the
    answer, which is in shared memory and keeps nobody waiting: see docs/performance.md.
    """

    def __init__(self, library: ctypes.PyDLL, path: str) -> None:
        self._library = library
        self._step, self._column, self._reset = (
            library.sqlite3_step, library.sqlite3_column_int, library.sqlite3_reset,
        )  # fmt: skip
        self._database, self._statement = ctypes.c_void_p(), ctypes.c_void_p()
        self._check(
            library.sqlite3_open_v2(
                os.fsencode(path), ctypes.byref(self._database), SQLITE_OPEN_READWRITE, None
            )
        )
        self._check(
            library.sqlite3_prepare_v2(
                self._database, ON_SQLITE.encode(), -1, ctypes.byref(self._statement), None
            )
        )

    def ask(self) -> object:
        found = self._step(self._statement)
        version: int = self._column(self._statement, 0)
        self._reset(self._statement)
        if found != SQLITE_ROW:
            raise sqlite3.OperationalError(f"SQLite's error {found}")
        return version

    def close(self) -> None:
        self._library.sqlite3_finalize(self._statement)
        self._library.sqlite3_close_v2(self._database)
        self._statement, self._database = ctypes.c_void_p(), ctypes.c_void_p()

    def _check(self, code: int) -> None:
        if code != SQLITE_OK:
            self.close()
            raise sqlite3.OperationalError(f"SQLite's error {code}")


@cache
def _sqlite_library(driver: Hashable) -> ctypes.PyDLL | None:
    """The very library that this driver works with, None where it is not to be found.

    No other copy of it will do: two in one process take each other's locks away.
    """
    try:
        import _sqlite3  # Python's own driver, to know what it is linked with

        if getattr(driver, "connect", None) is not _sqlite3.connect:
            raise OSError("another driver is used")
        library = ctypes.PyDLL(_sqlite3.__file__)
        library.sqlite3_libversion.restype = ctypes.c_char_p
        library.sqlite3_step.argtypes = [ctypes.c_void_p]
        library.sqlite3_reset.argtypes = [ctypes.c_void_p]
        library.sqlite3_column_int.argtypes = [ctypes.c_void_p, ctypes.c_int]
        library.sqlite3_finalize.argtypes = [ctypes.c_void_p]
        library.sqlite3_close_v2.argtypes = [ctypes.c_void_p]
        library.sqlite3_prepare_v2.argtypes = [
            ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p,
        ]  # fmt: skip
        library.sqlite3_open_v2.argtypes = [
            ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p,
        ]  # fmt: skip
        if library.sqlite3_libversion().decode() != sqlite3.sqlite_version:
            raise OSError("it is another release than the driver's")
    except (AttributeError, ImportError, OSError) as error:  # built into Python, on other systems
        logger.debug("SQLite's library is not to be found: %s", error)
        return None
    return library
