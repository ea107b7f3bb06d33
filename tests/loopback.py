"""A feed on loopback that answers over real HTTP with what a test sets."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

Answer = Response | Callable[[Request], Response]

EMPTY = {"events": [], "leagues": [{"name": "A league", "season": {"year": 2026}}]}
PATHS = {
    "nfl": "football/nfl",
    "nba": "basketball/nba",
    "mlb": "baseball/mlb",
    "nhl": "hockey/nhl",
    "wnba": "basketball/wnba",
    "ncaaf": "football/college-football",
    "ncaam": "basketball/mens-college-basketball",
    "ncaaw": "basketball/womens-college-basketball",
    "mls": "soccer/usa.1",
    "epl": "soccer/eng.1",
}


class QuietHandler(WSGIRequestHandler):
    """Logs nothing, and keeps connections alive as the real feed does."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:
        """Log nothing."""


@dataclass
class LoopbackFeed:
    """Answers by league and kind (scoreboard, teams, roster, standings, summary).

    ``say`` sets an answer, for one day or month only when ``dates`` is given; without one the feed
    answers with an empty scoreboard, or 404. ``requests`` holds every request seen, oldest first.
    """

    url: str = ""
    requests: list[Request] = field(default_factory=list)
    answers: dict[tuple[str, str, str], Answer] = field(default_factory=dict)

    def say(self, league: str, body: Any, *, kind: str = "scoreboard", dates: str = "") -> None:
        """Answer with this body (bytes, or anything JSON can hold), or with a Response."""
        if not isinstance(body, Response) and not callable(body):
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            body = Response(data, mimetype="application/json")
        self.answers[league, kind, dates] = body

    def fail(self, league: str, status: int, *, kind: str = "scoreboard", **headers: str) -> None:
        """Answer with this HTTP status."""
        body = json.dumps({"code": status, "message": "no"})
        self.answers[league, kind, ""] = Response(body, status=status, headers=headers)

    def asked(self, kind: str = "scoreboard") -> list[str]:
        """The ``dates`` of all requests of this kind, as ``nfl 20260101``."""
        seen = [(r, *_what(r.path)) for r in self.requests]
        return [f"{league} {r.args.get('dates', '')}" for r, league, what in seen if what == kind]

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        self.requests.append(request)
        league, kind = _what(request.path)
        dates = request.args.get("dates", "")
        answer = self.answers.get((league, kind, dates)) or self.answers.get((league, kind, ""))
        if answer is None:
            is_board = kind == "scoreboard"
            answer = Response(json.dumps(EMPTY if is_board else {}), 200 if is_board else 404)
        response = answer if isinstance(answer, Response) else answer(request)
        return response(environ, start_response)


def _what(path: str) -> tuple[str, str]:
    """League and kind of a path of the feed."""
    league = next((slug for slug, part in PATHS.items() if f"/{part}/" in path), "")
    kind = path.rsplit("/", 1)[-1]
    return league, kind


def _closing(app: Any) -> Any:
    """The app, with answers that are closed once they are sent.

    Werkzeug's server leaves an answer open whose client hangs up just then.
    """

    def closed(environ: Any, start_response: Any) -> Iterator[bytes]:
        answer = app(environ, start_response)
        try:
            yield from answer
        finally:
            if hasattr(answer, "close"):
                answer.close()

    return closed


@contextmanager
def serving(app: Any, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve a WSGI app on a free loopback port, and yield its URL."""
    options: dict[str, Any] = {"request_handler": QuietHandler, "ssl_context": tls}
    server = make_server("127.0.0.1", 0, _closing(app), threaded=True, **options)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005})
    thread.start()
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
