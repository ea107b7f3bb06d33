"""Limits on what one visitor may ask, counted on the broker, in memory while it is away."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any

from flask import request
from flask_limiter import Limiter

from sportsapp.redis_urls import limiter_storage
from sportsapp.settings import Settings

BROKER_SECONDS = 1


def make_limiter(
    settings: Settings, name: str, applies: Callable[[], bool], **options: Any
) -> Limiter:
    """A limiter with counts of its own, for the requests that it ``applies`` to."""
    address, options["storage_options"] = limiter_storage(settings.broker, seconds=BROKER_SECONDS)
    limiter = Limiter(
        key_func=visitors_address,
        storage_uri=address,
        in_memory_fallback_enabled=True,
        key_prefix=name,
        **options,
    )
    limiter.request_filter(lambda: not applies())
    return limiter


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
