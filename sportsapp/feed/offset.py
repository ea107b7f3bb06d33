"""How far the feed's clock is ahead of that of each of our machines, by its last answer there.

It is kept on the broker, so that other machines know it, for a few hours: a machine that gets no
answer any more is forgotten.
"""

import logging
import socket
import time
from collections.abc import Sequence
from datetime import timedelta

import redis

from sportsapp.core.redis_urls import client_of
from sportsapp.feed.pace import BROKER_SECONDS

logger = logging.getLogger(__name__)

CLOCK_KEY = "sportsapp.clock."
KEPT = timedelta(hours=3)  # every league is polled once an hour
SHARED_EVERY = 30.0  # seconds
NOTABLE = timedelta(seconds=5)


class FeedClock:
    """The feed's clock beside ours. Without ``broker_url``, that of this process alone."""

    def __init__(self, broker_url: str = "") -> None:
        self.offset: timedelta | None = None
        self._redis = client_of(broker_url, seconds=BROKER_SECONDS) if broker_url else None
        self._shared: tuple[timedelta, float] | None = None

    def measured(self, offset: timedelta) -> None:
        """An answer came: the feed's clock is ahead of ours by this. Shared twice a minute."""
        self.offset, now = offset, time.monotonic()
        if self._shared:
            shared, at = self._shared
            if abs(shared - offset) < NOTABLE and now - at < SHARED_EVERY:
                return
        self._shared = offset, now
        if self._redis:
            try:
                key = CLOCK_KEY + socket.gethostname()
                self._redis.set(key, offset.total_seconds(), ex=KEPT)
            except redis.RedisError as error:
                logger.debug("the clock's offset is not shared: %s", error)

    def offsets(self, hosts: Sequence[str]) -> dict[str, timedelta]:
        """The last offsets of these machines that are known, by host; raises nothing."""
        known: dict[str, timedelta] = {}
        if self._redis and hosts:
            try:
                kept = self._redis.mget([CLOCK_KEY + host for host in hosts])
            except redis.RedisError as error:
                logger.debug("the offsets of clocks are not known: %s", error)
            else:
                pairs = zip(hosts, kept, strict=True)
                known = {host: timedelta(seconds=float(text)) for host, text in pairs if text}
        if self.offset is not None:  # of this process, whatever others have measured
            known.setdefault(socket.gethostname(), self.offset)
        return known
