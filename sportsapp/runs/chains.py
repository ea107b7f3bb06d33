"""Chains: runs of which each becomes due when the one before it has succeeded.

All links are rows from the start. One that waits for the run before it is PENDING and has no
``due_at``: nothing counts it as late, sends it a message or claims it. It becomes due in the
transaction that records the SUCCESS before it; a run that ends in another way takes the rest of
its chain with it, in the transaction that ends it. So a chain can neither be lost nor go on twice.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, select, update

from sportsapp.core.clock import utc_now
from sportsapp.db.engine import AnySession, write_connection
from sportsapp.db.models.run import WAITING, RunState, TaskRun
from sportsapp.queue.tracker import TaskQueue, TrackedTask
from sportsapp.runs.rows import RUNS, aware

IS_LINK = (RUNS.c.state == RunState.PENDING) & RUNS.c.due_at.is_(None)
"""The condition of a link that waits for the run before it."""


def make_next_due(
    connection: Connection, run: Any, queues: Sequence[TaskQueue], now: datetime
) -> TrackedTask | None:
    """Make the link after this run due; its task, for the caller to push after the commit.

    Returns None when the chain has ended, and for a task that is gone: recovery ends its run.
    """
    waits = RUNS.c.chain_id == run.chain_id, RUNS.c.chain_place == run.chain_place + 1, IS_LINK
    link = connection.execute(select(RUNS).where(*waits)).first()
    if link is None:
        return None
    queue = {queue.name: queue for queue in queues}.get(link.queue)
    task_class = queue.task_class(link.task) if queue else None
    task, expires_at = None, None
    if task_class is not None:
        task = task_class(kwargs=dict(link.args), id=link.id, retries=link.retries_left)
        expires_at = aware(task.resolve_expires())
    due = update(RUNS).where(RUNS.c.id == link.id, IS_LINK)
    is_due = connection.execute(due.values(due_at=now, expires_at=expires_at)).rowcount > 0
    return task if is_due else None


def end_chain(connection: Connection, run: Any, state: str) -> None:
    """Revoke what comes after this run in its chain. It has ended in this state, not as SUCCESS."""
    if run.chain_id is None:
        return
    reason = f"its chain ended with {run.task}: {state} (run {run.id})"
    rest = RUNS.c.chain_id == run.chain_id, RUNS.c.chain_place > run.chain_place, IS_LINK
    connection.execute(update(RUNS).where(*rest).values(revoked() | {"error": reason}))


def end_waiting(
    connection: Connection, which: Sequence[ColumnElement[bool]], values: dict[str, Any]
) -> int:
    """End those of these runs that wait, each with the rest of its chain; how many of them."""
    ending = update(RUNS).where(*which, RUNS.c.state.in_(WAITING)).values(values)
    columns = (RUNS.c[name] for name in ("id", "task", "chain_id", "chain_place"))
    ended = connection.execute(ending.returning(*columns)).all()
    for run in ended:
        end_chain(connection, run, values["state"])
    return len(ended)


def cancel_run(run_id: str, engine: Engine | None = None) -> RunState | None:
    """Cancel a run: one that waits ends now, with the rest of its chain; one that runs stops after
    its current chunk.

    ``engine`` defaults to the current app's. Returns the state that the run was in: PENDING for
    any that waited, STARTED, or None when it had ended or has no row.
    """
    this = RUNS.c.id == run_id
    with write_connection(engine) as connection:
        if end_waiting(connection, [this], revoked()):
            return RunState.PENDING
        started = update(RUNS).where(this, RUNS.c.state == RunState.STARTED)
        if connection.execute(started.values(cancel_asked=True)).rowcount:
            return RunState.STARTED
    return None


def revoked() -> dict[str, Any]:
    """The columns of a run that ends now, cancelled before it began."""
    return {"state": RunState.REVOKED, "finished_at": utc_now(), "cancel_asked": True}


def links_of(session: AnySession, run: TaskRun) -> list[TaskRun]:
    """The runs of this run's chain, in order; empty for one without. Pruned ones are gone."""
    if run.chain_id is None:
        return []
    links = select(TaskRun).where(TaskRun.chain_id == run.chain_id)
    return list(session.scalars(links.order_by(TaskRun.chain_place)))
