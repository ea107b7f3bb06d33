"""Batches: how far each is, by counts in SQL; and the end of one that is cancelled.

Every function makes a bounded number of queries, on the index of the runs that are in a batch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import defer

from sportsapp.core.clock import iso_utc
from sportsapp.core.errors import RunNotFoundError
from sportsapp.db.engine import AnySession, write_connection
from sportsapp.db.models.run import FAILED, OPEN, WAITING, Batch, RunState, TaskRun
from sportsapp.runs.chains import end_waiting, revoked
from sportsapp.runs.rows import RUNS


@dataclass(frozen=True)
class BatchState:
    """A batch at the moment it was read.

    ``counts`` has how many of its runs are in each state, without those that were pruned.
    ``started_at`` is the first start of a run, ``finished_at`` the last end, None before one.
    ``running`` are its runs in progress, longest first.
    """

    batch: Batch
    counts: Mapping[str, int]
    started_at: datetime | None
    finished_at: datetime | None
    running: Sequence[TaskRun]

    def count(self, *states: str) -> int:
        """How many runs are in one of these states."""
        return sum(self.counts.get(state, 0) for state in states)

    @property
    def ended(self) -> int:
        """How many runs have ended, however."""
        return self.batch.runs - self.count(*OPEN)

    @property
    def failed(self) -> int:
        """How many runs failed for good."""
        return self.count(*FAILED)

    @property
    def waiting(self) -> int:
        """How many runs wait, for a worker or for their time."""
        return self.count(*WAITING)

    @property
    def is_over(self) -> bool:
        """Whether all runs have ended."""
        return self.ended == self.batch.runs

    def seconds(self, now: datetime) -> float | None:
        """For how long it has been, or was, at work; None before its first run starts."""
        end = self.finished_at if self.is_over else now
        return (end - self.started_at).total_seconds() if self.started_at and end else None


def recent_batches(session: AnySession, since: datetime, limit: int = 20) -> list[BatchState]:
    """The batches with a run that is open or ended since then: open ones first, newest first."""
    runs = TaskRun.batch_id == Batch.id
    is_open = exists().where(runs, TaskRun.state.in_(OPEN))
    recent = exists().where(runs, TaskRun.finished_at >= since)
    order = (is_open.desc(), Batch.made_at.desc(), Batch.id)
    newest = select(Batch).where(is_open | recent).order_by(*order).limit(limit)
    return states_of(session, session.scalars(newest).all())


def find_batch(session: AnySession, batch_id: str) -> BatchState:
    """The batch with this id, as the database has it now. Raises RunNotFoundError."""
    batch = session.get(Batch, batch_id)
    if batch is None:
        raise RunNotFoundError(f"no batch has the id {batch_id!r}")
    return states_of(session, [batch])[0]


def states_of(session: AnySession, batches: Sequence[Batch]) -> list[BatchState]:
    """The state of each of these batches, in the given order, by two queries."""
    ids = [batch.id for batch in batches]
    counted = (
        select(
            TaskRun.batch_id,
            TaskRun.state,
            func.count(),
            func.min(TaskRun.started_at),
            func.max(TaskRun.finished_at),
        )
        .where(TaskRun.batch_id.in_(ids))
        .group_by(TaskRun.batch_id, TaskRun.state)
    )
    rows = session.execute(counted).all() if ids else []
    started = (
        select(TaskRun)
        .options(defer(TaskRun.traceback))
        .where(TaskRun.batch_id.in_(ids), TaskRun.state == RunState.STARTED)
        .order_by(TaskRun.started_at)
    )
    running = session.scalars(started).all() if ids else []
    return [
        BatchState(
            batch,
            {state: count for batch_id, state, count, *_ in rows if batch_id == batch.id},
            min((row[3] for row in rows if row[0] == batch.id and row[3]), default=None),
            max((row[4] for row in rows if row[0] == batch.id and row[4]), default=None),
            [run for run in running if run.batch_id == batch.id],
        )
        for batch in batches
    ]


def batch_as_json(state: BatchState, now: datetime) -> dict[str, Any]:
    """A batch as ``flask tasks`` prints it; times are ISO 8601 in UTC, or None."""
    batch = state.batch
    return {
        "id": batch.id,
        "name": batch.name,
        "trigger": batch.trigger,
        "asked_by": batch.asked_by,
        "made_at": iso_utc(batch.made_at),
        "runs": batch.runs,
        "ended": state.ended,
        "states": dict(state.counts),
        "seconds": state.seconds(now),
        "estimate": {"requests": batch.requests, "seconds": batch.seconds},
    }


def cancel_batch(batch_id: str) -> tuple[int, int]:
    """Cancel the open runs of a batch: those that wait end now, others after their current chunk.

    Returns how many of either there were.
    """
    mine = RUNS.c.batch_id == batch_id
    started = update(RUNS).where(mine, RUNS.c.state == RunState.STARTED).values(cancel_asked=True)
    with write_connection() as connection:
        waiting = end_waiting(connection, [mine], revoked())
        return waiting, connection.execute(started).rowcount
