"""What the queues say to Redis: Huey's storage, with a shorter way for what every run does.

For each command redis-py's client takes a connection out of a pool, looks whether it is still
alive, wraps the command for retries, and counts and times it. In a process that has just been
woken that takes longer than the command: see docs/performance.md. So tasks are enqueued and taken
on connections that are kept; they are redis-py's own, and so are all other commands.
"""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
from huey.storage import PriorityRedisExpireStorage

from sportsapp.core.errors import BrokerUnavailableError

BROKER_ERRORS = (redis.ConnectionError, redis.TimeoutError, redis.ResponseError)
"""What redis-py raises for a broker that is away, or that refuses."""
ORDER = struct.Struct(">Q")
"""Huey's microseconds before each message: what has waited longer comes first."""


class BrokerStorage(PriorityRedisExpireStorage):  # type: ignore[misc]  # Huey has no types
    """Huey's storage of queues with priorities and results that expire."""

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(name, **options)
        self._kept: list[Any] = []
        self._owner = os.getpid()

    def enqueue(self, data: bytes, priority: float | None = None) -> None:
        """Add a message. Raises redis-py's errors."""
        message = ORDER.pack(int(time.time() * 1e6)) + data
        self._ask("ZADD", self.queue_key, -(priority or 0), message)

    def dequeue(self) -> bytes | None:
        """Take the next message; None when there is none for a while. Raises redis-py's errors."""
        try:
            found = self._ask("BZPOPMIN", self.queue_key, self.read_timeout)
        except redis.TimeoutError:  # nor did the broker say so in time
            return None
        return bytes(found[1][ORDER.size :]) if found else None

    def close(self) -> None:
        """Close all connections; the next command opens new ones."""
        while self._kept:
            self.pool.release(self._kept.pop())
        self.pool.disconnect()

    def _ask(self, *command: Any) -> Any:
        """The answer to a command, which is sent once more where the connection had been closed."""
        connection = self._connection()
        is_done = False
        try:
            try:
                answer = _answer(connection, command)
            except redis.ConnectionError:
                connection.disconnect()
                connection.connect()  # where the Sentinels say, if there are any
                answer = _answer(connection, command)
            is_done = True
        finally:
            if is_done:
                self._kept.append(connection)
            else:  # its answer may still come, or it is one of a server that is master no more
                connection.disconnect()
                self.pool.release(connection)
        return answer

    def _connection(self) -> Any:
        """A connection that nobody uses; a forked process has none of its parent's."""
        if self._owner != os.getpid():
            self._kept, self._owner = [], os.getpid()
        try:
            return self._kept.pop()  # one step, whatever other threads do
        except IndexError:
            return self.pool.get_connection()


def _answer(connection: Any, command: tuple[Any, ...]) -> Any:
    connection.send_command(*command)
    return connection.read_response()


@contextmanager
def broker_errors() -> Iterator[None]:
    """Turn redis-py's errors of a broker that is away, or full, into BrokerUnavailableError."""
    try:
        yield
    except BROKER_ERRORS as error:
        raise broker_error(error) from error


def broker_error(error: redis.RedisError) -> BrokerUnavailableError:
    """One of ``BROKER_ERRORS`` in our words."""
    if isinstance(error, redis.ResponseError):  # its memory or disk is full, or it only reads
        return BrokerUnavailableError(f"the broker refuses: {error}")
    return BrokerUnavailableError(f"the broker cannot be reached: {error}")
