"""HTTP to other hosts: the feed, the heartbeat's receiver, the alert webhook, all of them.

A request goes where it is sent. A redirect is followed within the same origin only, no account is
taken from ``~/.netrc``, and an exchange has a deadline and a ceiling for what it reads. Proxies of
the environment are used.
"""

import http.client
import io
import math
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth
from requests.utils import get_auth_from_url
from urllib3.connection import HTTPConnection, HTTPSConnection

PIECE = 65_536
REDIRECTS = 3

_ends_at: ContextVar[float] = ContextVar("ends_at", default=math.inf)


class DeadlineError(requests.Timeout):
    """The exchange was not complete at its deadline."""


class BodyTooLargeError(requests.RequestException):
    """The body is larger than the caller takes; ``status`` is the answer's."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class RedirectRefusedError(requests.RequestException):
    """The answer leads to another origin; the message names that one and no path."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. ``body`` is decompressed, and empty for a caller who takes none."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """No exchange of this block, or of a copy of its context, goes on for longer than this."""
    token = _ends_at.set(min(_ends_at.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _ends_at.reset(token)


def time_left() -> float:
    """The seconds of the ``time_limit`` that are left: infinite without one, negative after it."""
    return _ends_at.get() - time.monotonic()


class OutgoingSession(requests.Session):
    """Pooled connections. Without cookies it has no state that changes, so threads can share it."""

    def __init__(self) -> None:
        super().__init__()
        self.auth = _account_in_url  # any value here stops requests from reading ~/.netrc
        self.headers["Accept-Encoding"] = "gzip, deflate"  # also where brotli is installed
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            self.mount(scheme, _TimedAdapter())

    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: requests would read a redirect's whole body, and follow it to any host."""


def exchange(
    session: OutgoingSession,
    method: str,
    url: str,
    *,
    connect: float,
    read: float,
    deadline: float,
    body_limit: int = 0,
    redirects: int = REDIRECTS,
    **request: Any,
) -> Reply:
    """Send a request and read the answer, of any status: at most ``body_limit`` bytes of its body.

    With 0 the body is not read at all. ``connect`` and ``read`` bound one wait for the network in
    seconds, ``deadline`` (and the ``time_limit``) everything: redirects, headers, body. Without
    ``redirects`` left, a redirect is an answer like any other.
    Raises requests.RequestException, among others DeadlineError, BodyTooLargeError and
    RedirectRefusedError.
    """
    deadline = min(deadline, time_left())
    if deadline <= 0:
        raise DeadlineError("there was no time left for it")
    ends_at = time.monotonic() + deadline
    token = _ends_at.set(ends_at)
    request |= {"timeout": (min(connect, deadline), min(read, deadline)), "stream": True}
    try:
        for left in range(redirects, -1, -1):
            with session.request(method, url, **request) as response:
                if not (response.is_redirect and redirects):
                    body = _read_body(response, body_limit) if body_limit else b""
                    return Reply(url, response.status_code, response.headers, body)
                target = urljoin(url, response.headers["Location"])
            if _origin(target) != _origin(url):
                there = "{}://{}:{}".format(*_origin(target))
                raise RedirectRefusedError(f"a redirect to another host is not followed: {there}")
            if left:
                url = target
        raise requests.TooManyRedirects(f"more than {redirects} redirects")
    except (requests.Timeout, urllib3.exceptions.TimeoutError) as error:
        if time.monotonic() < ends_at:
            raise requests.Timeout(f"no answer within {read:g} s") from error
        raise DeadlineError(f"no complete answer within {deadline:.3g} s") from error
    except (urllib3.exceptions.HTTPError, OSError) as error:
        if isinstance(error, requests.RequestException):
            raise
        raise requests.ConnectionError(error) from error
    except ValueError as error:  # of urllib: requests' own for the first URL are RequestExceptions
        raise RedirectRefusedError("a redirect to no address is not followed") from error
    finally:
        _ends_at.reset(token)


def _read_body(response: requests.Response, limit: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    # read1 returns what has arrived, decompressed piece by piece; iter_content would wait until a
    # piece is full.
    while piece := response.raw.read1(PIECE, decode_content=True):
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            text = f"the answer is larger than {limit:,} bytes"
            raise BodyTooLargeError(text, response.status_code)
    return b"".join(pieces)


def _origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port. Raises InvalidURL."""
    parts = urlsplit(url)
    try:
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    except ValueError as error:
        raise requests.exceptions.InvalidURL(str(error)) from error
    return parts.scheme, parts.hostname or "", port


def _account_in_url(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Basic authentication with the name and password in the request's own URL, if it has them."""
    account = get_auth_from_url(request.url or "")
    return HTTPBasicAuth(*account)(request) if any(account) else request


# ---------------------------------------------------------------- the deadline

# A server that sends a byte every few seconds restarts a socket's time-out with each of them, also
# in its headers. So each wait is at most as long as what is left; urllib3 has no such deadline.


class _TimedReader(io.RawIOBase):
    """The bytes of a connection until the deadline of the exchange."""

    def __init__(self, connection: socket.socket, raw: io.RawIOBase) -> None:
        self.connection, self.raw = connection, raw
        self.longest_wait = connection.gettimeout() or math.inf

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> Any:
        left = time_left()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        wait = min(left, self.longest_wait)
        self.connection.settimeout(None if wait == math.inf else wait)
        return self.raw.readinto(buffer)

    def close(self) -> None:
        self.raw.close()
        super().close()


class _TimedResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp = io.BufferedReader(_TimedReader(sock, self.fp.detach()))


class _TimedConnection(HTTPConnection):
    response_class = _TimedResponse


class _TimedTlsConnection(HTTPSConnection):
    response_class = _TimedResponse


class _TimedPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _TimedConnection


class _TimedTlsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _TimedTlsConnection


class _TimedAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self._time(self.poolmanager)

    def proxy_manager_for(self, proxy: Any, **options: Any) -> Any:
        return self._time(super().proxy_manager_for(proxy, **options))

    def _time(self, manager: Any) -> Any:
        manager.pool_classes_by_scheme = {"http": _TimedPool, "https": _TimedTlsPool}
        return manager
