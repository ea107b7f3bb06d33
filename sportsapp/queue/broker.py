"""The broker's errors, as the rest of the project handles them, and whose broker it is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import redis

from sportsapp.core.errors import BrokerUnavailableError, ForeignBrokerError

OWNER_KEY = "sportsapp.database"


class OwnerError(redis.ResponseError):
    """The broker is another database's. For redis-py an answer like any other that refuses."""


@contextmanager
def broker_errors() -> Iterator[None]:
    """Turn redis-py's errors into BrokerUnavailableError.

    The broker is away or does not answer in time, or it refuses: its memory or disk is full, it
    is read-only, or it is another database's (ForeignBrokerError).
    """
    try:
        yield
    except OwnerError as error:
        raise ForeignBrokerError(str(error)) from error
    except redis.ResponseError as error:
        raise BrokerUnavailableError(f"the broker refuses: {error}") from error
    except (redis.ConnectionError, redis.TimeoutError) as error:
        raise BrokerUnavailableError(f"the broker cannot be reached: {error}") from error


def claim_broker(execute: Callable[..., Any], database: str, *, take: bool) -> None:
    """Make sure that the broker has the id of this database.

    A broker without an id gets it, and with ``take`` one with another id, too. ``execute`` sends
    a command and returns the answer. Raises OwnerError.
    """
    owner = execute("GET", OWNER_KEY)
    if owner is None:
        execute("SET", OWNER_KEY, database, "NX")
        owner = execute("GET", OWNER_KEY)
    if owner == database.encode():
        return
    if not take:
        raise OwnerError(
            f"REDIS_URL: the broker belongs to the database {owner.decode(errors='replace')}, and "
            f"this is the database {database}; name another one, for example "
            "redis://localhost:6379/1, or make it this one's with `flask broker adopt`"
        )
    execute("SET", OWNER_KEY, database)
