"""What became of a run: the ledger's word, long after the broker has forgotten the result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from sportsapp.db.engine import db
from sportsapp.db.models.run import FAILED, OPEN
from sportsapp.runs.app_context import with_app_context
from sportsapp.runs.rows import find_run


class Progress(NamedTuple):
    """Chunks done and in all; 0 of 0 for a run without chunks."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class RunView:
    """How a run stood when it was asked for.

    ``ready`` is True once it has ended, however; ``failed`` when it failed or was cut off at its
    time limit; ``error`` is empty unless the last attempt failed.
    """

    id: str
    task: str
    state: str
    ready: bool
    failed: bool
    result: Any
    error: str
    progress: Progress


@with_app_context
def run_of(result: Any) -> RunView:
    """The ledger's row for the handle that calling a task gave, or for a run's id.

    Works in any process that has made the app. Raises RunNotFoundError.
    """
    db.session.rollback()  # what another process has written since counts
    run = find_run(result if isinstance(result, str) else result.id)
    return RunView(
        id=run.id,
        task=run.task,
        state=str(run.state),
        ready=run.state not in OPEN,
        failed=run.state in FAILED,
        result=run.result,
        error=run.error,
        progress=Progress(run.progress_done, run.progress_total),
    )
