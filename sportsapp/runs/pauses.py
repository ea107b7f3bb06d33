"""Paused queues: no run of one is started until it is resumed.

A queue is paused while it has a row. Its waiting runs cannot be claimed: a worker drops their
messages, so that the broker holds none and nobody looks again, and recovery leaves them alone. Who
resumes the queue sends new messages. A run in progress gives way at its next step.
"""

import logging
from contextlib import suppress

from sqlalchemy import Connection, delete, select

from sportsapp.core.clock import utc_now
from sportsapp.core.errors import BrokerUnavailableError
from sportsapp.db.engine import write_connection
from sportsapp.db.models.run import WAITING, PausedQueue
from sportsapp.db.upsert import insert_ignoring
from sportsapp.queue.tracker import TaskQueue
from sportsapp.runs.rows import RUNS, task_of_row

logger = logging.getLogger(__name__)

PAUSED = PausedQueue.__table__


def is_paused(connection: Connection, queue: str) -> bool:
    """Whether the queue of this name is paused."""
    row = connection.execute(select(PAUSED.c.queue).where(PAUSED.c.queue == queue)).first()
    return row is not None


def pause(queue: TaskQueue, by: str) -> None:
    """Start no run of this queue any more. One that is paused stays as it is."""
    row = {"queue": queue.name, "paused_at": utc_now(), "paused_by": by}
    with write_connection() as connection:
        insert_ignoring(connection, PAUSED, [row], ["queue"])


def resume(queue: TaskQueue) -> None:
    """Let this queue's runs start again, in the order in which they were due.

    While the broker is away they wait for recovery.
    """
    due = select(RUNS).where(
        RUNS.c.queue == queue.name, RUNS.c.state.in_(WAITING), RUNS.c.due_at <= utc_now()
    )
    with write_connection() as connection:
        connection.execute(delete(PAUSED).where(PAUSED.c.queue == queue.name))
        runs = connection.execute(due.order_by(RUNS.c.due_at, RUNS.c.queued_at)).all()
    with suppress(BrokerUnavailableError):
        held = queue.message_ids()
        for run in runs:
            task_class = queue.task_class(run.task)
            if task_class is not None and run.id not in held:
                queue.push(task_of_row(task_class, run))
