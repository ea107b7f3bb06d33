"""The ledger's tables: task runs, their batches and totals, dead letters, schedules, consumers."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Index,
    Text,
    UniqueConstraint,
    and_,
    cast,
    exists,
    literal_column,
    or_,
    text,
)
from sqlalchemy.orm import Mapped, aliased, mapped_column

from sportsapp.db.types import Base, Json, OrderedJson, UtcDateTime


class RunState(StrEnum):
    """The state of a task run: Celery's names, and EXPIRED, TIMEOUT and SKIPPED."""

    PENDING = "PENDING"
    STARTED = "STARTED"
    RETRY = "RETRY"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    REVOKED = "REVOKED"
    EXPIRED = "EXPIRED"
    TIMEOUT = "TIMEOUT"
    SKIPPED = "SKIPPED"


WAITING = (RunState.PENDING, RunState.RETRY)
OPEN = (RunState.PENDING, RunState.RETRY, RunState.STARTED)
FAILED = (RunState.FAILURE, RunState.TIMEOUT)
ENDED_OTHERWISE = tuple(state for state in RunState if state not in OPEN + FAILED)


class Trigger(StrEnum):
    """What started a run."""

    SCHEDULE = "schedule"
    ADMIN = "admin"
    COMMAND = "command"
    CHAIN = "chain"
    ALERT = "alert"
    VISITOR = "visitor"
    EVENT = "event"


_ENDED = "finished_at IS NOT NULL"
_UNRESOLVED = "fingerprint > '' AND resolved_at IS NULL"
_WITH_ERRORS = "error_count > 0"
_HAS_TEXT = "CAST(args AS TEXT) <> '{}' OR error <> ''"


def _only(condition: str) -> dict[str, Any]:
    """Options of a partial index: rows that do not meet the condition cost nothing to write."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


class TaskRun(Base):
    """One execution of a task, through all its attempts. The id is Huey's task id.

    ``slot`` is the time for which a scheduled run is due; with the task it is unique, so that two
    schedulers cannot both start it. ``asked_by`` is the admin's or shell user's name, empty for
    runs that no person started. ``due_at`` is when a waiting run may start, ``expires_at`` when
    it must not start any more. ``took_seconds`` is how long its last attempt took, 0 until it ends.

    ``attempt`` counts starts, ``retries_left`` the retries that remain, ``recoveries`` how often
    the run was queued again because its worker died, ``stalls`` how often since it last made
    progress. ``heartbeat_at`` is the worker's last sign of life. ``earlier`` lists the attempts
    before the last one, oldest first, as
    ``{"attempt", "started_at", "ended_at", "host", "pid", "end", "error"}``.

    ``progress_done`` and ``progress_total`` count chunks; ``resume`` is what a recovered run
    needs to continue after its last finished chunk. ``batch_id`` is that of its batch, None for a
    run that was queued alone. ``error`` is the last attempt's, or the reason of a SKIPPED run;
    ``fingerprint`` is the same for errors of the same kind, empty without an error. ``error_count``
    counts the ``errors`` in the result of a SUCCESS.

    ``resolved_at`` is when the task, with the same arguments, succeeded after this run had failed.
    ``dismissed_at``, ``dismissed_by`` and ``dismissed_word`` are when and by whom this failure was
    dismissed, and why.

    ``chain_id`` is the same for the runs of a chain, whose order is ``chain_place``, from 1 on. A
    link that waits for the one before it is PENDING and has no ``due_at``.
    """

    __tablename__ = "task_runs"
    __table_args__ = (
        UniqueConstraint("task", "slot"),
        Index("ix_task_runs_state_due_at", "state", "due_at"),
        Index("ix_task_runs_queued_at", "queued_at"),
        Index("ix_task_runs_queued_at_with_text", "queued_at", **_only(_HAS_TEXT)),
        Index("ix_task_runs_took_seconds", "took_seconds"),
        Index("ix_task_runs_task_queued_at", "task", "queued_at"),
        Index("ix_task_runs_state_queued_at", "state", "queued_at"),
        Index(
            "ix_task_runs_state_finished_at",
            *("state", "finished_at", "resolved_at", "dismissed_at"),
            **_only(_ENDED),
        ),
        Index("ix_task_runs_finished_at", "finished_at", **_only(_ENDED)),
        Index(
            "ix_task_runs_fingerprint_finished_at",
            *("fingerprint", "finished_at", "state", "resolved_at", "dismissed_at"),
            **_only("fingerprint > ''"),
        ),
        Index(
            "ix_task_runs_batch_id_state",
            *("batch_id", "state", "finished_at"),
            **_only("batch_id IS NOT NULL"),
        ),
        Index(
            "ix_task_runs_chain_id_chain_place",
            *("chain_id", "chain_place"),
            unique=True,
            **_only("chain_id IS NOT NULL"),
        ),
        Index("ix_task_runs_unresolved", "task", "fingerprint", "state", **_only(_UNRESOLVED)),
        Index("ix_task_runs_with_errors", "queued_at", **_only(_WITH_ERRORS)),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    task: Mapped[str]
    queue: Mapped[str]
    slot: Mapped[datetime | None] = mapped_column(UtcDateTime)
    args: Mapped[dict[str, Any]] = mapped_column(OrderedJson, default=dict)
    state: Mapped[str]
    trigger: Mapped[str]
    asked_by: Mapped[str] = mapped_column(default="")
    batch_id: Mapped[str | None]
    chain_id: Mapped[str | None]
    chain_place: Mapped[int | None]
    queued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    took_seconds: Mapped[float] = mapped_column(default=0.0, server_default="0")
    heartbeat_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempt: Mapped[int] = mapped_column(default=0)
    retries_left: Mapped[int] = mapped_column(default=0)
    earlier: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    recoveries: Mapped[int] = mapped_column(default=0)
    stalls: Mapped[int] = mapped_column(default=0)
    host: Mapped[str] = mapped_column(default="")
    pid: Mapped[int | None]
    progress_done: Mapped[int] = mapped_column(default=0)
    progress_total: Mapped[int] = mapped_column(default=0)
    resume: Mapped[dict[str, Any] | None] = mapped_column(Json)
    cancel_asked: Mapped[bool] = mapped_column(default=False)
    result: Mapped[Any | None] = mapped_column(OrderedJson)
    error: Mapped[str] = mapped_column(default="")
    fingerprint: Mapped[str] = mapped_column(default="")
    traceback: Mapped[str] = mapped_column(default="")
    error_count: Mapped[int] = mapped_column(default=0)
    resolved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    dismissed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    dismissed_by: Mapped[str] = mapped_column(default="")
    dismissed_word: Mapped[str] = mapped_column(default="")


def has_failed(run: Any) -> ColumnElement[bool]:
    """The condition of a failure. ``run`` is TaskRun, or the columns of its table or an alias.

    Its first half is the condition of a partial index, word for word: a query needs it to use that
    index. The second half is put so that no index on the state looks better.
    """
    others = (run.state != state for state in OPEN + ENDED_OTHERWISE)
    return and_(run.fingerprint > literal_column("''"), *others)


FAILURES = has_failed(TaskRun)
UNSETTLED = and_(TaskRun.resolved_at.is_(None), TaskRun.dismissed_at.is_(None))
OUTSTANDING = and_(FAILURES, UNSETTLED)
"""A failure that is neither resolved nor dismissed."""
WITH_ERRORS = TaskRun.error_count > literal_column("0")
"""A run that succeeded, but for the ``errors`` in its result."""

HAS_TEXT = or_(
    cast(TaskRun.args, Text) != literal_column("'{}'"), TaskRun.error != literal_column("''")
)
"""A run with arguments or an error, which a search reads; also the condition of its index."""


class Batch(Base):
    """Several runs that one request made: ``runs`` of them. It ends when all of them have ended.

    ``name`` is what was asked for, in words. ``requests`` to the feed and ``seconds`` are the
    estimate, None where there was none. It is deleted with the last of its runs.
    """

    __tablename__ = "batches"
    __table_args__ = (Index("ix_batches_made_at", "made_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    trigger: Mapped[str]
    asked_by: Mapped[str]
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    runs: Mapped[int]
    requests: Mapped[int | None]
    seconds: Mapped[int | None]


class RunLine(Base):
    """A line that an attempt at a run has logged. ``number`` counts the attempt's lines from 1.

    The newest of each attempt are kept (``runs.lines``): the first ``number`` shows how many were
    dropped. ``level`` is logging's, such as WARNING.
    """

    __tablename__ = "run_lines"

    run_id: Mapped[str] = mapped_column(primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    level: Mapped[str]
    text: Mapped[str]


class RunTotal(Base):
    """How many runs of a task that ended in this state were deleted from the ledger.

    Added to those still in the ledger they make the counters of /metrics, which must never fall.
    """

    __tablename__ = "run_totals"

    task: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(default=0)


class DeadLetter(Base):
    """A message that cannot be decoded, names no task, or differs from its run; for the panel.

    ``size`` is the size of the message in bytes; ``message`` may be its beginning only.
    """

    __tablename__ = "dead_letters"

    id: Mapped[int] = mapped_column(primary_key=True)
    queue: Mapped[str]
    message: Mapped[str]
    size: Mapped[int]
    reason: Mapped[str]
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ScheduleRow(Base):
    """A periodic task. Slots before ``since_at`` are never caught up: it was new or paused then.

    ``paused_at`` and ``paused_by`` are None and "" of a task that is not paused, and of a pause
    from before they were kept.
    """

    __tablename__ = "schedules"

    task: Mapped[str] = mapped_column(primary_key=True)
    paused: Mapped[bool] = mapped_column(default=False)
    paused_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    paused_by: Mapped[str] = mapped_column(default="")
    since_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PausedQueue(Base):
    """A queue that is paused: its waiting runs are not started until the row is deleted."""

    __tablename__ = "paused_queues"

    queue: Mapped[str] = mapped_column(primary_key=True)
    paused_at: Mapped[datetime] = mapped_column(UtcDateTime)
    paused_by: Mapped[str]


class ConsumerProcess(Base):
    """A process of a consumer: a worker or the scheduler. It is alive while ``beat_at`` is fresh.

    ``run_id`` is the run that it executes at the moment.
    """

    __tablename__ = "consumers"
    __table_args__ = (UniqueConstraint("host", "pid", "queue", "role"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    host: Mapped[str]
    pid: Mapped[int]
    queue: Mapped[str]
    role: Mapped[str]
    run_id: Mapped[str | None]
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    beat_at: Mapped[datetime] = mapped_column(UtcDateTime)


_later = aliased(ConsumerProcess)
IS_REPLACED = exists().where(
    _later.id != ConsumerProcess.id,
    _later.queue == ConsumerProcess.queue,
    _later.role == ConsumerProcess.role,
    _later.started_at > ConsumerProcess.beat_at,
)
"""Whether a process of the same queue and role has begun since this one's last heartbeat."""
