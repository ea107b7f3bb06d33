"""Task runs, as `flask tasks runs` lists them."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select

from sportsapp.db.engine import AnySession
from sportsapp.db.models import RunState, TaskRun


def recent_runs(
    session: AnySession,
    limit: int,
    task: str | None = None,
    state: str | None = None,
    batch: str | None = None,
    conditions: Sequence[ColumnElement[bool]] = (),
) -> list[TaskRun]:
    """The latest task runs, newest first; ``task``, ``state`` and ``conditions`` narrow them.

    Those of a ``batch`` come with the ones that have started first.
    """
    newest = TaskRun.queued_at.desc(), TaskRun.id.desc()
    runs = select(TaskRun).where(*conditions).order_by(*newest).limit(limit)
    if batch:
        is_started = TaskRun.state == RunState.STARTED
        runs = select(TaskRun).where(*conditions, TaskRun.batch_id == batch)
        runs = runs.order_by(is_started.desc(), *newest).limit(limit)
    if task:
        runs = runs.where(TaskRun.task == task)
    if state:
        runs = runs.where(TaskRun.state == state)
    return list(session.scalars(runs))
