"""A copy of the whole database in another one, of another kind if need be, checked row by row.

Tables are copied in the order of their foreign keys, as the models' types read and write them, so
that a moment or a JSON value is the same on both sides whatever the database makes of it. What is
read is one moment's state; what is written is one transaction, and stays only if it is right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import Any

from sqlalchemy import Column, Connection, Engine, Table, func, insert, select

from sportsapp.core.errors import CopyError
from sportsapp.db.models import ConsumerProcess
from sportsapp.db.types import Base

BATCH = 1000


def copy_database(
    source: Engine, target: Engine, done: Callable[[str, int], None]
) -> dict[str, int]:
    """Copy every row of every table but the consumers'; the number of rows by table.

    Both have all tables, and the target's are empty. ``done`` is told each table and its rows
    when they have been compared. Raises CopyError, and leaves the target as it was.
    """
    into = target.execution_options(writes=True)
    with _frozen(source) as reader, into.connect() as writer, writer.begin():
        for table in _tables():
            _check_is_empty(writer, table)
        counts = {}
        for table in _tables():
            for rows in _batches(reader, table):
                writer.execute(insert(table), rows)
            _go_on_counting(writer, table)
        for table in _tables():
            counts[table.name] = _compare(reader, writer, table)
            done(table.name, counts[table.name])
    return counts


def _tables() -> list[Table]:
    """What is copied: all but who is alive, since nobody is on the copy."""
    return [one for one in Base.metadata.sorted_tables if one.name != ConsumerProcess.__tablename__]


def _frozen(engine: Engine) -> Connection:
    """A connection whose reads all see one moment's state."""
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    return engine.connect()


def _check_is_empty(connection: Connection, table: Table) -> None:
    if connection.scalar(select(func.count()).select_from(table)):
        raise CopyError(f"the database to copy into is not empty: it has rows in {table.name}")


def _batches(connection: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    with _rows(connection, table) as found:
        for rows in found.partitions(BATCH):
            yield [dict(row._mapping) for row in rows]


def _rows(connection: Connection, table: Table) -> Any:
    """All rows by primary key, text in the order of its bytes: the same on every database."""
    order = [_in_order(column, connection) for column in table.primary_key.columns]
    found = select(table).order_by(*order).execution_options(yield_per=BATCH)
    return connection.execute(found)


def _in_order(column: Column[Any], connection: Connection) -> Any:
    is_text = column.type.python_type is str
    return column.collate("C") if is_text and connection.dialect.name == "postgresql" else column


def _go_on_counting(connection: Connection, table: Table) -> None:
    """PostgreSQL gives ids from a sequence, which knows nothing of the rows that were copied."""
    column = table.autoincrement_column
    if column is None or connection.dialect.name != "postgresql":
        return
    sequence = func.pg_get_serial_sequence(table.name, column.name)
    newest = connection.scalar(select(func.max(column)))
    if newest is not None:
        connection.execute(select(func.setval(sequence, newest)))


def _compare(source: Connection, target: Connection, table: Table) -> int:
    count = 0
    with _rows(source, table) as read, _rows(target, table) as written:
        for ours, theirs in zip_longest(read, written):
            if ours is None or theirs is None or tuple(ours) != tuple(theirs):
                row = theirs if ours is None else ours
                key = ", ".join(str(row._mapping[one.name]) for one in table.primary_key.columns)
                raise CopyError(f"{table.name}: row {key} is not the same in both")
            count += 1
    return count
