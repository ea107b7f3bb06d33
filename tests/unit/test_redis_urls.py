"""REDIS_URL: what is taken, what is refused, and what libraries are told."""

from __future__ import annotations

import pytest
from redis.sentinel import SentinelConnectionPool

from sportsapp.core.redis_urls import (
    Watched,
    check_redis_url,
    connection_pool,
    limiter_storage,
    watched_by,
)

TWO = (("one", 26379), ("two", 5000))


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost:6379/0",
        "rediss://user:secret@redis.example.org/1?ssl_ca_certs=/etc/ca.pem",
        "unix:///run/broker.sock",
        "redis+sentinel://one,two:5000/scores",
    ],
)
def test_url_of_every_kind_is_taken(url):
    check_redis_url(url)


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("localhost:6379", "does not begin with"),
        ("http://localhost", "does not begin with"),
        ("redis://", "names no host or socket"),
        ("unix://", "names no host or socket"),
        ("redis://localhost:port", "is not a URL"),
        ("redis://[::1", "is not a URL"),
        ("redis+sentinel:///scores", "names no Sentinel"),
        ("redis+sentinel://one,:5000/scores", "has a Sentinel without a host"),
        ("redis+sentinel://one,two:port/scores", "has a Sentinel that is not host:port"),
        ("redis+sentinel://one,two", "does not say what the Sentinels call the server"),
        ("redis+sentinel://one/scores/first", "has a database that is not a number"),
    ],
)
def test_malformed_url_is_refused_with_its_fault(url, fault):
    with pytest.raises(ValueError, match=fault):
        check_redis_url(url)


@pytest.mark.parametrize(
    ("url", "watched"),
    [
        ("redis+sentinel://one,two:5000/scores", Watched(TWO, "scores")),
        ("redis+sentinel://[::1]:5000/scores/3", Watched((("::1", 5000),), "scores", 3)),
        (
            "redis+sentinel://:se%40cret@one,two:5000/scores?sentinel_password=other",
            Watched(TWO, "scores", 0, {"password": "se@cret"}, {"password": "other"}),
        ),
        (
            "redis+sentinel://us:secret@one,two:5000/scores",
            Watched(TWO, "scores", 0, {"username": "us", "password": "secret"}),
        ),
    ],
)
def test_sentinel_url_is_taken_apart(url, watched):
    assert watched_by(url) == watched


def test_accounts_of_server_and_sentinels_are_kept_apart():
    url = "redis+sentinel://:secret@one/scores/2?sentinel_password=other"
    pool = connection_pool(url, seconds=1)
    assert isinstance(pool, SentinelConnectionPool)
    assert (pool.connection_kwargs["password"], pool.connection_kwargs["db"]) == ("secret", 2)
    (sentinel,) = pool.sentinel_manager.sentinels
    assert sentinel.connection_pool.connection_kwargs["password"] == "other"


@pytest.mark.parametrize(
    ("broker", "limits"),
    [
        ("unix:///run/x/broker.sock", "redis+unix:///run/x/broker.sock"),
        ("redis://localhost:6379/0", "redis://localhost:6379/0"),
        ("rediss://u:p@host/1", "rediss://u:p@host/1"),
        (
            "redis+sentinel://:secret@one,two/scores/1",
            "redis+sentinel://one:26379,two:26379/scores",
        ),
    ],
)
def test_broker_is_named_as_the_limiter_wants_it(broker, limits):
    assert limiter_storage(broker, seconds=1)[0] == limits


def test_limiter_sends_no_server_password_to_the_sentinels():
    _, options = limiter_storage("redis+sentinel://:secret@one/scores/1", seconds=1)
    assert (options["password"], options["db"]) == ("secret", 1)
    assert options["sentinel_kwargs"]["password"] is None
