"""Dead letters: messages that no worker can run, kept for a person."""

from sqlalchemy import Engine, insert

from sportsapp.core.clock import utc_now
from sportsapp.db.engine import write_connection
from sportsapp.db.models.run import DeadLetter

DEAD_LETTER_LIMIT = 65_536
"""Longer messages are cut to this many bytes."""


def keep_dead_letter(engine: Engine, queue: str, data: bytes, reason: str) -> None:
    """Keep a message. Raises SQLAlchemyError.

    A database takes no NUL and no broken UTF-8: both are escaped.
    """
    message = data[:DEAD_LETTER_LIMIT].decode("utf-8", "backslashreplace").replace("\x00", "\\x00")
    row = {"queue": queue, "message": message, "size": len(data), "reason": reason}
    with write_connection(engine) as connection:
        connection.execute(insert(DeadLetter), row | {"received_at": utc_now()})
