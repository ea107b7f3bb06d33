"""The rate of requests to the feed, and how they turned out, counted by all processes together.

Both are counted on the broker, so that more consumers never mean more requests. While the broker
is away each process limits its own requests, and outcomes are not counted.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import redis
from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from sportsapp.core.redis_urls import client_of, limiter_storage

logger = logging.getLogger(__name__)

WINDOW = 60
BROKER_SECONDS = 1
# The broker gives the end of a window in whole seconds, up to half a second too early.
SHORTEST_WAIT = 0.5
OUTCOMES_KEY = "sportsapp.feed.outcomes"
LIVE_SHARE = 4
"""One request in so many is kept for live syncs."""

_is_live: ContextVar[bool] = ContextVar("is_live", default=False)


@contextmanager
def live_share() -> Iterator[None]:
    """Count the requests of this block, and of copies of its context, as those of a live sync."""
    token = _is_live.set(True)
    try:
        yield
    finally:
        _is_live.reset(token)


class RateLimiter:
    """At most ``per_minute`` requests in a window of one minute, which the first of them opens.

    A quarter of them is kept for live syncs, so that no backfill holds up a score; when that is
    used up they take from the rest.
    """

    def __init__(
        self, url: str, per_minute: int, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        address, options = limiter_storage(url, seconds=BROKER_SECONDS)
        self._shared = FixedWindowRateLimiter(storage_from_string(address, **options))
        self._own = FixedWindowRateLimiter(MemoryStorage())
        kept = per_minute // LIVE_SHARE
        self._kept, self._rest = (
            RateLimitItemPerSecond(amount, WINDOW, namespace=f"sportsapp.feed{share}")
            for amount, share in ((kept, ".live"), (per_minute - kept, ""))
        )
        self._sleep = sleep

    def wait(self) -> None:
        """Count one request; return at once, or sleep until a window has room for it."""
        while True:
            try:
                seconds = self._count(self._shared)
            except redis.RedisError as error:
                logger.debug("counting requests without the broker: %s", error)
                seconds = self._count(self._own)
            if not seconds:
                return
            logger.info(
                "%s requests in this minute, the most allowed: waiting %.1f s",
                self._rest.amount,
                seconds,
            )
            self._sleep(seconds)

    def _count(self, limiter: FixedWindowRateLimiter) -> float:
        """0 when a window has room for the request; else the seconds until the next window."""
        limits = [self._kept, self._rest] if _is_live.get() else [self._rest]
        if any(limiter.hit(limit) for limit in limits):
            return 0
        ends_at = min(limiter.get_window_stats(limit).reset_time for limit in limits)
        return max(SHORTEST_WAIT, ends_at - time.time())


class OutcomeCounter:
    """How requests to the feed turned out, counted since the broker was set up."""

    def __init__(self, url: str) -> None:
        self._redis = client_of(url, seconds=BROKER_SECONDS)

    def add(self, outcome: str) -> None:
        """Count one outcome. It is lost while the broker is away."""
        try:
            self._redis.hincrby(OUTCOMES_KEY, outcome, 1)
        except redis.RedisError as error:
            logger.debug("an outcome was not counted: %s", error)

    def counts(self) -> dict[str, int]:
        """How often each outcome was counted, by name. Raises redis.RedisError."""
        counts: Any = self._redis.hgetall(OUTCOMES_KEY)
        return {name.decode(): int(number) for name, number in sorted(counts.items())}
