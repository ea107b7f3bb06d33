"""What is wrong now: periodic tasks that nobody schedules, and old data of games that move.

Alerts, readiness, metrics, the panel and ``flask doctor`` all use these two checks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from sportsapp.core.clock import CLOCK_TOLERANCE
from sportsapp.db.engine import AnySession
from sportsapp.db.models import LeagueRow, ScheduleRow, TaskRun
from sportsapp.db.queries.freshness import MOVING, OLDEST_READ, moving_times
from sportsapp.queue.huey import TrackerHuey
from sportsapp.runs.slots import is_running

STALE_AFTER = timedelta(minutes=5)
MISSED_TICKS = 2
SHORTEST_DELAY = timedelta(minutes=2)


@dataclass(frozen=True)
class LateSlot:
    """A periodic task of which no slot was claimed since ``due_at``."""

    task: str
    due_at: datetime


@dataclass(frozen=True)
class StaleLeague:
    """A league with so many games that should be moving, the oldest read at ``read_at``."""

    slug: str
    read_at: datetime
    games: int


def late_slots(
    connection: Connection | AnySession, queue: TrackerHuey, now: datetime
) -> list[LateSlot]:
    """The periodic tasks whose next slot is two ticks late, and two minutes at least.

    A paused task, a task that was never scheduled, and a tick that is skipped because the
    previous one still runs are not late.
    """
    grace = max(SHORTEST_DELAY, timedelta(seconds=MISSED_TICKS * queue.tick_seconds))
    active = select(ScheduleRow.task, ScheduleRow.since_at).where(~ScheduleRow.paused)
    late = []
    for schedule in connection.execute(active).all():
        periodic = queue.periodic_tasks.get(schedule.task)
        if periodic is None:  # a task of an earlier release
            continue
        newest = connection.scalar(
            select(func.max(TaskRun.slot)).where(
                TaskRun.task == schedule.task, TaskRun.slot <= now + CLOCK_TOLERANCE
            )
        )
        due_at = periodic.schedule.next_slot(max(schedule.since_at, newest or schedule.since_at))
        if due_at > now - grace:
            continue
        if not (periodic.skip_while_running and is_running(connection, schedule.task, now)):
            late.append(LateSlot(schedule.task, due_at))
    return late


def stale_leagues(
    connection: Connection | AnySession, slugs: Sequence[str], now: datetime
) -> list[StaleLeague]:
    """Those of these leagues with games that should be moving, read over five minutes ago, by slug.

    What was read while a clock was ahead counts as old.
    """
    leagues = select(LeagueRow.slug, OLDEST_READ, MOVING).where(LeagueRow.slug.in_(slugs))
    times = moving_times(now, STALE_AFTER)
    rows = connection.execute(leagues.order_by(LeagueRow.slug), times).all()
    fresh = now - STALE_AFTER, now + CLOCK_TOLERANCE
    return [StaleLeague(*row) for row in rows if row[1] and not fresh[0] <= row[1] <= fresh[1]]
