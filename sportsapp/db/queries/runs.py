"""Task runs, as `flask tasks runs` lists them."""

from sqlalchemy import select

from sportsapp.db.engine import AnySession
from sportsapp.db.models import RunState, TaskRun


def recent_runs(
    session: AnySession,
    limit: int,
    task: str | None = None,
    state: str | None = None,
    batch: str | None = None,
) -> list[TaskRun]:
    """The latest task runs, newest first; ``task`` and ``state`` narrow them.

    Those of a ``batch`` come with the ones that have started first.
    """
    newest = TaskRun.queued_at.desc(), TaskRun.id.desc()
    runs = select(TaskRun).order_by(*newest).limit(limit)
    if batch:
        is_started = TaskRun.state == RunState.STARTED
        runs = select(TaskRun).where(TaskRun.batch_id == batch)
        runs = runs.order_by(is_started.desc(), *newest).limit(limit)
    if task:
        runs = runs.where(TaskRun.task == task)
    if state:
        runs = runs.where(TaskRun.state == state)
    return list(session.scalars(runs))
