"""One attempt at a run: a worker claims it, executes the task's body, and records the end.

Whatever happens, at most one worker has an attempt. A claim is an UPDATE of the row that waits for
this attempt; the end is an UPDATE of the row that this attempt has started. So a message that
comes twice claims nothing, and a worker whose run was given to another one records nothing.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from huey.exceptions import CancelExecution, TaskTimeout
from huey.utils import SKIPPED
from sqlalchemy import Connection, Engine, bindparam, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from sportsapp.core.clock import utc_now
from sportsapp.core.errors import TrackerError
from sportsapp.db.engine import autocommit_connection, db, write_connection
from sportsapp.db.models.run import WAITING, RunState
from sportsapp.queue.tracker import TaskQueue, TrackedTask, can_pause
from sportsapp.runs import turns
from sportsapp.runs.chains import end_chain, make_next_due
from sportsapp.runs.dead_letters import keep_dead_letter
from sportsapp.runs.failures import HAS_UNRESOLVED, resolve_failures
from sportsapp.runs.lines import keep_lines
from sportsapp.runs.listener import RunListener
from sportsapp.runs.pauses import is_paused
from sportsapp.runs.progress import (
    CLAIMED,
    CurrentRun,
    RunCancelled,
    RunGivesWay,
    RunSkipped,
    executing,
)
from sportsapp.runs.rows import (
    ERROR_LIMIT,
    RUNS,
    bind_arguments,
    error_values,
    named_args,
    seconds_between,
    started_values,
    stored_result,
    success_values,
)

logger = logging.getLogger(__name__)

# The two statements of every run are built once; what they set comes with their parameters.
CLAIM = (
    update(RUNS)
    .where(RUNS.c.id == bindparam("run_id"), RUNS.c.attempt == bindparam("last_attempt"))
    .where(or_(*(RUNS.c.state == state for state in WAITING)), RUNS.c.due_at.is_not(None))
    .returning(*(RUNS.c[name] for name in CLAIMED), HAS_UNRESOLVED)
)
FINISH = (
    update(RUNS)
    .where(RUNS.c.id == bindparam("run_id"), RUNS.c.attempt == bindparam("this_attempt"))
    .where(RUNS.c.state == RunState.STARTED)
)

UNCLAIMED = {"state": RunState.PENDING, "started_at": None, "heartbeat_at": None, "pid": None}

EARLIER_ATTEMPTS = 50
EARLIER_ERROR_LIMIT = 300


class LedgerUnavailableError(TrackerError):
    """The database does not take what the ledger has to write about a run. The log has one line."""


@contextmanager
def ledger_errors() -> Iterator[None]:
    """Raise LedgerUnavailableError for a database error of the ledger's own statements.

    One that the task's body raises is the task's failure, and is recorded as one.
    """
    try:
        yield
    except SQLAlchemyError as error:
        raise LedgerUnavailableError(str(error.__cause__ or error)) from error


@dataclass
class Attempts:
    """Executes runs in this process. ``running`` has those in progress by their id.

    The heartbeat's thread reads ``running``: a context variable is another thread's own.
    """

    engine: Engine
    queues: Sequence[TaskQueue]
    listener: RunListener
    running: dict[str, CurrentRun] = field(default_factory=dict)

    def run(self, task: TrackedTask) -> Any:
        """Claim the run, call the task's function, record the end.

        Needs an app context, which ``Ledger.run`` opens.

        Returns the function's value, and Huey's SKIPPED for a run that its body skips. Returns None
        for a message that has nothing to claim, since
        the run was taken or has ended; for a run that waits for its turn, or gives way; for a
        forged message, which becomes a dead letter; and when the database does not take what the
        ledger has to write: recovery queues the run again.
        Raises what the function raises, KeyboardInterrupt for an interrupted run, and
        CancelExecution for a cancelled one, so that Huey treats the task as the ledger does.
        """
        try:
            with ledger_errors():
                run = self._claim(task)
            return None if run is None else self._execute(task, run)
        except LedgerUnavailableError:
            text = "run %s: the database did not take its start or its end; it is queued again."
            logger.exception(text, task.id)
            return None

    def _claim(self, task: TrackedTask) -> CurrentRun | None:
        """Start the run if it waits for this attempt and may start now; None if not."""
        started = started_values(utc_now()) | {"attempt": task.attempt + 1}
        where = {"run_id": task.id, "last_attempt": task.attempt}
        row, is_forged = None, False
        connect = write_connection if turns.takes_turns(task) else autocommit_connection
        with connect(self.engine) as connection:
            paused = can_pause(task.huey) and is_paused(connection, task.huey.name)
            waits = turns.takes_turns(task) and turns.must_wait(connection, task, utc_now())
            if not (paused or waits):
                row = connection.execute(CLAIM, started | where).first()
            if row is not None and (row.task, row.args) != (task.name, named_args(task)):
                # a forged message: the run waits as before, and recovery queues it
                is_forged = True
                where = {"run_id": task.id, "this_attempt": row.attempt}
                connection.execute(FINISH, UNCLAIMED | {"attempt": task.attempt} | where)
        if paused:
            logger.debug("run %s of %s waits: its queue is paused", task.id, task.name)
        elif waits:
            logger.info("run %s of %s waits for the end of another one", task.id, task.name)
            task.huey.push_later(task, turns.TRY_AGAIN)
        elif row is None:
            logger.warning("run %s has been taken or has ended: message dropped", task.id)
        elif is_forged:
            reason = "the message differs from the run that it names"
            logger.warning("run %s: %s", task.id, reason)
            data = task.huey.serialize_task(task)
            keep_dead_letter(self.engine, task.huey.name, data, reason)
        else:
            task.attempt = row.attempt
            task.retries = row.retries_left
            return CurrentRun(row, task.timeout, task.huey.is_stopping, turns.tasks_before(task))
        return None

    def _execute(self, task: TrackedTask, run: CurrentRun) -> Any:
        self.running[task.id] = run
        try:
            with executing(run):
                try:
                    _check_arguments(task)
                    with keep_lines(self.engine, run):
                        value = task.function(*task.args, **task.kwargs)
                except RunGivesWay:
                    db.session.rollback()
                    with ledger_errors():
                        self._give_way(task, run)
                    return None
                except (KeyboardInterrupt, Exception) as error:
                    db.session.rollback()
                    with ledger_errors():
                        outcome = self._record_failure(task, run, error)
                    if outcome is None:
                        return SKIPPED
                    if outcome is error:
                        raise
                    raise outcome from error
                with ledger_errors():
                    self._record_success(run, value)
                return value
        finally:
            self.running.pop(task.id, None)
            db.session.remove()

    def _give_way(self, task: TrackedTask, run: CurrentRun) -> None:
        """Put the run back, to go on from its last step when others have had their turn."""
        values = UNCLAIMED | {"due_at": utc_now() + turns.GIVE_WAY}
        where = {"run_id": run.row.id, "this_attempt": run.row.attempt}
        with autocommit_connection(self.engine) as connection:
            is_back = connection.execute(FINISH, values | where).rowcount > 0
        if is_back:
            logger.info("run %s of %s gives way", task.id, task.name)
            task.huey.push_later(task, turns.GIVE_WAY)

    def _record_success(self, run: CurrentRun, value: Any) -> None:
        """End the run as SUCCESS and make the next of its chain due, in one transaction."""
        following: list[TrackedTask | None] = []

        def follow(connection: Connection) -> None:
            following.append(make_next_due(connection, run.row, self.queues, utc_now()))

        finish(self.engine, run, RunState.SUCCESS, follow=follow, **success_values(value))
        for task in filter(None, following):
            task.huey.push_or_leave(task)

    def _record_failure(
        self, task: TrackedTask, run: CurrentRun, error: BaseException
    ) -> BaseException | None:
        """Record what the error means for the run.

        Returns the exception that makes Huey do the same with the task; None if it was skipped.
        """
        if isinstance(error, KeyboardInterrupt):
            # the consumer is to end, or the run is another worker's: it goes on from its last chunk
            if finish(self.engine, run, RunState.PENDING, due_at=utc_now()):
                task.huey.push_or_leave(task)
            return KeyboardInterrupt()
        if isinstance(error, RunCancelled):
            finish(self.engine, run, RunState.REVOKED, result=stored_result(error.result))
            cancelled: BaseException = CancelExecution(retry=False)
            return cancelled
        failure = error
        if isinstance(error, RunSkipped):
            if run.row.retries_left == (task.default_retries or 0):
                finish(self.engine, run, RunState.SKIPPED, reason=str(error))
                logger.info("run %s of %s is skipped: %s", task.id, task.name, error)
                return None
            failure = error.__cause__ or error
        is_final = isinstance(failure, TrackerError) and not failure.retryable
        if is_final or isinstance(failure, RunSkipped):
            task.retries = 0
        if task.retries:
            due_at = utc_now() + timedelta(seconds=task.retry_delay)
            retry = {"due_at": due_at, "retries_left": task.retries - 1, "stalls": 0}
            finish(self.engine, run, RunState.RETRY, failure, **retry)
        else:
            # the other way to TIMEOUT is consumers.end_if_overdue: a body that nothing interrupts
            state = RunState.TIMEOUT if isinstance(error, TaskTimeout) else RunState.FAILURE
            if finish(self.engine, run, state, failure):
                self.listener.run_failed(task.id)
        return error


def _check_arguments(task: TrackedTask) -> None:
    """A task called with arguments that it does not take fails without a retry."""
    try:
        bind_arguments(task)
    except TypeError:
        task.retries = 0
        raise


def finish(
    engine: Engine,
    run: CurrentRun,
    state: RunState,
    error: BaseException | None = None,
    *,
    reason: str = "",
    follow: Callable[[Connection], None] | None = None,
    **columns: Any,
) -> bool:
    """Record the end of an attempt.

    In the same transaction a SUCCESS without errors resolves earlier failures, ``follow`` is called
    for one within a chain, and another end of the run ends its chain. ``reason`` is why the run was
    skipped; ``columns`` are further values of the run's row. Returns False, and changes nothing, if
    the attempt has ended already or another worker has taken the run over.
    """
    now = utc_now()
    values = {"state": state, "heartbeat_at": now, "fingerprint": "", "traceback": ""}
    values |= {"error": reason[:ERROR_LIMIT]} | columns | (error_values(error) if error else {})
    if state not in WAITING:
        values |= {"finished_at": now, "took_seconds": seconds_between(run.row.started_at, now)}
    in_chain = run.row.chain_id is not None and state not in WAITING
    is_clean = state == RunState.SUCCESS and not columns.get("error_count")
    resolves = is_clean and run.row.has_unresolved
    is_one_statement = not (state in WAITING or in_chain or resolves)
    connect = autocommit_connection if is_one_statement else write_connection
    with connect(engine) as connection:
        if state in WAITING:
            end = "failed" if error else "interrupted"
            values["earlier"] = with_last_attempt(connection, run.row.id, end, str(values["error"]))
        where = {"run_id": run.row.id, "this_attempt": run.row.attempt}
        finished = connection.execute(FINISH, values | where)
        if finished.rowcount and resolves:
            resolve_failures(connection, run.row, now)
        if finished.rowcount and in_chain:
            if state != RunState.SUCCESS:
                end_chain(connection, run.row, state)
            elif follow is not None:
                follow(connection)
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
