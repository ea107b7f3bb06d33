"""Limits on what one visitor may ask, counted on the broker, in memory while it is away."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from flask import request
from flask_limiter import Limiter
from redis.backoff import NoBackoff
from redis.retry import Retry

from sportsapp.settings import Settings

BROKER_SECONDS = 1


def make_limiter(
    settings: Settings, name: str, applies: Callable[[], bool], **options: Any
) -> Limiter:
    """A limiter with counts of its own, for the requests that it ``applies`` to."""
    patience: dict[str, Any] = {
        "socket_timeout": BROKER_SECONDS,
        "socket_connect_timeout": BROKER_SECONDS,
        "retry": Retry(NoBackoff(), 0),
    }
    limiter = Limiter(
        key_func=visitors_address,
        storage_uri=limits_url(settings.broker),
        storage_options=patience,
        in_memory_fallback_enabled=True,
        key_prefix=name,
        **options,
    )
    limiter.request_filter(lambda: not applies())
    return limiter


def limits_url(broker: str) -> str:
    """The broker's URL as Flask-Limiter writes it."""
    is_socket = urlsplit(broker).scheme == "unix"
    return f"redis+{broker}" if is_socket else broker


def visitors_address() -> str:
    """The visitor's address; behind a proxy on this machine, the one that the proxy saw."""
    direct = request.remote_addr or "unknown"
    seen = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return seen if seen and _is_loopback(direct) and _is_address(seen) else direct


def _is_loopback(address: str) -> bool:
    return _is_address(address) and ipaddress.ip_address(address).is_loopback


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
