"""The ledger: one TaskRun row for every execution, true whatever dies.

A run is in the database before it is on the broker. One wrapper around every task's body
(``Ledger.run``) records its start, progress and end; Huey's signals serve only for what never
reaches the body. The factory plugs the ``Ledger`` into the queues as their ``RunTracker``.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import Connection

from sportsapp.db.engine import db, forget_connections
from sportsapp.queue.tracker import Body, PeriodicTask, TaskQueue, TrackedTask
from sportsapp.runs import consumers, rows, slots
from sportsapp.runs.attempts import Attempts
from sportsapp.runs.dead_letters import keep_dead_letter
from sportsapp.runs.listener import RunListener
from sportsapp.runs.recovery import Recovery

CONSUMER_ROLES = ("worker", "scheduler")


class Ledger:
    """What the queues ask of the database. No method needs an app context.

    Every method raises SQLAlchemyError when the database cannot be used, except ``run``.
    """

    def __init__(
        self,
        app: Flask,
        queues: Sequence[TaskQueue],
        retention_days: int,
        listener: RunListener | None = None,
    ) -> None:
        """``app`` has its database already. Runs are kept for ``retention_days``."""
        with app.app_context():
            self.engine = db.engine
        self.app = app
        self.listener = listener
        self.attempts = Attempts(self.engine, queues, listener)
        self.recovery = Recovery(self.engine, timedelta(days=retention_days), listener)

    def app_context(self) -> AbstractContextManager[object]:
        return self.app.app_context()

    def after_fork(self) -> None:
        with self.app.app_context():
            forget_connections()

    def record(self, huey: TaskQueue, task: TrackedTask) -> bool:
        return rows.record_run(self.engine, huey, task)

    def record_all(
        self, huey: TaskQueue, tasks: Sequence[TrackedTask], check: Callable[[Connection], None]
    ) -> None:
        rows.record_runs(self.engine, huey, tasks, check)

    def unsent(self, task: TrackedTask, error: Exception) -> None:
        rows.fail_unsent(self.engine, task.id, error)

    def run(self, huey: TaskQueue, task: TrackedTask, body: Body) -> Any:
        with self.app.app_context():
            return self.attempts.run(huey, task, body)

    def expired(self, task: TrackedTask) -> None:
        rows.expire(self.engine, task.id, task.attempt)

    def revoke(self, run_id: str) -> None:
        rows.cancel_run(run_id, self.engine)

    def is_revoked(self, run_id: str) -> bool:
        return rows.is_cancelled(self.engine, run_id)

    def dead_letter(self, queue: str, data: bytes, reason: str) -> None:
        keep_dead_letter(self.engine, queue, data, reason)

    def since(self, task_name: str) -> datetime:
        return slots.first_slot_after(self.engine, task_name)

    def claim(self, huey: TaskQueue, periodic: PeriodicTask, slot: datetime) -> TrackedTask | None:
        return slots.claim_slot(self.engine, huey, periodic, slot)

    def beat(self, queue: str, role: str) -> None:
        running = list(self.attempts.running.values()) if role == "worker" else []
        consumers.beat(self.engine, queue, role, running)
        for run in running:
            consumers.end_if_overdue(self.engine, run, self.listener)
        if self.listener is not None and role in CONSUMER_ROLES:
            self.listener.check_if_due()

    def leave(self, queue: str, role: str) -> None:
        consumers.leave(self.engine, queue, role)

    def recover(self, huey: TaskQueue) -> None:
        self.recovery.recover(huey)
