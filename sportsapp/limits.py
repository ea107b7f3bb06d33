"""Limits on what one visitor may ask, counted on the broker, in memory while it is away."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from flask import current_app, request
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
    """The visitor's address: behind proxies of ours, the one that the first of them saw.

    A proxy adds whom it saw at the end, so the addresses are read from there, and only as far as
    each was written by a proxy of ours: what stands before may be the visitor's own invention.
    """
    settings: Settings = current_app.extensions["settings"]
    address = request.remote_addr or "unknown"
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")
    while forwarded and _is_ours(address, settings.trusted_proxies):
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
    ip = ipaddress.ip_address(address)
    return ip.is_loopback or any(ip in ipaddress.ip_network(one) for one in proxies)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
