"""Which of the feed's hosts answers, for each kind of request; all processes know it together.

It is kept on the broker, where losing it costs a request. While the broker is away each process
goes by what it has seen itself.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

import msgspec
import redis

from sportsapp.core.clock import utc_now
from sportsapp.core.redis_urls import client_of
from sportsapp.feed.pace import BROKER_SECONDS

logger = logging.getLogger(__name__)

HOSTS_KEY = "sportsapp.feed.hosts"
FIRST_WAIT = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=1)
UNREADABLE_ANSWERS = 5
"""After so many in a row that could not be read, another host is tried."""


class Answering(msgspec.Struct, frozen=True, kw_only=True):
    """The ``host`` that answers one kind of request, and why no longer the one before it.

    ``wait`` is how long the first host is left alone, until ``again_at``; ``unreadable`` counts
    the answers in a row that could not be read.
    """

    host: str
    since: datetime = datetime.min.replace(tzinfo=UTC)
    reason: str = ""
    wait: timedelta = FIRST_WAIT
    again_at: datetime = datetime.min.replace(tzinfo=UTC)
    unreadable: int = 0


class FeedHosts:
    """The feed's hosts, the preferred one first. Safe to use from several threads at once.

    ``urls`` are without user name and password. Without ``broker_url`` nothing is shared.
    """

    def __init__(
        self, urls: Sequence[str], broker_url: str = "", clock: Callable[[], datetime] = utc_now
    ) -> None:
        self.urls = tuple(urls)
        self._clock = clock
        self._redis = client_of(broker_url, seconds=BROKER_SECONDS) if broker_url else None
        self._own: dict[str, Answering] = {}
        self._lock = Lock()

    def order(self, kind: str) -> tuple[str, list[str]]:
        """The host that answers this kind of request, and all hosts in the order to try them.

        When it is time to try another one again, that one is first, for one caller.
        """
        if len(self.urls) == 1:
            return self.urls[0], [*self.urls]
        with self._lock:
            state, now = self._read(kind), self._clock()
            others = [url for url in self.urls if url != state.host]
            wait = state.wait
            if state.host == self.urls[0]:
                is_due = state.unreadable >= UNREADABLE_ANSWERS
            else:  # a later time than a wait can be is of a clock that was ahead
                is_due = not now < state.again_at <= now + LONGEST_WAIT
                wait = min(2 * wait, LONGEST_WAIT)
            if not is_due:
                return state.host, [state.host, *others]
            claimed = {"wait": wait, "again_at": now + wait, "unreadable": 0}
            self._write(kind, msgspec.structs.replace(state, **claimed))
            return state.host, [others[0], state.host, *others[1:]]

    def answered(self, kind: str, host: str, reason: str) -> None:
        """Stay on this host, which answered where the one before did not, for this reason.

        The first host is left alone for FIRST_WAIT, and twice as long after each time that it was
        tried, LONGEST_WAIT at most; for FIRST_WAIT again once it has answered for LONGEST_WAIT.
        """
        with self._lock:
            state, now = self._own.get(kind), self._clock()
            if state is None or state.host == host:
                return
            logger.warning("%s answers requests (%s) instead of %s", host, kind, state.host)
            is_first = host == self.urls[0]
            lately = now - state.since < LONGEST_WAIT
            wait = state.wait if is_first or lately else FIRST_WAIT
            news = Answering(
                host=host,
                since=now,
                reason="" if is_first else reason[:200],
                wait=wait,
                again_at=now + wait,
                unreadable=UNREADABLE_ANSWERS - 1 if is_first else 0,  # it has to show that it can
            )
            self._write(kind, news)

    def read(self, kind: str, host: str, is_readable: bool) -> None:
        """Count an answer of this host as readable or not."""
        with self._lock:
            state = self._own.get(kind)
            if state is None or state.host != host:
                return
            count = 0 if is_readable else state.unreadable + 1
            if count != state.unreadable:
                self._write(kind, msgspec.structs.replace(state, unreadable=count))

    def moved(self) -> dict[str, Answering] | None:
        """By kind of request: the hosts that answer in the place of the first one.

        None while the broker is away.
        """
        states = self._own
        if self._redis:
            try:
                kept: Any = self._redis.hgetall(HOSTS_KEY)
            except redis.RedisError:
                return None
            states = {kind.decode(): self._decoded(state) for kind, state in kept.items()}
        return {kind: state for kind, state in sorted(states.items()) if state.host != self.urls[0]}

    def _read(self, kind: str) -> Answering:
        if self._redis:
            try:
                kept: Any = self._redis.hget(HOSTS_KEY, kind)
                self._own[kind] = self._decoded(kept)
            except redis.RedisError as error:
                logger.debug("the broker does not know the feed's hosts: %s", error)
        return self._own.setdefault(kind, self._decoded(None))

    def _decoded(self, kept: bytes | None) -> Answering:
        """What was kept; the first host for nothing, or a host that is no longer one of ours."""
        try:
            state = msgspec.json.decode(kept or b"", type=Answering)
        except msgspec.MsgspecError:
            return Answering(host=self.urls[0])
        return state if state.host in self.urls else Answering(host=self.urls[0])

    def _write(self, kind: str, state: Answering) -> None:
        self._own[kind] = state
        if self._redis:
            try:
                self._redis.hset(HOSTS_KEY, kind, msgspec.json.encode(state))
            except redis.RedisError as error:
                logger.debug("the feed's hosts are not kept: %s", error)
