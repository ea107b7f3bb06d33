"""One thread of the web server is kept for requests that wait for nothing.

Database, broker and password hash can keep a thread waiting. At most ``MOST_AT_WORK`` requests are
in the app at once; the next one, which has the last thread, waits ``MOMENT`` for one of them to
end. When none does, requests are refused at once from then on, so that the last thread is free for
/healthz, until a request takes less than ``MOMENT`` again.
"""

import json
import logging
import threading
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.wrappers import Response

from sportsapp.http.headers import headers_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

WEB_THREADS = 4
"""How many requests the web server works on at once."""
MOST_AT_WORK = WEB_THREADS - 1
MOMENT = 0.6
"""Seconds. A request takes a hundredth of that."""
RETRY_SECONDS = 1
SCREENS = ("/embed/", "/tv", "/eink")
BUSY = "This site is busy. Try again in a second."

logger = logging.getLogger(__name__)


class SpareThread:
    """WSGI middleware that refuses what would take the last thread while the others wait."""

    def __init__(self, app: "WSGIApplication", embed_origins: Sequence[str] = ()) -> None:
        self.app, self._embed_origins = app, embed_origins
        self._changed = threading.Condition()
        self._at_work = 0
        self._waiting = 0
        self._passed_on = 0  # places of requests that ended, for those that wait
        self._is_stuck = False

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """The app's answer, or 503 with Retry-After."""
        path = environ["PATH_INFO"]
        if path == "/healthz" or path.startswith("/static/"):  # they wait for nothing
            return self.app(environ, start_response)
        if not self._enter():
            return refusal(path, self._embed_origins)(environ, start_response)
        began = time.monotonic()
        try:
            return self.app(environ, start_response)  # no view streams: it is whole then
        finally:
            self._leave(began)

    def _enter(self) -> bool:
        with self._changed:
            if self._at_work < MOST_AT_WORK:
                self._at_work += 1
                return True
            if self._is_stuck:
                return False
            self._waiting += 1
            has_place = self._changed.wait_for(lambda: self._passed_on, MOMENT)
            self._waiting -= 1
            if has_place:
                self._passed_on -= 1
                return True
            logger.warning("all threads but one wait: requests are refused until one is done")
            self._is_stuck = True
            return False

    def _leave(self, began: float) -> None:
        with self._changed:
            if time.monotonic() - began < MOMENT:
                self._is_stuck = False
            if self._waiting > self._passed_on:  # first come, first served
                self._passed_on += 1
                self._changed.notify()
            else:
                self._at_work -= 1


def refusal(path: str, embed_origins: Sequence[str]) -> Response:
    """What a visitor gets: a line, or the API's error object. Made without the app, which waits.

    A screen that nobody stands at loads itself again, also in a frame.
    """
    is_api = path.startswith("/api/")
    error = json.dumps({"error": {"code": "unavailable", "message": BUSY}})
    response = Response(error if is_api else BUSY, 503)
    response.content_type = "application/json" if is_api else "text/plain; charset=utf-8"
    response.headers.update(headers_of(embed_origins if path.startswith("/embed/") else ()))
    if path.startswith(SCREENS):
        response.headers["Refresh"] = str(RETRY_SECONDS)
    response.headers.update({"Retry-After": str(RETRY_SECONDS), "Cache-Control": "no-store"})
    return response


def init_app(app: Flask, embed_origins: Sequence[str]) -> None:
    """Put it in front of everything else: the page cache waits, too."""
    guarded = SpareThread(app.wsgi_app, embed_origins)
    app.wsgi_app = guarded  # type: ignore[method-assign]  # Flask's documented way
