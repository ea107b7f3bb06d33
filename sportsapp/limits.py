"""Limits on what one visitor may ask, counted on the broker, in memory while it is away."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address, ip_network
from typing import Any

from flask import current_app, request
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
    """The visitor's address; behind a proxy of ours, the one that the proxy saw."""
    direct = request.remote_addr or ""
    seen = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    settings: Settings = current_app.extensions["settings"]
    return seen if _is_within(direct, settings.trusted_proxies) and _is_address(seen) else direct


def _is_within(text: str, networks: tuple[str, ...]) -> bool:
    if not _is_address(text):
        return False
    address = ip_address(text)
    return any(address in ip_network(network) for network in networks)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
