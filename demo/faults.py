"""What tests can break: faults of the feed, fields of games forced, and a log of requests."""

import json
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event, Lock
from typing import Any

from flask import Response

from demo.changes import CHANGES
from demo.shapes import JsonObject
from demo.wording import STATUS_TYPES

GameKey = tuple[str, str]

LOGGED = 10_000
KINDS = frozenset(
    {
        "500",
        "429",
        "403",
        "400",
        "timeout",
        "drip",
        "disconnect",
        "truncated",
        "html",
        "empty",
        "null",
        "huge",
        "broken_event",
        "latency",
    }
)
OPTIONS: dict[str, dict[str, float]] = {
    "latency": {"seconds": 1.0},
    "timeout": {"seconds": 120.0},
    "drip": {"bytes": 8, "seconds": 1.0},
    "429": {"retry_after": 30},
    "huge": {"megabytes": 60},
    "disconnect": {"after": 0},
    "broken_event": {"index": 0},
}
FORCED = frozenset(
    {
        "home_score",
        "away_score",
        "status",
        "detail",
        "period",
        "clock",
        "display_clock",
        "start",
        "hidden",
    }
)
EDGE_ERROR = """<html><head><title>Access Denied</title></head><body>
<h1>Access Denied</h1>You don't have permission to access this resource on this server.
</body></html>
"""
PAGE = "<!doctype html><html><head><title>Scores</title></head><body>Back soon.</body></html>\n"


class BadControlError(ValueError):
    """A control call that names an unknown kind, option or field."""


@dataclass(eq=False, slots=True)
class FeedFault:
    """One fault switched on. `left` counts the requests still to be hit; None is without end."""

    kind: str
    league: str | None
    left: int | None
    path: str
    options: JsonObject
    mended: Event = field(default_factory=Event)

    def option(self, name: str) -> float:
        default = OPTIONS.get(self.kind, {}).get(name, 0)
        return float(self.options.get(name, default))

    def hits(self, league: str | None, path: str) -> bool:
        return self.league in {None, league} and self.path in path

    def to_json(self) -> JsonObject:
        return {
            "kind": self.kind,
            "league": self.league,
            "times": self.left,
            "path": self.path,
            "options": self.options,
        }


class DemoState:
    """The demo feed's switches and counters; every method may be called from any thread."""

    def __init__(self, changes: Iterable[str] = ()) -> None:
        self._lock = Lock()
        self._changes: frozenset[str] = frozenset()
        self.change(*changes)
        self._faults: list[FeedFault] = []
        self._used: list[FeedFault] = []
        self._games: dict[GameKey, JsonObject] = {}
        self._requests: deque[JsonObject] = deque(maxlen=LOGGED)
        self._count = 0

    @property
    def changes(self) -> frozenset[str]:
        """The names of the feed's changes that are in force."""
        return self._changes

    def change(self, *names: str) -> None:
        """Put these changes of the feed into force, and no others. Raises BadControlError."""
        unknown = [name for name in names if name not in CHANGES]
        if unknown:
            raise BadControlError(f"no such change: {unknown[0]}; known: {', '.join(CHANGES)}")
        self._changes = frozenset(names)

    def fail(
        self,
        kind: str,
        league: str | None = None,
        times: int | None = None,
        path: str = "",
        **options: float,
    ) -> None:
        """Switch a fault on, for one league or all, for the next `times` requests or for good.

        `path` narrows it to addresses that contain this text ("scoreboard", "roster"). The fault
        switched on last wins. Options by kind: latency and timeout `seconds`, drip `bytes` and
        `seconds` between them, 429 `retry_after`, huge `megabytes`, disconnect `after` (bytes
        sent before), broken_event `index`. Raises BadControlError for anything else.
        """
        unknown = set(options) - set(OPTIONS.get(kind, {}))
        if kind not in KINDS or unknown:
            raise BadControlError(f"no such fault: {kind} {' '.join(sorted(unknown))}".strip())
        if times is not None and times < 1:
            raise BadControlError(f"times must be 1 or more, not {times}")
        with self._lock:
            self._faults.append(
                FeedFault(kind, league and league.lower(), times, path, dict(options))
            )

    def mend(self, league: str | None = None) -> None:
        """Switch off a league's own faults, or all of them; hanging requests are let go."""
        with self._lock:
            gone = [fault for fault in self._faults if league is None or fault.league == league]
            gone += [fault for fault in self._used if league in {None, fault.league}]
            self._faults = [fault for fault in self._faults if fault not in gone]
            self._used = [fault for fault in self._used if fault not in gone]
        for fault in gone:
            fault.mended.set()

    def faults(self) -> list[JsonObject]:
        """Return the faults that are on, oldest first."""
        with self._lock:
            return [fault.to_json() for fault in self._faults]

    def take_fault(self, league: str | None, path: str) -> FeedFault | None:
        """Return the newest fault that hits this request, used up by one, or None."""
        with self._lock:
            hit = next((f for f in reversed(self._faults) if f.hits(league, path)), None)
            if hit is not None and hit.left is not None:
                hit.left -= 1
                if not hit.left:
                    self._faults.remove(hit)
                    self._used.append(hit)
            return hit

    def note_request(self, entry: JsonObject) -> None:
        """Add a request to the log; the last 10,000 are kept, all are counted."""
        with self._lock:
            self._count += 1
            self._requests.append(entry)

    def requests(self) -> list[JsonObject]:
        """Return the requests seen, oldest first: method, host, path, query, user_agent,
        league, status.

        `status` is missing while a request is being answered, and for one that got no answer.
        """
        with self._lock:
            return [dict(entry) for entry in self._requests]

    @property
    def request_count(self) -> int:
        with self._lock:
            return self._count

    def forget_requests(self) -> None:
        with self._lock:
            self._requests.clear()
            self._count = 0

    def force_game(self, league: str, event_id: str, fields: JsonObject) -> JsonObject:
        """Make the feed say these fields of a game until `free_game`; returns all forced ones.

        Fields: home_score, away_score, period (whole numbers), clock (seconds), display_clock,
        detail (text), status (a STATUS_ name), hidden (true: the game is left out), start (a time
        with zone: the game is moved there and plays from there). Line scores are not adapted.
        """
        checked = {name: check_field(name, value) for name, value in fields.items()}
        with self._lock:
            known = self._games.get((league, event_id), {}) | checked
            self._games = {**self._games, (league, event_id): known}
            return known

    def free_game(self, league: str, event_id: str) -> None:
        with self._lock:
            self._games = {k: v for k, v in self._games.items() if k != (league, event_id)}

    @property
    def forced(self) -> dict[GameKey, JsonObject]:
        """The forced fields by (league, event id); never changed in place, so safe to read."""
        return self._games


def check_field(name: str, value: Any) -> Any:
    """Return a forced field's value as the feed will use it; raises BadControlError."""
    if name not in FORCED:
        raise BadControlError(f"no such field: {name}")
    if name == "status" and value not in STATUS_TYPES:
        raise BadControlError(f"no such status: {value}")
    if name == "start" and isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise BadControlError(f"start is not a time: {value}") from None
    if name == "start" and (not isinstance(value, datetime) or value.tzinfo is None):
        raise BadControlError("start must be a time with a zone")
    return value


def faulty_answer(fault: FeedFault, body: bytes) -> Response | None:
    """Return what the fault makes of a good answer; None where the good answer stands."""
    if fault.kind == "latency":
        fault.mended.wait(fault.option("seconds"))
        return None
    if fault.kind in {"500", "400", "403", "429"}:
        return refusal(int(fault.kind), fault)
    if fault.kind in BODIES:
        text, content_type = BODIES[fault.kind]
        return Response(text, content_type=content_type)
    if fault.kind == "truncated":
        return json_response(body[: len(body) * 2 // 3])
    if fault.kind == "broken_event":
        return json_response(break_event(body, int(fault.option("index"))))
    return stream_answer(fault, body)


BODIES = {
    "html": (PAGE, "text/html; charset=utf-8"),
    "empty": ("", "application/json;charset=UTF-8"),
    "null": ("null", "application/json;charset=UTF-8"),
}
MESSAGES = {
    400: "Failed to get events endpoint.",
    404: "Failed to get league teams summary.",
    429: "Too many requests.",
    500: "Internal server error.",
}


def refusal(status: int, fault: FeedFault | None = None) -> Response:
    """Return an error as the feed words it: JSON, or HTML from the edge for a 403."""
    if status == 403:
        return Response(EDGE_ERROR, status, content_type="text/html")
    body = json.dumps({"code": status, "message": MESSAGES[status]}, separators=(",", ":"))
    response = json_response(body.encode())
    response.status_code = status
    if status == 429 and fault is not None:
        response.headers["Retry-After"] = str(int(fault.option("retry_after")))
    return response


def json_response(body: bytes) -> Response:
    return Response(body, content_type="application/json;charset=UTF-8")


def stream_answer(fault: FeedFault, body: bytes) -> Response:
    """Return an answer that hangs, drips, breaks off or does not end, sent as it is made."""
    if fault.kind == "huge":
        return Response(huge_body(fault), content_type="application/json;charset=UTF-8")
    pieces = {"timeout": hang, "drip": drip, "disconnect": break_off}[fault.kind](fault, body)
    response = Response(pieces, content_type="application/json;charset=UTF-8")
    response.content_length = len(body)
    return response


def hang(fault: FeedFault, _body: bytes) -> Iterator[bytes]:
    """Send nothing until mended or the time is over, then drop the connection."""
    fault.mended.wait(fault.option("seconds"))
    raise ConnectionAbortedError("the demo feed hung on purpose")
    yield b""


def drip(fault: FeedFault, body: bytes) -> Iterator[bytes]:
    """Send a few bytes at a time; when mended, the rest at once."""
    step = max(1, int(fault.option("bytes")))
    for start in range(0, len(body), step):
        if fault.mended.wait(fault.option("seconds") if start else 0):
            yield body[start:]
            return
        yield body[start : start + step]


def break_off(fault: FeedFault, body: bytes) -> Iterator[bytes]:
    """Drop the connection, after the first bytes of the body if so asked."""
    after = int(fault.option("after"))
    if after:
        yield body[:after]
    raise ConnectionAbortedError("the demo feed hung up on purpose")


def huge_body(fault: FeedFault) -> Iterator[bytes]:
    """Send valid JSON of many megabytes, without saying how many in advance."""
    yield b'{"leagues":[],"events":[],"padding":"'
    for _ in range(int(fault.option("megabytes"))):
        if fault.mended.is_set():
            break
        yield b"x" * 1_000_000
    yield b'"}'


def break_event(body: bytes, index: int) -> bytes:
    """Give one event of an answer wrong types; the other events stay as they are."""
    answer = json.loads(body)
    events = answer.get("events") if isinstance(answer, dict) else None
    if events:
        event = events[index % len(events)]
        event |= {"date": 17, "competitions": "none", "status": None, "season": []}
    return json.dumps(answer, separators=(",", ":")).encode()
