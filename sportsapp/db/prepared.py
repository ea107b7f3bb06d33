"""Short transactions of statements that are prepared once and given straight to the driver.

For what every run and every heartbeat of every process does. On the way through SQLAlchemy's
engine such a statement takes almost three times as long in a process that has just been woken, and
some megabytes in each process that does nothing else: see docs/performance.md. SQLAlchemy still
writes the statements, once for each database, and its types still turn values into the driver's and
back.

A statement is a constant of its module, since it is known again by being the same object; what
changes from time to time is given by name, for a ``bindparam`` or for a column to be set. No
``in_``: it is a different statement for each length of its list.
"""

from __future__ import annotations

import os
from collections import namedtuple
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, event
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

from sportsapp.db.engine import as_sqlalchemy_error, is_read_only

Convert = Callable[[Any], Any] | None


class Transaction:
    """An open transaction of ``prepared_transaction``."""

    def __init__(self, driver: Any, dialect: Dialect) -> None:
        self._driver = driver
        self._dialect = dialect

    def rows(self, statement: Any, **values: Any) -> list[Any]:
        """The rows that a statement selects or returns, as named tuples."""
        prepared = _prepare(statement, self._dialect, tuple(values))
        cursor = self._driver.execute(prepared.text, prepared.parameters(values))
        return [prepared.row(found) for found in cursor.fetchall()]

    def count(self, statement: Any, **values: Any) -> int:
        """How many rows a statement has inserted, updated or deleted."""
        prepared = _prepare(statement, self._dialect, tuple(values))
        changed: int = self._driver.execute(prepared.text, prepared.parameters(values)).rowcount
        return changed


class _Lent:
    """Lends a driver's connection for one transaction; closes it, and so rolls back, if that fails.

    A time limit or a signal may end it at any point, so only what went to its end is used again.
    A class, not a generator: half the time in a process that has just been woken.
    """

    __slots__ = ("_begin", "_driver", "_engine", "_lender")

    def __init__(self, engine: Engine, begin: str = "") -> None:
        self._engine = engine
        self._begin = begin
        self._lender = _lender_of(engine)
        self._driver: Any = None

    def __enter__(self) -> Transaction:
        try:
            self._driver = self._lender.take(self._engine)
            if self._begin:
                self._driver.execute(self._begin)
        except BaseException as fault:
            self._give_up(fault)
            raise
        return Transaction(self._driver, self._engine.dialect)

    def __exit__(self, _kind: object, fault: BaseException | None, _trace: object) -> None:
        if fault is not None:
            self._give_up(fault)
            return
        try:
            self._driver.commit()
        except BaseException as error:
            self._give_up(error)
            raise
        self._lender.put_back(self._driver)

    def _give_up(self, fault: BaseException) -> None:
        """Raises a driver's error as SQLAlchemy's; any other is the caller's to raise."""
        if self._driver is not None:
            self._lender.throw_away(self._driver)
        if isinstance(fault, self._engine.dialect.loaded_dbapi.Error):
            if is_read_only(fault):
                self._engine.dispose()  # the others may stay so: open new ones
            raise as_sqlalchemy_error(fault, self._engine.dialect) from fault


def prepared_transaction(engine: Engine) -> AbstractContextManager[Transaction]:
    """A writing transaction: committed at the end, rolled back when anything is raised.

    Raises SQLAlchemy's DBAPIError, as its own connections do.
    """
    # SQLite takes the write lock only at the first write
    return _Lent(engine, "BEGIN IMMEDIATE" if _is_sqlite(engine) else "")


def prepared_statement(engine: Engine) -> AbstractContextManager[Transaction]:
    """A transaction of one statement, which SQLite then begins and commits by itself.

    Raises SQLAlchemy's DBAPIError, as its own connections do.
    """
    return _Lent(engine)


prepared_reading = prepared_statement
"""The same for reading: as many statements as are wanted, each of what is committed then."""


class _Pool:
    """Lends connections of the engine's pool, which looks whether they are still alive."""

    def take(self, engine: Engine) -> Any:
        """A connection. Raises the driver's errors."""
        return engine.raw_connection()

    def put_back(self, connection: Any) -> None:
        """It is not used any more, and in no transaction."""
        connection.close()

    def throw_away(self, connection: Any) -> None:
        """It is not to be used again."""
        connection.invalidate()


class _Shelf:
    """Lends connections to a file of SQLite, which are kept open beside the engine's pool.

    The pool's part of a short transaction would take as long as SQLite's. They are closed when it
    is disposed of. A forked child leaves those of its parent alone: SQLite forbids even to close
    them.
    """

    def __init__(self) -> None:
        self._idle: list[Any] = []
        self._owner = os.getpid()

    def take(self, engine: Engine) -> Any:
        """A connection that is there, or a new one. Raises the driver's errors."""
        if self._owner != os.getpid():
            _of_the_parent.append(self._idle)
            self._idle, self._owner = [], os.getpid()
        try:
            return self._idle.pop()  # one step, whatever other threads do
        except IndexError:
            connection = engine.raw_connection()
            driver = connection.dbapi_connection
            connection.detach()
            return driver

    def put_back(self, driver: Any) -> None:
        """It is not used any more, and in no transaction."""
        self._idle.append(driver)

    def throw_away(self, driver: Any) -> None:
        """It is not to be used again."""
        driver.close()

    def close(self, *_: object) -> None:
        """Close what lies here."""
        while self._idle and self._owner == os.getpid():
            self._idle.pop().close()


_lenders: WeakKeyDictionary[Engine, _Pool | _Shelf] = WeakKeyDictionary()
_of_the_parent: list[list[Any]] = []
"""Connections that were open before a fork, kept so that nothing closes them."""


def _lender_of(engine: Engine) -> _Pool | _Shelf:
    lender = _lenders.get(engine)
    if lender is None:
        is_file = _is_sqlite(engine) and engine.url.database not in (None, "", ":memory:")
        lender = _lenders.setdefault(engine, _Shelf() if is_file else _Pool())
        if isinstance(lender, _Shelf):
            event.listen(engine, "engine_disposed", lender.close)
    return lender


def _is_sqlite(engine: Engine) -> bool:
    return engine.dialect.name == "sqlite"


class _Prepared:
    """A statement in one database's words, with what turns values into the driver's and back."""

    def __init__(self, statement: Any, dialect: Dialect, names: tuple[str, ...]) -> None:
        compiled: SQLCompiler = statement.compile(dialect=dialect, column_keys=names)
        if "POSTCOMPILE" in compiled.string or compiled.insert_prefetch or compiled.update_prefetch:
            raise TypeError(f"a list, or a default of Python's, cannot be prepared: {compiled}")
        self.text = compiled.string
        self._order = compiled.positiontup if compiled.positional else None
        types = {name: bind.type for bind, name in compiled.bind_names.items()}
        converts = {name: _impl(kind, dialect, "bind") for name, kind in types.items()}
        self._converts = [(n, convert) for n, convert in converts.items() if convert and n in names]
        self._constants = {
            name: convert(compiled.params[name]) if convert else compiled.params[name]
            for name, convert in converts.items()
            if name not in names
        }
        columns = getattr(statement, "exported_columns", ())
        self._row = namedtuple("Row", [column.key for column in columns])  # type: ignore[misc]
        self._reads = [_impl(column.type, dialect, "result") for column in columns]

    def parameters(self, values: Mapping[str, Any]) -> Any:
        """What the driver is given: in order, or by name where it takes names."""
        every = {**self._constants, **values}
        for name, convert in self._converts:
            every[name] = convert(every[name])
        return every if self._order is None else [every[name] for name in self._order]

    def row(self, found: tuple[Any, ...]) -> Any:
        """What the driver has found, in Python's types."""
        pairs = zip(self._reads, found, strict=True)
        return self._row(*(read(value) if read else value for read, value in pairs))


def _impl(kind: TypeEngine[Any], dialect: Dialect, way: str) -> Convert:
    """What a type does with values on the way to the driver ("bind") or back ("result")."""
    impl = kind.dialect_impl(dialect)
    return impl.bind_processor(dialect) if way == "bind" else impl.result_processor(dialect, None)


def prepare(engine: Engine, statement: Any, *names: str) -> None:
    """Have a statement ready, with values of these names, before this process is copied."""
    _prepare(statement, engine.dialect, names)


_prepare = lru_cache(maxsize=256)(_Prepared)
