"""Limits on what one visitor may ask, counted on the broker, in memory while it is away."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any

from flask import current_app, request
from flask_limiter import Limiter

from sportsapp.core.redis_urls import limiter_storage
from sportsapp.core.settings import Settings

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
    """The visitor's address: behind proxies of ours, the one that the first of them saw.

    A proxy adds whom it saw at the end, so the addresses are read from there, and only as far as
    each was written by a proxy of ours: what stands before may be the visitor's own invention.
    """
    address = request.remote_addr or "unknown"
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")
    while forwarded and _is_ours(address, current_app.config["TRUSTED_PROXIES"]):
        seen = forwarded.pop().strip()
        if not _is_address(seen):
            break
        address = seen
    return address


@lru_cache(maxsize=1024)
def _is_ours(address: str, proxies: tuple[str, ...]) -> bool:
    """Whether a proxy of ours has this address: those on this machine, and the setting's."""
    if not _is_address(address):
        return False
    ip = ip_address(address)
    return ip.is_loopback or any(ip in ip_network(one) for one in proxies)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
