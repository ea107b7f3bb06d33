"""The feed's pace, at most so many requests a minute from all our processes together, and how
its answers turned out.

Both are counted on the broker, so that more consumers never mean more requests. While the broker
is away each process counts its requests for itself, and outcomes are not counted.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import redis

from sportsapp.core.redis_urls import client_of

logger = logging.getLogger(__name__)

WINDOW = 60
BROKER_SECONDS = 1
OUTCOMES = "sportsapp.feed.outcomes"


class Pace:
    """Call it before each request: it returns at once, or waits for the next minute."""

    def __init__(
        self,
        url: str,
        per_minute: int,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.per_minute = per_minute
        self._redis = client_of(url, seconds=BROKER_SECONDS)
        self._sleep = sleep
        self._clock = clock
        self._own: dict[int, int] = {}
        self._lock = threading.Lock()

    def __call__(self) -> None:
        while self._count() > self.per_minute:
            rest = WINDOW - self._clock() % WINDOW
            logger.info("%s requests this minute are enough: waiting %.1f s", self.per_minute, rest)
            self._sleep(rest)

    def _count(self) -> int:
        """How many requests this minute has had, this one included."""
        window = int(self._clock() // WINDOW)
        try:
            pipe = self._redis.pipeline()
            pipe.incr(f"sportsapp.feed.{window}")
            pipe.expire(f"sportsapp.feed.{window}", 2 * WINDOW)
            return int(pipe.execute()[0])
        except redis.RedisError as error:
            logger.debug("counting requests without the broker: %s", error)
            return self._count_own(window)

    def _count_own(self, window: int) -> int:
        with self._lock:
            count = self._own.get(window, 0) + 1
            self._own = {window: count}
            return count


class Tally:
    """Call it after each request with how it turned out; a broker that is away loses it."""

    def __init__(self, url: str) -> None:
        self._redis = client_of(url, seconds=BROKER_SECONDS)

    def __call__(self, outcome: str) -> None:
        try:
            self._redis.hincrby(OUTCOMES, outcome, 1)
        except redis.RedisError as error:
            logger.debug("an answer was not counted: %s", error)

    def counts(self) -> dict[str, int]:
        """How often each outcome was counted. Raises redis.RedisError."""
        found: Any = self._redis.hgetall(OUTCOMES)
        return {name.decode(): int(count) for name, count in sorted(found.items())}
