"""What follows from a league's errors: a registry of handlers, pauses, and a circuit breaker.

A sync that meets an error of a league calls ``handle``, which calls the handlers of that kind of
error. Another kind is one more function::

    @on_error(FeedRefusedError)
    def pause_and_alert(
        error: FeedRefusedError, watch: FeedWatch, league: League, now: datetime
    ) -> None: ...

Pauses and the breaker apply to scheduled polling only, never to what a person requests.
"""

import hashlib
import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Table, or_, select, update

from sportsapp.core.clock import game_day
from sportsapp.core.errors import (
    FeedRefusedError,
    FeedUnavailableError,
    PayloadError,
    PollingPausedError,
    TrackerError,
)
from sportsapp.core.leagues import League
from sportsapp.db.engine import db, write_connection
from sportsapp.db.models import FieldShares, LeagueRow
from sportsapp.db.upsert import insert_replacing
from sportsapp.monitoring.alerts import Alerts
from sportsapp.monitoring.problems import Kind
from sportsapp.sync import fields

logger = logging.getLogger(__name__)

REFUSALS = frozenset({401, 403, 451})
REFUSED_PAUSE = timedelta(minutes=15)
LONGEST_PAUSE = timedelta(hours=1)
BREAKS_AFTER = 5  # more than the attempts of one run, so that its retries are all made
FIRST_BACKOFF = timedelta(minutes=1)
LONGEST_BACKOFF = timedelta(minutes=10)
SLOT_DELAY = timedelta(seconds=5)
"""How much later after its slot one tick may begin than another."""
SAMPLES = 20
SAMPLE_BYTES = 1_000_000

LEAGUES: Table = LeagueRow.__table__
SHARES: Table = FieldShares.__table__


class FeedWatch:
    """Watches how the feed treats every league; shared by all that sync in an app.

    ``samples`` is the folder for answers that could not be read. ``tick`` is the time between
    two live syncs: waits of our own end half a tick early, so that the tick which begins a
    little less than the wait later is not left out.
    """

    def __init__(
        self, alerts: Alerts, samples: Path, tick: timedelta = timedelta(minutes=1)
    ) -> None:
        self.alerts = alerts
        self.samples = samples
        self.grace = tick / 2
        self.windows: dict[tuple[int, str], fields.Window] = {}

    def pause(self, league: League, until: datetime) -> None:
        """Leave a league out of scheduled polling until then. A longer pause is not shortened."""
        is_shorter = or_(LEAGUES.c.paused_until.is_(None), LEAGUES.c.paused_until < until)
        with write_connection() as connection:
            connection.execute(
                update(LEAGUES)
                .where(LEAGUES.c.slug == league.slug, is_shorter)
                .values(paused_until=until)
            )

    def failed(self, leagues: Iterable[League], now: datetime) -> None:
        """Count a failed scheduled poll of these leagues; from the fifth in a row on, back off."""
        for league in leagues:
            this_league = update(LEAGUES).where(LEAGUES.c.slug == league.slug)
            count = this_league.values(failures=LEAGUES.c.failures + 1)
            with write_connection() as connection:
                failures = connection.scalar(count.returning(LEAGUES.c.failures)) or 0
                if wait := backoff(failures):
                    connection.execute(this_league.values(backoff_until=now + wait - self.grace))

    def succeeded(self, leagues: Sequence[League]) -> None:
        """End the pauses and the backing off of these leagues, and the alerts about refusals."""
        if not leagues:
            return
        has_failed = (
            (LEAGUES.c.failures > 0)
            | LEAGUES.c.paused_until.is_not(None)
            | LEAGUES.c.backoff_until.is_not(None)
        )
        is_over = LEAGUES.c.slug.in_([league.slug for league in leagues]) & has_failed
        with db.engine.connect() as connection:
            slugs = connection.scalars(select(LEAGUES.c.slug).where(is_over)).all()
        for slug in slugs:
            this_league = update(LEAGUES).where(LEAGUES.c.slug == slug)
            with write_connection() as connection:
                connection.execute(
                    this_league.values(failures=0, paused_until=None, backoff_until=None)
                )
            label = slug.upper()
            self.alerts.report_recovery(label, Kind.REFUSED, f"{label}: the feed answers us again")

    def count_fields(
        self,
        league: League,
        league_id: int,
        kind: str,
        notes: fields.Notes,
        body: bytes,
        now: datetime,
    ) -> None:
        """Count which fields a decoded answer has, and report those that have gone, once.

        Writes nothing until a window is full.
        """
        key = {"league_id": league_id, "kind": kind}
        window = self.windows.setdefault((league_id, kind), fields.Window())
        window.add(notes)
        if window.answers < fields.ANSWERS.get(kind, 1) or not (counts := window.take()):
            return
        with write_connection() as connection:
            this_row = select(SHARES).filter_by(**key).with_for_update()
            row = connection.execute(this_row).mappings().one_or_none()
            stored: Mapping[str, Any] = dict(row) if row else fields.BLANK
            judged = fields.judge(stored, counts, game_day(now))
            insert_replacing(connection, SHARES, [key | judged], list(key))
        subject = f"{league.label} {kind}"
        if judged["fallen"].keys() - stored["fallen"].keys():
            gone = fields.summary_of(judged, counts)
            text = f"{subject}: the feed stopped sending what we read: {gone}"
            keep_sample(PayloadError(text, body=body), self, league, now)
            self.alerts.report_problem(subject, Kind.DRIFT, text, league=league.label)
        elif stored["fallen"] and not judged["fallen"]:
            text = f"{subject}: the feed sends what we read again"
            self.alerts.report_recovery(subject, Kind.DRIFT, text)

    def paused(
        self, leagues: Sequence[League], now: datetime, *, live: bool
    ) -> dict[League, PollingPausedError]:
        """The leagues that scheduled polling must leave alone now, each with the reason.

        Backing off counts for ``live`` polling only.
        """
        by_slug = {league.slug: league for league in leagues}
        followed = select(LEAGUES).where(LEAGUES.c.slug.in_(by_slug))
        reasons = {}
        with db.engine.connect() as connection:
            for row in connection.execute(followed):
                ends = [row.paused_until, row.backoff_until if live else None]
                until = max((end for end in ends if end), default=now)
                if now < until <= now + LONGEST_PAUSE:  # a later one: from a clock that was ahead
                    reasons[by_slug[row.slug]] = PollingPausedError(
                        f"{row.failure or 'it failed'} (not polled before {until:%H:%M:%S} UTC)"
                    )
        return reasons


def backoff(failures: int) -> timedelta | None:
    """How long to leave a league alone after so many failures in a row; None for not yet."""
    if failures < BREAKS_AFTER:
        return None
    wait: timedelta = FIRST_BACKOFF * 2 ** min(failures - BREAKS_AFTER, 10)
    return min(wait, LONGEST_BACKOFF)


def is_refusal(error: TrackerError | None) -> bool:
    """Whether the feed refuses us as a whole, not one request."""
    return isinstance(error, FeedRefusedError) and error.status in REFUSALS


# ---------------------------------------------------------------- the handlers


Handler = Callable[..., None]
HANDLERS: dict[type[TrackerError], list[Handler]] = {}


def on_error(kind: type[TrackerError]) -> Callable[[Handler], Handler]:
    """Registers a handler of a kind of error, beside those that it has."""

    def register(handler: Handler) -> Handler:
        HANDLERS.setdefault(kind, []).append(handler)
        return handler

    return register


def handle(error: TrackerError, watch: FeedWatch, league: League, now: datetime) -> None:
    """Call the handlers of the error's nearest class that has any, in their order."""
    nearest = next((kind for kind in type(error).__mro__ if kind in HANDLERS), None)
    for handler in HANDLERS[nearest] if nearest else ():
        handler(error, watch, league, now)


@on_error(FeedUnavailableError)
def wait_as_requested(
    error: FeedUnavailableError, watch: FeedWatch, league: League, now: datetime
) -> None:
    """Pause for as long as the feed's Retry-After (429, 503) says, within reason.

    The tick at its end counts as late enough, although it may begin a few seconds early.
    """
    if error.retry_after:
        wait = min(timedelta(seconds=min(error.retry_after, 1e6)), LONGEST_PAUSE)
        watch.pause(league, now + wait - SLOT_DELAY)
        logger.info("%s is not polled for %s, as the feed requests", league.label, wait)


@on_error(FeedRefusedError)
def pause_and_alert(
    error: FeedRefusedError, watch: FeedWatch, league: League, now: datetime
) -> None:
    """Stop polling for a while and send an alert at once when the feed refuses us.

    Other 4xx are about one request, such as a day that the feed does not have.
    """
    if not is_refusal(error):
        return
    label = league.label
    watch.pause(league, now + REFUSED_PAUSE - watch.grace)
    text = f"{label}: {error}. It is not polled for {REFUSED_PAUSE.seconds // 60} minutes"
    watch.alerts.report_problem(label, Kind.REFUSED, text, league=label, status=error.status)


@on_error(PayloadError)
def keep_sample(error: PayloadError, watch: FeedWatch, league: League, now: datetime) -> None:
    """Keep an answer of unknown shape as a file, for its owner alone: the newest few, cut short."""
    if error.body is None:
        return
    ending = f"{league.slug}-{hashlib.sha256(error.body).hexdigest()[:12]}.sample"
    try:
        watch.samples.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept = sorted(watch.samples.glob("*.sample"))
        if any(path.name.endswith(ending) for path in kept):
            return
        path = watch.samples / f"{now:%Y%m%dT%H%M%S}-{ending}"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(error.body[:SAMPLE_BYTES])
        for oldest in kept[: max(0, len(kept) + 1 - SAMPLES)]:
            oldest.unlink(missing_ok=True)
    except OSError as fault:
        logger.warning("a sample could not be kept: %s", fault)
    else:
        logger.warning("%s: %s; a sample is kept in %s", league.label, error, path)
