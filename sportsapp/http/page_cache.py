"""Conditional responses, and a cache of finished pages in each web process.

A cached page stands for the clock second in which it was made. A request in that second is
answered from memory. The first request of a later second goes to its view, which finds out with
one or two queries whether the page has changed; requests for the same page wait for it. So a page
costs the database that much once a second, whatever the traffic, and is never more than that
second behind what is stored. The seconds until the next reading are counted when it is sent.

A view takes part by returning ``conditional_response(...)``. ``web.page`` decides what the ETag of
a page or of a game's picture is made of; the API makes its own. Pages are cached by everything in a
request that they can depend on, cookies included. The least recently requested are dropped when
``CAPACITY`` is used up.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from flask import Flask, make_response, request
from flask import Response as FlaskResponse
from werkzeug.datastructures import Headers
from werkzeug.http import parse_etags
from werkzeug.wrappers import Response

from sportsapp.core.clock import utc_now
from sportsapp.http.encoding import FOR_A_PAGE, NOT_AT_ALL, Body
from sportsapp.http.representations import asks_for_text

CAPACITY = 16 * 1024 * 1024
KEY_LIMIT = 1024
"""The longest key that is cached, in characters; no visitor's favourites take more."""
HEADER_LIMIT = 1024
"""The longest If-None-Match that is looked at, in characters."""
OVERHEAD = 2048 + KEY_LIMIT
"""About what an entry takes besides its body: its key and its headers."""
LOCKS = 64
WAIT_SECONDS = 1.0
"""How long a request waits for another one of the same page. It must not wait longer: with a
database that does not answer, requests would time out one after the other."""
LOOKUP = "sportsapp.page_cache"
NEXT_READ = "X-Next-Read"
"""The header with the seconds until the feed is read next, at the moment when it is sent."""
SHARED = "public, max-age=0, s-maxage=1, stale-while-revalidate=1, stale-if-error=60"
"""Cache-Control of a page for visitors who send none of our cookies (docs/decisions/polling.md)."""
MADE_WHEN_SENT = {"content-length", NEXT_READ.lower()}
NOT_IN_304 = {"content-type", "content-encoding"} | MADE_WHEN_SENT
NEVER_CACHED = ("/healthz", "/static/", "/admin", "/api/", "/metrics", "/readyz")
"""Requests for addresses that begin like this go past the cache."""
SENT_AS_THEY_ARE = ("/admin", "/static/")

Environ = dict[str, Any]
Key = tuple[str, ...]
StartResponse = Callable[..., Any]
WsgiApp = Callable[[Environ, StartResponse], Iterable[bytes]]


class CacheEntry:
    """One page: its headers, and its body as it is and compressed.

    ``version`` is what the page was made of, and ``second`` the Unix time for which it stands.
    ``body`` is None when no visitor has needed it: only the ETag is known then. ``next_read_at`` is
    when the feed is read next, if that is known.
    """

    def __init__(self, lookup: "Lookup", headers: Headers, body: bytes | None, second: int) -> None:
        self.version = lookup.version
        self.next_read_at = lookup.next_read_at
        self.second = second
        is_picture = headers["Content-Type"].startswith("image/")
        self.body = None if body is None else Body(body, NOT_AT_ALL if is_picture else FOR_A_PAGE)
        self.size = OVERHEAD + 2 * len(body or b"")
        self._etag = headers["ETag"]
        self._headers = [pair for pair in headers if pair[0].lower() not in MADE_WHEN_SENT]
        self._headers_of_304 = [pair for pair in headers if pair[0].lower() not in NOT_IN_304]

    def is_fresh(self, second: int) -> bool:
        """Whether the page stands for this second."""
        return self.second == second

    def can_answer(self, environ: Environ) -> bool:
        """Whether the visitor needs no body, or there is one."""
        return self.body is not None or self._is_known(environ)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Send 304 if the visitor has the page, and the page otherwise, compressed if accepted."""
        next_read = [(NEXT_READ, seconds_until(self.next_read_at))] if self.next_read_at else []
        if self._is_known(environ) or self.body is None:
            start_response("304 NOT MODIFIED", [*self._headers_of_304, *next_read])
            return [b""]
        headers = [*self._headers, *next_read]
        body, encoding = self.body.encoded(environ.get("HTTP_ACCEPT_ENCODING", ""))
        if encoding:
            headers.append(("Content-Encoding", encoding))
        start_response("200 OK", [*headers, ("Content-Length", str(len(body)))])
        return [body]

    def _is_known(self, environ: Environ) -> bool:
        known = environ.get("HTTP_IF_NONE_MATCH", "")
        if not known or len(known) > HEADER_LIMIT:
            return False
        return known == self._etag or _has_etag(known, self._etag)


@dataclass
class Lookup:
    """One request on its way from the cache to its view: ``environ[LOOKUP]``.

    ``entry`` is the cached page that may be out of date; the view sets the others.
    """

    entry: CacheEntry | None
    version: object = None
    next_read_at: datetime | None = None

    @property
    def is_current(self) -> bool:
        """Whether the view would make the cached page again as it is."""
        return self.entry is not None and self.entry.version == self.version


def conditional_response(
    etag: str,
    version: object,
    next_read_at: datetime | None,
    render: Callable[[], str | bytes],
    *,
    shared: bool,
) -> FlaskResponse:
    """A page with this weak ETag; ``render`` is called only if its body is needed.

    The answer is 304 if the visitor has the page; also if the cache has it, which then sends its
    own copy. ``version`` is shown in the page but is not part of its ETag (when the feed was
    read): if it alone differs, a cached page is rendered again, and a visitor who sends the ETag
    still gets 304. ``shared`` allows proxies to keep the page. ``next_read_at`` is when the feed is
    read next: the answer has the seconds until then.
    """
    lookup = request.environ.get(LOOKUP) or Lookup(None)
    lookup.version, lookup.next_read_at = (etag, version), next_read_at
    if lookup.is_current or request.if_none_match.contains_weak(etag):
        response = FlaskResponse(status=304)
    else:
        response = make_response(render())
    response.set_etag(etag, weak=True)
    response.vary.update(("Accept-Encoding", "Cookie"))
    response.headers["Cache-Control"] = SHARED if shared else "private, no-cache"
    if next_read_at:
        response.headers[NEXT_READ] = seconds_until(next_read_at)
    return response


def seconds_until(moment: datetime) -> str:
    """The seconds until this moment, with a tenth; 0.0 once it is past."""
    return f"{max((moment - utc_now()).total_seconds(), 0):.1f}"


def kept_by_nobody(response: FlaskResponse) -> FlaskResponse:
    """A response of ``conditional_response`` that has to be made anew for the next request."""
    if LOOKUP in request.environ:
        request.environ[LOOKUP].version = None
    response.headers.pop("ETag", None)
    response.headers["Cache-Control"] = "no-store"
    return response


class PageCache:
    """WSGI middleware that caches what views return with ``conditional_response``."""

    def __init__(self, app: WsgiApp) -> None:
        self._app = app
        self._entries: OrderedDict[Key, CacheEntry] = OrderedDict()
        self._entries_lock = threading.Lock()
        self._request_locks = [threading.Lock() for _ in range(LOCKS)]
        self.size = 0

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer from the cache, or from the application and cache its answer."""
        key = _key(environ)
        if key is None:
            return self._app(environ, start_response)
        answer: WsgiApp | None = self._fresh_entry(key, environ)
        if answer is None:
            lock = self._request_locks[hash(key) % LOCKS]
            is_ours = lock.acquire(timeout=WAIT_SECONDS)
            try:  # another request may have refreshed the page meanwhile
                answer = self._fresh_entry(key, environ) or self._refresh(key, environ)
            finally:
                if is_ours:
                    lock.release()
        return answer(environ, start_response)

    def _fresh_entry(self, key: Key, environ: Environ) -> CacheEntry | None:
        """The entry that stands for this second and can answer this visitor, if there is one."""
        entry = self._entries.get(key)
        if entry is None or not entry.is_fresh(_second()) or not entry.can_answer(environ):
            return None
        with suppress(KeyError):  # another thread has just dropped it
            self._entries.move_to_end(key)
        return entry

    def _refresh(self, key: Key, environ: Environ) -> WsgiApp:
        """The application's answer; or the cached page, if the application would make it again."""
        second = _second()  # before anything is read
        entry = self._entries.get(key)
        lookup = Lookup(entry if entry and entry.body is not None else None)
        response = Response.from_app(self._app, {**environ, LOOKUP: lookup}, buffered=True)
        if lookup.entry and lookup.is_current:
            lookup.entry.second, lookup.entry.next_read_at = second, lookup.next_read_at
            self._store(key, lookup.entry)
            return lookup.entry
        is_cacheable = (
            lookup.version is not None
            and response.status_code in (200, 304)
            and "Set-Cookie" not in response.headers
        )
        if not is_cacheable:
            return response
        body = response.get_data() if response.status_code == 200 else None
        entry = CacheEntry(lookup, response.headers, body, second)
        self._store(key, entry)
        return entry

    def _store(self, key: Key, entry: CacheEntry) -> None:
        """Add or replace an entry as the most recent one; drop the oldest beyond ``CAPACITY``."""
        with self._entries_lock:
            if old := self._entries.pop(key, None):
                self.size -= old.size
            self._entries[key] = entry
            self.size += entry.size
            while self.size > CAPACITY:
                _, old = self._entries.popitem(last=False)
                self.size -= old.size


def init_app(app: Flask) -> None:
    """Put the cache in front of the whole app. The API, which comes later, finishes before it."""
    app.after_request(_compress_others)
    app.wsgi_app = PageCache(app.wsgi_app)  # type: ignore[method-assign]  # Flask's documented way


def _compress_others(response: FlaskResponse) -> FlaskResponse:
    """Compress an answer that is not cached, such as the API's, for its one request.

    Not the panel's: the size of a compressed page could reveal the tokens in its forms (BREACH).
    """
    lookup = request.environ.get(LOOKUP)
    is_cached = lookup is not None and lookup.version is not None
    if is_cached or request.path.startswith(SENT_AS_THEY_ARE) or response.status_code == 304:
        return response
    response.vary.add("Accept-Encoding")
    body = Body(response.get_data())
    data, encoding = body.encoded(request.headers.get("Accept-Encoding", ""))
    if encoding:
        response.set_data(data)
        response.content_encoding = encoding
        if "ETag" in response.headers:  # a strong one would be that of these bytes
            response.set_etag(response.get_etag()[0] or "", weak=True)
    return response


def _second() -> int:
    return int(utc_now().timestamp())


def _key(environ: Environ) -> Key | None:
    """Everything in a request that a page can depend on; None for what is not cached."""
    get = environ.get
    path = environ["PATH_INFO"]
    if environ["REQUEST_METHOD"] != "GET" or path.startswith(NEVER_CACHED):
        return None
    key = (
        path,
        get("QUERY_STRING", ""),
        get("HTTP_HOST", ""),
        get("HTTP_COOKIE", ""),
        get("SCRIPT_NAME", ""),
        environ["wsgi.url_scheme"],
        get("HTTP_X_FORWARDED_PROTO", ""),
        "text" if asks_for_text(environ) else "",
    )
    return key if sum(map(len, key)) <= KEY_LIMIT else None


@lru_cache(maxsize=256)
def _has_etag(known: str, etag: str) -> bool:
    """Whether this If-None-Match has this ETag, weak or strong, or is ``*``."""
    return parse_etags(known).contains_raw(etag)
