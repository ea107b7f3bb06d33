"""The only HTTP to the feed: asks, waits, retries, and gives bytes. It knows no JSON.

What the feed is known to want (October 2026): an honest User-Agent with a contact link, an
explicit ``dates`` of one day or one month, never a range, and on scoreboards a ``limit`` of at
most 500. A college's division is asked for as ``groups``, and of standings as ``group``.
"""

from __future__ import annotations

import hashlib
import logging
import random
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import PoolManager, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from sportsapp.core.clock import utc_now
from sportsapp.core.errors import FeedError, FeedRefusedError, FeedUnavailableError, PayloadError
from sportsapp.core.leagues import League

logger = logging.getLogger(__name__)

LIMIT = 500
# An answer with just this many events may have been cut off by the feed.
SUSPECT_COUNTS = frozenset({25, 100, LIMIT})
POOL_SIZE = 8
REMEMBERED_ANSWERS = 8
REMEMBERED_BYTES = 2_000_000
OUTCOMES = ("ok", "unavailable", "limited", "refused", "too_large")


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer. ``digest`` names the body: equal digests, equal bytes."""

    url: str
    body: bytes
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long we wait and how often we ask, in seconds and counts.

    ``deadline`` bounds one request as a whole, so that a feed that drips is cut off.
    ``longest_wait`` bounds a wait between two requests; a longer Retry-After is left to
    whoever called.
    """

    connect: float = 5
    read: float = 10
    deadline: float = 25
    retries: int = 2
    first_wait: float = 0.5
    longest_wait: float = 8
    body_limit: int = 40_000_000


class FeedClient:
    """Asks ESPN's public JSON API. Safe to use from several threads at once.

    ``pace`` is called before each request and may wait: it keeps the agreed rate. ``tally`` is
    called after each with how it turned out, one of OUTCOMES.
    Every method raises FeedUnavailableError (worth retrying) or FeedRefusedError (not), and
    PayloadError for a body over the limit. ``clock_off`` is how far the feed's clock was ahead
    of ours at the last answer, good or not; None while it has not said.
    """

    def __init__(
        self,
        base_url: str,
        user_agent: str,
        *,
        patience: Patience | None = None,
        pace: Callable[[], None] = lambda: None,
        tally: Callable[[str], None] = lambda _: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.base_url, account = _without_account(base_url.rstrip("/"))
        self.user_agent = user_agent
        self.patience = patience or Patience()
        self.pace = pace
        self.tally = tally
        self.sleep = sleep
        self._session = _new_session(user_agent)
        self._session.auth = account
        self.clock_off: timedelta | None = None
        self._remembered: OrderedDict[str, tuple[str, Answer]] = OrderedDict()
        self._lock = threading.Lock()

    def scoreboard(self, league: League, day: date) -> Answer:
        """One league's games of one US Eastern day."""
        return self._scoreboard(league, day.strftime("%Y%m%d"))

    def month(self, league: League, first: date) -> Answer:
        """One league's games of the month that ``first`` lies in."""
        return self._scoreboard(league, first.strftime("%Y%m"))

    def teams(self, league: League) -> Answer:
        """The list of a league's teams."""
        return self._get(
            self._site(league, "teams"), {"limit": league.teams_limit, "groups": league.group}
        )

    def roster(self, league: League, team_id: str) -> Answer:
        """The players of one team."""
        return self._get(self._site(league, f"teams/{team_id}/roster"), {})

    def standings(self, league: League) -> Answer:
        """A league's standings; only the shorter ``apis/v2`` address has them."""
        path = f"/apis/v2/sports/{league.sport}/{league.feed_slug}/standings"
        return self._get(path, {"group": league.group})

    def summary(self, league: League, game_id: str) -> Answer:
        """Everything about one game: 100 to 900 kB, so never for polling."""
        return self._get(self._site(league, "summary"), {"event": game_id})

    def close(self) -> None:
        """Close the pooled connections."""
        self._session.close()

    def _scoreboard(self, league: League, dates: str) -> Answer:
        params = {"dates": dates, "limit": LIMIT, "groups": league.group}
        return self._get(self._site(league, "scoreboard"), params)

    @staticmethod
    def _site(league: League, what: str) -> str:
        return f"/apis/site/v2/sports/{league.sport}/{league.feed_slug}/{what}"

    def _get(self, path: str, params: dict[str, Any]) -> Answer:
        request = self._prepare(path, params)
        attempt = 0
        while True:
            try:
                return self._ask_and_count(request)
            except FeedUnavailableError as error:
                wait = self._wait_before(attempt, error)
                if wait is None:
                    raise
                logger.info("asking again in %.1f s: %s", wait, error)
                self.sleep(wait)
            attempt += 1

    def _prepare(self, path: str, params: dict[str, Any]) -> requests.PreparedRequest:
        request = requests.Request("GET", self.base_url + path, params=params)
        try:
            return self._session.prepare_request(request)
        except requests.RequestException as error:
            raise FeedRefusedError(
                f"nothing can be asked at {self.base_url}: {error}", url=self.base_url
            ) from error

    def _ask_and_count(self, request: requests.PreparedRequest) -> Answer:
        try:
            answer = self._ask(request)
        except FeedError as error:
            self.tally(_outcome_of(error))
            raise
        self.tally("ok")
        return answer

    def _wait_before(self, attempt: int, error: FeedUnavailableError) -> float | None:
        """Seconds before the next attempt: doubling, jittered; None when it is to be the last."""
        if attempt >= self.patience.retries:
            return None
        if error.retry_after is not None:
            return error.retry_after if error.retry_after <= self.patience.longest_wait else None
        longest = min(self.patience.first_wait * 2**attempt, self.patience.longest_wait)
        return random.uniform(longest / 2, longest)  # noqa: S311  # jitter  # nosec B311

    def _ask(self, request: requests.PreparedRequest) -> Answer:
        self.pace()
        url = str(request.url)
        remembered = self._remembered.get(url)
        if remembered:
            request.headers["If-None-Match"] = remembered[0]
        with _Deadline(self.patience.deadline) as deadline:
            try:
                response = self._session.send(
                    request, stream=True, timeout=(self.patience.connect, self.patience.read)
                )
                with response:
                    body = _read_body(response, self.patience.body_limit)
            except (requests.RequestException, OSError) as error:
                raise _unavailable(url, deadline, error) from error
            if deadline.passed:
                raise _unavailable(url, deadline, None)
        self.clock_off = _clock_off(response.headers)
        if response.status_code == 304 and remembered:
            return remembered[1]
        _check_status(response, body)
        answer = Answer(url, body, hashlib.sha256(body).hexdigest())
        self._remember(response.headers.get("ETag"), answer)
        return answer

    def _remember(self, etag: str | None, answer: Answer) -> None:
        if not etag or len(answer.body) > REMEMBERED_BYTES:
            return
        with self._lock:
            self._remembered[answer.url] = (etag, answer)
            self._remembered.move_to_end(answer.url)
            while len(self._remembered) > REMEMBERED_ANSWERS:
                self._remembered.popitem(last=False)


def _without_account(url: str) -> tuple[str, tuple[str, str] | None]:
    """The URL as errors and logs may name it; name and password, if it had them, apart."""
    parts = urlsplit(url)
    if parts.username is None:
        return url, None
    account = (unquote(parts.username), unquote(parts.password or ""))
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl(), account


def _new_session(user_agent: str) -> requests.Session:
    """One pooled session for all threads. It keeps no cookies, its only state that changes."""
    session = requests.Session()
    session.headers.update({"User-Agent": user_agent, "Accept": "application/json"})
    session.max_redirects = 3
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.mount("http://", _Adapter(pool_maxsize=POOL_SIZE))
    session.mount("https://", _Adapter(pool_maxsize=POOL_SIZE))
    return session


def _read_body(response: requests.Response, limit: int) -> bytes:
    chunks = []
    size = 0
    for chunk in response.iter_content(65_536):
        chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            raise PayloadError(
                f"the answer is larger than {limit:,} bytes: {response.url}",
                url=str(response.url),
                status=response.status_code,
            )
    return b"".join(chunks)


def _check_status(response: requests.Response, body: bytes) -> None:
    status, url = response.status_code, str(response.url)
    if 200 <= status < 300:
        return
    said = _feed_message(body)
    if status in (408, 425, 429) or status >= 500:
        raise FeedUnavailableError(
            f"the feed answered {status}{said}: {url}",
            url=url,
            status=status,
            retry_after=_retry_after(response.headers.get("Retry-After")),
        )
    raise FeedRefusedError(
        f"the feed refused us with {status}{said}: {url}", url=url, status=status
    )


def _outcome_of(error: FeedError) -> str:
    if isinstance(error, FeedRefusedError):
        return "refused"
    if isinstance(error, FeedUnavailableError):
        return "limited" if error.status == 429 else "unavailable"
    return "too_large"


def _feed_message(body: bytes) -> str:
    """What an error body says, in a few words."""
    text = body[:120].decode("utf-8", "replace").replace("\n", " ").strip()
    return f" ({text})" if text else ""


def _retry_after(value: str | None) -> float | None:
    """Seconds from a Retry-After header, given in seconds or as a date."""
    if not value:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - utc_now()).total_seconds())
    except (TypeError, ValueError):
        return None


def _clock_off(headers: Mapping[str, str]) -> timedelta | None:
    """How far ahead of ours the clock of an answer is; an answer out of a cache is older."""
    try:
        said = parsedate_to_datetime(headers["Date"]) + timedelta(
            seconds=int(headers.get("Age", 0))
        )
        return said - utc_now()
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _unavailable(url: str, deadline: _Deadline, error: Exception | None) -> FeedError:
    if deadline.passed:
        return FeedUnavailableError(f"no whole answer in {deadline.seconds:g} s: {url}", url=url)
    if isinstance(error, requests.Timeout):
        return FeedUnavailableError(f"the feed did not answer in time: {url}", url=url)
    return FeedUnavailableError(f"the feed cannot be reached: {url} ({_cause(error)})", url=url)


def _cause(error: BaseException | None) -> str:
    """The innermost reason, without the library's wrapping around it."""
    while error is not None:
        inner = getattr(error, "reason", None) or error.__cause__ or error.__context__
        if not isinstance(inner, BaseException):
            break
        error = inner
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"{type(error).__name__}: {error}"[:200]


# ---------------------------------------------------------------- a deadline for a whole request
# requests bounds each wait for bytes, so a feed that sends one byte a second would hold us for
# hours. The timer below shuts the socket down, which ends the read in progress.

_in_flight = threading.local()


class _Deadline:
    """Shuts this thread's socket down when ``seconds`` are over."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.passed = False
        self.socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._pass)
        self._timer.daemon = True

    def __enter__(self) -> _Deadline:
        _in_flight.deadline = self
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        _in_flight.deadline = None

    def _pass(self) -> None:
        self.passed = True
        if self.socket is not None:
            try:
                socket.socket.shutdown(self.socket, socket.SHUT_RDWR)
            except OSError as error:  # it has been closed already: nothing is left to end
                logger.debug("closing a late connection: %s", error)


class _Watched:
    """Tells the deadline of this thread which socket is being read."""

    sock: Any

    def getresponse(self) -> Any:
        deadline: _Deadline = _in_flight.deadline
        deadline.socket = self.sock
        if deadline.passed:  # while the connection was made: nobody watches it any more
            raise TimeoutError("the deadline has passed")
        return super().getresponse()  # type: ignore[misc]  # the connection class has it


class _WatchedHTTP(_Watched, HTTPConnection):
    """A watched connection in the clear."""


class _WatchedHTTPS(_Watched, HTTPSConnection):
    """A watched connection over TLS."""


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _WatchedHTTP


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedHTTPS


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        _watch(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        return _watch(super().proxy_manager_for(*args, **kwargs))


def _watch(manager: Any) -> Any:
    """Give a manager of connections our watched ones; a SOCKS proxy needs its own."""
    if type(manager) in (PoolManager, ProxyManager):
        manager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}
    return manager
