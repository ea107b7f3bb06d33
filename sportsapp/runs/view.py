"""How a run ended, from the ledger: still there when the broker has forgotten the result."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from sportsapp.db.engine import db
from sportsapp.db.models.run import FAILED, OPEN
from sportsapp.queue.huey import huey
from sportsapp.runs.rows import find_run


class Progress(NamedTuple):
    """How many chunks are done, of how many; 0 of 0 for a run without chunks."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class RunView:
    """A run at the moment it was read.

    ``ready`` is True once it has ended, however; ``failed`` if it failed or was ended at its time
    limit; ``error`` is empty unless the last attempt failed.
    """

    id: str
    task: str
    state: str
    ready: bool
    failed: bool
    result: Any
    error: str
    progress: Progress


def run_of(result: Any) -> RunView:
    """The run of a result handle, as calling a task returns it, or of a run's id.

    Works in any process that has made the app. Raises RunNotFoundError.
    """
    with huey.tracker.app_context():
        db.session.rollback()  # a new transaction sees what other processes have committed
        run = find_run(result if isinstance(result, str) else result.id)
        return RunView(
            id=run.id,
            task=run.task,
            state=run.state,
            ready=run.state not in OPEN,
            failed=run.state in FAILED,
            result=run.result,
            error=run.error,
            progress=Progress(run.progress_done, run.progress_total),
        )
