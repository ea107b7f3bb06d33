"""Heartbeats of the consumers' processes and of the runs in progress in them."""

import logging
import os
import signal
import socket
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from huey.exceptions import TaskTimeout
from sqlalchemy import Engine, case, delete, insert, or_, update

from sportsapp.core.clock import utc_now
from sportsapp.db.engine import write_connection
from sportsapp.db.models.run import IS_REPLACED, ConsumerProcess, RunState
from sportsapp.runs.attempts import finish
from sportsapp.runs.listener import RunListener
from sportsapp.runs.progress import CurrentRun
from sportsapp.runs.rows import LOST_AFTER, RUNS

logger = logging.getLogger(__name__)

OVERTIME = timedelta(seconds=30)
"""A run that is still in progress this long after its limit ends its process."""

MISSED_FOR = timedelta(days=1)
"""For this long a lost process is remembered that no other has replaced."""

CONSUMERS = ConsumerProcess.__table__


def beat(engine: Engine, queue: str, role: str, running: Sequence[CurrentRun]) -> None:
    """Record that this process is alive, and so are the runs in progress in it."""
    now = utc_now()
    process = _this_process(queue, role)
    values = {"beat_at": now, "run_id": running[-1].row.id if running else None}
    is_new = CONSUMERS.c.beat_at < now - LOST_AFTER  # a process id comes again, in a container soon
    started_at = case((is_new, now), else_=CONSUMERS.c.started_at)
    with write_connection(engine) as connection:
        beating = update(CONSUMERS).where(*_is(process)).values(values | {"started_at": started_at})
        if not connection.execute(beating).rowcount:
            connection.execute(insert(CONSUMERS), process | values | {"started_at": now})
        for run in running:
            connection.execute(update(RUNS).where(run.is_mine).values(heartbeat_at=now))


def leave(engine: Engine, queue: str, role: str) -> None:
    """Forget this process: it ends in order."""
    with write_connection(engine) as connection:
        connection.execute(delete(CONSUMERS).where(*_is(_this_process(queue, role))))


def forget_lost_consumers(engine: Engine, now: datetime) -> None:
    """Forget the processes without a heartbeat for LOST_AFTER, unless they are still missed."""
    beat_at = CONSUMERS.c.beat_at
    is_over = or_(beat_at < now - MISSED_FOR, IS_REPLACED)
    with write_connection(engine) as connection:
        connection.execute(delete(CONSUMERS).where(beat_at < now - LOST_AFTER, is_over))


def end_if_overdue(engine: Engine, run: CurrentRun, listener: RunListener) -> None:
    """End the run as TIMEOUT and kill this process, if the run is OVERTIME past its time limit.

    Each heartbeat of a worker calls it. Retries that are left are not used.

    Huey interrupts a task by a signal, which a call into C that does not return never sees.
    """
    if run.timeout is None:
        return
    if utc_now() < run.row.started_at + timedelta(seconds=run.timeout) + OVERTIME:
        return
    error = TaskTimeout(f"still running {OVERTIME.seconds} s after its limit of {run.timeout} s")
    if finish(engine, run, RunState.TIMEOUT, error):
        listener.run_failed(run.row.id)
    logger.error("run %s cannot be interrupted: this worker ends itself", run.row.id)
    os.kill(os.getpid(), signal.SIGKILL)


def _this_process(queue: str, role: str) -> dict[str, Any]:
    return {"host": socket.gethostname(), "pid": os.getpid(), "queue": queue, "role": role}


def _is(process: dict[str, Any]) -> list[Any]:
    return [CONSUMERS.c[name] == value for name, value in process.items()]
