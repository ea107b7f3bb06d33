"""Slots of periodic tasks: who inserts the run of a slot has claimed it, and queues it.

A run's row is unique by task and slot, so any number of schedulers may claim at the same time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, select

from sportsapp.core.clock import CLOCK_TOLERANCE, iso_utc, utc_now
from sportsapp.db.engine import AnySession, write_connection
from sportsapp.db.models.run import RunState, ScheduleRow, TaskRun, Trigger
from sportsapp.db.upsert import insert_ignoring
from sportsapp.queue.schedules import Schedule
from sportsapp.queue.tracker import PeriodicTask, TrackedTask
from sportsapp.runs.rows import LOST_AFTER, RUNS, RunOrigin, queued_row

SCHEDULES = ScheduleRow.__table__
WITH_DAY = "%Y-%m-%d %H:%M:%S"
SECOND = timedelta(seconds=1)
CLAIMED_WITHIN = timedelta(minutes=2)


@dataclass(frozen=True)
class MissedSlots:
    """Slots without a run: those between ``after`` and ``before``, which is None until now."""

    after: datetime
    before: datetime | None

    @property
    def words(self) -> str:
        """These slots as part of a sentence."""
        if self.before is None:
            return f"no run since {self.after:{WITH_DAY}} UTC"
        return f"no run between {self.after:{WITH_DAY}} and {self.before:{WITH_DAY}} UTC"


def with_missed_slots(
    runs: Sequence[TaskRun], schedule: Schedule, kept_since: datetime, now: datetime
) -> list[TaskRun | MissedSlots]:
    """A task's last runs, given newest first, in their order, with the missed slots between them.

    Of slots before ``kept_since`` the runs may have been pruned: those do not count as missed. Nor
    does a slot of the last two minutes, which may be claimed yet.
    """
    course: list[TaskRun | MissedSlots] = []
    after: datetime | None = None
    for run in reversed(runs):
        if run.slot:
            if after and schedule.newest_slot(after, run.slot - SECOND):
                course.append(MissedSlots(after, run.slot))
            after = max(run.slot, kept_since)
        course.append(run)
    if after and schedule.newest_slot(after, now - CLAIMED_WITHIN):
        course.append(MissedSlots(after, None))
    return course


def scheduled_since(engine: Engine, task_name: str) -> datetime:
    """When the task was first scheduled here, or last resumed. No earlier slot is caught up.

    The first call records the moment.
    """
    row = {"task": task_name, "since_at": utc_now()}
    with write_connection(engine) as connection:
        insert_ignoring(connection, SCHEDULES, [row], ["task"])
        since: datetime = connection.scalars(
            select(SCHEDULES.c.since_at).where(SCHEDULES.c.task == task_name)
        ).one()
    return since


def claim_slot(engine: Engine, periodic: PeriodicTask, slot: datetime) -> TrackedTask | None:
    """Record the run of a slot. Returns its task, for the caller to push.

    Returns None if the slot is claimed already or the task is paused.
    """
    task = periodic.task_class(id=f"{periodic.name}@{iso_utc(slot)}")
    if task.expires:
        task.resolve_expires()
    now = utc_now()
    paused = select(SCHEDULES.c.paused).where(SCHEDULES.c.task == periodic.name)
    with write_connection(engine) as connection:
        if connection.scalar(paused):
            return None
        row = queued_row(task, RunOrigin(Trigger.SCHEDULE), now) | {"slot": slot}
        is_claimed = insert_ignoring(connection, RUNS, [row], ["task", "slot"]) > 0
    return task if is_claimed else None


def is_running(connection: Connection | AnySession, task_name: str, now: datetime) -> bool:
    """Whether a run of this task is in progress and its worker alive, by its last heartbeat."""
    running = (
        select(RUNS.c.id)
        .where(RUNS.c.task == task_name, RUNS.c.state == RunState.STARTED)
        .where(RUNS.c.heartbeat_at.between(now - LOST_AFTER, now + CLOCK_TOLERANCE))
        .limit(1)
    )
    return connection.scalar(running) is not None
