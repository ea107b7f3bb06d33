"""The broker's errors, as the rest of the project handles them."""

from collections.abc import Iterator
from contextlib import contextmanager

import redis

from sportsapp.core.errors import BrokerUnavailableError


@contextmanager
def broker_errors() -> Iterator[None]:
    """Turn redis-py's errors into BrokerUnavailableError.

    The broker is away or does not answer in time, or it refuses: its memory or disk is full, or
    it is read-only.
    """
    try:
        yield
    except redis.ResponseError as error:
        raise BrokerUnavailableError(f"the broker refuses: {error}") from error
    except (redis.ConnectionError, redis.TimeoutError) as error:
        raise BrokerUnavailableError(f"the broker cannot be reached: {error}") from error
