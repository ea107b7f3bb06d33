"""Finished pages, kept as long as they are right, and sent again without being made again.

A kept page is sent straight away while nothing at all was committed to the database since it
was made and the second on the clock is the same: nothing that it was made of can have changed.
Otherwise the request goes to its view as always, and the view's one query (``page.answer``)
tells whether the page still stands. So a page is never older than the data, and there is no
time after which it is thrown away: the keys are the data and the second.

Pages are kept for each process, by everything of a request that they can depend on. The least
recently asked go first when ``ROOM`` is full.
"""

from __future__ import annotations

import gzip
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask import Flask, Request
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header, parse_etags

from sportsapp.core.clock import utc_now
from sportsapp.db.data_version import DataVersion

ROOM = 16 * 1024 * 1024
KEY_LIMIT = 1024
"""How long a request's own words may be for its page to be kept; nobody's favourites are longer."""
OVERHEAD = 2048 + KEY_LIMIT
"""About what a kept page takes besides its bytes: its key, its headers, its place."""

SLOT = "sportsapp.slot"
GZIP_LEVEL = 6
ABOUT_THE_BODY = {"content-type", "content-length", "content-encoding"}

NEVER_KEPT = ("/healthz", "/static/", "/admin", "/api/", "/metrics", "/readyz")
"""Answers that do not wait for the database to say whether anything was committed."""

Environ = dict[str, Any]
Key = tuple[str, ...]
Headers = list[tuple[str, str]]
StartResponse = Callable[..., Any]
Moment = tuple[object, int]


class Page:
    """One answer with status 200: its headers and its body, plain and compressed.

    ``tag`` is what the view made it of; ``moment`` the state of the database and the second at
    which it was last known to be right.
    """

    def __init__(self, tag: object, headers: Headers, body: bytes) -> None:
        self.tag = tag
        self.moment: Moment | None = None
        self.etag = next(value for name, value in headers if name.lower() == "etag")
        self._other = [pair for pair in headers if pair[0].lower() != "content-length"]
        self._plain = self._with_length(self._other, body)
        self._gzipped: tuple[Headers, bytes] | None = None
        self._unchanged = [pair for pair in headers if pair[0].lower() not in ABOUT_THE_BODY]

    @property
    def size(self) -> int:
        """How many bytes it takes, with its compressed form before that is made."""
        return OVERHEAD + 2 * len(self._plain[1])

    def send(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """The page as this visitor takes it, or 304 when it is there already."""
        known = environ.get("HTTP_IF_NONE_MATCH")
        if known and (known == self.etag or _knows(known, self.etag)):
            start_response("304 NOT MODIFIED", self._unchanged)
            return [b""]
        takes_gzip = _takes_gzip(environ.get("HTTP_ACCEPT_ENCODING", ""))
        headers, body = self._compressed() if takes_gzip else self._plain
        start_response("200 OK", headers)
        return [body]

    def _compressed(self) -> tuple[Headers, bytes]:
        if self._gzipped is None:  # two threads may both do it: the same bytes come out
            body = gzip.compress(self._plain[1], GZIP_LEVEL, mtime=0)
            self._gzipped = self._with_length([*self._other, ("Content-Encoding", "gzip")], body)
        return self._gzipped

    @staticmethod
    def _with_length(headers: Headers, body: bytes) -> tuple[Headers, bytes]:
        return [*headers, ("Content-Length", str(len(body)))], body


@dataclass
class Slot:
    """How a view and the keeper speak about one request: ``environ[SLOT]``.

    ``tag`` is set by a view whose answer may be kept, as the key of all that it is made of.
    """

    page: Page | None
    tag: object = None

    def still_stands(self) -> bool:
        """Whether the page kept for this request is made of what the view found just now."""
        return self.page is not None and self.page.tag == self.tag


def slot_of(request: Request) -> Slot:
    """This request's slot; one that leads nowhere where no keeper stands before the app."""
    slot: Slot = request.environ.get(SLOT) or Slot(None)
    return slot


class PageKeeper:
    """WSGI middleware that keeps the pages of views that set ``Slot.tag``."""

    def __init__(self, app: Callable[..., Iterable[bytes]], version: DataVersion) -> None:
        self._app = app
        self._version = version
        self._pages: OrderedDict[Key, Page] = OrderedDict()
        self._lock = threading.Lock()
        self.size = 0

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer from what is kept, or ask the application and keep what it says."""
        key = _key(environ)
        if key is None:
            return self._app(environ, start_response)
        moment = (self._version.now(), int(utc_now().timestamp()))  # before anything is read
        page = self._find(key)
        if page and page.moment == moment and moment[0] is not None:
            return page.send(environ, start_response)
        slot = environ[SLOT] = Slot(page)
        status, headers, body = self._ask(environ)
        if page and slot.still_stands():
            page.moment = moment
            return page.send(environ, start_response)
        if slot.tag is not None and status.startswith("200 ") and not _sets_cookies(headers):
            page = Page(slot.tag, headers, body)
            page.moment = moment
            self._keep(key, page)
            return page.send(environ, start_response)
        start_response(status, headers)
        return [body]

    def _ask(self, environ: Environ) -> tuple[str, Headers, bytes]:
        """The application's whole answer. Nothing of ours streams."""
        said: list[Any] = []

        def start(status: str, headers: Headers, _error: Any = None) -> Callable[[bytes], None]:
            said[:] = [status, headers]
            return lambda _data: None

        answer = self._app(environ, start)
        try:
            body = b"".join(answer)
        finally:
            if close := getattr(answer, "close", None):
                close()
        return said[0], said[1], body

    def _find(self, key: Key) -> Page | None:
        page = self._pages.get(key)
        if page:
            with suppress(KeyError):  # another thread has just made room
                self._pages.move_to_end(key)
        return page

    def _keep(self, key: Key, page: Page) -> None:
        with self._lock:
            if old := self._pages.pop(key, None):
                self.size -= old.size
            self._pages[key] = page
            self.size += page.size
            while self.size > ROOM:
                _, old = self._pages.popitem(last=False)
                self.size -= old.size


def init_app(app: Flask, version: DataVersion) -> None:
    """Put the keeper before the whole app."""
    app.wsgi_app = PageKeeper(app.wsgi_app, version)  # type: ignore[method-assign]


def _key(environ: Environ) -> Key | None:
    """All of a request that a page of ours can depend on; None where no page is to be kept."""
    asked = environ.get
    path = environ["PATH_INFO"]
    if environ["REQUEST_METHOD"] != "GET" or path.startswith(NEVER_KEPT):
        return None
    key = (
        path,
        asked("QUERY_STRING", ""),
        asked("HTTP_HOST", ""),
        asked("HTTP_COOKIE", ""),
        asked("SCRIPT_NAME", ""),
        environ["wsgi.url_scheme"],
        asked("HTTP_X_FORWARDED_PROTO", ""),
    )
    return key if sum(map(len, key)) <= KEY_LIMIT else None


def _sets_cookies(headers: Headers) -> bool:
    """Whether an answer is for one visitor, whatever its view says."""
    return any(name.lower() == "set-cookie" for name, _ in headers)


@lru_cache(maxsize=256)
def _takes_gzip(accepted: str) -> bool:
    """Whether a visitor who sends this Accept-Encoding takes gzip."""
    return parse_accept_header(accepted, Accept).quality("gzip") > 0


@lru_cache(maxsize=256)
def _knows(known: str, etag: str) -> bool:
    """Whether this If-None-Match names this ETag (weak or not) or any."""
    return parse_etags(known).contains_raw(etag)
