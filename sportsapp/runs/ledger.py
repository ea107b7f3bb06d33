"""The ledger: one TaskRun row for every execution, true whatever dies.

A run is in the database before it is on the broker. One wrapper around every task's body
(``Ledger.run``) writes its start, progress and end; signals serve only for what never reaches
the body. ``Ledger`` answers the queues' ``RunTracker``; the factory plugs it in.
"""

from __future__ import annotations

import hashlib
import inspect
import logging
import os
import signal
import socket
import threading
import traceback
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache, cached_property
from typing import Any, Protocol

from flask import Flask, current_app
from huey.exceptions import CancelExecution, TaskTimeout
from sqlalchemy import (
    Connection,
    Engine,
    Table,
    bindparam,
    case,
    delete,
    false,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import SQLAlchemyError

from sportsapp.core.clock import iso_utc, utc_now
from sportsapp.core.errors import ForgedMessageError, RunNotFoundError, TrackerError
from sportsapp.db.engine import (
    db,
    forget_connections,
    lock_until_commit,
    write_connection,
)
from sportsapp.db.models.run import (
    FAILED,
    WAITING,
    ConsumerProcess,
    DeadLetter,
    RunState,
    RunTotal,
    ScheduleRow,
    TaskRun,
    Trigger,
)
from sportsapp.db.upsert import insert_ignoring
from sportsapp.queue.tracker import Body, PeriodicTask, TaskQueue

logger = logging.getLogger(__name__)

GRACE = timedelta(seconds=30)
LOST_AFTER = timedelta(seconds=60)
DEAD_PID_AFTER = timedelta(seconds=15)
OVERTIME = timedelta(seconds=30)
RECOVERIES_WITHOUT_PROGRESS = 3
SHELL_BEAT_SECONDS = 10
PRUNE_EVERY = timedelta(hours=1)
ERROR_LIMIT = 2_000
EARLIER_ATTEMPTS = 50
EARLIER_ERROR_LIMIT = 300
TRACEBACK_LIMIT = 20_000
DEAD_LETTER_LIMIT = 65_536
CONSUMER_ROLES = ("worker", "scheduler")

RUNS: Table = TaskRun.__table__
CONSUMERS: Table = ConsumerProcess.__table__
SCHEDULES: Table = ScheduleRow.__table__
TOTALS: Table = RunTotal.__table__

STILL_BEATING = (
    select(RUNS.c.id)
    .where(RUNS.c.task == bindparam("name"), RUNS.c.state == RunState.STARTED)
    .where(RUNS.c.heartbeat_at > bindparam("after"))
    .limit(1)
)


class RunInterrupted(KeyboardInterrupt):
    """The consumer is to end: the run stops at a chunk and goes on after the restart."""


class RunCancelled(Exception):
    """Somebody cancelled the run; ``result`` is what it has done so far."""

    def __init__(self, result: Any) -> None:
        super().__init__("cancelled")
        self.result = result


class LedgerUnavailableError(Exception):
    """The database does not take what the ledger has to write."""


class _LedgerErrors:
    """The ledger's own writing around a run. Raises NotWrittenDown for a database that fails."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, SQLAlchemyError):
            raise LedgerUnavailableError(str(error.__cause__ or error)) from error


ledger_errors = _LedgerErrors()


@dataclass
class CurrentRun:
    """The run that this process is executing; ``task``, ``args`` and so on are its row's."""

    id: str
    attempt: int
    started_at: datetime
    timeout: float | None
    resume: dict[str, Any] | None
    is_stopping: Callable[[], bool]
    trigger: str = ""
    task: str = ""
    args: dict[str, Any] = field(default_factory=dict)
    chain: Sequence[str] = ()
    asked_by: str = ""
    retries_left: int = 0


@dataclass(frozen=True)
class RunOrigin:
    """Who asked for the runs that are queued within ``asking``, and what follows them."""

    trigger: Trigger = Trigger.COMMAND
    by: str = ""
    chain: Sequence[str] = field(default_factory=tuple)


UNKNOWN_ORIGIN = RunOrigin()
_asked: ContextVar[RunOrigin] = ContextVar("asked", default=UNKNOWN_ORIGIN)
_current: CurrentRun | None = None


@contextmanager
def run_origin(trigger: Trigger, by: str = "", chain: Sequence[str] = ()) -> Iterator[None]:
    """Everything queued inside is recorded with this trigger, person and chain."""
    token = _asked.set(RunOrigin(trigger, by, tuple(chain)))
    try:
        yield
    finally:
        _asked.reset(token)


def current_run() -> CurrentRun | None:
    """The run that this process is executing, None outside of a task."""
    return _current


def find_run(run_id: str) -> TaskRun:
    """The run of this id. Raises RunNotFoundError."""
    run = db.session.get(TaskRun, run_id, populate_existing=True)
    if run is None:
        raise RunNotFoundError(f"no task run has the id {run_id!r}")
    return run


def run_as_json(run: TaskRun) -> dict[str, Any]:
    """A run as the commands and the API show it."""
    return {
        "id": run.id,
        "task": run.task,
        "state": run.state,
        "trigger": run.trigger,
        "args": run.args,
        "progress": {"done": run.progress_done, "total": run.progress_total},
        "result": run.result,
        "error": run.error or None,
        "attempt": run.attempt,
        "recoveries": run.recoveries,
        "queued_at": iso_utc(run.queued_at),
        "started_at": iso_utc(run.started_at) if run.started_at else None,
        "finished_at": iso_utc(run.finished_at) if run.finished_at else None,
    }


def cancel_run(run_id: str) -> RunState | None:
    """Cancel a run: what waits ends at once, what runs stops after its current chunk.

    Returns how it stood: PENDING while it waited, STARTED, or None when it had ended or never was.
    """
    mine = RUNS.c.id == run_id
    end = {"state": RunState.REVOKED, "finished_at": utc_now(), "cancel_asked": True}
    with write_connection() as connection:
        waiting = update(RUNS).where(mine, RUNS.c.state.in_(WAITING)).values(end)
        if connection.execute(waiting).rowcount:
            return RunState.PENDING
        running = update(RUNS).where(mine, RUNS.c.state == RunState.STARTED)
        if connection.execute(running.values(cancel_asked=True)).rowcount:
            return RunState.STARTED
    return None


# ---------------------------------------------------------------- progress, from within a task


def report_progress(done: int, total: int, resume: dict[str, Any] | None = None) -> None:
    """Write down how many chunks are done, and what a recovered run needs to go on from here.

    Raises RunCancelled or RunInterrupted when the run is to stop at this chunk; does nothing
    outside of a task.
    """
    run = _current
    if run is None:
        return
    # what a lost worker takes with it was no progress: nor is beginning at the same chunk again
    is_further = (RUNS.c.progress_done < done) if resume else false()
    values = {
        "progress_done": done, "progress_total": total, "resume": resume,
        "stalls": case((is_further, 0), else_=RUNS.c.stalls), "heartbeat_at": utc_now(),
    }  # fmt: skip
    with write_connection() as connection:
        mine = (RUNS.c.id == run.id) & (RUNS.c.attempt == run.attempt)
        started = RUNS.c.state == RunState.STARTED
        connection.execute(update(RUNS).where(mine, started).values(values))
        row = connection.execute(select(RUNS.c.cancel_asked, RUNS.c.state).where(mine)).first()
    if row is None or row.state != RunState.STARTED:
        raise RunInterrupted("this run has been given to another worker")
    if done < total and row.cancel_asked:
        raise RunCancelled((resume or {}).get("result"))
    if done < total and run.is_stopping():
        raise RunInterrupted("the consumer is ending")


# ---------------------------------------------------------------- runs in this process


@contextmanager
def record_local_run(task_name: str, args: dict[str, Any], by: str = "") -> Iterator[LocalRun]:
    """Record work that a shell does itself, without a queue, as a run of its own.

    The block sets ``outcome.result``. An error is written down and raised again.
    """
    global _current
    run_id, now, outcome = str(uuid.uuid4()), utc_now(), LocalRun()
    row = _new_row(run_id, task_name, "", args, RunOrigin(Trigger.COMMAND, by), now)
    row |= {"state": RunState.STARTED, "attempt": 1} | _worker_values(now)
    with write_connection() as connection:
        connection.execute(insert(RUNS), row)
    outcome.run_id = run_id
    _current = CurrentRun(run_id, 1, now, None, None, lambda: False, task=task_name, args=args)
    ended = threading.Event()
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # a local proxy
    threading.Thread(target=_beat_until, args=(app, run_id, ended), daemon=True).start()
    try:
        yield outcome
    except BaseException as error:
        db.session.rollback()
        state = RunState.FAILURE if isinstance(error, Exception) else RunState.REVOKED
        finish(run_id, 1, state, error=error)
        raise
    else:
        finish(run_id, 1, RunState.SUCCESS, result=outcome.result)
    finally:
        ended.set()
        _current = None


def _beat_until(app: Flask, run_id: str, ended: threading.Event) -> None:
    """Show that a run in a shell is alive, until it has ended."""
    this = (RUNS.c.id == run_id) & (RUNS.c.state == RunState.STARTED)
    while not ended.wait(SHELL_BEAT_SECONDS):
        try:
            with app.app_context(), write_connection() as connection:
                connection.execute(update(RUNS).where(this).values(heartbeat_at=utc_now()))
        except SQLAlchemyError as error:  # the next beat may be taken
            logger.warning("run %s: no heartbeat: %s", run_id, error.__cause__ or error)


@dataclass
class LocalRun:
    """What a block under ``record_local_run`` says of itself."""

    run_id: str = ""
    result: Any = None


def finish(
    run_id: str,
    attempt: int,
    state: RunState,
    *,
    result: Any = None,
    error: BaseException | None = None,
    more: dict[str, Any] | None = None,
    follow: dict[str, Any] | None = None,
) -> bool:
    """Write the end of an attempt, unless another worker has taken the run over.

    ``more`` are further columns, ``follow`` the row of the next run in a chain, written in the
    same transaction. Returns whether this worker still had the run.
    """
    values: dict[str, Any] = {"state": state, "heartbeat_at": utc_now()}
    if state not in WAITING:
        values["finished_at"] = utc_now()
    if error is None:
        values |= {"error": "", "fingerprint": "", "traceback": ""}
    else:
        values |= error_values(error)
    if result is not None:
        values["result"] = result
    values |= more or {}
    with write_connection() as connection:
        if state in WAITING:
            end = "failed" if error else "interrupted"
            values["earlier"] = _with_last_attempt(connection, run_id, end, values["error"])
        mine = (RUNS.c.id == run_id) & (RUNS.c.attempt == attempt)
        started = RUNS.c.state == RunState.STARTED
        finished = connection.execute(update(RUNS).where(mine, started).values(values))
        if finished.rowcount and follow:
            connection.execute(insert(RUNS), follow)
    return finished.rowcount > 0


def _with_last_attempt(
    connection: Connection, run_id: str, end: str, error: str
) -> list[dict[str, Any]]:
    """A run's earlier attempts and, after them, the one that ends now while the run goes on."""
    run = connection.execute(select(RUNS).where(RUNS.c.id == run_id)).one()
    attempt = {
        "attempt": run.attempt,
        "started_at": run.started_at.isoformat() if run.started_at else None,
        "ended_at": utc_now().isoformat(),
        "host": run.host,
        "pid": run.pid,
        "end": end,
        "error": error[:EARLIER_ERROR_LIMIT],
    }
    return [*run.earlier, attempt][-EARLIER_ATTEMPTS:]


def error_values(error: BaseException) -> dict[str, Any]:
    """Error, fingerprint and traceback of an exception, as columns."""
    text = str(error) or type(error).__name__
    if not isinstance(error, TrackerError):
        text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    trace = "".join(traceback.format_exception(error))
    return {
        "error": text[:ERROR_LIMIT],
        "fingerprint": fingerprint(error),
        "traceback": trace[-TRACEBACK_LIMIT:],
    }


def fingerprint(error: BaseException) -> str:
    """Twelve characters that are equal for errors of one kind from one place."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename}:{frames[-1].name}" if frames else ""
    return hashlib.sha256(f"{type(error).__name__}|{place}".encode()).hexdigest()[:12]


def _worker_values(now: datetime) -> dict[str, Any]:
    return {
        "started_at": now,
        "heartbeat_at": now,
        "host": socket.gethostname(),
        "pid": os.getpid(),
    }


def _new_row(
    run_id: str,
    task: str,
    queue: str,
    args: dict[str, Any],
    asked: RunOrigin,
    now: datetime,
    *,
    due_at: datetime | None = None,
    expires_at: datetime | None = None,
    attempt: int = 0,
    retries_left: int = 0,
) -> dict[str, Any]:
    return {
        "id": run_id,
        "task": task,
        "queue": queue,
        "slot": None,
        "args": args,
        "state": RunState.PENDING,
        "trigger": asked.trigger,
        "asked_by": asked.by,
        "chain": asked.chain,
        "queued_at": now,
        "due_at": due_at or now,
        "expires_at": expires_at,
        "attempt": attempt,
        "retries_left": retries_left,
        "host": "",
    }


def _row_of(huey: TaskQueue, task: Any, asked: RunOrigin, now: datetime) -> dict[str, Any]:
    return _new_row(
        task.id, task.name, huey.name, _named_args(task), asked, now,
        due_at=_aware(task.eta), expires_at=_aware(task.expires_resolved),
        attempt=task.attempt, retries_left=task.retries,
    )  # fmt: skip


def _aware(moment: datetime | None) -> datetime | None:
    """Huey keeps moments naive, in UTC."""
    if moment is None or moment.tzinfo:
        return moment
    return moment.replace(tzinfo=UTC)


def _named_args(task: Any) -> dict[str, Any]:
    """A task's arguments by name, as JSON; by position where they don't fit the function."""
    if not task.args and not task.kwargs:
        return {}
    try:
        bound = _signature(type(task).function).bind(*task.args, **task.kwargs).arguments
    except TypeError:
        bound = {str(n): value for n, value in enumerate(task.args)} | task.kwargs
    return {name: _as_json(value) for name, value in bound.items()}


_signature = cache(inspect.signature)


def _as_json(value: Any) -> Any:
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _as_json(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_json(part) for part in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


# ---------------------------------------------------------------- what the queues ask


class RunListener(Protocol):
    """What the ledger calls when runs end and with each heartbeat: the alerts."""

    def run_succeeded(self, task: str, args: dict[str, Any]) -> None:
        """A run of this task with these arguments has succeeded."""

    def run_failed(self, run_id: str) -> None:
        """A run has failed for good."""

    def check_if_due(self) -> None:
        """A heartbeat of a consumer process."""


class Ledger:
    """Answers the queues' RunTracker from the database. Every method brings its own app context."""

    def __init__(
        self,
        app: Flask,
        queues: Sequence[TaskQueue],
        retention_days: int,
        listener: RunListener | None = None,
    ) -> None:
        self.app = app
        self.queues = queues
        self.retention = timedelta(days=retention_days)
        self.listener = listener
        self._pruned_at: datetime | None = None

    @cached_property
    def _engine(self) -> Engine:
        with self.app.app_context():
            return db.engine

    # -- before the body

    def record(self, huey: TaskQueue, task: Any) -> bool:
        row = _row_of(huey, task, _asked.get(), utc_now())
        with write_connection(self._engine) as connection:
            return insert_ignoring(connection, RUNS, [row], ["id"]) > 0

    def record_all(
        self, huey: TaskQueue, tasks: Sequence[Any], check: Callable[[Connection], None]
    ) -> None:
        with self.app.app_context(), write_connection() as connection:
            lock_until_commit(connection, RUNS.name)
            check(connection)
            rows = [_row_of(huey, task, _asked.get(), utc_now()) for task in tasks]
            connection.execute(insert(RUNS), rows)

    def unsent(self, task: Any, error: Exception) -> None:
        values = {"state": RunState.FAILURE, "finished_at": utc_now()} | error_values(error)
        with self.app.app_context(), write_connection() as connection:
            waiting = (RUNS.c.id == task.id) & RUNS.c.state.in_(WAITING)
            connection.execute(update(RUNS).where(waiting).values(values))

    def expired(self, task: Any) -> None:
        now = utc_now()
        this = (RUNS.c.id == task.id, RUNS.c.attempt == task.attempt, RUNS.c.state.in_(WAITING))
        too_late = RUNS.c.expires_at <= now  # by the ledger, whatever the message says
        with self.app.app_context(), write_connection() as connection:
            connection.execute(
                update(RUNS).where(*this, too_late).values(state=RunState.EXPIRED, finished_at=now)
            )

    def revoke(self, run_id: str) -> None:
        with self.app.app_context():
            cancel_run(run_id)

    def is_revoked(self, run_id: str) -> bool:
        with self.app.app_context():
            going = RUNS.c.state.in_((RunState.STARTED, RunState.REVOKED))
            asked = select(RUNS.c.cancel_asked).where(RUNS.c.id == run_id, going)
            with db.engine.connect() as connection:
                return bool(connection.scalar(asked))

    # -- around the body

    def run(self, huey: TaskQueue, task: Any, body: Body) -> Any:
        """Claim the run, do the work, write down what became of it.

        A message that came twice finds nothing to claim and is dropped. When the database does
        not take what is to be written down, Huey is told nothing: recovery puts the run back.
        """
        with self.app.app_context():
            try:
                return self._run(huey, task, body)
            except LedgerUnavailableError as error:
                logger.exception("run %s waits for the database: %s", task.id, error)  # noqa: TRY401
                return None

    def _run(self, huey: TaskQueue, task: Any, body: Body) -> Any:
        global _current
        try:
            with ledger_errors:
                run = self._claim(huey, task)
        except ForgedMessageError as error:
            logger.warning("run %s: %s", task.id, error)
            self.dead_letter(huey.name, huey.serialize_task(task), str(error))
            return None  # the run still waits, and is put back as it was asked for
        if run is None:
            logger.warning("run %s has been taken or ended: dropped", task.id)
            return None
        outer, _current = _current, run
        try:
            _check_arguments(task)
            value = body()
        except (KeyboardInterrupt, Exception) as error:
            db.session.rollback()
            with ledger_errors:
                outcome = self._failed(huey, task, run, error)
            if outcome is error:
                raise
            raise outcome from error
        else:
            with ledger_errors:
                self._succeeded(run, value)
            return value
        finally:
            _current = outer
            db.session.remove()

    def _claim(self, huey: TaskQueue, task: Any) -> CurrentRun | None:
        """The run, if it still waits for this attempt. Raises ForgedMessageError."""
        now, args = utc_now(), _named_args(task)
        values = {"state": RunState.STARTED, "attempt": task.attempt + 1} | _worker_values(now)
        with write_connection(self._engine) as connection:
            claimed = connection.execute(
                update(RUNS)
                .where(RUNS.c.id == task.id, RUNS.c.attempt == task.attempt)
                .where(RUNS.c.state.in_(WAITING))
                .values(values)
                .returning(
                    *(RUNS.c.task, RUNS.c.args, RUNS.c.resume, RUNS.c.trigger),
                    *(RUNS.c.chain, RUNS.c.asked_by, RUNS.c.retries_left),
                )
            ).first()
            if claimed is None:
                return None
            if (claimed.task, claimed.args) != (task.name, args):
                raise ForgedMessageError("the message is not what was asked for")
        task.attempt += 1
        task.retries = claimed.retries_left
        return CurrentRun(
            task.id,
            task.attempt,
            now,
            task.timeout,
            is_stopping=huey.is_stopping,
            task=task.name,
            args=args,
            resume=claimed.resume,
            trigger=claimed.trigger,
            chain=claimed.chain,
            asked_by=claimed.asked_by,
            retries_left=claimed.retries_left,
        )

    def _failed_for_good(self, run: CurrentRun, state: RunState, error: BaseException) -> None:
        """Write the end of a run, and let it be known."""
        if finish(run.id, run.attempt, state, error=error):
            self._tell(run.id)

    def _tell(self, run_id: str) -> None:
        if self.listener is not None:
            self.listener.run_failed(run_id)

    def _succeeded(self, run: CurrentRun, value: Any) -> None:
        following, row = self._next_in_chain(run)
        is_ours = finish(run.id, run.attempt, RunState.SUCCESS, result=_as_json(value), follow=row)
        if is_ours and self.listener is not None:
            self.listener.run_succeeded(run.task, run.args)
        if following is not None:
            try:
                following[0].push(following[1])
            except TrackerError as error:  # it is in the ledger: recovery will put it back
                logger.warning("run %s waits for the broker: %s", following[1].id, error)

    def _next_in_chain(
        self, run: CurrentRun
    ) -> tuple[tuple[TaskQueue, Any] | None, dict[str, Any] | None]:
        if not run.chain:
            return None, None
        queue, task_class = self._task_class(run.chain[0])
        task = task_class()
        asked = RunOrigin(Trigger.CHAIN, run.asked_by, run.chain[1:])
        return (queue, task), _row_of(queue, task, asked, utc_now())

    def _failed(
        self, huey: TaskQueue, task: Any, run: CurrentRun, error: BaseException
    ) -> BaseException:
        """Write the failure down; the exception that makes Huey do the same as the ledger."""
        if isinstance(error, KeyboardInterrupt):
            self._put_back(huey, task, run)
            return KeyboardInterrupt()
        if isinstance(error, RunCancelled):
            finish(run.id, run.attempt, RunState.REVOKED, result=_as_json(error.result))
            cancelled: BaseException = CancelExecution(retry=False)
            return cancelled
        if isinstance(error, TrackerError) and not error.retryable:
            task.retries = 0
        if task.retries:
            more = {
                "due_at": utc_now() + timedelta(seconds=task.retry_delay),
                "retries_left": task.retries - 1,
                "stalls": 0,
            }
            finish(run.id, run.attempt, RunState.RETRY, error=error, more=more)
        else:
            is_late = isinstance(error, TaskTimeout)
            state = RunState.TIMEOUT if is_late else RunState.FAILURE
            self._failed_for_good(run, state, error)
        return error

    def _put_back(self, huey: TaskQueue, task: Any, run: CurrentRun) -> None:
        """An interrupted run waits again, and is on the broker again when that can be reached."""
        values = {"due_at": utc_now()}
        if finish(run.id, run.attempt, RunState.PENDING, more=values):
            try:
                huey.push(task)
            except TrackerError as error:
                logger.warning("run %s waits for the broker: %s", run.id, error)

    # -- the scheduler

    def since(self, task_name: str) -> datetime:
        row = {"task": task_name, "paused": False, "since_at": utc_now()}
        with write_connection(self._engine) as connection:
            insert_ignoring(connection, SCHEDULES, [row], ["task"])
            since: datetime = connection.scalars(
                select(SCHEDULES.c.since_at).where(SCHEDULES.c.task == task_name)
            ).one()
        return since

    def claim(self, huey: TaskQueue, periodic: PeriodicTask, slot: datetime) -> Any | None:
        task = periodic.task_class(id=f"{periodic.name}@{iso_utc(slot)}")
        if task.expires:
            task.resolve_expires()
        now = utc_now()
        with write_connection(self._engine) as connection:
            if connection.scalar(
                select(SCHEDULES.c.paused).where(SCHEDULES.c.task == periodic.name)
            ):
                return None
            beating = {"name": periodic.name, "after": now - LOST_AFTER}
            if periodic.skip_while_running and connection.scalar(STILL_BEATING, beating):
                logger.info("%s still runs: slot %s is skipped", periodic.name, iso_utc(slot))
                return None
            row = _row_of(huey, task, RunOrigin(Trigger.SCHEDULE), now) | {"slot": slot}
            is_ours = insert_ignoring(connection, RUNS, [row], ["task", "slot"]) > 0
        return task if is_ours else None

    # -- the heart

    def beat(self, queue: str, role: str) -> None:
        run, now = (_current if role == "worker" else None), utc_now()
        values = {"beat_at": now, "run_id": run.id if run else None}
        this = _this_process(queue, role)
        with write_connection(self._engine) as connection:
            beating = update(CONSUMERS).where(*_is_process(this)).values(values)
            if not connection.execute(beating).rowcount:
                connection.execute(insert(CONSUMERS), this | values | {"started_at": now})
            if run is not None:
                mine = (RUNS.c.id == run.id) & (RUNS.c.attempt == run.attempt)
                connection.execute(update(RUNS).where(mine).values(heartbeat_at=now))
        if run is not None:
            self._end_if_overdue(run, now)
        if self.listener is not None and role in CONSUMER_ROLES:
            self.listener.check_if_due()

    def _end_if_overdue(self, run: CurrentRun, now: datetime) -> None:
        """End this process when its run is past its limit and cannot be interrupted otherwise."""
        if run.timeout is None:
            return
        if now < run.started_at + timedelta(seconds=run.timeout) + OVERTIME:
            return
        error = TaskTimeout(
            f"still running {OVERTIME.seconds} s after its limit of {run.timeout} s"
        )
        with self.app.app_context():
            self._failed_for_good(run, RunState.TIMEOUT, error)
        logger.error("run %s cannot be interrupted: this worker ends itself", run.id)
        os.kill(os.getpid(), signal.SIGKILL)

    def leave(self, queue: str, role: str) -> None:
        with write_connection(self._engine) as connection:
            connection.execute(delete(CONSUMERS).where(*_is_process(_this_process(queue, role))))

    def after_fork(self) -> None:
        with self.app.app_context():
            forget_connections()

    # -- recovery

    def dead_letter(self, queue: str, data: bytes, reason: str) -> None:
        row = {
            "queue": queue,
            "message": _readable(data[:DEAD_LETTER_LIMIT]),
            "size": len(data),
            "reason": reason,
            "received_at": utc_now(),
        }
        with self.app.app_context(), write_connection() as connection:
            connection.execute(insert(DeadLetter).values(row))

    def recover(self, huey: TaskQueue) -> None:
        """Give up the dead, put back the lost. Any number of schedulers may do this at once."""
        with self.app.app_context():
            now = utc_now()
            self._forget_dead_consumers(now)
            self._reclaim_started(huey, now)
            self._requeue_waiting(huey, now)
            self._prune(now)

    def _prune(self, now: datetime) -> None:
        """Once an hour, forget old runs; failures are kept twice as long, open ones always.

        The newest slot of each task stays, or a scheduler that starts would claim it once more.
        """
        if self._pruned_at and now - self._pruned_at < PRUNE_EVERY:
            return
        self._pruned_at = now
        newest = select(func.max(RUNS.c.slot)).group_by(RUNS.c.task)
        is_old_news = RUNS.c.slot.is_(None) | RUNS.c.slot.not_in(newest)
        calm = RUNS.c.state.in_((RunState.SUCCESS, RunState.REVOKED, RunState.EXPIRED))
        failed = RUNS.c.state.in_(FAILED)
        with write_connection() as connection:
            for which, age in ((calm, self.retention), (failed, 2 * self.retention)):
                old = RUNS.c.finished_at < now - age
                forget = delete(RUNS).where(which, old, is_old_news)
                gone = connection.execute(forget.returning(RUNS.c.task, RUNS.c.state))
                for (task, state), count in Counter((row.task, row.state) for row in gone).items():
                    _add_to_total(connection, task, state, count)

    def _forget_dead_consumers(self, now: datetime) -> None:
        with write_connection(self._engine) as connection:
            connection.execute(delete(CONSUMERS).where(CONSUMERS.c.beat_at < now - LOST_AFTER))

    def _reclaim_started(self, huey: TaskQueue, now: datetime) -> None:
        """Runs that began and have no heart any more wait again, or have failed."""
        silent = select(RUNS).where(
            RUNS.c.queue.in_((huey.name, "")),
            RUNS.c.state == RunState.STARTED,
            RUNS.c.heartbeat_at < now - DEAD_PID_AFTER,
        )
        with self._engine.connect() as connection:
            runs = connection.execute(silent).all()
        for run in runs:
            if _is_lost(run, now):
                self._reclaim(run, now)

    def _reclaim(self, run: Any, now: datetime) -> None:
        is_poison = run.stalls + 1 > RECOVERIES_WITHOUT_PROGRESS
        values: dict[str, Any] = {"recoveries": run.recoveries + 1, "stalls": run.stalls + 1}
        if run.queue == "" or is_poison:
            lost = "its process ended" if run.queue == "" else "its worker died every time"
            values |= {
                "state": RunState.FAILURE, "finished_at": now, "recoveries": run.recoveries,
                "error": f"{lost} (host {run.host}, process {run.pid})", "fingerprint": "lost",
            }  # fmt: skip
        elif run.cancel_asked:
            values |= {"state": RunState.REVOKED, "finished_at": now}
        else:
            # due in the past, so that it is put back in this very round
            values |= {"state": RunState.PENDING, "due_at": now - GRACE}
        with write_connection(self._engine) as connection:
            if values["state"] == RunState.PENDING:
                values["earlier"] = _with_last_attempt(
                    connection, run.id, "lost with its worker", ""
                )
            mine = (RUNS.c.id == run.id) & (RUNS.c.attempt == run.attempt)
            started = RUNS.c.state == RunState.STARTED
            reclaimed = connection.execute(update(RUNS).where(mine, started).values(values))
        if reclaimed.rowcount:
            logger.warning("run %s lost its worker: %s", run.id, values["state"])
            if values["state"] == RunState.FAILURE and run.queue:
                self._tell(run.id)

    def _requeue_waiting(self, huey: TaskQueue, now: datetime) -> None:
        """Waiting runs that the broker does not hold go back to it."""
        overdue = select(RUNS).where(
            RUNS.c.queue == huey.name,
            RUNS.c.state.in_(WAITING),
            RUNS.c.due_at <= now - GRACE,
        )
        with self._engine.connect() as connection:
            runs = connection.execute(overdue).all()
        if not runs:
            return
        held = huey.message_ids()
        for run in runs:
            if run.id not in held:
                self._requeue(huey, run, now)

    def _requeue(self, huey: TaskQueue, run: Any, now: datetime) -> None:
        values: dict[str, Any] = {"due_at": now}
        task = self._task_of(huey, run)
        if run.expires_at and run.expires_at < now:
            values = {"state": RunState.EXPIRED, "finished_at": now}
        elif task is None:
            values = {
                "state": RunState.FAILURE, "finished_at": now, "fingerprint": "unknown",
                "error": f"there is no task {run.task!r} on queue {huey.name}",
            }  # fmt: skip
        with write_connection() as connection:
            done = connection.execute(
                update(RUNS)
                .where(RUNS.c.id == run.id, RUNS.c.due_at == run.due_at)
                .where(RUNS.c.state.in_(WAITING))
                .values(values)
            )
        if not done.rowcount:
            return
        if values.get("state") == RunState.FAILURE:
            self._tell(run.id)
        if task is not None and "state" not in values:
            logger.warning("run %s was not on the broker: put back", run.id)
            huey.push(task)

    def _task_of(self, huey: TaskQueue, run: Any) -> Any | None:
        """A message for a run, rebuilt from its row."""
        task_class = huey.task_class(run.task)
        if task_class is None:
            return None
        used = task_class.default_retries - run.retries_left
        delay = task_class.default_retry_delay * task_class.default_retry_backoff**used
        task = task_class(
            kwargs=dict(run.args), id=run.id, retries=run.retries_left, retry_delay=delay
        )
        task.attempt = run.attempt
        return task

    def _task_class(self, name: str) -> tuple[TaskQueue, Any]:
        for huey in self.queues:
            task_class = huey.task_class(name)
            if task_class is not None:
                return huey, task_class
        raise LookupError(f"there is no task {name!r}")


def _add_to_total(connection: Connection, task: str, state: str, count: int) -> None:
    key = {"task": task, "state": state}
    insert_ignoring(connection, TOTALS, [key | {"count": 0}], list(key))
    mine = (TOTALS.c.task == task) & (TOTALS.c.state == state)
    connection.execute(update(TOTALS).where(mine).values(count=TOTALS.c.count + count))


def _readable(data: bytes) -> str:
    """Any bytes as text that a database takes; what is not UTF-8 is escaped."""
    return data.decode("utf-8", "backslashreplace").replace("\x00", "\\x00")


def _check_arguments(task: Any) -> None:
    """A task called with the wrong number of arguments fails at once, without a retry."""
    try:
        _signature(type(task).function).bind(*task.args, **task.kwargs)
    except TypeError:
        task.retries = 0
        raise


def _this_process(queue: str, role: str) -> dict[str, Any]:
    return {"host": socket.gethostname(), "pid": os.getpid(), "queue": queue, "role": role}


def _is_process(process: dict[str, Any]) -> list[Any]:
    return [CONSUMERS.c[name] == value for name, value in process.items()]


def _is_lost(run: Any, now: datetime) -> bool:
    if run.heartbeat_at < now - LOST_AFTER:
        return True
    return run.host == socket.gethostname() and not _is_alive(run.pid)


def _is_alive(pid: int | None) -> bool:
    try:
        os.kill(pid or 0, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
