"""The run that the calling code belongs to, and how far it is."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import case, false, select, update

from sportsapp.core.clock import utc_now
from sportsapp.core.log_context import add_log_fields
from sportsapp.db.engine import write_connection
from sportsapp.db.models.run import RunState
from sportsapp.runs.rows import RUNS


class RunInterrupted(KeyboardInterrupt):
    """The run stops at a chunk, because its consumer ends or another worker has taken it over.

    A KeyboardInterrupt, as Huey raises in a worker that is to end: no ``except Exception`` on the
    way may keep it.
    """


class RunCancelled(Exception):
    """The run was cancelled; ``result`` is what it has done so far."""

    def __init__(self, result: Any) -> None:
        super().__init__("cancelled")
        self.result = result


@dataclass
class CurrentRun:
    """One attempt at a run that is in progress. ``timeout`` is in seconds, None for no limit.

    ``resume`` is what the last ``report_progress`` of an earlier attempt left; ``is_stopping()``
    returns whether the consumer is to end. The other fields are columns of the run's row.
    """

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
    league = str(run.args.get("league", "")).upper()
    try:
        with add_log_fields(run=run.id, task=run.task, league=league):
            yield
    finally:
        _current.reset(token)


def report_progress(done: int, total: int, resume: dict[str, Any] | None = None) -> None:
    """Record that ``done`` of ``total`` chunks are finished, and how to go on from here.

    ``resume`` is what the next attempt finds in ``current_run().resume`` if this one is lost.
    Does nothing outside of a run. Raises RunCancelled or RunInterrupted when the run has to stop
    at this chunk.
    """
    run = _current.get()
    if run is None:
        return
    # Only a chunk that no attempt has reached before gives a run its recoveries back: one that
    # kills its worker at the same chunk each time makes no progress.
    is_further = (RUNS.c.progress_done < done) if resume else false()
    this = (RUNS.c.id == run.id) & (RUNS.c.attempt == run.attempt)
    with write_connection() as connection:
        connection.execute(
            update(RUNS)
            .where(this, RUNS.c.state == RunState.STARTED)
            .values(
                progress_done=done,
                progress_total=total,
                resume=resume,
                stalls=case((is_further, 0), else_=RUNS.c.stalls),
                heartbeat_at=utc_now(),
            )
        )
        row = connection.execute(select(RUNS.c.cancel_asked, RUNS.c.state).where(this)).first()
    if row is None or row.state != RunState.STARTED:
        raise RunInterrupted("another worker has taken this run over")
    if done < total and row.cancel_asked:
        raise RunCancelled((resume or {}).get("result"))
    if done < total and run.is_stopping():
        raise RunInterrupted("the consumer is to end")
