"""REDIS_URL: what is taken, what is refused, and what Flask-Limiter gets."""

from __future__ import annotations

import pytest

from sportsapp.core.errors import SettingsError
from sportsapp.core.redis_urls import connection_pool, limiter_storage
from sportsapp.core.setting_values import redis_url
from sportsapp.core.settings import load_settings


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost:6379/0",
        "rediss://user:secret@redis.example.org/1?ssl_ca_certs=/etc/ca.pem",
        "unix:///run/broker.sock",
    ],
)
def test_url_of_every_kind_is_taken(url):
    assert redis_url(url) == url


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("localhost:6379", "does not begin with"),
        ("http://localhost", "does not begin with"),
        ("redis+sentinel://:secret@one:26379/scores/0", "does not begin with"),
        ("redis://", "names no host or socket"),
        ("unix://", "names no host or socket"),
        ("redis://localhost:port", "is not a URL"),
        ("redis://[::1", "is not a URL"),
    ],
)
def test_malformed_url_is_refused_with_its_fault(url, fault):
    with pytest.raises(ValueError, match=fault):
        redis_url(url)


@pytest.mark.parametrize("hosts", ["one:26379", "one:26379,two:26379", "one,two"])
def test_sentinel_url_of_an_earlier_version_stops_the_start_with_one_line(hosts):
    with pytest.raises(SettingsError) as caught:
        load_settings({"REDIS_URL": f"redis+sentinel://:secret@{hosts}/scores/0"})
    assert str(caught.value) == (
        "REDIS_URL: its value does not begin with redis://, rediss://, unix://; "
        "for example redis://localhost:6379/0"
    )


@pytest.mark.parametrize(
    ("broker", "limits"),
    [
        ("unix:///run/x/broker.sock", "redis+unix:///run/x/broker.sock"),
        ("redis://localhost:6379/0", "redis://localhost:6379/0"),
        ("rediss://u:p@host/1", "rediss://u:p@host/1"),
    ],
)
def test_broker_is_named_as_the_limiter_wants_it(broker, limits):
    assert limiter_storage(broker, seconds=1)[0] == limits


def test_pool_waits_and_retries_as_long_as_it_is_given():
    options = connection_pool("redis://localhost", seconds=2, retries=1).connection_kwargs
    assert (options["socket_timeout"], options["socket_connect_timeout"]) == (2, 2)
    assert options["retry"].get_retries() == 1
