"""What follows from a league's errors: a registry of handlers, pauses, and a breaker.

A door that meets an error of a league hands it to ``FeedWatch.trouble``, which calls the handler
of that kind of error. Another kind is one more function::

    @on_error(FeedRefusedError)
    def pause_and_tell(watch: FeedWatch, trouble: Trouble) -> None: ...

Pauses and the breaker bind scheduled polling only, never what a person asks for.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Table, or_, select, update

from sportsapp.core.errors import (
    FeedRefusedError,
    FeedUnavailableError,
    PayloadError,
    PollingPausedError,
    TrackerError,
)
from sportsapp.core.leagues import League
from sportsapp.db.engine import db, write_connection
from sportsapp.db.models import LeagueRow
from sportsapp.monitoring.alerts import Alerts, Kind

logger = logging.getLogger(__name__)

REFUSALS = frozenset({401, 403, 451})
REFUSED_PAUSE = timedelta(minutes=15)
LONGEST_PAUSE = timedelta(hours=1)
BREAKS_AFTER = 5  # more than the attempts of one run, so that its retries are all made
FIRST_BACKOFF = timedelta(minutes=1)
LONGEST_BACKOFF = timedelta(minutes=10)
SAMPLES = 20
SAMPLE_BYTES = 1_000_000

LEAGUES: Table = LeagueRow.__table__


@dataclass(frozen=True)
class Trouble:
    """An error that a door met with a league; ``body`` is the answer, where one came."""

    league: League
    error: TrackerError
    now: datetime
    body: bytes | None = None


Handler = Callable[["FeedWatch", Trouble], None]
_handlers: dict[type[TrackerError], Handler] = {}


def on_error(kind: type[TrackerError]) -> Callable[[Handler], Handler]:
    """Register the handler of a kind of error; the nearest kind's handler is called."""

    def register(handler: Handler) -> Handler:
        _handlers[kind] = handler
        return handler

    return register


class FeedWatch:
    """Keeps an eye on the feed for every league; shared by all doors of an app."""

    def __init__(self, alerts: Alerts, samples: Path) -> None:
        self.alerts = alerts
        self.samples = samples

    def trouble(self, trouble: Trouble) -> None:
        """Do what this kind of error asks for."""
        for kind in type(trouble.error).__mro__:
            if kind in _handlers:
                _handlers[kind](self, trouble)
                return

    def pause(self, league: League, until: datetime) -> None:
        """Leave a league out of scheduled polling until then; a longer pause stands."""
        shorter = or_(LEAGUES.c.paused_until.is_(None), LEAGUES.c.paused_until < until)
        with write_connection() as connection:
            connection.execute(
                update(LEAGUES)
                .where(LEAGUES.c.slug == league.slug, shorter)
                .values(paused_until=until)
            )

    def failed(self, leagues: Iterable[League], now: datetime) -> None:
        """Scheduled polling failed for these leagues: after some times in a row, back off."""
        for league in leagues:
            mine = LEAGUES.c.slug == league.slug
            with write_connection() as connection:
                connection.execute(
                    update(LEAGUES).where(mine).values(failures=LEAGUES.c.failures + 1)
                )
                failures = connection.scalar(select(LEAGUES.c.failures).where(mine)) or 0
                if wait := backoff(failures):
                    until = now + wait
                    connection.execute(update(LEAGUES).where(mine).values(backoff_until=until))

    def well(self, leagues: Iterable[League]) -> None:
        """These leagues were read well: pauses and backing off are over."""
        slugs = [league.slug for league in leagues]
        troubled = (
            (LEAGUES.c.failures > 0)
            | LEAGUES.c.paused_until.is_not(None)
            | LEAGUES.c.backoff_until.is_not(None)
        )
        found = select(LEAGUES.c.slug).where(LEAGUES.c.slug.in_(slugs), troubled)
        calm: dict[str, Any] = {"failures": 0, "paused_until": None, "backoff_until": None}
        with db.engine.connect() as connection:
            over = connection.scalars(found).all()
        for slug in over:
            with write_connection() as connection:
                connection.execute(update(LEAGUES).where(LEAGUES.c.slug == slug).values(calm))
            label = slug.upper()
            self.alerts.report_recovery(label, Kind.REFUSED, f"{label}: the feed answers us again")

    def closed(
        self, leagues: Sequence[League], now: datetime, *, live: bool
    ) -> dict[League, PollingPausedError]:
        """The leagues that scheduled polling leaves alone now, each with the reason in words."""
        slugs = [league.slug for league in leagues]
        found = select(
            LEAGUES.c.slug, LEAGUES.c.paused_until, LEAGUES.c.backoff_until, LEAGUES.c.failure
        ).where(LEAGUES.c.slug.in_(slugs))
        with db.engine.connect() as connection:
            rows = connection.execute(found).all()
        reasons = {}
        for row in rows:
            moments = [row.paused_until, row.backoff_until if live else None]
            until = max((moment for moment in moments if moment), default=now)
            if now < until <= now + LONGEST_PAUSE:  # later ones are of a clock that was ahead
                reasons[row.slug] = PollingPausedError(
                    f"not asked before {until:%H:%M:%S} UTC: {row.failure or 'it failed'}"
                )
        return {league: reasons[league.slug] for league in leagues if league.slug in reasons}


def backoff(failures: int) -> timedelta | None:
    """How long to leave a league alone after so many failures in a row; None for not yet."""
    if failures < BREAKS_AFTER:
        return None
    wait: timedelta = FIRST_BACKOFF * 2 ** min(failures - BREAKS_AFTER, 10)
    return min(wait, LONGEST_BACKOFF)


# ---------------------------------------------------------------- the handlers


@on_error(FeedUnavailableError)
def wait_as_told(watch: FeedWatch, trouble: Trouble) -> None:
    """The feed said how long it wants to be left alone (429, 503): do so, within reason."""
    error = trouble.error
    if isinstance(error, FeedUnavailableError) and error.retry_after:
        wait = min(timedelta(seconds=min(error.retry_after, 1e6)), LONGEST_PAUSE)
        watch.pause(trouble.league, trouble.now + wait)
        logger.warning("%s is not polled for %s: the feed said so", trouble.league.label, wait)


@on_error(FeedRefusedError)
def pause_and_tell(watch: FeedWatch, trouble: Trouble) -> None:
    """The feed does not want us: stop polling for a while and tell somebody at once.

    Other 4xx are about one request, such as a day that the feed does not know.
    """
    error, label = trouble.error, trouble.league.label
    if not isinstance(error, FeedRefusedError) or error.status not in REFUSALS:
        return
    watch.pause(trouble.league, trouble.now + REFUSED_PAUSE)
    minutes = REFUSED_PAUSE.seconds // 60
    watch.alerts.report_problem(
        label,
        Kind.REFUSED,
        f"{label}: {error}. It is not polled for {minutes} minutes",
        league=label,
        status=error.status,
    )


@on_error(PayloadError)
def keep_sample(watch: FeedWatch, trouble: Trouble) -> None:
    """An answer of unknown shape is kept for whoever looks into it: the newest few, cut."""
    if trouble.body is None:
        return
    digest = hashlib.sha256(trouble.body).hexdigest()[:12]
    ending = f"{trouble.league.slug}-{digest}.sample"
    try:
        watch.samples.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept = sorted(watch.samples.glob("*.sample"))
        if any(path.name.endswith(ending) for path in kept):
            return
        path = watch.samples / f"{trouble.now:%Y%m%dT%H%M%S}-{ending}"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(trouble.body[:SAMPLE_BYTES])
        for oldest in kept[: max(0, len(kept) + 1 - SAMPLES)]:
            oldest.unlink(missing_ok=True)
    except OSError as error:
        logger.warning("a sample could not be kept: %s", error)
    else:
        logger.warning("%s: %s; a sample is kept in %s", trouble.league.label, trouble.error, path)
