"""What every score page has in common: how fresh its data is, and its ETag.

One query decides whether a page has changed, before anything is rendered. Its ETag is made of the
address, when the leagues on it changed, which of them cannot be read or are late, whether a game is
live or about to start, the leagues in the menu, the game day, the visitor's preferences, our own
version and what else a view names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from flask import Response, current_app, g, request

from sportsapp.core.clock import CLOCK_TOLERANCE, game_day, iso_utc, utc_now
from sportsapp.core.records import State
from sportsapp.core.settings import PROJECT_ROOT, VERSION, Settings
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.db.queries import AnyGame, LeagueSummary
from sportsapp.http.page_cache import conditional_response, kept_by_nobody
from sportsapp.http.representations import asks_for_text
from sportsapp.services import services
from sportsapp.web.preferences import preferences, sends_no_preferences

ABOUT_TO_START = timedelta(minutes=15)
LATE_START = timedelta(hours=4)
UNREAD_AFTER = timedelta(days=1)  # the hourly schedule reads every followed league
LATE_TICKS = 3
POLL_COMING, POLL_LIVE, POLL_QUIET = 3, 12, 300
READING_TAKES = timedelta(seconds=15)
"""For so long after it was due a reading is taken to be in progress; then nothing is known."""


@dataclass(frozen=True)
class Freshness:
    """How fresh a page's data is, over all its leagues.

    ``changed_at`` is when the data last changed. ``read_at`` is when the oldest of the games was
    read that should be moving, or the last successful poll when none should. ``failing`` are the
    leagues whose polls fail, ``late`` those with such games that were not read for three ticks,
    ``unread`` the others that were not read at all for a day. ``is_hot`` is true while a game is
    live or about to start.
    """

    changed_at: datetime | None
    read_at: datetime | None
    failing: tuple[LeagueSummary, ...]
    late: tuple[LeagueSummary, ...]
    unread: tuple[LeagueSummary, ...]
    is_hot: bool

    @property
    def poll_seconds(self) -> int:
        """How often the page polls for changes; while a game is live also after each reading."""
        if g.get("unread"):
            return POLL_COMING
        return POLL_LIVE if self.is_hot else POLL_QUIET

    @property
    def all_fail(self) -> bool:
        """Whether several leagues are followed, and the polls of all of them fail."""
        return len(self.failing) == len(settings().leagues) > 1

    @property
    def may_change_soon(self) -> bool:
        """Whether it matters when the feed was read, and that the page can be asked for again."""
        return self.poll_seconds < POLL_QUIET

    @staticmethod
    def oldest_read(states: Sequence[LeagueSummary]) -> datetime | None:
        """When what was read longest ago of these leagues was read; None when that is unknown."""
        times = [at for state in states for at in (state.games_read_at, state.polled_at) if at]
        return min((at for at in times if at <= utc_now() + CLOCK_TOLERANCE), default=None)

    def watching(self, games: Sequence[AnyGame]) -> Freshness:
        """The same for a page of these games only: it is hot if one of them is."""
        now = utc_now()
        is_live = any(game.state == State.IN and game.listed for game in games)
        awaited = [game for game in games if game.state == State.PRE and game.time_set]
        starts = [game.start_at for game in awaited if game.start_at > now - LATE_START]
        return replace(self, is_hot=is_live or any(_is_near(start, now) for start in starts))


def settings() -> Settings:
    """This app's settings."""
    return services().settings


def freshness_of(states: Sequence[LeagueSummary], now: datetime) -> Freshness:
    """How fresh the data of these leagues is."""
    oldest, newest = now - _grace(), now + CLOCK_TOLERANCE  # what is later: at an unknown time
    failing = tuple(state for state in states if state.failing_since)
    moving = [(state, state.games_read_at) for state in states if state.games_read_at]
    late = tuple(
        state
        for state, read_at in moving
        if state not in failing and not oldest <= read_at <= newest
    )
    unread = tuple(
        state
        for state in states
        if state.polled_at and state.polled_at < now - UNREAD_AFTER
        if state not in failing + late
    )
    changes = [state.changed_at for state in states if state.changed_at]
    polls = [state.polled_at for state in states if state.polled_at]
    calm = [polled_at for polled_at in polls if polled_at <= newest]
    busy = [read_at for _, read_at in moving if read_at <= newest]
    return Freshness(
        changed_at=max(changes, default=None),
        read_at=min(busy) if busy else max(calm, default=None),
        failing=failing,
        late=late,
        unread=unread,
        is_hot=any(state.live or _is_near(state.next_start, now) for state in states),
    )


def next_reading(states: Sequence[LeagueSummary], now: datetime) -> datetime | None:
    """When the first of these leagues with a live game is read next; None when that is unknown.

    A time a little past is that of a reading in progress. No league waits for longer than a tick:
    a later time is that of a clock that is ahead.
    """
    times = [state.next_read_at for state in states if state.live and state.next_read_at]
    tick = timedelta(seconds=settings().live_sync_seconds)
    return min((at for at in times if now - READING_TAKES <= at <= now + tick), default=None)


def _grace() -> timedelta:
    """How long it takes until what was not read is late."""
    return timedelta(seconds=LATE_TICKS * settings().live_sync_seconds)


def _is_near(start: datetime | None, now: datetime) -> bool:
    return start is not None and start - now <= ABOUT_TO_START


def answer(
    slugs: Sequence[str],
    render: Callable[[Freshness], str],
    also: object = None,
    *,
    has_text: bool = False,
) -> Response:
    """The page of these leagues, or 304; ``render`` is called only if the body is needed.

    ``also`` is what else the page depends on, such as the hour of the day. A page that ``render``
    found to be about unread days (see ``web.unread``) is kept by nobody. ``has_text`` is of a page
    that ``render`` makes as text, too, for a terminal: no proxy may keep it, which would send it to
    a browser.
    """
    is_text = has_text and asks_for_text(request.environ)
    now = utc_now()
    states = queries.league_summaries(db.session, slugs, now - LATE_START, now, _grace())
    fresh = freshness_of(states, now)
    g.etag = _etag(states, fresh, now, (is_text, also))
    response = conditional_response(
        g.etag,
        fresh.read_at,
        next_reading(states, now),
        lambda: render(fresh),
        shared=sends_no_preferences() and not is_text,
    )
    if is_text:
        response.mimetype = "text/plain"
    if fresh.read_at:
        response.headers["X-Feed-Read"] = iso_utc(fresh.read_at)
    return kept_by_nobody(response) if "unread" in g else response


def _etag(states: Sequence[LeagueSummary], fresh: Freshness, now: datetime, also: object) -> str:
    chosen = preferences()
    parts = [
        code_version(),
        settings().leagues,
        game_day(now),
        [(state.slug, state.changed_at, state.failing_since) for state in states],
        [(state.slug, state.games_read_at) for state in fresh.late],
        [(state.slug, state.polled_at) for state in fresh.unread],
        fresh.is_hot,
        chosen,
        request.full_path,
        also,
    ]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:20]


def code_version() -> str:
    """A digest of our version, templates, styles and scripts: pages are made again when it changes.

    In debug mode the files are read again each time, so that a reload shows what was edited.
    """
    return _digest_of_code() if current_app.debug else _first_digest_of_code()


@cache
def _first_digest_of_code() -> str:
    return _digest_of_code()


def _digest_of_code() -> str:
    digest = hashlib.sha256(VERSION.encode())
    for folder in ("templates", "static"):
        for path in sorted(Path(PROJECT_ROOT / folder).rglob("*")):
            if path.is_file():
                digest.update(path.read_bytes())
    return digest.hexdigest()[:10]
