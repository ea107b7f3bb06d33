"""Inserts that two processes may make at once: the row that is there already wins, or is replaced.

SQLite and PostgreSQL both have ``ON CONFLICT``; SQLAlchemy has it per dialect.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table, bindparam, update
from sqlalchemy.dialects import postgresql, sqlite

from sportsapp.db.engine import AnySession


def insert_ignoring(
    session: AnySession | Connection,
    table: Table,
    rows: Sequence[dict[str, Any]],
    unique: Sequence[str],
) -> int:
    """Insert rows, except those whose ``unique`` columns exist already.

    Returns how many rows were inserted.
    """
    insert = _insert_ignoring(_dialect_of(session), table, tuple(unique))
    results: list[Any] = [session.execute(insert, row) for row in rows]
    return sum(result.rowcount for result in results)


@cache
def _insert_ignoring(dialect: str, table: Table, unique: tuple[str, ...]) -> Any:
    """The statement, built once: every run is recorded with it."""
    insert = _insert(dialect, table).on_conflict_do_nothing(index_elements=unique)
    return insert.execution_options(preserve_rowcount=True)  # else an insert has no row count


def insert_replacing(
    session: AnySession | Connection,
    table: Table,
    rows: Sequence[dict[str, Any]],
    unique: Sequence[str],
) -> None:
    """Insert rows; a row whose ``unique`` columns exist already gets the other columns' values."""
    for row in rows:
        insert = _insert_replacing(_dialect_of(session), table, tuple(row), tuple(unique))
        session.execute(insert, row)


@cache
def _insert_replacing(
    dialect: str, table: Table, columns: tuple[str, ...], unique: tuple[str, ...]
) -> Any:
    """The statement, built once: every scoreboard that changes is stored with it."""
    insert = _insert(dialect, table)
    new = {name: insert.excluded[name] for name in columns if name not in unique}
    return insert.on_conflict_do_update(index_elements=unique, set_=new)


def _insert(dialect: str, table: Table) -> Any:
    return (postgresql if dialect == "postgresql" else sqlite).insert(table)


def _dialect_of(session: AnySession | Connection) -> str:
    bind = session if isinstance(session, Connection) else session.get_bind()
    return bind.dialect.name


def update_rows(
    session: AnySession, table: Table, changes: Mapping[int, Mapping[str, Any]]
) -> None:
    """Change these columns of rows, by the rows' ids.

    Rows that change the same columns share one statement, which is built and compiled once.
    """
    by_columns: dict[frozenset[str], list[dict[str, Any]]] = {}
    for row_id, values in changes.items():
        by_columns.setdefault(frozenset(values), []).append({"row_id": row_id, **values})
    this_row = table.c.id == bindparam("row_id")
    for rows in by_columns.values():
        session.execute(update(table).where(this_row), rows)
