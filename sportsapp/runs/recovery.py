"""Recovery: what was lost with a process, or with the broker's memory, is queued again.

``queue.consumer.SlotScheduler`` calls it every 15 seconds. It is about runs: a dead worker's
process is replaced by its master, ``queue.consumer.TrackerConsumer``.
"""

import logging
import os
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, select, true, update

from sportsapp.core.clock import CLOCK_TOLERANCE, utc_now
from sportsapp.db.engine import write_connection
from sportsapp.db.models import Alert, GameDoubt
from sportsapp.db.models.run import WAITING, ConsumerProcess, RunState, ScheduleRow
from sportsapp.queue.tracker import TaskQueue
from sportsapp.runs.attempts import with_last_attempt
from sportsapp.runs.chains import end_chain
from sportsapp.runs.consumers import forget_lost_consumers
from sportsapp.runs.listener import RunListener
from sportsapp.runs.pauses import PAUSED
from sportsapp.runs.pruning import prune
from sportsapp.runs.rows import LOST_AFTER, RUNS, seconds_between, task_of_row

logger = logging.getLogger(__name__)

GRACE = timedelta(seconds=30)
"""A waiting run that is overdue by this much should have been taken from the broker."""

DEAD_PID_AFTER = timedelta(seconds=15)
"""A run on this host whose process is gone is lost after this long without a heartbeat.

A silent process that may be alive, or is on another host, is given ``LOST_AFTER`` (60 s), and
``WATCHED_FOR``.
"""

WATCHED_FOR = timedelta(seconds=30)
"""For this long the same heartbeat was seen, by our own clock: whoever lives has written others.

The clock of another host may be behind, and after an outage of the database all heartbeats are old.
"""

WRITTEN_MOMENTS: list[tuple[Any, Any]] = [
    (RUNS.c.heartbeat_at, RUNS.c.state == RunState.STARTED),
    *(
        (column, true())
        for column in (
            ConsumerProcess.__table__.c.beat_at,
            ScheduleRow.__table__.c.since_at,
            Alert.__table__.c.notified_at,
            GameDoubt.__table__.c.since_at,
        )
    ),
]
"""Columns that hold when something happened last and decide what happens next, and their rows."""

RECOVERIES_WITHOUT_PROGRESS = 3
PRUNE_EVERY = timedelta(hours=1)


@dataclass
class Recovery:
    """What each scheduler does every 15 seconds. Any number of them may do it at the same time.

    Every change is an UPDATE that names the state in which the row was read: when another
    scheduler or the run's own worker was quicker, it changes nothing and nothing follows from it.
    """

    engine: Engine
    retention: timedelta
    listener: RunListener
    pruned_at: datetime | None = None
    watched: dict[str, tuple[datetime, float]] = field(default_factory=dict)
    """By run: its old heartbeat, and since when it has been the same, by the monotonic clock."""

    def recover(self, queue: TaskQueue) -> None:
        """Give up the dead, queue the lost again, delete the old.

        Raises BrokerUnavailableError when the broker cannot be asked what it holds, and
        SQLAlchemyError; the next round begins again.
        """
        now, moment = utc_now(), time.monotonic()
        watched, self.watched = self.watched, {}  # a round that fails sees nothing
        # 0. What a clock that was ahead has written would count as fresh until that time comes.
        self._correct_future_moments(now)
        # 1. The panel and `flask tasks` count a consumer's processes by their heartbeats.
        forget_lost_consumers(self.engine, now)
        # 2. A started run without a heartbeat has lost its process: it waits again, or has failed.
        #    A shell's runs have no queue: any scheduler finds them.
        silent = select(RUNS).where(
            RUNS.c.queue.in_((queue.name, "")),
            RUNS.c.state == RunState.STARTED,
            RUNS.c.heartbeat_at < now - DEAD_PID_AFTER,
        )
        with self.engine.connect() as connection:
            runs = connection.execute(silent).all()
        for run in runs:
            beat, since = watched.get(run.id, (None, moment))
            self.watched[run.id] = run.heartbeat_at, since if beat == run.heartbeat_at else moment
            is_still = moment - self.watched[run.id][1] >= WATCHED_FOR.total_seconds()
            if _is_gone(run) or (is_still and run.heartbeat_at < now - LOST_AFTER):
                self._give_up_attempt(run, now)
        # 3. A waiting run that the broker does not hold is queued again, step 2's among them. Its
        #    message was lost with the broker's memory, or taken by a worker that died before it
        #    claimed the run. Those of a paused queue have none until it is resumed.
        overdue = select(RUNS).where(
            RUNS.c.queue == queue.name,
            RUNS.c.state.in_(WAITING),
            RUNS.c.due_at <= now - GRACE,
            RUNS.c.queue.not_in(select(PAUSED.c.queue)),
        )
        with self.engine.connect() as connection:
            runs = connection.execute(overdue).all()
        if runs:
            held = queue.message_ids()
            for run in runs:
                if run.id not in held:
                    self._queue_again(queue, run, now)
        # 4. Once an hour is often enough for what is days old.
        if self.pruned_at is None or now - self.pruned_at >= PRUNE_EVERY:
            self.pruned_at = now
            prune(self.engine, self.retention, now)

    def _correct_future_moments(self, now: datetime) -> None:
        """Set the moments of WRITTEN_MOMENTS that are still to come to now.

        Whatever is alive writes its own again within seconds; what is dead becomes old.
        """
        with write_connection(self.engine) as connection:
            for column, where in WRITTEN_MOMENTS:
                ahead = update(column.table).where(where, column > now + CLOCK_TOLERANCE)
                connection.execute(ahead.values({column: now}))

    def _give_up_attempt(self, run: Any, now: datetime) -> None:
        """A started run has lost its process: it waits again from its last chunk on, or ends."""
        values: dict[str, Any] = {"stalls": run.stalls + 1, "recoveries": run.recoveries + 1}
        is_poison = values["stalls"] > RECOVERIES_WITHOUT_PROGRESS
        if is_poison or not run.queue:
            # A run that kills each worker must not go on for ever; nobody can take over a shell's.
            lost = "its worker died every time" if run.queue else "its process ended"
            failure = _failure(now, f"{lost} (host {run.host}, process {run.pid})", "lost")
            values = {"stalls": run.stalls + 1} | failure
        elif run.cancel_asked:
            values |= {"state": RunState.REVOKED, "finished_at": now}
        else:
            # due so long ago that step 3 of this round queues it
            values |= {"state": RunState.PENDING, "due_at": now - GRACE}
        if "finished_at" in values:
            values["took_seconds"] = seconds_between(run.started_at, now)
        with write_connection(self.engine) as connection:
            if values["state"] == RunState.PENDING:
                values["earlier"] = with_last_attempt(connection, run.id, "lost with its worker")
            given_up = connection.execute(
                update(RUNS)
                .where(RUNS.c.id == run.id, RUNS.c.attempt == run.attempt)
                .where(RUNS.c.state == RunState.STARTED, RUNS.c.heartbeat_at == run.heartbeat_at)
                .values(values)
            )
            if given_up.rowcount and values["state"] != RunState.PENDING:
                end_chain(connection, run, values["state"])
        if given_up.rowcount:
            logger.warning(
                "run %s lost its worker (host %s, process %s) and is now %s",
                *(run.id, run.host, run.pid, values["state"]),
            )
            if values["state"] == RunState.FAILURE and run.queue:
                self.listener.run_failed(run.id)

    def _queue_again(self, queue: TaskQueue, run: Any, now: datetime) -> None:
        """A waiting run has no message: send a new one, or end the run if it cannot start."""
        task_class = queue.task_class(run.task)
        values: dict[str, Any] = {"due_at": now}
        if run.expires_at and run.expires_at < now:
            values = {"state": RunState.EXPIRED, "finished_at": now}
        elif task_class is None:
            text = f"there is no task {run.task!r} on queue {queue.name}"
            values = _failure(now, text, "unknown")
        waiting = RUNS.c.id == run.id, RUNS.c.due_at == run.due_at, RUNS.c.state.in_(WAITING)
        with write_connection(self.engine) as connection:
            taken = connection.execute(update(RUNS).where(*waiting).values(values)).rowcount
            if taken and "state" in values:
                end_chain(connection, run, values["state"])
        if not taken:
            return
        if values.get("state") == RunState.FAILURE:
            self.listener.run_failed(run.id)
        elif task_class is not None and "state" not in values:
            logger.warning("run %s was not on the broker: queued again", run.id)
            queue.push(task_of_row(task_class, run))


def _failure(now: datetime, error: str, fingerprint: str) -> dict[str, Any]:
    return {
        "state": RunState.FAILURE,
        "finished_at": now,
        "error": error,
        "fingerprint": fingerprint,
    }


def _is_gone(run: Any) -> bool:
    """Whether a started run was in a process of this host that is there no more."""
    if run.host != socket.gethostname():
        return False
    try:
        with suppress(PermissionError):  # it is another user's, and alive
            os.kill(run.pid or 0, 0)
    except ProcessLookupError:
        return True
    return False
