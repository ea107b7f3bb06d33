"""How a task does: its runs, failures, retries and durations of a span of time, counted by SQL."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, select

from sportsapp.db.engine import AnySession
from sportsapp.db.models import RunState, TaskRun
from sportsapp.db.models.run import FAILED

TIMED = 1_000


@dataclass(frozen=True)
class TaskStats:
    """The runs of a task that were queued within a span of time.

    ``failed`` counts those that failed for good, ``retries`` the further attempts after an error.
    ``p50`` and ``p95`` are the seconds within which half of the newest TIMED runs that succeeded,
    and 95 of 100, were done; None when no run has succeeded.
    """

    runs: int
    failed: int
    retries: int
    p50: float | None
    p95: float | None


def task_stats(session: AnySession, task: str, retries: int, since: datetime) -> TaskStats:
    """The runs of ``task`` queued since then. A new run of it has so many ``retries`` left."""
    of_task = (TaskRun.task == task, TaskRun.queued_at >= since)
    used = case((TaskRun.retries_left < retries, retries - TaskRun.retries_left), else_=0)
    counts = select(
        func.count(),
        func.coalesce(func.sum(case((TaskRun.state.in_(FAILED), 1), else_=0)), 0),
        func.coalesce(func.sum(case((TaskRun.queue != "", used), else_=0)), 0),
    ).where(*of_task)
    succeeded = TaskRun.state + "" == RunState.SUCCESS  # not on the index of all successes
    newest = (
        select(TaskRun.took_seconds)
        .where(*of_task, succeeded)
        .order_by(TaskRun.queued_at.desc())
        .limit(TIMED)
    )
    took = sorted(session.scalars(newest))
    runs, failed, retried = session.execute(counts).one()
    return TaskStats(
        *(runs, failed, retried),
        p50=took[-(-len(took) * 50 // 100) - 1] if took else None,
        p95=took[-(-len(took) * 95 // 100) - 1] if took else None,
    )
