"""What ends the wait of a web request for PostgreSQL: the server's limits, and one of our own.

The server's own end a statement that is slow or waits for a lock. A server that is frozen ends
nothing, and the kernel below it keeps the connection alive: then we close it. Consumers and
commands may take longer, and have no limits.
"""

from typing import Any

import psycopg
from flask import has_request_context
from sqlalchemy.engine import Dialect
from sqlalchemy.pool import ConnectionPoolEntry

LOCK_SECONDS = 2
STATEMENT_SECONDS = 4
ANSWER_SECONDS = 5.0
LIMITS = f"SET lock_timeout = '{LOCK_SECONDS}s'; SET statement_timeout = '{STATEMENT_SECONDS}s'"


class DeadlineConnection(psycopg.Connection[Any]):
    """A connection on which a request waits ``ANSWER_SECONDS`` at most for an answer."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """What psycopg calls for every answer. Closes the connection when none comes in time."""
        try:
            limit = ANSWER_SECONDS if has_request_context() else None
            return super().wait(gen, interval, timeout or limit)
        except psycopg.OperationalError:
            if self.info.transaction_status == psycopg.pq.TransactionStatus.ACTIVE:
                self.close()
            raise


def connect(_dialect: Dialect, _record: object, args: Any, options: Any) -> DeadlineConnection:
    """Open a connection for SQLAlchemy."""
    return DeadlineConnection.connect(*args, **options)


def set_limits(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
    """Set the server's limits the first time that a request uses this connection."""
    if has_request_context() and LIMITS not in record.info:
        connection.execute(LIMITS)
        connection.commit()
        record.info[LIMITS] = True
