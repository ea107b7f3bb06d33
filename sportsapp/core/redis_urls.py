"""REDIS_URL and what follows from it: connections for us, and the same for Flask-Limiter.

One server is ``redis://``, ``rediss://`` (TLS) or ``unix://``, as redis-py writes it. The server
that Sentinels agree on is ``redis+sentinel://:password@host:26379,host:26379/name/0``: the account
is the server's, ``sentinel_password`` in the query that of the Sentinels.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.driver_info import DriverInfo
from redis.retry import Retry
from redis.sentinel import Sentinel, SentinelConnectionPool

SCHEMES = ("redis", "rediss", "unix", "redis+sentinel")
SENTINEL_SCHEME = "redis+sentinel"
SENTINEL_PORT = 26379
CLIENT = DriverInfo(lib_version=redis.__version__)
"""What a connection tells of its client; else redis-py reads a file for it each time."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A server that Sentinels watch: where they are, what they call it, and the accounts."""

    sentinels: tuple[tuple[str, int], ...]
    name: str
    database: int = 0
    account: dict[str, str] = field(default_factory=dict)
    sentinel_account: dict[str, str] = field(default_factory=dict)


def check_redis_url(url: str) -> None:
    """Raise ValueError, with what is wrong, for a URL that no connection can be made from."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError("is not a URL") from None
    if parts.scheme not in SCHEMES:
        raise ValueError(f"does not begin with {', '.join(f'{one}://' for one in SCHEMES)}")
    if parts.scheme == SENTINEL_SCHEME:
        watched_by(url)
        return
    try:
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("is not a URL") from None
    if not (parts.path if parts.scheme == "unix" else host):
        raise ValueError("names no host or socket")


def is_watched(url: str) -> bool:
    """Whether Sentinels have to be asked where the server is."""
    return urlsplit(url).scheme == SENTINEL_SCHEME


def watched_by(url: str) -> Watched:
    """A Sentinel URL taken apart. Raises ValueError."""
    parts = urlsplit(url)
    account, _, places = parts.netloc.rpartition("@")
    sentinels = tuple(_place(one) for one in places.split(",") if one)
    name, _, database = parts.path.strip("/").partition("/")
    if not sentinels:
        raise ValueError("names no Sentinel")
    if not name:
        raise ValueError("does not say what the Sentinels call the server")
    if database and not database.isdecimal():
        raise ValueError("has a database that is not a number")
    passwords = parse_qs(parts.query).get("sentinel_password", [])
    return Watched(
        sentinels, unquote(name), int(database or 0), _account(account),
        {"password": passwords[-1]} if passwords else {},
    )  # fmt: skip


def _place(text: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:  # its own words may quote a password
        raise ValueError("has a Sentinel that is not host:port") from None
    if not host:
        raise ValueError("has a Sentinel without a host")
    return host, port or SENTINEL_PORT


def _account(text: str) -> dict[str, str]:
    username, _, password = text.partition(":")
    named = {"username": unquote(username), "password": unquote(password)}
    return {key: value for key, value in named.items() if value}


def connection_pool(
    url: str, *, seconds: float, retries: int = 0, **options: Any
) -> redis.ConnectionPool:
    """A pool of connections that wait so many seconds. Connects to nothing yet."""
    patience = _patience(seconds, retries)
    if not is_watched(url):
        return redis.ConnectionPool.from_url(url, **patience, **options)
    watched = watched_by(url)
    theirs = watched.sentinel_account | patience
    sentinel = Sentinel(watched.sentinels, sentinel_kwargs=theirs)  # type: ignore[no-untyped-call]
    return SentinelConnectionPool(  # type: ignore[no-untyped-call]
        watched.name, sentinel, db=watched.database, **watched.account, **patience, **options
    )


def _patience(seconds: float, retries: int) -> dict[str, Any]:
    again = (redis.ConnectionError,)  # not after a time-out: whoever waits has waited enough
    return {
        "socket_timeout": seconds,
        "socket_connect_timeout": seconds,
        "retry": Retry(NoBackoff(), retries, supported_errors=again),
        "driver_info": CLIENT,
    }


def client_of(url: str, *, seconds: float) -> redis.Redis:
    """A client that waits so many seconds and asks once."""
    return redis.Redis(connection_pool=connection_pool(url, seconds=seconds))


def limiter_storage(url: str, *, seconds: float) -> tuple[str, dict[str, Any]]:
    """The same broker for Flask-Limiter: its own form of the URL, and options."""
    options = _patience(seconds, 0)
    if not is_watched(url):
        return (f"redis+{url}" if urlsplit(url).scheme == "unix" else url), options
    watched = watched_by(url)
    places = ",".join(f"{host}:{port}" for host, port in watched.sentinels)
    theirs = dict.fromkeys(("username", "password")) | watched.sentinel_account | options
    options |= watched.account | {"db": watched.database, "sentinel_kwargs": theirs}
    return f"{SENTINEL_SCHEME}://{places}/{watched.name}", options
