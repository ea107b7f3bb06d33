"""Task runs, as `flask tasks runs` lists them."""

from sqlalchemy import select

from sportsapp.db.engine import AnySession
from sportsapp.db.models import TaskRun


def recent_runs(
    session: AnySession, limit: int, task: str | None = None, state: str | None = None
) -> list[TaskRun]:
    """The latest task runs, newest first; ``task`` and ``state`` narrow them."""
    runs = select(TaskRun).order_by(TaskRun.queued_at.desc(), TaskRun.id.desc()).limit(limit)
    if task:
        runs = runs.where(TaskRun.task == task)
    if state:
        runs = runs.where(TaskRun.state == state)
    return list(session.scalars(runs))
