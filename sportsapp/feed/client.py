"""The only HTTP to the feed: sends requests, waits, retries, and returns bytes. It parses no JSON.

What ESPN is known to require (October 2026): an honest User-Agent with a contact link, an
explicit ``dates`` of one day or one month, never a range, and on scoreboards a ``limit`` of at
most 500. A college division is requested as ``groups``, and for standings as ``group``.
ESPN is not known to send ETags, so there are no conditional requests. Its second host serves the
same paths, and did not refuse us when the first one did; ranges are refused by both.
"""

import hashlib
import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TypeVar
from urllib.parse import unquote, urlencode, urlsplit

import requests
from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema

from sportsapp.core.clock import utc_now
from sportsapp.core.errors import FeedError, FeedRefusedError, FeedUnavailableError, PayloadError
from sportsapp.core.leagues import League
from sportsapp.core.log_context import is_first
from sportsapp.core.outgoing import (
    BodyTooLargeError,
    DeadlineError,
    OutgoingSession,
    RedirectRefusedError,
    Reply,
    exchange,
    time_left,
)
from sportsapp.feed.hosts import FeedHosts
from sportsapp.feed.offset import FeedClock
from sportsapp.feed.pace import RateLimiter

T = TypeVar("T")

logger = logging.getLogger(__name__)

LIMIT = 500
SUSPECT_COUNTS = frozenset({25, 100, LIMIT})
"""Numbers of events at which the feed is known to cut an answer off."""
# In bytes, after decompression: about three times the largest answer of each kind. The larger ones
# are days and lists of college leagues, and months of baseball.
DAY_BYTES = 10_000_000
MONTH_BYTES = 30_000_000
TEAMS_BYTES = 8_000_000
SUMMARY_BYTES = 3_000_000
ROSTER_BYTES = 2_000_000
STANDINGS_BYTES = 8_000_000
OUTCOMES = ("ok", "unavailable", "limited", "refused", "too_large")
KINDS = ("day", "month", "summary", "teams", "roster", "standings")
"""The kinds of requests: a host may answer one and refuse another."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer. ``digest`` is the SHA-256 of the body: equal digests, equal bytes.

    ``host`` is the feed's host that answered, ``judge`` takes whether the body could be read.
    """

    url: str
    body: bytes
    digest: str
    host: str = ""
    judge: Callable[[bool], None] = field(default=lambda _: None, compare=False, repr=False)

    def parsed(self, parse: Callable[..., T], *arguments: object) -> T:
        """What ``parse`` makes of the body and the arguments. Raises PayloadError.

        A host whose answers cannot be read for long is left.
        """
        try:
            records = parse(self.body, *arguments)
        except PayloadError:
            self.judge(False)
            raise
        self.judge(True)
        return records


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How long a request may take and how often it is repeated, in seconds and counts.

    ``connect`` and ``read`` bound one wait for the network; ``deadline`` bounds an attempt as a
    whole. ``retries`` counts the attempts after the first, whichever host they are sent to.
    ``first_wait`` doubles with each retry up to ``longest_wait``; a Retry-After above that is
    left to the caller.
    """

    connect: float = 5
    read: float = 10
    deadline: float = 25
    retries: int = 2
    first_wait: float = 0.5
    longest_wait: float = 8


class FeedClient:
    """Requests ESPN's public JSON API. Safe to use from several threads at once.

    ``base_urls`` is a host, or several with commas, the preferred one first; which one answers is
    shared through the broker at ``broker_url``. A host that refuses a request (a 4xx but 429),
    cannot be reached, fails, or answers with something else than a JSON object is followed by
    the next one at once; a redirect and 429 are not.

    ``rate_limiter`` is waited for before each request, retries included; without one the rate
    is not limited. ``count_outcome`` is called after each request with one of OUTCOMES.

    Every method raises FeedUnavailableError (worth retrying), FeedRefusedError (not), or
    PayloadError for a body over the limit. ``clock`` has how far the feed's clock was ahead of
    ours at the last response of any status.
    """

    def __init__(
        self,
        base_urls: str,
        user_agent: str,
        *,
        broker_url: str = "",
        retry_policy: RetryPolicy | None = None,
        rate_limiter: RateLimiter | None = None,
        count_outcome: Callable[[str], None] = lambda _: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        hosts = [_without_account(url.rstrip("/")) for url in base_urls.split(",")]
        self._accounts = dict(hosts)
        self.hosts = FeedHosts([*self._accounts], broker_url)
        self.retry_policy = retry_policy or RetryPolicy()
        self.rate_limiter = rate_limiter
        self.count_outcome = count_outcome
        self.sleep = sleep
        self.clock = FeedClock(broker_url)
        self._session = OutgoingSession()
        self._session.headers.update({"User-Agent": user_agent, "Accept": "application/json"})

    def scoreboard(self, league: League, day: date) -> Answer:
        """One league's games of one US Eastern day.

        Endpoint: ``apis/site/v2/sports/{sport}/{league}/scoreboard?dates=YYYYMMDD``.
        """
        return self._scoreboard("day", league, day.strftime("%Y%m%d"), DAY_BYTES)

    def month(self, league: League, first: date) -> Answer:
        """One league's games of the month that contains ``first``.

        Endpoint: ``apis/site/v2/sports/{sport}/{league}/scoreboard?dates=YYYYMM``.
        """
        return self._scoreboard("month", league, first.strftime("%Y%m"), MONTH_BYTES)

    def summary(self, league: League, espn_id: str) -> Answer:
        """All about one game, by the feed's id of it.

        Endpoint: ``apis/site/v2/sports/{sport}/{league}/summary?event=ID``.
        """
        path = f"/apis/site/v2/sports/{league.path}/summary"
        return self._get("summary", league, path, SUMMARY_BYTES, event=espn_id)

    def teams(self, league: League) -> Answer:
        """The list of a league's teams.

        Endpoint: ``apis/site/v2/sports/{sport}/{league}/teams``.
        """
        path = f"/apis/site/v2/sports/{league.path}/teams"
        more = {"limit": league.teams_limit, "groups": league.group}
        return self._get("teams", league, path, TEAMS_BYTES, **more)

    def roster(self, league: League, team_id: str) -> Answer:
        """The players of one team, by the feed's id of the team.

        Endpoint: ``apis/site/v2/sports/{sport}/{league}/teams/{id}/roster``.
        """
        path = f"/apis/site/v2/sports/{league.path}/teams/{team_id}/roster"
        return self._get("roster", league, path, ROSTER_BYTES)

    def standings(self, league: League, season: int | None = None) -> Answer:
        """A league's standings: the running ones, or those of a season by the feed's year.

        The feed's third level are the divisions; without it there are conferences alone.
        Endpoint: ``apis/v2/sports/{sport}/{league}/standings``. The same path under
        ``apis/site/v2`` returns a stub without standings.
        """
        path = f"/apis/v2/sports/{league.path}/standings"
        level = 3 if league.has_divisions else None
        more = {"group": league.group, "season": season, "level": level}
        return self._get("standings", league, path, STANDINGS_BYTES, **more)

    def close(self) -> None:
        """Close the pooled connections."""
        self._session.close()

    def _scoreboard(self, kind: str, league: League, dates: str, body_limit: int) -> Answer:
        path = f"/apis/site/v2/sports/{league.path}/scoreboard"
        more = {"dates": dates, "limit": LIMIT, "groups": league.group}
        return self._get(kind, league, path, body_limit, **more)

    def _get(
        self, kind: str, league: League, path: str, body_limit: int, **params: object
    ) -> Answer:
        """The answer to a GET, with retries. Parameters that are None are left out.

        The host that answered last is asked as often as it is worth it, each other host once.
        When none answers its error is raised; where it refuses us (403) and another one only this
        request (400), the other's is.
        """
        query = urlencode({name: value for name, value in params.items() if value is not None})
        target = f"{path}{'?' if query else ''}{query}"
        current, left = self.hosts.order(kind)
        results: dict[str, Answer | FeedError] = {}
        attempt = 0
        while left and attempt <= self.retry_policy.retries:
            host = left.pop(0)
            if host in results:
                wait = self._wait_before_retry(attempt - 1, results[host])
                if wait is None or wait >= time_left():
                    break
                level = logging.INFO if is_first(f"{league.label} again") else logging.DEBUG
                reason = getattr(results[host], "status", None) or results[host]
                text = "%s: asked again in %g s (%s)"
                logger.log(level, text, league.label, round(wait, 1), reason)
                self.sleep(wait)
            attempt += 1
            try:
                answer = self._request(kind, host, target, body_limit)
            except FeedError as error:
                self.count_outcome(_outcome_of(error))
                results[host] = error
                if host != current:
                    continue
                if isinstance(error, FeedUnavailableError):
                    left = [host, *left] if error.status == 429 else [*left, host]
                elif isinstance(error, FeedRefusedError) and (error.status or 0) < 400:
                    break  # a redirect, or an address that is none
            else:
                self.count_outcome("ok")
                results[host] = answer
                if answer.body.lstrip()[:1] == b"{":
                    reason = results.get(current, "its answers cannot be read")
                    text = "it answers with no JSON" if isinstance(reason, Answer) else str(reason)
                    self.hosts.answered(kind, host, text)
                    return answer
        result = results.get(current) or next(iter(results.values()))
        if isinstance(result, FeedRefusedError):
            refusals = (e for e in results.values() if isinstance(e, FeedRefusedError))
            raise next((error for error in refusals if error.status == 400), result)
        if isinstance(result, FeedError):
            raise result
        return result

    def _wait_before_retry(self, attempt: int, error: Answer | FeedError) -> float | None:
        """Seconds to wait before the next attempt, None when there is none."""
        policy = self.retry_policy
        if not isinstance(error, FeedUnavailableError) or attempt >= policy.retries:
            return None
        if error.retry_after is not None:
            return error.retry_after if error.retry_after <= policy.longest_wait else None
        longest = min(policy.first_wait * 2**attempt, policy.longest_wait)
        return random.uniform(longest / 2, longest)  # noqa: S311  # jitter  # nosec B311

    def _request(self, kind: str, host: str, target: str, body_limit: int) -> Answer:
        """Send one request and read its answer."""
        url = host + target
        if self.rate_limiter:
            self.rate_limiter.wait()
        policy = self.retry_policy
        try:
            reply = exchange(
                *(self._session, "GET", url),
                auth=self._accounts[host],
                connect=policy.connect,
                read=policy.read,
                deadline=policy.deadline,
                body_limit=body_limit,
            )
        except BodyTooLargeError as error:
            raise PayloadError(f"{error}: {url}", url=url, status=error.status) from error
        except RedirectRefusedError as error:
            raise FeedRefusedError(f"the feed sends us elsewhere: {error}", url=url) from error
        except (InvalidURL, InvalidSchema, MissingSchema) as error:
            message = f"the feed's address cannot be used: {host} ({error})"
            raise FeedRefusedError(message, url=host) from error
        except DeadlineError as error:
            raise FeedUnavailableError(f"{error}: {url}", url=url) from error
        except requests.Timeout as error:
            message = f"the feed did not answer in time: {url}"
            raise FeedUnavailableError(message, url=url) from error
        except requests.RequestException as error:
            message = f"the feed cannot be reached: {url} ({_cause(error)})"
            raise FeedUnavailableError(message, url=url) from error
        if (offset := _clock_offset(reply.headers)) is not None:
            self.clock.measured(offset)
        _check_status(reply)
        digest = hashlib.sha256(reply.body).hexdigest()
        return Answer(url, reply.body, digest, host, partial(self.hosts.read, kind, host))


def _without_account(url: str) -> tuple[str, tuple[str, str] | None]:
    """The URL as errors and logs may quote it, and the name and password taken out of it."""
    parts = urlsplit(url)
    if parts.username is None:
        return url, None
    account = (unquote(parts.username), unquote(parts.password or ""))
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl(), account


def _check_status(reply: Reply) -> None:
    """Raise for any status but 2xx, quoting the beginning of the body."""
    status, url = reply.status, reply.url
    if 200 <= status < 300:
        return
    text = reply.body[:120].decode("utf-8", "replace").replace("\n", " ").strip()
    quote = f" ({text})" if text else ""
    if status in (408, 425, 429) or status >= 500:
        message = f"the feed answered {status}{quote}: {url}"
        wait = _retry_after(reply.headers.get("Retry-After"))
        raise FeedUnavailableError(message, url=url, status=status, retry_after=wait)
    message = f"the feed refused us with {status}{quote}: {url}"
    raise FeedRefusedError(message, url=url, status=status)


def _retry_after(value: str | None) -> float | None:
    """Seconds from a Retry-After header, which holds seconds or a date."""
    if not value:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - utc_now()).total_seconds())
    except (TypeError, ValueError, OverflowError):
        return None


def _outcome_of(error: FeedError) -> str:
    if isinstance(error, FeedRefusedError):
        return "refused"
    if isinstance(error, FeedUnavailableError):
        return "limited" if error.status == 429 else "unavailable"
    return "too_large"


def _clock_offset(headers: Mapping[str, str]) -> timedelta | None:
    """How far the feed's clock is ahead of ours. Age is how long a cache has held the answer."""
    try:
        age = timedelta(seconds=int(headers.get("Age", 0)))
        return parsedate_to_datetime(headers["Date"]) + age - utc_now()
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _cause(error: BaseException) -> str:
    """The innermost reason of a library's error, without the layers around it."""
    inner: object = error
    while isinstance(inner, BaseException):
        error = inner
        inner = getattr(error, "reason", None) or error.__cause__ or error.__context__
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"{type(error).__name__}: {error}"[:200]
