"""The id of the database, which copies and backups keep."""

import secrets

from sqlalchemy import Engine, select

from sportsapp.db.engine import write_connection
from sportsapp.db.models import DatabaseIdentity
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
