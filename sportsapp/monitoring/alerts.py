"""Who is told when something is wrong, and when it is well again.

Trouble is a run that failed for good, data of live games that has grown old, a feed that refuses
us, or a scheduler that no longer schedules. Each is told once in fifteen minutes for each task or
league and kind, with a count of what was noticed meanwhile; the state is in the database, so that
all processes tell it together. Messages go to the log, and to ALERT_WEBHOOK_URL where it is set:
through the queue, which the factory plugs in, or directly where the queue itself may be what is
broken. Nothing here ever fails a sync.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
from flask import Flask
from huey.exceptions import TaskTimeout
from sqlalchemy import Connection, Engine, Table, bindparam, func, select, update

from sportsapp.core.clock import iso_utc, utc_now
from sportsapp.core.errors import WebhookError
from sportsapp.core.records import State
from sportsapp.core.settings import Settings
from sportsapp.db.engine import (
    db,
    write_connection,
)
from sportsapp.db.models import Alert, Game, LeagueRow, RunState
from sportsapp.db.prepared import Transaction, prepare, prepared_reading, prepared_transaction
from sportsapp.db.upsert import insert_ignoring, inserting_unless_there
from sportsapp.queue.huey import Periodic, TrackerHuey
from sportsapp.runs.ledger import LOST_AFTER, RUNS, SCHEDULES, STILL_BEATING

logger = logging.getLogger(__name__)

QUIET = timedelta(minutes=15)
LOOK_EVERY = timedelta(minutes=1)
LOOK_AGAIN = timedelta(seconds=55)  # a little less, since heartbeats don't keep exact time
PATIENCE = timedelta(seconds=115)
NOBODY_LOOKED = timedelta(minutes=3)
STALE_AFTER = timedelta(minutes=5)
MISSED_TICKS = 2
SHORTEST_DELAY = timedelta(minutes=2)
CONNECT_SECONDS, ANSWER_SECONDS = 5, 10
WORDS_LIMIT = 600
SECRET_LENGTH, PASSWORD_LENGTH = 8, 4  # shorter ones would blot out ordinary words
HIDDEN = "(hidden)"
ALERT_TASK = "send_alert"
TITLE = "Sports Game Tracker"

ALERTS: Table = Alert.__table__
LOOK = {"subject": "", "kind": "look"}  # not trouble: the row in which the looks are claimed

_ACTIVE = select(ALERTS.c.kind).where(
    ALERTS.c.subject == bindparam("name"), ALERTS.c.active_since.is_not(None)
)

LEAGUES: Table = LeagueRow.__table__
GAMES: Table = Game.__table__

_BEGUN = select(SCHEDULES.c.task, SCHEDULES.c.since_at).where(~SCHEDULES.c.paused)
_NEWEST_SLOT = select(func.max(RUNS.c.slot).label("slot")).where(RUNS.c.task == bindparam("name"))
_STALE = (
    select(LEAGUES.c.slug, LEAGUES.c.polled_at, func.count(GAMES.c.id).label("live"))
    .join(GAMES, GAMES.c.league_id == LEAGUES.c.id)
    .where(GAMES.c.state == State.IN, LEAGUES.c.polled_at < bindparam("before"))
    .group_by(LEAGUES.c.slug, LEAGUES.c.polled_at)
    .order_by(LEAGUES.c.slug)
)
_TROUBLED = select(ALERTS.c.subject).where(
    ALERTS.c.kind == bindparam("name"), ALERTS.c.active_since.is_not(None)
)
_SWALLOWED = select(ALERTS).where(
    ALERTS.c.active_since.is_not(None),
    ALERTS.c.swallowed > 0,
    ALERTS.c.told_at <= bindparam("before"),
)
_IS_LOOK = (ALERTS.c.subject == LOOK["subject"]) & (ALERTS.c.kind == LOOK["kind"])
_BLANK_LOOK = LOOK | {"is_told": False, "swallowed": 0, "words": ""}
_LAST_LOOK = select(ALERTS.c.told_at).where(_IS_LOOK).with_for_update()
_LOOK_NOW = update(ALERTS).where(_IS_LOOK, ALERTS.c.told_at <= bindparam("before"))

USER_INFO = re.compile(r"(\b[A-Za-z][\w+.-]*://)\S*@")
SECRET_PARAMETER = re.compile(
    r"([?&][\w.-]*(?:key|token|secret|passw|signature|auth)[\w.-]*=)[^&\s]+", re.IGNORECASE
)

Message = dict[str, Any]


class Kind(StrEnum):
    """What can be wrong."""

    FAILURE = "failure"
    TIMEOUT = "timeout"
    STALE = "stale"
    REFUSED = "refused"
    OVERDUE = "overdue"


OF_RUNS = {RunState.FAILURE: Kind.FAILURE, RunState.TIMEOUT: Kind.TIMEOUT}


# ---------------------------------------------------------------- what is wrong now


@dataclass(frozen=True)
class LateSlot:
    """A periodic task of which no slot was claimed since ``due_at``."""

    task: str
    due_at: datetime


@dataclass(frozen=True)
class StaleLeague:
    """A league with live games that was last read well at ``polled_at``."""

    slug: str
    polled_at: datetime
    live: int


def late_slots(queue: TrackerHuey, now: datetime) -> list[LateSlot]:
    """The periodic tasks that no scheduler has looked after for two ticks, two minutes at least.

    Leaves out what is paused, what never began, and a tick that waits for the one at work.
    """
    grace = max(SHORTEST_DELAY, timedelta(seconds=MISSED_TICKS * queue.tick_seconds))
    late = []
    with prepared_reading(db.engine) as reading:
        for schedule in reading.rows(_BEGUN):
            periodic = queue.periodics.get(schedule.task)
            if periodic is None:  # of an earlier release
                continue
            (newest,) = reading.rows(_NEWEST_SLOT, name=schedule.task)
            since = max(schedule.since_at, newest.slot or schedule.since_at)
            due_at = periodic.schedule.next_slot(since)
            if due_at <= now - grace and not _is_at_work(reading, periodic, now):
                late.append(LateSlot(schedule.task, due_at))
    return late


def _is_at_work(reading: Transaction, periodic: Periodic, now: datetime) -> bool:
    return periodic.skip_while_running and bool(
        reading.rows(STILL_BEATING, name=periodic.name, after=now - LOST_AFTER)
    )


def stale_leagues(slugs: Sequence[str], now: datetime) -> list[StaleLeague]:
    """The leagues with live games whose data is older than five minutes."""
    with prepared_reading(db.engine) as reading:
        rows = reading.rows(_STALE, before=now - STALE_AFTER)
    return [StaleLeague(row.slug, row.polled_at, row.live) for row in rows if row.slug in slugs]


# ---------------------------------------------------------------- telling


class Alerts:
    """Remembers what is wrong and tells people. Every method brings its own app context.

    ``enqueue`` takes a message to the queue; it never raises because the broker is away.
    """

    def __init__(
        self,
        app: Flask,
        settings: Settings,
        queue: TrackerHuey,
        enqueue: Callable[[Message], None],
    ) -> None:
        self.app = app
        self.settings = settings
        self.queue = queue
        self.enqueue = enqueue
        self._look_at = 0.0

    def trouble(
        self, subject: str, kind: Kind, words: str, *, directly: bool = False, **more: Any
    ) -> None:
        """Something is wrong with a task or a league: tell it, or count it.

        ``words`` are one sentence; ``more`` are further fields of the message. ``directly`` is
        for trouble that may be the queue's own.
        """
        with self._at_work():
            now = utc_now()
            words, more = scrub([words, more], secrets_of(self.settings))
            with write_connection() as connection:
                telling = _note(connection, subject, kind, words, now)
            if telling is not None:
                message = {"event": "trouble", "subject": subject, "kind": kind} | more
                self._tell(message | telling, words, directly)

    def well(self, subject: str, kind: Kind, words: str, *, directly: bool = False) -> None:
        """It is well again; said only where somebody was told of the trouble."""
        with self._at_work():
            with db.engine.connect() as connection:
                if not connection.scalar(select(ALERTS.c.active_since).where(_is(subject, kind))):
                    return
            with write_connection() as connection:
                telling = _forget(connection, subject, kind)
            if telling is not None:
                message = {"event": "recovered", "subject": subject, "kind": kind}
                words = scrub(words, secrets_of(self.settings))
                self._tell(message | telling, words, directly)

    def succeeded(self, task: str, args: dict[str, Any]) -> None:
        """A run of a queue has succeeded: what was wrong with this task is well again."""
        with self._at_work():
            with prepared_reading(db.engine) as reading:
                kinds = {row.kind for row in reading.rows(_ACTIVE, name=task)}
            for kind in set(OF_RUNS.values()).intersection(kinds):
                self.well(task, kind, f"{_named(task, args)} has succeeded again")

    def failed(self, run_id: str) -> None:
        """A run of a queue has failed for good; one that only carries an alert is no trouble."""
        with self._at_work():
            with db.engine.connect() as connection:
                run = connection.execute(select(RUNS).where(RUNS.c.id == run_id)).one()
            if run.task == ALERT_TASK:
                return
            error = (run.error.splitlines() or [""])[0]
            outcome = "was cut off at its time limit" if run.state == RunState.TIMEOUT else "failed"
            self.trouble(
                run.task,
                OF_RUNS[run.state],
                f"{_named(run.task, run.args)} {outcome} for good, "
                f"after {run.attempt} attempts: {error}",
                task=run.task, run_id=run.id, arguments=run.args, error=error, attempt=run.attempt,
            )  # fmt: skip

    # -- looking around

    def look(self, *, patient: bool = False) -> None:
        """Called with every heartbeat of every consumer process: once a minute one looks around.

        Schedulers do; a worker, ``patient``, only when two minutes went by without it, since
        what looking around takes of memory is not given back. After a time in which nobody
        looked, the first look only begins the watch, so that what stood still while everything
        was down has a minute to catch up.
        """
        if time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + LOOK_EVERY.total_seconds()
        with self._at_work():
            now = utc_now()
            last = _claim_look(now, PATIENCE if patient else LOOK_AGAIN)
            if last is not None and now - last < NOBODY_LOOKED:
                self.inspect(now)

    def prepare(self) -> None:
        """Have ready what a look asks for, so that copies of this process share it."""
        with self.app.app_context():
            prepare(db.engine, _BEGUN)
            for statement in (_NEWEST_SLOT, _TROUBLED, _ACTIVE):
                prepare(db.engine, statement, "name")
            for statement in (_STALE, _SWALLOWED):
                prepare(db.engine, statement, "before")
            prepare(db.engine, STILL_BEATING, "name", "after")
            prepare(db.engine, _begin_to_look(db.engine), *_BLANK_LOOK, "told_at")
            prepare(db.engine, _LAST_LOOK)
            prepare(db.engine, _LOOK_NOW, "before", "told_at")

    def inspect(self, now: datetime) -> None:
        """Tell of late schedules and old data, of their end, and what was kept back too long."""
        with self._at_work():
            late = late_slots(self.queue, now)
            stale = stale_leagues(self.settings.leagues, now)
            self._end_others(Kind.OVERDUE, {one.task for one in late}, "is scheduled again")
            self._end_others(Kind.STALE, {one.slug.upper() for one in stale}, "data is current")
            for slot in late:
                self._late(slot, now)
            for league in stale:
                self._stale(league, now)
            self._remind(now)

    def _late(self, late: LateSlot, now: datetime) -> None:
        self.trouble(
            late.task,
            Kind.OVERDUE,
            f"{late.task} is not scheduled any more: it was due at {iso_utc(late.due_at)}, "
            f"{_minutes(now - late.due_at)} ago. Is a consumer of the queue running?",
            directly=True, task=late.task, due_at=iso_utc(late.due_at),
        )  # fmt: skip

    def _stale(self, league: StaleLeague, now: datetime) -> None:
        label = league.slug.upper()
        self.trouble(
            label,
            Kind.STALE,
            f"{label} data is {_minutes(now - league.polled_at)} old, "
            f"with {league.live} live game{'s' if league.live > 1 else ''}",
            directly=True, league=label, read_at=iso_utc(league.polled_at), live=league.live,
        )  # fmt: skip

    def _end_others(self, kind: Kind, subjects: set[str], words: str) -> None:
        with prepared_reading(db.engine) as reading:
            ended = {row.subject for row in reading.rows(_TROUBLED, name=kind)} - subjects
        for subject in sorted(ended):
            self.well(subject, kind, f"{subject} {words}", directly=True)

    def _remind(self, now: datetime) -> None:
        """What was swallowed and is still wrong is told when the quiet time is over."""
        with prepared_reading(db.engine) as reading:
            rows = reading.rows(_SWALLOWED, before=now - QUIET)
        for row in rows:
            with write_connection() as connection:
                telling = _tell_now(connection, row, now, row.words)
            message = {"event": "trouble", "subject": row.subject, "kind": row.kind}
            self._tell(message | telling, row.words, directly=True)

    # -- sending

    def _tell(self, message: Message, words: str, directly: bool) -> None:
        text = _text(message, words)
        logger.warning("alert: %s", text)
        if not self.settings.alert_webhook_url:
            return
        message = {"text": _escape(text)} | message
        if directly:
            threading.Thread(target=self._deliver_or_queue, args=(message,), daemon=True).start()
        else:
            self.enqueue(message)

    def _deliver_or_queue(self, message: Message) -> None:
        try:
            deliver(self.settings.alert_webhook_url, message)
        except WebhookError as error:
            logger.info("an alert goes through the queue: %s", error)
            with self._at_work():
                self.enqueue(message)

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        """Trouble with telling trouble is for the log alone; a time limit still counts."""
        try:
            with self.app.app_context():
                yield
        except TaskTimeout:
            raise
        except Exception:
            logger.exception("an alert could not be told")


def _named(task: str, args: dict[str, Any]) -> str:
    return " ".join([task, *(str(value) for value in args.values())])


def _text(message: Message, words: str) -> str:
    mark = "OK" if message["event"] == "recovered" else "TROUBLE"
    text = f"{TITLE} {mark}: {words[:WORDS_LIMIT]}"
    if count := message["swallowed"]:
        text += f" (noticed {count} more time{'s' if count > 1 else ''} meanwhile)"
    return text


def deliver(url: str, message: Message) -> None:
    """Post a message to the receiver of alerts. Raises WebhookError, without the address."""
    try:
        with requests.post(
            url,
            json=message,
            timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
            allow_redirects=False,
            stream=True,
        ) as response:
            status = response.status_code
    except requests.RequestException as error:
        reason = type(error).__name__
        raise WebhookError(
            f"the receiver of alerts cannot be reached ({reason})", retryable=True
        ) from None
    if not 200 <= status < 300:
        passes = status in (408, 425, 429) or status >= 500
        raise WebhookError(f"the receiver of alerts answered {status}", retryable=passes)


# ---------------------------------------------------------------- the state, in the database


def _is(subject: str, kind: str) -> Any:
    return (ALERTS.c.subject == subject) & (ALERTS.c.kind == kind)


def _note(
    connection: Connection, subject: str, kind: Kind, words: str, now: datetime
) -> Message | None:
    """Write trouble down; what to tell of it, None when it was told a short time ago."""
    blank = {"subject": subject, "kind": kind, "is_told": False, "swallowed": 0, "words": ""}
    insert_ignoring(connection, ALERTS, [blank], ["subject", "kind"])
    found = select(ALERTS).where(_is(subject, kind)).with_for_update()
    row = connection.execute(found).one()
    if row.told_at is None or now - row.told_at >= QUIET:
        return _tell_now(connection, row, now, words)
    values = {
        "active_since": row.active_since or now,
        "swallowed": row.swallowed + 1,
        "words": words[:WORDS_LIMIT],
    }
    connection.execute(update(ALERTS).where(_is(subject, kind)).values(values))
    return None


def _tell_now(connection: Connection, row: Any, now: datetime, words: str) -> Message:
    since = row.active_since or now
    values = {
        "active_since": since, "told_at": now, "is_told": True, "swallowed": 0,
        "words": words[:WORDS_LIMIT],
    }  # fmt: skip
    connection.execute(update(ALERTS).where(_is(row.subject, row.kind)).values(values))
    return {"since": iso_utc(since), "at": iso_utc(now), "swallowed": row.swallowed}


def _forget(connection: Connection, subject: str, kind: Kind) -> Message | None:
    """Trouble is over; what to tell of it, None when nobody believes in it."""
    found = select(ALERTS).where(_is(subject, kind)).with_for_update()
    row = connection.execute(found).one()
    values = {"active_since": None, "is_told": False, "swallowed": 0}
    if not row.is_told:
        values["swallowed"] = row.swallowed  # to be told with the next trouble
    connection.execute(update(ALERTS).where(_is(subject, kind)).values(values))
    if row.active_since is None or not row.is_told:
        return None
    return {
        "since": iso_utc(row.active_since), "at": iso_utc(utc_now()), "swallowed": row.swallowed,
    }  # fmt: skip


def _begin_to_look(engine: Engine) -> Any:
    return inserting_unless_there(engine.dialect.name, ALERTS, ("subject", "kind"))


def _claim_look(now: datetime, after: timedelta) -> datetime | None:
    """When somebody looked before us; None when that was ``after`` or less ago: not our turn."""
    long_ago = now - 2 * NOBODY_LOOKED
    with prepared_transaction(db.engine) as transaction:
        transaction.count(_begin_to_look(db.engine), **_BLANK_LOOK, told_at=long_ago)
        (row,) = transaction.rows(_LAST_LOOK)
        is_ours = transaction.count(_LOOK_NOW, before=now - after, told_at=now) > 0
    return row.told_at if is_ours else None


# ---------------------------------------------------------------- no secrets


def secrets_of(settings: Settings) -> list[str]:
    """Texts that must not leave: secret settings, and the passwords in their addresses."""
    found: set[str] = set()
    for each in fields(Settings):
        value = str(getattr(settings, each.name) or "") if each.metadata["secret"] else ""
        if len(value) >= SECRET_LENGTH:
            found.add(value)
        password = _password_of(value) or ""
        if len(password) >= PASSWORD_LENGTH:
            found |= {password, unquote(password)}
    return sorted(found, key=len, reverse=True)


def _password_of(value: str) -> str | None:
    try:
        return urlsplit(value).password
    except ValueError:
        return None


def scrub(value: Any, secrets: Iterable[str]) -> Any:
    """The same without secrets, without user names and passwords in addresses."""
    if isinstance(value, dict):
        return {key: scrub(part, secrets) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [scrub(part, secrets) for part in value]
    if not isinstance(value, str):
        return value
    for secret in secrets:
        value = value.replace(secret, HIDDEN)
    return SECRET_PARAMETER.sub(rf"\1{HIDDEN}", USER_INFO.sub(rf"\1{HIDDEN}@", value))


def _escape(text: str) -> str:
    """So that what the feed says calls nobody: these three signs are Slack's markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _minutes(span: timedelta) -> str:
    return f"{int(span.total_seconds() // 60)} min"
