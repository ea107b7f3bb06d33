"""Live games that somebody looks at: marked on the broker when a page shows one, for two minutes.

The live sync reads their summaries, and no other ones. While the broker is away there are none.
"""

import logging
import time
from typing import Any

import redis

from sportsapp.core.leagues import League
from sportsapp.core.outages import BROKER
from sportsapp.core.redis_urls import client_of

logger = logging.getLogger(__name__)

MARKS_KEY = "sportsapp.watched"
READS_KEY = "sportsapp.watched.read"
WATCHED_SECONDS = 120
"""For so long a mark holds."""
MARK_SECONDS = 30
"""A process marks a game at most so often."""
READ_SECONDS = 25
"""A game is read again before its last reading is older than this.

An open page asks some seconds after a reading, and shows a play within half a minute.
"""
AT_ONCE = 10
WAIT_SECONDS = 0.025
"""For a connection, and again for an answer: a page waits 50 ms at most."""
AWAY_SECONDS = 10
"""For so long the broker is not asked again after it has not answered."""
BROKER_SECONDS = 1

Names = list[tuple[str, str]]
"""Games by the slug of their league and the feed's id."""


class WatchedGames:
    """The marks of all processes, and when each game was taken last."""

    def __init__(self, url: str) -> None:
        self._marking = client_of(url, seconds=WAIT_SECONDS)
        self._taking = client_of(url, seconds=BROKER_SECONDS)
        self._marked: dict[str, float] = {}  # when this process has marked each
        self._away_until = 0.0

    def mark(self, league: League, espn_id: str) -> None:
        """Mark a live game as watched for WATCHED_SECONDS. A failure is logged, and no more."""
        name, now = f"{league.slug} {espn_id}", time.monotonic()
        if now < max(self._away_until, self._marked.get(name, -MARK_SECONDS) + MARK_SECONDS):
            return
        recent = self._marked.copy().items()
        self._marked = {name: now} | {one: at for one, at in recent if at > now - MARK_SECONDS}
        pipeline = self._marking.pipeline(transaction=False)
        pipeline.zadd(MARKS_KEY, {name: time.time()})
        pipeline.expire(MARKS_KEY, WATCHED_SECONDS)
        try:
            pipeline.execute()
        except redis.RedisError as error:
            self._away_until = now + AWAY_SECONDS
            self._marked.pop(name, None)
            logger.warning("a watched game is not marked: %s", error, extra=BROKER.lines)
        else:
            BROKER.ended()

    def take(self, seconds: float) -> Names:
        """The watched games that are due within so many seconds, which is when the next look comes.

        At most AT_ONCE, those longest unread first. They are due again after READ_SECONDS.
        """
        now = time.time()
        try:
            marks: Any = self._taking.zrangebyscore(MARKS_KEY, now - WATCHED_SECONDS, "+inf")
            if not marks:
                return []
            reads = [float(at or 0) for at in self._taking.hmget(READS_KEY, marks)]
            age = dict(zip(marks, (now - at for at in reads), strict=True))
            due = [name for name in marks if not -1 < age[name] < READ_SECONDS - seconds]
            due = sorted(due, key=age.__getitem__, reverse=True)[:AT_ONCE]
            if due:
                pipeline = self._taking.pipeline()
                pipeline.hset(READS_KEY, mapping=dict.fromkeys(due, now))
                pipeline.expire(READS_KEY, WATCHED_SECONDS)
                pipeline.execute()
        except redis.RedisError as error:
            logger.warning("watched games are not read: %s", error, extra=BROKER.lines)
            return []
        return [(slug, espn_id) for slug, _, espn_id in (n.decode().partition(" ") for n in due)]
