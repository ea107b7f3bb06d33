"""Rate limits by client address (IPv6: by network), on the broker; in memory while it is away."""

from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from flask import current_app, request
from flask_limiter import Limiter

from sportsapp.core.redis_urls import limiter_storage
from sportsapp.core.settings import Settings

BROKER_SECONDS = 1
LONGEST_ADDRESS = 45
"""Characters of an IP address: an IPv4 address written as IPv6."""


def make_limiter(
    settings: Settings, name: str, applies: Callable[[], bool], **options: Any
) -> Limiter:
    """A limiter with its own counts under ``name``, for requests for which ``applies()`` is true.

    ``options`` are Flask-Limiter's. The caller attaches it with ``init_app``.
    """
    address, options["storage_options"] = limiter_storage(settings.broker, seconds=BROKER_SECONDS)
    limiter = Limiter(
        key_func=client_network,
        storage_uri=address,
        in_memory_fallback_enabled=True,
        key_prefix=name,
        **options,
    )
    limiter.request_filter(lambda: not applies())
    return limiter


def client_address() -> str:
    """The visitor's IP address; behind trusted proxies, the one that the first of them saw.

    Each proxy appends the address that it saw to X-Forwarded-For. So the header is read from its
    end, and only as far as a trusted proxy wrote it: the visitor can have made up the rest.
    """
    address = _plain(request.remote_addr or "unknown")
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")
    while forwarded and _is_trusted_proxy(address, current_app.config["TRUSTED_PROXIES"]):
        seen = _plain(forwarded.pop().strip())
        if not _is_address(seen):
            break
        address = seen
    return address


def client_network() -> str:
    """What the visitor is counted as: the IPv4 address, or the /64 network, which is one's own.

    Whoever has one IPv6 address has 2**64 of them.
    """
    address = client_address()
    if _is_address(address) and isinstance(ip := ip_address(address), IPv6Address):
        return str(ip_network((int(ip) >> 64 << 64, 64)))
    return address


def _plain(address: str) -> str:
    """The address; an IPv4 address that is written as IPv6 (::ffff:192.0.2.1) as IPv4."""
    if _is_address(address) and isinstance(ip := ip_address(address), IPv6Address):
        return str(ip.ipv4_mapped or ip)
    return address


@lru_cache(maxsize=1024)
def _is_trusted_proxy(address: str, proxies: tuple[str, ...]) -> bool:
    """Whether this is the address of a proxy on this machine or one of TRUSTED_PROXIES."""
    if not _is_address(address):
        return False
    ip = ip_address(address)
    return ip.is_loopback or any(ip in ip_network(proxy) for proxy in proxies)


def _is_address(text: str) -> bool:
    if len(text) > LONGEST_ADDRESS:  # a zone may be of any length: fe80::1%whatever
        return False
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
