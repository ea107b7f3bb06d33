"""The ledger: one TaskRun row for every execution, true whatever dies.

A run is in the database before it is on the broker. ``Ledger.run`` hands every run to
``attempts.Attempts``, which records its start and its end; the body reports its progress itself.
Huey's signals serve only for what never reaches the body. The factory plugs the ``Ledger`` into
the queues as their ``RunTracker``.
"""

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import datetime, timedelta
from typing import Any

from flask import Flask, has_app_context
from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import SQLAlchemyError

from sportsapp.core.clock import utc_now
from sportsapp.core.errors import WrongFeedError
from sportsapp.core.settings import Settings
from sportsapp.db.engine import (
    autocommit_connection,
    db,
    forget_connections,
    lock_until_commit,
    write_connection,
)
from sportsapp.db.identity import database_id, require_feed
from sportsapp.db.models.run import RunState
from sportsapp.db.upsert import insert_ignoring
from sportsapp.queue.tracker import PeriodicTask, TaskQueue, TrackedTask
from sportsapp.runs import consumers, slots
from sportsapp.runs.attempts import Attempts
from sportsapp.runs.chains import cancel_run, end_waiting
from sportsapp.runs.dead_letters import keep_dead_letter
from sportsapp.runs.listener import RunListener
from sportsapp.runs.recovery import Recovery
from sportsapp.runs.rows import RUNS, current_origin, error_values, queued_row


class Ledger:
    """What the queues ask of the database. No method needs an app context.

    Every method raises SQLAlchemyError when the database cannot be used, except ``run``.
    """

    def __init__(
        self, app: Flask, queues: Sequence[TaskQueue], settings: Settings, listener: RunListener
    ) -> None:
        """``app`` has its database already."""
        with app.app_context():
            self.engine = db.engine
        self.app = app
        self.settings = settings
        self.listener = listener
        self.attempts = Attempts(self.engine, queues, listener)
        self._database_id = ""
        retention = timedelta(days=settings.task_run_retention_days)
        self.recovery = Recovery(self.engine, retention, listener)

    def app_context(self) -> AbstractContextManager[object]:
        return nullcontext() if has_app_context() else self.app.app_context()

    def after_fork(self) -> None:
        with self.app.app_context():
            forget_connections()

    # -- runs, from their row to their end

    def record(self, task: TrackedTask) -> bool:
        row = queued_row(task, current_origin(), utc_now())
        with autocommit_connection(self.engine) as connection:
            return insert_ignoring(connection, RUNS, [row], ["id"]) > 0

    def record_all(self, tasks: Sequence[TrackedTask], check: Callable[[Connection], None]) -> None:
        now = utc_now()
        rows = [queued_row(task, current_origin(), now) for task in tasks]
        with write_connection(self.engine) as connection:
            lock_until_commit(connection, RUNS.name)  # no other insert between check and insert
            check(connection)
            connection.execute(insert(RUNS), rows)

    def unsent(self, task: TrackedTask, error: Exception) -> None:
        values = {"state": RunState.FAILURE, "finished_at": utc_now()} | error_values(error)
        with write_connection(self.engine) as connection:
            end_waiting(connection, [RUNS.c.id == task.id], values)

    def run(self, task: TrackedTask) -> Any:
        with self.app.app_context():
            return self.attempts.run(task)

    def expired(self, task: TrackedTask) -> None:
        now = utc_now()
        this = RUNS.c.id == task.id, RUNS.c.attempt == task.attempt
        with write_connection(self.engine) as connection:
            # a message alone proves nothing: the row has to say so too
            is_late = RUNS.c.expires_at <= now
            values = {"state": RunState.EXPIRED, "finished_at": now}
            end_waiting(connection, [*this, is_late], values)

    def revoke(self, run_id: str) -> None:
        cancel_run(run_id, self.engine)

    def is_revoked(self, run_id: str) -> bool:
        states = RUNS.c.state.in_((RunState.STARTED, RunState.REVOKED))
        cancelled = select(RUNS.c.cancel_asked).where(RUNS.c.id == run_id, states)
        with self.engine.connect() as connection:
            return bool(connection.scalar(cancelled))

    def dead_letter(self, queue: str, data: bytes, reason: str) -> None:
        keep_dead_letter(self.engine, queue, data, reason)

    def database_id(self) -> str:
        if not self._database_id:
            with suppress(SQLAlchemyError):
                self._database_id = database_id(self.engine)
        return self._database_id

    def exit_if_wrong_feed(self) -> None:
        try:
            with suppress(SQLAlchemyError):  # the consumer starts, and waits for its database
                require_feed(self.engine, self.settings)
        except WrongFeedError as error:
            print(error, file=sys.stderr)
            sys.exit(2)

    # -- heartbeats, slots, recovery

    def since(self, task_name: str) -> datetime:
        return slots.scheduled_since(self.engine, task_name)

    def claim(self, periodic: PeriodicTask, slot: datetime) -> TrackedTask | None:
        return slots.claim_slot(self.engine, periodic, slot)

    def must_wait(self, periodic: PeriodicTask) -> bool:
        if not periodic.one_at_a_time:
            return False
        with self.engine.connect() as connection:
            return slots.is_running(connection, periodic.name, utc_now())

    def beat(self, queue: str, role: str) -> None:
        running = list(self.attempts.running.values()) if role == "worker" else []
        try:
            consumers.beat(self.engine, queue, role, running)
        except SQLAlchemyError as error:
            self.listener.database_failed(error)
            raise
        for run in running:
            consumers.end_if_overdue(self.engine, run, self.listener)
        self.listener.check_if_due()

    def leave(self, queue: str, role: str) -> None:
        consumers.leave(self.engine, queue, role)

    def recover(self, huey: TaskQueue) -> None:
        self.recovery.recover(huey)
