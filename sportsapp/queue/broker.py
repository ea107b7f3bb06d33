"""The broker's errors, as the rest of the project handles them, whose it is, whether it is well."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import redis
from huey.storage import BaseStorage

from sportsapp.core.errors import BrokerUnavailableError, ForeignBrokerError
from sportsapp.core.outages import BROKER

logger = logging.getLogger(__name__)

OWNER_KEY = "sportsapp.database"


class OwnerError(redis.ResponseError):
    """The broker is another database's. For redis-py an answer like any other that refuses."""


class NotConfigured:
    """The storage of a queue before ``configure``: any use raises RuntimeError."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __getattr__(self, attribute: str) -> Any:
        raise RuntimeError(f"queue {self.name} has no broker yet: make the app first (create_app)")


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


@contextmanager
def broker_serves() -> Iterator[None]:
    """The same for a command that changes something: when it is done, the broker is there again."""
    with broker_errors():
        yield
    BROKER.ended()


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


# ---------------------------------------------------------------- on a queue's ``reader``


def probe(reader: BaseStorage) -> None:
    """Make sure that the broker takes what it is given. Raises BrokerUnavailableError."""
    with broker_errors():
        reader.put_data("probe", b"1", is_result=True)


def broker_info(reader: BaseStorage) -> dict[str, Any]:
    """What the broker says of itself (INFO), by Redis' names. Raises BrokerUnavailableError."""
    with broker_errors():
        info: dict[str, Any] = reader.conn.info()
        return info


def claim_once(reader: BaseStorage, name: str, span: timedelta) -> bool:
    """Whether no other process has claimed this within the span; True without a broker."""
    try:
        with broker_errors():
            return bool(reader.put_if_empty(name, b"1", ttl=int(span.total_seconds())))
    except BrokerUnavailableError as error:
        logger.debug("%s is claimed without the broker: %s", name, error)
        return True
