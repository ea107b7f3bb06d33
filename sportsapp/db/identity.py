"""The id of the database, which copies and backups keep, and whether it is the demo's."""

import secrets

from sqlalchemy import Engine, select, update

from sportsapp.db.engine import write_connection
from sportsapp.db.models import DatabaseIdentity, Game
from sportsapp.db.upsert import insert_ignoring

TABLE = DatabaseIdentity.__table__


def database_id(engine: Engine) -> str:
    """The id of this database: 16 hexadecimal digits, made with the first call.

    Raises SQLAlchemyError.
    """
    with engine.connect() as connection:
        connection.detach()  # and closed at the end: a consumer's master is about to fork
        if name := connection.scalar(select(TABLE.c.name)):
            return str(name)
    with write_connection(engine) as connection:
        insert_ignoring(connection, TABLE, [{"id": 1, "name": secrets.token_hex(8)}], ["id"])
        return str(connection.scalar(select(TABLE.c.name)))


def is_demo(engine: Engine) -> bool:
    """Whether this database holds the demo feed's games. Raises SQLAlchemyError."""
    with engine.connect() as connection:
        return bool(connection.scalar(select(TABLE.c.is_demo)))


def mark_as_demo(engine: Engine) -> bool:
    """Mark an empty database as the demo's; False, and no mark, if it has games of another feed."""
    database_id(engine)
    with write_connection(engine) as connection:
        has_games = connection.scalar(select(Game.id).limit(1)) is not None
        if not has_games:
            connection.execute(update(TABLE).values(is_demo=True))
        return bool(connection.scalar(select(TABLE.c.is_demo)))
