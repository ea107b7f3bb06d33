"""Tasks whose runs are tracked, and the tracker: what a queue needs of the rest of the project.

The queues sit low and are configured high. ``RunTracker`` is all they need of the ledger, and
``TaskQueue`` is all that the ledger and the consumer need of a queue. The factory joins the two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from huey.api import Task

from sportsapp.queue.schedules import Schedule


class TaskQueue(Protocol):
    """A queue, as the ledger and the consumer use it; ``TrackerHuey`` is one."""

    name: str
    tracker: RunTracker
    tasks: Mapping[str, type[TrackedTask]]
    periodic_tasks: Mapping[str, PeriodicTask]
    tick_seconds: int
    each_second: Callable[[], None] | None
    stop_flag: Any

    def task_class(self, name: str) -> type[TrackedTask] | None:
        """The class of a registered task by its short name, or None."""

    def enqueue_all(self, tasks: Sequence[TrackedTask], check: Callable[[Any], None]) -> None:
        """Record runs, all or none, after ``check``, and push those that are due.

        Raises what both raise.
        """

    def prepare(self, task: TrackedTask) -> None:
        """Make sure that a task can be recorded and pushed. Raises TypeError."""

    def push(self, task: TrackedTask) -> Any:
        """Put a recorded run on the broker. Raises BrokerUnavailableError."""

    def push_or_leave(self, task: TrackedTask) -> None:
        """Put a recorded run on the broker. While that is away, recovery does so later."""

    def push_later(self, task: TrackedTask, delay: timedelta) -> None:
        """The same, for a run that may not start before this delay."""

    def read_schedule(self) -> list[TrackedTask]:
        """Take all tasks that are due off the broker's schedule. Raises BrokerUnavailableError."""

    def message_ids(self) -> set[str]:
        """The ids of all runs on the broker, queued or scheduled. Raises BrokerUnavailableError."""

    def serialize_task(self, task: TrackedTask) -> bytes:
        """A task's message. Raises TypeError for an argument that cannot go into one."""

    def check_broker(self) -> None:
        """Raises ForeignBrokerError for another database's broker, or BrokerUnavailableError."""

    def is_stopping(self) -> bool:
        """Whether the consumer that this process belongs to has been stopped."""


def can_pause(queue: TaskQueue) -> bool:
    """Whether a queue may be paused: it has no schedule, whose slots would pile up."""
    return not queue.periodic_tasks


class TrackedTask(Task):
    """One run of a task; its body runs inside ``RunTracker.run``.

    ``attempt`` counts the attempts before this message. It travels with the message, and so a
    message that comes twice is recognised. At most one run of all the long tasks (``is_long``) is
    at work on a queue, and between its steps it gives way to periodic tasks of higher priority.
    ``at_once`` is how many runs of a task may be at work at a time, None for any number.
    ``chain_id`` and ``chain_place`` (from 1 on) are those of a new link of a chain. Subclasses are
    made by the queue's decorators.
    """

    huey: TaskQueue
    function: Callable[..., Any]
    attempt = 0
    is_long = False
    at_once: int | None = None
    chain_id: str | None = None
    chain_place: int | None = None

    @property
    def is_later_link(self) -> bool:
        """Whether this new run waits for another one of its chain."""
        return self.chain_place is not None and self.chain_place > 1

    def execute(self) -> Any:
        """What a worker calls. Returns and raises what the tracker does."""
        return self.huey.tracker.run(self)


@dataclass(frozen=True)
class PeriodicTask:
    """A task with a schedule.

    The newest missed slot is still run when it is no older than ``catch_up``. With
    ``one_at_a_time`` a slot waits while an earlier run is at work, and is left out when it has
    expired by then.
    """

    task_class: type[TrackedTask]
    schedule: Schedule
    catch_up: timedelta
    one_at_a_time: bool

    @property
    def name(self) -> str:
        """The task's short name."""
        return self.task_class.__name__


class RunTracker(Protocol):
    """Records every run of the queues.

    All methods but ``run`` raise SQLAlchemy's errors when the database is away.
    """

    def app_context(self) -> AbstractContextManager[object]:
        """The app context of the caller, or else one of the app made last."""

    def record(self, task: TrackedTask) -> bool:
        """Record a new run before its message goes to the broker.

        Returns False, and changes nothing, for a run that is recorded already.
        """

    def record_all(self, tasks: Sequence[TrackedTask], check: Callable[[Any], None]) -> None:
        """Record new runs in one transaction, all or none.

        Calls ``check`` with the transaction's connection first. What it raises is raised here,
        and nothing is recorded.
        """

    def unsent(self, task: TrackedTask, error: Exception) -> None:
        """Record that a run failed because the broker did not take its message."""

    def run(self, task: TrackedTask) -> Any:
        """Claim a run, call its task's function and record how it ended.

        Returns what the function returns; None if the run could not be claimed (it ended, another
        worker has it, nobody asked for it, or the message differs from it) and if the database
        failed. Raises what the function raises, or CancelExecution for a run that was cancelled.
        """

    def expired(self, task: TrackedTask) -> None:
        """Record that a run was dropped because its message came too late."""

    def revoke(self, run_id: str) -> None:
        """Cancel a run; nothing happens if it has ended or never was."""

    def is_revoked(self, run_id: str) -> bool:
        """Whether a run was cancelled; False for one that never was."""

    def claim(self, periodic: PeriodicTask, slot: datetime) -> TrackedTask | None:
        """Record the run of a slot and return its task, to be pushed by the caller.

        Returns None if the slot is claimed already or the task is paused.
        """

    def must_wait(self, periodic: PeriodicTask) -> bool:
        """Whether a slot waits, since an earlier run is at work and the task has one at a time."""

    def since(self, task_name: str) -> datetime:
        """When this task was first scheduled, or last resumed; no earlier slot is caught up."""

    def dead_letter(self, queue: str, data: bytes, reason: str) -> None:
        """Keep a message that could not be read, for a person to look at."""

    def database_id(self) -> str:
        """The id of the database; empty while that cannot be read."""

    def exit_if_wrong_feed(self) -> None:
        """End this process, with status 2 and one line, if it would mix real and made-up games."""

    def beat(self, queue: str, role: str) -> None:
        """Record that this process is alive, and with it the run that it executes.

        ``role`` is "worker" or "scheduler". Ends this process if its run is long past its limit.
        """

    def leave(self, queue: str, role: str) -> None:
        """Record that this process ends in order."""

    def recover(self, huey: TaskQueue) -> None:
        """Put back runs of this queue that were lost with a worker or with the broker's memory.

        Any number of schedulers may do this at once. Raises BrokerUnavailableError.
        """

    def after_fork(self) -> None:
        """Forget the connections of the process that this one was forked from."""
