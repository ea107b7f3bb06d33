"""One attempt at a run: a worker claims it, executes the task's body, and records the end.

Whatever happens, at most one worker has an attempt. A claim is an UPDATE of the row that waits for
this attempt; the end is an UPDATE of the row that this attempt has started. So a message that
comes twice claims nothing, and a worker whose run was given to another one records nothing.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from huey.exceptions import CancelExecution, TaskTimeout
from sqlalchemy import Connection, Engine, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from sportsapp.core.clock import utc_now
from sportsapp.core.errors import BrokerUnavailableError, ForgedMessageError, TrackerError
from sportsapp.db.engine import db, write_connection
from sportsapp.db.models.run import WAITING, RunState, Trigger
from sportsapp.queue.tracker import Body, TaskQueue, TrackedTask
from sportsapp.runs.dead_letters import keep_dead_letter
from sportsapp.runs.listener import RunListener
from sportsapp.runs.progress import CurrentRun, RunCancelled, executing
from sportsapp.runs.rows import (
    RUNS,
    RunOrigin,
    as_json,
    bind_arguments,
    error_values,
    named_args,
    queued_row,
    started_values,
)

logger = logging.getLogger(__name__)

EARLIER_ATTEMPTS = 50
EARLIER_ERROR_LIMIT = 300


class LedgerUnavailableError(Exception):
    """The database does not take what the ledger has to write about a run."""


@contextmanager
def ledger_errors() -> Iterator[None]:
    """Raise LedgerUnavailableError for a database error of the ledger's own statements.

    One that the task's body raises is the task's failure, and is recorded as one.
    """
    try:
        yield
    except SQLAlchemyError as error:
        raise LedgerUnavailableError(str(error.__cause__ or error)) from error


class Attempts:
    """Executes runs in this process. ``running`` has those in progress by their id.

    The heartbeat's thread reads ``running``: a context variable is another thread's own.
    """

    def __init__(
        self, engine: Engine, queues: Sequence[TaskQueue], listener: RunListener | None
    ) -> None:
        self.engine = engine
        self.queues = queues
        self.listener = listener
        self.running: dict[str, CurrentRun] = {}

    def run(self, queue: TaskQueue, task: TrackedTask, body: Body) -> Any:
        """Claim the run, execute the body, record the end. Needs an app context.

        Returns the body's value. Returns None for a message that has nothing to claim, since the
        run was taken or has ended; for a forged one, which becomes a dead letter; and when the
        database does not take what the ledger has to write: recovery queues the run again.
        Raises what the body raises, or what makes Huey do with the task as the ledger records.
        """
        try:
            with ledger_errors():
                run = self._claim(queue, task)
            return None if run is None else self._execute(queue, task, run, body)
        except LedgerUnavailableError as error:
            logger.error("run %s waits for the database: %s", task.id, error, exc_info=True)
            return None

    def _claim(self, queue: TaskQueue, task: TrackedTask) -> CurrentRun | None:
        """Start the run if it waits for this attempt; None if it does not."""
        now, args = utc_now(), named_args(task)
        try:
            with write_connection(self.engine) as connection:
                row = connection.execute(
                    update(RUNS)
                    .where(RUNS.c.id == task.id, RUNS.c.attempt == task.attempt)
                    .where(RUNS.c.state.in_(WAITING))
                    .values(started_values(now) | {"attempt": task.attempt + 1})
                    .returning(RUNS)
                ).first()
                if row is None:
                    logger.warning("run %s has been taken or has ended: message dropped", task.id)
                    return None
                if (row.task, row.args) != (task.name, args):
                    raise ForgedMessageError("the message differs from the run that it names")
        except ForgedMessageError as error:  # rolled back: the run waits, and recovery queues it
            logger.warning("run %s: %s", task.id, error)
            keep_dead_letter(self.engine, queue.name, queue.serialize_task(task), str(error))
            return None
        task.attempt = row.attempt
        task.retries = row.retries_left
        return CurrentRun(
            id=task.id,
            attempt=row.attempt,
            started_at=now,
            timeout=task.timeout,
            resume=row.resume,
            is_stopping=queue.is_stopping,
            trigger=row.trigger,
            task=task.name,
            args=args,
            chain=row.chain,
            asked_by=row.asked_by,
            retries_left=row.retries_left,
        )

    def _execute(self, queue: TaskQueue, task: TrackedTask, run: CurrentRun, body: Body) -> Any:
        self.running[run.id] = run
        try:
            with executing(run):
                try:
                    _check_arguments(task)
                    value = body()
                except (KeyboardInterrupt, Exception) as error:
                    db.session.rollback()
                    with ledger_errors():
                        outcome = self._record_failure(queue, task, run, error)
                    if outcome is error:
                        raise
                    raise outcome from error
                with ledger_errors():
                    self._record_success(run, value)
                return value
        finally:
            self.running.pop(run.id, None)
            db.session.remove()

    def _record_success(self, run: CurrentRun, value: Any) -> None:
        """End the run as SUCCESS and queue the next of its chain, in one transaction."""
        following = self._next_in_chain(run)
        row = queued_row(*following, utc_now()) if following else None
        result = as_json(value)
        if not finish(self.engine, run, RunState.SUCCESS, result=result, follow=row):
            return
        if self.listener is not None:
            self.listener.run_succeeded(run.task, run.args)
        if following:
            _push(*following[:2])

    def _next_in_chain(self, run: CurrentRun) -> tuple[TaskQueue, TrackedTask, RunOrigin] | None:
        if not run.chain:
            return None
        for queue in self.queues:
            task_class = queue.task_class(run.chain[0])
            if task_class is not None:
                return queue, task_class(), RunOrigin(Trigger.CHAIN, run.asked_by, run.chain[1:])
        logger.error("run %s: no task %r, which was to run next", run.id, run.chain[0])
        return None

    def _record_failure(
        self, queue: TaskQueue, task: TrackedTask, run: CurrentRun, error: BaseException
    ) -> BaseException:
        """Record what the error means for the run.

        Returns the exception that makes Huey do the same with the task.
        """
        if isinstance(error, KeyboardInterrupt):
            # the consumer is to end, or the run is another worker's: it goes on from its last chunk
            if finish(self.engine, run, RunState.PENDING, due_at=utc_now()):
                _push(queue, task)
            return KeyboardInterrupt()
        if isinstance(error, RunCancelled):
            finish(self.engine, run, RunState.REVOKED, result=as_json(error.result))
            cancelled: BaseException = CancelExecution(retry=False)
            return cancelled
        if isinstance(error, TrackerError) and not error.retryable:
            task.retries = 0
        if task.retries:
            due_at = utc_now() + timedelta(seconds=task.retry_delay)
            left = task.retries - 1
            finish(
                self.engine, run, RunState.RETRY, error, due_at=due_at, retries_left=left, stalls=0
            )
        else:
            state = RunState.TIMEOUT if isinstance(error, TaskTimeout) else RunState.FAILURE
            if finish(self.engine, run, state, error) and self.listener is not None:
                self.listener.run_failed(run.id)
        return error


def _check_arguments(task: TrackedTask) -> None:
    """A task called with arguments that it does not take fails without a retry."""
    try:
        bind_arguments(task)
    except TypeError:
        task.retries = 0
        raise


def _push(queue: TaskQueue, task: TrackedTask) -> None:
    """Send a recorded run to the broker; while that is away, recovery will."""
    try:
        queue.push(task)
    except BrokerUnavailableError as error:
        logger.warning("run %s waits for the broker: %s", task.id, error)


def finish(
    engine: Engine,
    run: CurrentRun,
    state: RunState,
    error: BaseException | None = None,
    *,
    follow: dict[str, Any] | None = None,
    **columns: Any,
) -> bool:
    """Record the end of an attempt, in one transaction with ``follow``, the row of a next run.

    ``columns`` are further values of the run's row. Returns False, and changes nothing, if the
    attempt has ended already or another worker has taken the run over.
    """
    now = utc_now()
    values = {"state": state, "heartbeat_at": now, "error": "", "fingerprint": "", "traceback": ""}
    values |= columns | (error_values(error) if error else {})
    if state not in WAITING:
        values["finished_at"] = now
    with write_connection(engine) as connection:
        if state in WAITING:
            end = "failed" if error else "interrupted"
            values["earlier"] = with_last_attempt(connection, run.id, end, str(values["error"]))
        finished = connection.execute(
            update(RUNS)
            .where(RUNS.c.id == run.id, RUNS.c.attempt == run.attempt)
            .where(RUNS.c.state == RunState.STARTED)
            .values(values)
        )
        if finished.rowcount and follow:
            connection.execute(insert(RUNS), follow)
    return finished.rowcount > 0


def with_last_attempt(
    connection: Connection, run_id: str, end: str, error: str = ""
) -> list[dict[str, Any]]:
    """The column ``earlier`` of a run that waits again: its attempts so far, oldest first.

    ``end`` is how the last of them ended, ``error`` its error. The newest EARLIER_ATTEMPTS stay.
    """
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
