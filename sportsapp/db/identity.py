"""The id of the database, which copies and backups keep, and whether it is the demo's."""

import secrets

from sqlalchemy import Engine, select, update

from sportsapp.core.errors import WrongFeedError
from sportsapp.core.settings import Settings
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
        connection.detach()  # as above
        return bool(connection.scalar(select(TABLE.c.is_demo)))


def require_feed(engine: Engine, settings: Settings) -> None:
    """Raise WrongFeedError where ESPN's feed would be read into the demo's database.

    Raises SQLAlchemyError.
    """
    real = Settings().espn_base_url.split(",")
    if not set(real).isdisjoint(settings.espn_base_url.split(",")) and is_demo(engine):
        raise WrongFeedError(
            "ESPN_BASE_URL: is the real feed's, but this database holds the demo's made-up games; "
            "start the demo first, or name another INSTANCE_PATH"
        )


def mark_as_demo(engine: Engine) -> bool:
    """Mark a database without games as the demo's. Returns whether it is the demo's now."""
    database_id(engine)
    with write_connection(engine) as connection:
        has_games = connection.scalar(select(Game.id).limit(1)) is not None
        if not has_games:
            connection.execute(update(TABLE).values(is_demo=True))
        return bool(connection.scalar(select(TABLE.c.is_demo)))
