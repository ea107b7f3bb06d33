"""The run that the calling code belongs to, and how far it is."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, case, false, select, update

from sportsapp.core.clock import utc_now
from sportsapp.core.log_context import add_log_fields, once_each
from sportsapp.db.engine import write_connection
from sportsapp.db.models.run import RunState
from sportsapp.runs.pauses import is_paused
from sportsapp.runs.rows import RUNS, stored_result
from sportsapp.runs.turns import is_awaited

CLAIMED = [
    *("id", "task", "queue", "slot", "args", "attempt", "started_at"),
    *("trigger", "asked_by", "chain_id", "chain_place", "retries_left", "resume"),
]
"""The columns of a run's row that its attempt needs."""


class RunInterrupted(KeyboardInterrupt):
    """The run stops at a chunk, because its consumer ends or another worker has taken it over.

    A KeyboardInterrupt, as Huey raises in a worker that is to end: no ``except Exception`` on the
    way may keep it.
    """


class RunGivesWay(RunInterrupted):
    """The run stops at a step, for one of higher priority or since its queue is paused.

    It goes on after that.
    """


class RunCancelled(Exception):
    """The run was cancelled; ``result`` is what it has done so far."""

    def __init__(self, result: Any) -> None:
        super().__init__("cancelled")
        self.result = result


class RunSkipped(Exception):
    """The run is left out, for this reason, and ends as SKIPPED: no retry, no alert.

    A task's body raises it from the error that a retry fails with: there an attempt has failed.
    """


@dataclass
class CurrentRun:
    """One attempt at a run that is in progress.

    ``row`` has the columns CLAIMED of the run's row, as they were when the attempt started; its
    ``resume`` is what the last ``report_progress`` of an earlier attempt left. ``timeout`` is in
    seconds, None for no limit. ``is_stopping()`` returns whether the consumer is to end.
    ``gives_way_to`` are the tasks whose waiting runs go first.
    """

    row: Row[Any]
    timeout: float | None
    is_stopping: Callable[[], bool]
    gives_way_to: Sequence[str] = ()

    @property
    def is_mine(self) -> ColumnElement[bool]:
        """The condition that the row is still of this attempt."""
        return and_(RUNS.c.id == self.row.id, RUNS.c.attempt == self.row.attempt)


_current: ContextVar[CurrentRun | None] = ContextVar("current_run", default=None)


def current_run() -> CurrentRun | None:
    """The run that the calling code belongs to, None outside of a task.

    Another thread has it only if it runs in a copy of this context.
    """
    return _current.get()


@contextmanager
def executing(run: CurrentRun) -> Iterator[None]:
    """Make this the current run of the block, and name it in the block's log lines."""
    token = _current.set(run)
    league = str(run.row.args.get("league", "")).upper()
    try:
        with add_log_fields(run=run.row.id, task=run.row.task, league=league), once_each():
            yield
    finally:
        _current.reset(token)


def report_progress(done: int, total: int, resume: dict[str, Any] | None = None) -> None:
    """Record that ``done`` of ``total`` chunks are finished, and how to go on from here.

    ``resume`` is what the next attempt finds in ``current_run().row.resume`` if this one is lost.
    Does nothing outside of a run. Raises RunCancelled, RunInterrupted or RunGivesWay when the run
    has to stop at this chunk.
    """
    run = _current.get()
    if run is None:
        return
    # Only a chunk that no attempt has reached before gives a run its recoveries back: one that
    # kills its worker at the same chunk each time makes no progress.
    is_further = (RUNS.c.progress_done < done) if resume else false()
    with write_connection() as connection:
        connection.execute(
            update(RUNS)
            .where(run.is_mine, RUNS.c.state == RunState.STARTED)
            .values(
                progress_done=done,
                progress_total=total,
                resume=stored_result(resume),
                stalls=case((is_further, 0), else_=RUNS.c.stalls),
                heartbeat_at=utc_now(),
            )
        )
        stored = select(RUNS.c.cancel_asked, RUNS.c.state).where(run.is_mine)
        row = connection.execute(stored).first()
        gives_way = is_awaited(connection, run.gives_way_to, utc_now())
        paused = is_paused(connection, run.row.queue)
    if row is None or row.state != RunState.STARTED:
        raise RunInterrupted("another worker has taken this run over")
    if done < total and row.cancel_asked:
        raise RunCancelled((resume or {}).get("result"))
    if done < total and run.is_stopping():
        raise RunInterrupted("the consumer is to end")
    if done < total and (gives_way or paused):
        why = "its queue is paused" if paused else "a run of higher priority waits"
        raise RunGivesWay(why)
