"""Checks of what does the work: consumers, the scheduler, queues, runs and notifications."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from sportsapp.core.clock import CLOCK_TOLERANCE, duration, iso_utc
from sportsapp.db.engine import AnySession
from sportsapp.db.models import (
    BROWSER,
    ConsumerProcess,
    PausedQueue,
    ScheduleRow,
    Subscription,
    TaskRun,
)
from sportsapp.db.models.run import WAITING
from sportsapp.monitoring.checks.check import Finding, Look, check, ok, warn, wrong
from sportsapp.queue.huey import TrackerHuey
from sportsapp.runs import reports
from sportsapp.runs.slots import is_running

MISSED_TICKS = 2
SHORTEST_DELAY = timedelta(minutes=2)
LONG_WAIT = timedelta(minutes=5)
OPTIONS = "-k process -w 2 -g TERM -t 25 -m 1"
START = {
    "sportsapp": f"start `flask up`, or huey_consumer huey_config.huey {OPTIONS}",
    "sportsapp-backfill": f"start `flask up`, or huey_consumer huey_config.backfill_huey {OPTIONS}",
    "sportsapp-notify": f"start `flask up`, or huey_consumer huey_config.notify_huey {OPTIONS}",
}


@check(
    "consumers",
    "a consumer is missing",
    needs=("database",),
    unready=True,
    well="it is not missed any more",
)
def check_consumers(look: Look) -> Iterator[Finding]:
    """Each queue that is needed has a live worker and scheduler, and no consumer died.

    One that is needed only at times (``is_needed``) makes nothing unready: the others work on.
    """
    alive = reports.consumers(look.session, look.now)
    missed = reports.missed_consumers(look.session, look.now)
    for queue in look.queues:
        of_queue = [process for process in alive if process.queue == queue.name]
        workers = [process for process in of_queue if process.role == "worker"]
        roles = {process.role for process in of_queue}
        gone = [process for process in missed if process.queue == queue.name]
        seen = {process.role: _seen(process, look.now) for process in gone}
        missing = [role for role in ("worker", "scheduler") if role not in roles]
        if missing and queue.is_needed and not queue.is_needed(look.session):
            missing = []
        for role in missing:
            subject, text = f"{queue.name} {role}", f"no {role} of {queue.name}"
            when = f"; the last one was {seen[role]}" if role in seen else ""
            finding = warn if queue.is_needed else wrong
            yield finding(text + when, START[queue.name], public=text, subject=subject)
        for process in gone:
            if process.role == "scheduler" and "scheduler" in roles:  # each consumer has one
                text = f"a consumer of {queue.name} is gone: it was last {_seen(process, look.now)}"
                yield warn(text, START[queue.name], subject=f"{queue.name} on {process.host}")
        if workers:
            places = sorted({f"{worker.host}, process {worker.pid}" for worker in workers})
            yield ok(f"{queue.name}: {len(workers)} workers ({'; '.join(places)})")


def _seen(process: ConsumerProcess, now: datetime) -> str:
    at, ago = iso_utc(process.beat_at), duration(now - process.beat_at)
    return f"seen on {process.host} at {at}, {ago} ago"


@dataclass(frozen=True)
class LateSlot:
    """A periodic task of which no slot was claimed since ``due_at``."""

    task: str
    due_at: datetime


def late_slots(
    connection: Connection | AnySession, queue: TrackerHuey, now: datetime
) -> list[LateSlot]:
    """The periodic tasks whose next slot is two ticks late, and two minutes at least.

    A paused task, a task that was never scheduled, and a tick that waits for the end of the
    previous one are not late.
    """
    grace = max(SHORTEST_DELAY, timedelta(seconds=MISSED_TICKS * queue.tick_seconds))
    newest = (
        select(func.max(TaskRun.slot))
        .where(TaskRun.task == ScheduleRow.task, TaskRun.slot <= now + CLOCK_TOLERANCE)
        .scalar_subquery()
    )
    active = select(ScheduleRow.task, ScheduleRow.since_at, newest).where(~ScheduleRow.paused)
    late = []
    for task, since_at, newest_slot in connection.execute(active).all():
        periodic = queue.periodic_tasks.get(task)
        if periodic is None:  # a task of an earlier release
            continue
        due_at = periodic.schedule.next_slot(max(since_at, newest_slot or since_at))
        if due_at > now - grace:
            continue
        if not (periodic.one_at_a_time and is_running(connection, task, now)):
            late.append(LateSlot(task, due_at))
    return late


@check(
    "scheduler",
    "nothing starts on schedule",
    needs=("database",),
    kind="overdue",
    patience=timedelta(0),
    well="it is scheduled again",
)
def check_scheduler(look: Look) -> Iterator[Finding]:
    """Every slot of the schedule is claimed when its time comes."""
    queue = look.queues[0]
    late = late_slots(look.session, queue, look.now)
    for slot in late:
        since, due_at = duration(look.now - slot.due_at), iso_utc(slot.due_at)
        text = f"{slot.task} is overdue: it was due at {due_at}, {since} ago"
        yield wrong(
            text,
            f"see that a consumer of {queue.name} runs, and look at its log",
            public=text,
            subject=slot.task,
            details={"task": slot.task, "due_at": due_at},
        )
    known = set(look.session.scalars(select(ScheduleRow.task)))
    if not known.issuperset(queue.periodic_tasks):
        text = "it has never ticked: nothing is scheduled"
        yield wrong(text, START[queue.name], public=text)
    elif not late:
        yield ok("ticks: every slot was claimed in time")


@check("paused", "something is paused", needs=("database",), well="it is resumed")
def check_paused(look: Look) -> Iterator[Finding]:
    """No periodic task is paused, and no queue."""
    of_task, of_queue = "it does not start on schedule", "its runs do not start"
    tasks = select(ScheduleRow).where(ScheduleRow.paused).order_by(ScheduleRow.task)
    queues = select(PausedQueue).order_by(PausedQueue.queue)
    pauses: list[tuple[str, str, ScheduleRow | PausedQueue]] = [
        *((row.task, of_task, row) for row in look.session.scalars(tasks)),
        *((row.queue, of_queue, row) for row in look.session.scalars(queues)),
    ]
    for name, effect, row in pauses:
        text = "is paused"
        if row.paused_at:
            by = f" by {row.paused_by}" if row.paused_by else ""
            text = f"has been paused since {iso_utc(row.paused_at)}{by}"
        yield warn(f"{name} {text}: {effect}", f"`flask tasks resume {name}`", subject=name)
    if not pauses:
        yield ok("nothing is paused")


@check("queues", "runs wait for long", needs=("database",))
def check_queues(look: Look) -> Iterator[Finding]:
    """No run of the first queue waits for long; one season may wait for hours behind another."""
    queue = look.queues[0].name
    oldest = look.session.scalar(
        select(func.min(TaskRun.due_at)).where(
            TaskRun.state.in_(WAITING), TaskRun.queue == queue, TaskRun.due_at <= look.now
        )
    )
    if oldest and look.now - oldest > LONG_WAIT:
        text = f"a run of {queue} has been waiting for {duration(look.now - oldest)}"
        yield warn(text, f"see `flask tasks active`, and that a consumer of {queue} runs")
    else:
        yield ok(f"no run of {queue} waits for long")


@check("runs", "runs failed for good", needs=("database",), kind="")
def check_runs(look: Look) -> Iterator[Finding]:
    """No failure is outstanding; alerts report each when it happens."""
    counts = reports.outstanding(look.session)
    for task, count in sorted(counts.items()):
        text = f"{task} has {count} outstanding failure{'' if count == 1 else 's'}"
        yield warn(
            text,
            "see Failures in the panel: run them again once their cause is mended, or dismiss them",
        )
    if not counts:
        yield ok("no failure is outstanding")


@check("letters", "messages could not be read", needs=("database",))
def check_letters(look: Look) -> Iterator[Finding]:
    """No message on a queue was of a kind that cannot be read (a dead letter)."""
    if count := reports.dead_letters(look.session, 0)[0]:
        text = f"{count} message{'' if count == 1 else 's'} could not be read"
        yield warn(text, "see Failures in the panel: put them back, or discard them")
    else:
        yield ok("every message could be read")


@check(
    "notify",
    "messages to a target are not taken",
    needs=("database",),
    well="its messages are taken again, or it is paused or removed",
)
def check_notify(look: Look) -> Iterator[Finding]:
    """No subscription's last message failed, but visitors' browsers; what is public names none."""
    operators, active = Subscription.kind != BROWSER, Subscription.paused.is_(False)
    is_failing = operators, active, Subscription.failing_since.is_not(None)
    failing = select(Subscription).where(*is_failing).order_by(Subscription.name)
    rows = look.session.scalars(failing).all()
    for row in rows:
        since = row.failing_since or look.now
        lasted = f"since {iso_utc(since)}, {duration(look.now - since)}"
        yield warn(
            f"{row.name}: messages have not been taken {lasted}: {row.error}",
            f"`flask notify test {shlex.quote(row.name)}` sends one here and now",
            subject=row.name,
        )
    if not rows:
        yield ok("no target fails")
