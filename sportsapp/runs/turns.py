"""Turns: at most one long run is at work on a queue, and it gives way between its steps.

Of a task that has ``at_once`` at most so many runs are at work.

So long runs always leave one of two workers for ticks, however slow the feed is; with one worker, a
tick waits for a step of the long run. Runs with ``at_once`` are short: a tick waits for one of them
at most.
A tick that follows live games ends early for others.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, Select, func, or_, select, update

from sportsapp.db.engine import lock_until_commit
from sportsapp.db.models.run import WAITING, ConsumerProcess, RunState
from sportsapp.queue.tracker import TaskQueue, TrackedTask
from sportsapp.runs.rows import LOST_AFTER, RUNS

TRY_AGAIN = timedelta(seconds=2)
"""After which a run whose turn it is not tries again."""

GIVE_WAY = timedelta(seconds=5)
"""For how long a run gives way: longer than TRY_AGAIN, so that who waits comes first."""

WAITS_LONG = timedelta(seconds=10)
"""A run that has waited for so long gets the worker of one that could end."""

LOWEST = 0
"""The priority of tasks whose runs take a worker only when one is free."""

CONSUMERS = ConsumerProcess.__table__


def takes_turns(task: TrackedTask) -> bool:
    """Whether a limited number of such runs is at work at a time."""
    return task.is_long or task.at_once is not None


def must_wait(connection: Connection, task: TrackedTask, now: datetime) -> bool:
    """Whether as many runs as may be are at work; then this one is due after TRY_AGAIN.

    That is one long run on the queue, or as many runs of the task as its ``at_once``.

    For the transaction that claims the run: no other run gets the turn until it ends.
    """
    queue = task.huey
    lock_until_commit(connection, f"turn on {queue.name}")
    tasks, most = (_long_tasks(queue), 1) if task.is_long else ([task.name], task.at_once or 1)
    at_work = _at_work(queue, now).where(RUNS.c.task.in_(tasks)).limit(most)
    if len(connection.scalars(at_work).all()) < most:
        return False
    this = RUNS.c.id == task.id, RUNS.c.attempt == task.attempt
    waiting = update(RUNS).where(*this, RUNS.c.state.in_(WAITING), RUNS.c.due_at.is_not(None))
    return connection.execute(waiting.values(due_at=now + TRY_AGAIN)).rowcount > 0


def tasks_before(task: TrackedTask) -> list[str]:
    """The periodic tasks to which a long run gives way: those of higher priority."""
    if not task.is_long:
        return []
    periodic_tasks = task.huey.periodic_tasks.items()
    own = task.default_priority or 0
    return [
        name for name, other in periodic_tasks if (other.task_class.default_priority or 0) > own
    ]


def is_awaited(connection: Connection, tasks: Sequence[str], now: datetime) -> bool:
    """Whether a run of one of these tasks waits for its turn, or for a worker."""
    waiting = select(RUNS.c.id).where(
        RUNS.c.task.in_(tasks),
        RUNS.c.state.in_(WAITING),
        RUNS.c.due_at <= now + TRY_AGAIN,
        or_(RUNS.c.expires_at.is_(None), RUNS.c.expires_at > now),
    )
    return bool(tasks) and connection.scalar(waiting.limit(1)) is not None


def is_worker_wanted(connection: Connection, queue: TaskQueue, now: datetime) -> bool:
    """Whether a run has waited for WAITS_LONG for a worker of this queue, and none is free.

    A long run that has to wait for another one needs no worker, and one of LOWEST priority wants
    none.
    """
    modest = [known.__name__ for known in queue.tasks.values() if known.default_priority == LOWEST]
    long_at_work = _at_work(queue, now).where(RUNS.c.task.in_(_long_tasks(queue)))
    waiting = select(RUNS.c.task.in_(_long_tasks(queue))).where(
        RUNS.c.queue == queue.name,
        RUNS.c.task.not_in(modest),
        RUNS.c.state.in_(WAITING),
        RUNS.c.due_at <= now - WAITS_LONG,
        or_(RUNS.c.expires_at.is_(None), RUNS.c.expires_at > now),
    )
    are_long = connection.scalars(waiting.distinct()).all()
    if not are_long or (all(are_long) and connection.scalar(long_at_work.limit(1)) is not None):
        return False
    workers = select(func.count()).where(
        CONSUMERS.c.queue == queue.name,
        CONSUMERS.c.role == "worker",
        CONSUMERS.c.beat_at > now - LOST_AFTER,
    )
    busy = select(func.count()).select_from(_at_work(queue, now).subquery())
    return (connection.scalar(workers) or 0) <= (connection.scalar(busy) or 0)


def _at_work(queue: TaskQueue, now: datetime) -> Select[str]:
    """The runs of a queue that are in progress, by their heartbeats."""
    return select(RUNS.c.id).where(
        RUNS.c.queue == queue.name,
        RUNS.c.state == RunState.STARTED,
        RUNS.c.heartbeat_at > now - LOST_AFTER,
    )


def _long_tasks(queue: TaskQueue) -> list[str]:
    return [known.__name__ for known in queue.tasks.values() if known.is_long]
