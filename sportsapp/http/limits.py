"""Rate limits by client address (IPv6: by network), on the broker; in memory while it is away."""

import logging
import re
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

import redis
from flask import current_app, request
from flask_limiter import Limiter
from limits.storage import MemoryStorage, storage_from_string

from sportsapp.core.errors import TooManyAttemptsError
from sportsapp.core.outages import BROKER
from sportsapp.core.redis_urls import limiter_storage
from sportsapp.core.settings import Settings

logger = logging.getLogger(__name__)

BROKER_SECONDS = 0.3
AWAY_SECONDS = 10
"""For so long the broker is not asked again after it has not answered."""
LONGEST_ADDRESS = 45
"""Characters of an IP address: an IPv4 address written as IPv6."""
FAILURE_SECONDS = 3600
ROBOTS = re.compile("bot|crawl|spider|slurp|externalhit|archiver", re.IGNORECASE)
"""Words in the User-Agent of crawlers. One without any User-Agent counts as a crawler, too."""
PURPOSES = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
"""Headers in which browsers say that they only fetch or show a page beforehand."""
DELAYS = (1, 1, 2, 4, 8, 16, 32, 60)
"""Seconds from a key's turn to its next, by the number of its failures past the free ones."""


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


class FailureDelays:
    """Failures by key, counted for an hour; after some that are free, attempts have to wait.

    Nothing sleeps: an attempt that comes too early is refused. Successes are not counted. Each
    ``allowances`` maps the keys of an attempt to the failures that are free.
    """

    def __init__(self, settings: Settings, name: str) -> None:
        address, options = limiter_storage(settings.broker, seconds=BROKER_SECONDS)
        self._shared = storage_from_string(address, key_prefix=name, **options)
        self._own = MemoryStorage()
        self._away_until = 0.0

    def admit(self, allowances: Mapping[str, int]) -> None:
        """Take the turn of each key that has to wait. Raises TooManyAttemptsError, in order."""
        for key, free in allowances.items():
            past = self._ask("get", key) - free
            if past >= 0:
                delay = DELAYS[min(past, len(DELAYS) - 1)]
                if self._ask("incr", f"{key}:turn", delay) > 1:
                    raise TooManyAttemptsError(delay)

    def count_failure(self, allowances: Mapping[str, int]) -> None:
        """Count one failure for each key."""
        for key in allowances:
            self._ask("incr", key, FAILURE_SECONDS)

    def _ask(self, method: str, *arguments: Any) -> int:
        """Ask the broker; this process's memory while the broker is away."""
        if time.monotonic() >= self._away_until:
            try:
                count = int(getattr(self._shared, method)(*arguments))
            except redis.RedisError as error:
                self._away_until = time.monotonic() + AWAY_SECONDS
                text = "failed sign-ins are counted without the broker: %s"
                logger.warning(text, error, extra=BROKER.lines)
            else:
                BROKER.ended()
                return count
        return int(getattr(self._own, method)(*arguments))


class Allowance:
    """How often each visitor (see ``client_network``) may do something in a minute.

    Counted on the broker alone: nobody may while it is away.
    """

    def __init__(self, settings: Settings, name: str, per_minute: int) -> None:
        address, options = limiter_storage(settings.broker, seconds=BROKER_SECONDS)
        self._counts = storage_from_string(address, key_prefix=name, **options)
        self._per_minute = per_minute

    def admits_visitor(self) -> bool:
        """Count one time for the visitor who sent this request; whether it is allowed."""
        try:
            count: Any = self._counts.incr(client_network(), 60)
        except redis.RedisError as error:
            text = "nothing is done for visitors without the broker: %s"
            logger.warning(text, error, extra=BROKER.lines)
            return False
        BROKER.ended()
        return bool(count <= self._per_minute)


def names_robot() -> bool:
    """Whether this request is a crawler's, by its User-Agent, or only a browser's prefetch."""
    purposes = (request.headers.get(name, "") for name in PURPOSES)
    is_early = any("prefetch" in purpose or "preview" in purpose for purpose in purposes)
    return is_early or bool(ROBOTS.search(request.user_agent.string or "bot"))


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
    if len(text) > LONGEST_ADDRESS or "%" in text:  # a zone is any text: fe80::1%whatever
        return False
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
