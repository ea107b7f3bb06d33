"""A copy of the whole database in another one, on SQLite or PostgreSQL, checked row by row.

Tables are copied in the order of their foreign keys. Rows are read and written through the models'
types, so that a time or a JSON value is the same on both sides however a database stores it. The
source is read as of one moment; the target is written in one transaction, which is committed only
if every row is equal.
"""

from collections.abc import Callable
from itertools import zip_longest
from typing import Any

from sqlalchemy import Column, Connection, Engine, Table, func, insert, select

from sportsapp.core.errors import CopyError
from sportsapp.db.models import AdminSession, ConsumerProcess
from sportsapp.db.types import Base

BATCH = 1000
LEFT_OUT = (ConsumerProcess.__table__, AdminSession.__table__)
"""Live processes, none of which is connected to the copy; and sessions, which may end meanwhile."""


def copy_database(
    source: Engine, target: Engine, done: Callable[[str, int], None]
) -> dict[str, int]:
    """Copy every row of every table but LEFT_OUT. Returns the number of rows by table.

    Both databases must have all tables, the target's empty. ``done`` is called with each table's
    name and number of rows once they have been compared. Raises CopyError when the target is not
    empty or a row differs; the target is then as it was.
    """
    tables = [table for table in Base.metadata.sorted_tables if table not in LEFT_OUT]
    if source.dialect.name == "postgresql":
        source = source.execution_options(isolation_level="REPEATABLE READ")
    target = target.execution_options(writes=True)
    with source.connect() as reader, target.connect() as writer, writer.begin():
        for table in tables:
            if writer.scalar(select(func.count()).select_from(table)):
                raise CopyError(
                    f"the database to copy into is not empty: it has rows in {table.name}"
                )
        for table in tables:
            with _rows(reader, table) as rows:
                for batch in rows.partitions(BATCH):
                    writer.execute(insert(table), [dict(row._mapping) for row in batch])
            _advance_sequence(writer, table)
        counts = {}
        for table in tables:
            counts[table.name] = _compare(reader, writer, table)
            done(table.name, counts[table.name])
    return counts


def _rows(connection: Connection, table: Table) -> Any:
    """All rows by primary key, with text in the order of its bytes: the same on every database."""

    def in_order(column: Column[Any]) -> Any:
        is_text = column.type.python_type is str
        is_postgresql = connection.dialect.name == "postgresql"
        return column.collate("C") if is_text and is_postgresql else column

    order = [in_order(column) for column in table.primary_key.columns]
    return connection.execute(select(table).order_by(*order).execution_options(yield_per=BATCH))


def _advance_sequence(connection: Connection, table: Table) -> None:
    """Set PostgreSQL's sequence of ids past the copied rows: it did not count those."""
    column = table.autoincrement_column
    if column is None or connection.dialect.name != "postgresql":
        return
    newest = connection.scalar(select(func.max(column)))
    if newest is not None:
        sequence = func.pg_get_serial_sequence(table.name, column.name)
        connection.execute(select(func.setval(sequence, newest)))


def _compare(source: Connection, target: Connection, table: Table) -> int:
    """The number of rows, which are equal in both. Raises CopyError for the first that is not."""
    count = 0
    with _rows(source, table) as source_rows, _rows(target, table) as target_rows:
        for original, copied in zip_longest(source_rows, target_rows):
            if original is None or copied is None or tuple(original) != tuple(copied):
                row = original or copied
                key = ", ".join(str(row._mapping[column]) for column in table.primary_key.columns)
                raise CopyError(f"{table.name}: row {key} is not the same in both")
            count += 1
    return count
