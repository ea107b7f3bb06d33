"""Run actions: run a task, run it again, cancel, dismiss, purge; pause and resume; dead letters.

Serves the admin panel and ``flask tasks``. ``trigger`` and ``by`` are recorded with every run that
is queued here; logging who requested an action is up to the caller.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table, delete, func, select, update

from sportsapp.core.clock import utc_now
from sportsapp.core.errors import (
    DeadLetterError,
    DismissalError,
    RunNotFoundError,
    UnknownTaskError,
)
from sportsapp.db.engine import db, write_connection
from sportsapp.db.models import DeadLetter, RunState, ScheduleRow, TaskRun, Trigger
from sportsapp.db.models.run import FAILED, OUTSTANDING, WAITING
from sportsapp.db.upsert import insert_ignoring
from sportsapp.queue.broker import broker_errors
from sportsapp.queue.tracker import TrackedTask, can_pause
from sportsapp.runs import batches, pauses
from sportsapp.runs.chains import cancel_run, revoked
from sportsapp.runs.failures import dismiss_failures
from sportsapp.runs.rows import find_run, run_origin
from sportsapp.services import services
from sportsapp.tasks.batches import queue_together
from sportsapp.tasks.repeats import not_under_way, queue_once

RUNS: Table = TaskRun.__table__
SCHEDULES: Table = ScheduleRow.__table__
NAME_LIMIT = 120


# ---------------------------------------------------------------- runs


def run_now(name: str, trigger: Trigger, by: str, args: Mapping[str, Any] | None = None) -> str:
    """Queue a task with these arguments, by name; the run's id.

    Raises UnknownTaskError, which lists the known tasks, OverlapError when a run that waits or
    is in progress does the same already, and BrokerUnavailableError.
    """
    task = task_of(name, args or {})
    with run_origin(trigger, by):
        queue_once([task])
    return str(task.id)


def task_of(name: str, args: Mapping[str, Any]) -> TrackedTask:
    """A new run of a task with these arguments, by name. Raises UnknownTaskError."""
    queues = services().queues
    for queue in queues:
        task_class = queue.task_class(name)
        if task_class is not None:
            return task_class(kwargs=dict(args))
    raise UnknownTaskError(name, [known for queue in queues for known in queue.task_names()])


def run_again(run_id: str, trigger: Trigger, by: str) -> str:
    """Queue a run's task once more with the same arguments; the new run's id.

    Raises RunNotFoundError, UnknownTaskError, OverlapError, BrokerUnavailableError.
    """
    run = find_run(run_id)
    return run_now(run.task, trigger, by, run.args)


def run_group_again(fingerprint: str, trigger: Trigger, by: str) -> list[str]:
    """Queue the outstanding failures of this fingerprint again, each set of arguments once, as a
    batch.

    What a run that waits or is in progress does already is left out.

    Returns the new runs' ids; empty when there is no such run. Raises UnknownTaskError,
    OverlapError when somebody else queues the same at this moment, BrokerUnavailableError.
    """
    failed = select(TaskRun.task, TaskRun.args, TaskRun.error).where(
        OUTSTANDING, TaskRun.fingerprint == fingerprint
    )
    rows = db.session.execute(failed)
    once = {(run.task, repr(sorted(run.args.items()))): run for run in rows}
    tasks = not_under_way([task_of(run.task, run.args) for run in once.values()])
    if tasks:
        error = next(run.error for run in once.values()).partition("\n")[0][:NAME_LIMIT]
        queue_together(f"Again what failed with: {error}", tasks, trigger, by)
    return [task.id for task in tasks]


def dismiss(run_id: str, word: str, by: str) -> None:
    """Dismiss a failure: it needs nobody. ``word`` says why.

    Raises RunNotFoundError, and DismissalError for a bad word and for what is not outstanding.
    """
    if not dismiss_failures(TaskRun.id == run_id, word, by):
        run = find_run(run_id)
        why = f"it has not failed ({run.state})" if run.state not in FAILED else "it is resolved"
        if run.dismissed_at:
            why = f"{run.dismissed_by} has dismissed it: {run.dismissed_word}"
        raise DismissalError(f"run {run_id} cannot be dismissed: {why}")


def dismiss_group(fingerprint: str, word: str, by: str) -> int:
    """Dismiss the outstanding failures of a fingerprint; how many. Raises DismissalError."""
    return dismiss_failures(TaskRun.fingerprint == fingerprint, word, by)


def cancel(run_id: str) -> str:
    """Cancel a run. What waits ends at once, with the rest of its chain; what runs stops after its
    current chunk.

    Returns what happened, as the rest of a sentence that begins with the run.
    Raises RunNotFoundError.
    """
    state_before = cancel_run(run_id)
    if state_before in WAITING:
        return "cancelled before it began"
    if state_before == RunState.STARTED:
        return "will stop after its current chunk and keep what it has"
    db.session.rollback()  # read the state anew
    return f"has ended already ({find_run(run_id).state})"


def cancel_batch(batch_id: str) -> str:
    """Cancel what is open of a batch; what happened, as the rest of a sentence that begins with it.

    Raises RunNotFoundError.
    """
    batches.find_batch(db.session, batch_id)
    waiting, started = batches.cancel_batch(batch_id)
    db.session.rollback()  # the rows have changed since they were read
    if not waiting + started:
        return "has ended already"
    return f"is cancelled: {waiting} runs before they began, {started} after their current chunk"


def waiting_count() -> int:
    """How many runs wait in the queues, for a worker or for their time."""
    return db.session.scalar(select(func.count()).select_from(RUNS).where(*_in_queues())) or 0


def purge() -> int:
    """Drop everything that waits in the queues; how many runs those were.

    The ledger comes first: a run that a worker takes meanwhile is cancelled already.
    Raises BrokerUnavailableError.
    """
    with write_connection() as connection:
        dropped = connection.execute(update(RUNS).where(*_in_queues()).values(revoked()))
    for queue in services().queues:
        with broker_errors():
            queue.storage.flush_queue()
            queue.storage.flush_schedule()
    return dropped.rowcount


def _in_queues() -> tuple[Any, ...]:
    names = [queue.name for queue in services().queues]
    return RUNS.c.queue.in_(names), RUNS.c.state.in_(WAITING)


# ---------------------------------------------------------------- the schedule


def set_paused(name: str, paused: bool, by: str = "") -> None:
    """Pause or resume a periodic task, or a queue that has none; ``by`` is who pauses it.

    A pause that lasts keeps since when and by whom. Slots that pass while a task is paused are not
    caught up. The runs of a queue wait. Raises UnknownTaskError for a task that has no schedule.
    """
    queues = services().queues
    pausable = {queue.name: queue for queue in queues if can_pause(queue)}
    if name in pausable:
        pauses.pause(pausable[name], by) if paused else pauses.resume(pausable[name])
        return
    if name not in queues[0].periodic_tasks:
        raise UnknownTaskError(name, [*queues[0].periodic_tasks, *pausable])
    now = utc_now()
    values: dict[str, Any] = {"paused": True, "paused_at": now, "paused_by": by}
    if not paused:
        values = {"paused": False, "paused_at": None, "paused_by": "", "since_at": now}
    changes = SCHEDULES.c.task == name, SCHEDULES.c.paused.is_not(paused)
    with write_connection() as connection:
        insert_ignoring(connection, SCHEDULES, [{"task": name, "since_at": now}], ["task"])
        connection.execute(update(SCHEDULES).where(*changes).values(values))


# ---------------------------------------------------------------- dead letters


def put_back(letter_id: int) -> None:
    """Put a dead letter back on its queue and forget it.

    Raises RunNotFoundError, and DeadLetterError when it was cut short or its queue is gone.
    """
    letter = db.session.get(DeadLetter, letter_id)
    if letter is None:
        raise RunNotFoundError(f"there is no dead letter {letter_id}")
    queue = {queue.name: queue for queue in services().queues}.get(letter.queue)
    if queue is None:
        raise DeadLetterError(f"there is no queue {letter.queue} any more")
    if len(letter.message.encode()) != letter.size:
        raise DeadLetterError("this message was not kept whole, so it cannot be put back")
    with broker_errors():
        queue.storage.enqueue(letter.message.encode())
    discard(letter_id)


def discard(letter_id: int) -> None:
    """Forget a dead letter."""
    with write_connection() as connection:
        connection.execute(delete(DeadLetter).where(DeadLetter.id == letter_id))
