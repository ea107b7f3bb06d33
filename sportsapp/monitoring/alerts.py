"""Alerts: what is wrong, as the database remembers it, and when people are notified.

A problem is what a check finds (``monitoring.checks``), a run that failed for good, a feed that
refuses us or stops sending what we read, a breach that an audit found, or a damaged database.
People are notified of each at most once in fifteen minutes, by task or league and by kind; what is
noticed in between is counted. The state is in the database, so that all processes together send
one message; while it takes no writes, each process has its own. Messages go to the log, and to
each receiver that is set: through the queue, or directly where the queue itself may be broken.
"""

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from huey.exceptions import TaskTimeout
from sqlalchemy import ColumnElement, Connection, select, update
from sqlalchemy.exc import SQLAlchemyError

from sportsapp.core.clock import duration, iso_utc, utc_now
from sportsapp.core.errors import AlertError
from sportsapp.core.secrets import scrub, secrets_of
from sportsapp.core.settings import Settings
from sportsapp.db.engine import database_reason, db, write_connection
from sportsapp.db.models import Alert, RunState, TaskRun, Trigger
from sportsapp.db.upsert import insert_ignoring
from sportsapp.monitoring.checks import run_checks
from sportsapp.monitoring.checks.check import PATIENCE, Look, Result, State
from sportsapp.monitoring.checks.database import check_database
from sportsapp.monitoring.outage import DatabaseOutage
from sportsapp.monitoring.problems import Kind
from sportsapp.monitoring.webhook import Message, readable
from sportsapp.runs.rows import arguments_in_words

logger = logging.getLogger(__name__)

QUIET_TIME = timedelta(minutes=15)
NOTEWORTHY = timedelta(minutes=1)  # how long trouble has to last for a message to say so
CHECK_EVERY = timedelta(minutes=1)
WARN_PATIENCE = timedelta(minutes=10)
CLAIM_AFTER = timedelta(seconds=55)  # less than a minute: heartbeats are not punctual
UNATTENDED_AFTER = timedelta(minutes=3)
TEXT_LIMIT = 600
BREACHES_LIMIT = 20
ALERT_TASK = "send_alert"

ALERTS = Alert.__table__
LAST_CHECK = ("", "check")
"""Subject and kind of a row that is no problem: its ``notified_at`` is when the last check was."""


KIND_OF_RUN = {RunState.FAILURE: Kind.FAILURE, RunState.TIMEOUT: Kind.TIMEOUT}


@dataclass
class Alerts:
    """Records problems and notifies people; the ledger's ``RunListener``.

    Every method opens an app context of its own, and logs its errors instead of raising them: an
    alert that cannot be recorded or sent must not fail a sync. ``enqueue`` queues a message to a
    receiver (see ``Settings.alert_receivers``), and does not raise while the broker is away;
    ``deliver`` sends it here and now, and raises AlertError.
    """

    app: Flask
    settings: Settings
    look: Callable[[datetime], Look]
    enqueue: Callable[[Message, int], None]
    deliver: Callable[[Settings, Message, int], object]
    _next_check: float = field(default=0.0, init=False)
    _outage: DatabaseOutage | None = field(default=None, init=False)

    def report_problem(
        self,
        subject: str,
        kind: str,
        text: str,
        *,
        directly: bool = False,
        patience: timedelta = timedelta(0),
        once: bool = False,
        **details: Any,
    ) -> None:
        """Record that something is wrong with a task or a league, and notify people if it is time.

        ``text`` is one sentence, ``details`` are further fields of the message. With ``directly``
        the message is posted from here, because the queue may be what is broken. People are
        notified of what has lasted for ``patience``, and ``once`` only if it goes on.
        """
        with self._guarded():
            now = utc_now()
            text, details = scrub([text, details], secrets_of(self.settings))
            with write_connection() as connection:
                row = _locked_row(connection, subject, kind)
                since = row.active_since or now
                is_quiet = row.notified_at and now - row.notified_at < QUIET_TIME
                is_due = now - since >= patience and not is_quiet and not (once and row.notified)
                news: dict[str, Any] = {"active_since": since, "text": text[:TEXT_LIMIT]}
                if is_due:
                    news |= _notified(now)
                elif is_quiet and not once:
                    news |= {"suppressed_count": row.suppressed_count + 1}
                connection.execute(update(ALERTS).where(_is(subject, kind)).values(news))
            if is_due:
                self._notify(row, text, now, directly, recovered=False, **details)

    def report_recovery(
        self, subject: str, kind: str, text: str, *, directly: bool = False, **details: Any
    ) -> None:
        """Record that a problem is over; people are notified if they were notified of it."""
        with self._guarded():
            with db.engine.connect() as connection:  # nearly always there was no problem
                if not connection.scalar(select(ALERTS.c.active_since).where(_is(subject, kind))):
                    return
            with write_connection() as connection:
                row = _locked_row(connection, subject, kind)
                over: dict[str, Any] = {"active_since": None, "notified": False}
                if row.notified:  # otherwise the count goes into the next problem's message
                    over["suppressed_count"] = 0
                connection.execute(update(ALERTS).where(_is(subject, kind)).values(over))
            if row.active_since and row.notified:
                text = scrub(text, secrets_of(self.settings))
                self._notify(row, text, utc_now(), directly, recovered=True, **details)

    def report_breaches(self, breaches: Mapping[str, str], looked_at: tuple[str, ...]) -> None:
        """Notify people of the first BREACHES_LIMIT of these, once, and of the end of others.

        ``breaches`` are sentences by subject. Those that were reported before have ended if they
        are not among them and their subject begins with one of ``looked_at``.
        """
        with self._guarded():
            known = self._active(Kind.BREACH)
            for subject in sorted(known - breaches.keys()):
                if subject.startswith(looked_at):
                    self.report_recovery(subject, Kind.BREACH, f"{subject}: it is right again")
            for subject, text in [*breaches.items()][:BREACHES_LIMIT]:
                if subject not in known:
                    self.report_problem(subject, Kind.BREACH, text)

    def report_damage(self, damage: str) -> None:
        """Record what was found wrong with the database's file, a sentence; empty for nothing."""
        if damage:
            self.report_problem("database", Kind.DAMAGE, damage, directly=True)
        else:
            self.report_recovery("database", Kind.DAMAGE, "the database's file is sound again")

    # -- runs

    def run_failed(self, run_id: str) -> None:
        """A run has failed for good.

        Ignored for a run that only carries an alert, and for one that a visitor caused: nobody's
        phone rings for the days that strangers look at.
        """
        with self._guarded():
            run = db.session.get_one(TaskRun, run_id)
            if run.task == ALERT_TASK or run.trigger == Trigger.VISITOR:
                return
            error = (run.error.splitlines() or [""])[0]
            outcome = "was cut off at its time limit" if run.state == RunState.TIMEOUT else "failed"
            attempts = f"{run.attempt} attempt{'' if run.attempt == 1 else 's'}"
            self.report_problem(
                run.task,
                KIND_OF_RUN[RunState(run.state)],
                f"{_call(run.task, run.args)} {outcome} for good, after {attempts}: {error}",
                task=run.task,
                run_id=run.id,
                arguments=run.args,
                error=error,
                attempt=run.attempt,
            )

    # -- checks

    def check_if_due(self) -> None:
        """Called with every heartbeat of every consumer process, every ten seconds.

        Each process looks for failed tasks that succeed again. One of them runs the other checks
        each minute; any may be the one, so that a scheduler that died is noticed by the workers.
        After a time without checks the first one only starts the clock: whatever stood still
        while everything was down has a minute to catch up.
        """
        self._end_outage()
        self.check_failed_tasks()
        if time.monotonic() < self._next_check:
            return
        self._next_check = time.monotonic() + CHECK_EVERY.total_seconds()
        with self._guarded():
            now = utc_now()
            never = now - 2 * UNATTENDED_AFTER  # for an instance that was not checked before
            with write_connection() as connection:
                last = _locked_row(connection, *LAST_CHECK, notified_at=never).notified_at
                is_mine = now - last >= CLAIM_AFTER
                if is_mine:
                    claim = update(ALERTS).where(_is(*LAST_CHECK)).values(notified_at=now)
                    connection.execute(claim)
            if is_mine and now - last < UNATTENDED_AFTER:
                self.check(now)

    def check_failed_tasks(self) -> None:
        """Report failures and time-outs that are over: the task's newest run is a success."""
        failing = select(ALERTS).where(
            ALERTS.c.kind.in_(KIND_OF_RUN.values()), ALERTS.c.active_since.is_not(None)
        )
        with self._guarded():
            with db.engine.connect() as connection:
                problems = connection.execute(failing).all()
            for problem in problems:
                newest = (
                    select(TaskRun)
                    .where(TaskRun.task == problem.subject, TaskRun.queue != "")
                    .where(TaskRun.finished_at > problem.active_since)
                    .where(TaskRun.state.in_((RunState.SUCCESS, *KIND_OF_RUN)))
                    .order_by(TaskRun.finished_at.desc())
                )
                run = db.session.scalar(newest.limit(1))
                if run is not None and run.state == RunState.SUCCESS:
                    text = f"{_call(run.task, run.args)} has succeeded again"
                    self.report_recovery(run.task, Kind(problem.kind), text, run_id=run.id)

    def check(self, now: datetime) -> None:
        """Report what the checks find, its end, and what was suppressed long enough."""
        with self._guarded():
            try:
                for result in run_checks(self.look(now)):
                    if result.check.kind and result.state != State.UNKNOWN:
                        self._report(result)
                self._notify_suppressed(utc_now())
            except SQLAlchemyError as error:
                self.database_failed(error, timedelta(0))

    def _report(self, result: Result) -> None:
        """Report the problems of a check, and the end of those that it had.

        What is WARN has to last ten minutes, and is reported once.
        """
        check = result.check
        own = socket.gethostname() if check.is_local else ""
        problems = {finding.subject or own or check.name: finding for finding in result.problems}
        over = self._active(check.kind) - problems.keys()
        for subject in sorted(over & {own} if own else over):
            text = f"{subject}: {check.well}"
            self.report_recovery(subject, check.kind, text, directly=True)
        for subject, finding in problems.items():
            is_wrong = finding.state == State.WRONG
            self.report_problem(
                subject,
                check.kind,
                f"{finding.text}; {finding.do}",
                directly=True,
                patience=check.patience if is_wrong else WARN_PATIENCE,
                once=not is_wrong,
                **finding.details,
            )

    # -- while the database takes no writes, each process remembers that alone

    def database_failed(self, error: SQLAlchemyError, patience: timedelta = PATIENCE) -> None:
        """A heartbeat could not be written: notify people when that has lasted for a while."""
        with self._guarded():
            now = utc_now()
            outage = self._outage = self._outage or DatabaseOutage(now)
            reader = self.look(now).queues[0].reader
            if outage.claim_message(now, patience, QUIET_TIME, reader):
                text = f"the database takes no writes: {database_reason(error)}"
                text = scrub(text, secrets_of(self.settings))
                self._notify(outage, text, now, directly=True, recovered=False)

    def _end_outage(self) -> None:
        """Notify people of the end, if this process has notified them of the beginning."""
        outage, self._outage = self._outage, None
        if outage and outage.notified:
            with self._guarded():
                now = utc_now()
                findings = check_database.run(self.look(now))
                if any(finding.state == State.WRONG for finding in findings):
                    self._outage = outage  # such as a file that was removed: beats go on
                else:
                    text = "the database takes writes again"
                    self._notify(outage, text, now, directly=True, recovered=True)

    def _active(self, kind: str) -> set[str]:
        """What problems of this kind there are, by subject."""
        problems = select(ALERTS.c.subject).where(
            ALERTS.c.kind == kind, ALERTS.c.active_since.is_not(None)
        )
        with db.engine.connect() as connection:
            return set(connection.scalars(problems))

    def _notify_suppressed(self, now: datetime) -> None:
        """Notify people of suppressed problems that are still there after the quiet time."""
        waiting = select(ALERTS).where(
            ALERTS.c.active_since.is_not(None),
            ALERTS.c.suppressed_count > 0,
            ALERTS.c.notified_at <= now - QUIET_TIME,
        )
        with write_connection() as connection:
            rows = connection.execute(waiting.with_for_update()).all()
            for row in rows:
                mine = _is(row.subject, row.kind)
                connection.execute(update(ALERTS).where(mine).values(_notified(now)))
        for row in rows:
            self._notify(row, row.text, now, directly=True, recovered=False)

    # -- messages

    def _notify(
        self, row: Any, text: str, now: datetime, directly: bool, recovered: bool, **details: Any
    ) -> None:
        """Log and send one message; ``row`` is the alert as it was before this message.

        ``details`` are further fields of the message.
        """
        lasted, text = now - (row.active_since or now), text[:TEXT_LIMIT]
        if lasted >= NOTEWORTHY:
            text += f" ({'after' if recovered else 'for'} {duration(lasted)})"
        if "run_id" in details and self.settings.site_url:
            details["url"] = f"{self.settings.site_url}/admin/runs/details/?id={details['run_id']}"
            text += f" {details['url']}"
        line = readable(self.settings.instance_name, text, recovered, row.suppressed_count)
        logger.warning("alert: %s", line)
        message: Message = {
            "text": line,
            "event": "recovered" if recovered else "trouble",
            "instance": self.settings.instance_name,
            "subject": row.subject,
            "kind": row.kind,
            **details,
            "since": iso_utc(row.active_since or now),
            "at": iso_utc(now),
            "swallowed": row.suppressed_count,
        }
        for receiver in self.settings.alert_receivers:
            if directly:
                of_it = message, receiver
                threading.Thread(target=self._deliver_or_enqueue, args=of_it, daemon=True).start()
            else:
                self.enqueue(message, receiver)

    def _deliver_or_enqueue(self, message: Message, receiver: int) -> None:
        with self._guarded():
            try:
                self.deliver(self.settings, message, receiver)
            except AlertError as error:
                logger.info("an alert is queued: %s", error)
                self.enqueue(message, receiver)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """An app context of its own; errors are logged, and only a task's time limit is raised."""
        try:
            with self.app.app_context():
                yield
        except TaskTimeout:
            raise
        except Exception:
            logger.exception("an alert could not be recorded or sent")


def _is(subject: str, kind: str) -> ColumnElement[bool]:
    return (ALERTS.c.subject == subject) & (ALERTS.c.kind == kind)


def _locked_row(
    connection: Connection, subject: str, kind: str, notified_at: datetime | None = None
) -> Any:
    """The row of this subject and kind, locked; inserted if it is not there."""
    blank = {"subject": subject, "kind": kind, "notified_at": notified_at}
    insert_ignoring(connection, ALERTS, [blank], ["subject", "kind"])
    return connection.execute(select(ALERTS).where(_is(subject, kind)).with_for_update()).one()


def _notified(now: datetime) -> dict[str, Any]:
    """What changes in the row of a problem when people are notified of it."""
    return {"notified": True, "notified_at": now, "suppressed_count": 0}


def _call(task: str, args: dict[str, Any]) -> str:
    """A task with its arguments, as people read it: "sync_date_range_task NBA 2026-01-01"."""
    return f"{task} {arguments_in_words(args)}".rstrip()
