"""What is made from the broker's URL: clients and pools for us, an address for Flask-Limiter."""

from typing import Any
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry


def connection_pool(
    url: str, *, seconds: float, retries: int = 0, **options: Any
) -> redis.ConnectionPool:
    """A pool whose connections wait at most ``seconds``. It connects with the first command.

    A command whose connection was lost is sent again ``retries`` times.
    """
    return redis.ConnectionPool.from_url(url, **_limits(seconds, retries), **options)


def client_of(url: str, *, seconds: float) -> redis.Redis:
    """A client that waits at most ``seconds`` and sends each command once."""
    return redis.Redis(connection_pool=connection_pool(url, seconds=seconds))


def limiter_storage(url: str, *, seconds: float) -> tuple[str, dict[str, Any]]:
    """The same broker for Flask-Limiter: the address in its form, and storage options."""
    address = f"redis+{url}" if urlsplit(url).scheme == "unix" else url
    return address, _limits(seconds, retries=0)


def _limits(seconds: float, retries: int) -> dict[str, Any]:
    lost = (redis.ConnectionError,)  # not a time-out: the caller has waited long enough
    return {
        "socket_timeout": seconds,
        "socket_connect_timeout": seconds,
        "retry": Retry(NoBackoff(), retries, supported_errors=lost),
    }
