"""What people do to runs: queue a backfill, run again, cancel, pause; put dead letters back.

Serves the admin panel and ``flask tasks``. Every function says what it did; who asked is the
caller's to log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, CursorResult, Table, delete, func, select, update

from sportsapp.core.clock import check_range, utc_now
from sportsapp.core.errors import DeadLetterError, OverlapError, RunNotFoundError, UnknownTaskError
from sportsapp.core.leagues import League
from sportsapp.db.engine import db, write_connection
from sportsapp.db.models import DeadLetter, RunState, ScheduleRow, TaskRun, Trigger
from sportsapp.db.models.run import FAILED, HAS_FINGERPRINT, OPEN, WAITING
from sportsapp.db.upsert import insert_ignoring
from sportsapp.queue.broker import broker_errors
from sportsapp.queue.huey import TrackerHuey
from sportsapp.runs.rows import cancel_run, find_run, run_origin
from sportsapp.services import services
from sportsapp.sync.service import chunks_of

BACKFILL = "sync_date_range_task"
SECONDS_A_REQUEST = 1.5

LeagueRange = tuple[League, date, date]

RUNS: Table = TaskRun.__table__
SCHEDULES: Table = ScheduleRow.__table__


@dataclass(frozen=True)
class Estimate:
    """What a backfill will cost: requests to the feed, and roughly how many seconds."""

    runs: int
    requests: int
    seconds: int


# ---------------------------------------------------------------- backfills


def season_parts(league: League, start: date, end: date) -> list[tuple[date, date]]:
    """A range cut where one season of the league ends and the next begins, in order."""
    parts = []
    first = start
    while first <= end:
        turn = season_turn(league, first)
        last = min(end, turn - timedelta(days=1))
        parts.append((first, last))
        first = last + timedelta(days=1)
    return parts


def season_turn(league: League, day: date) -> date:
    """The first day of the next season after ``day``, in the league's off-season."""
    turn = date(day.year, league.season_turns, 1)
    return turn if day < turn else turn.replace(year=turn.year + 1)


def season_of(league: League, day: date) -> tuple[date, date]:
    """The season around a day: from one turn to the day before the next."""
    after = season_turn(league, day)
    return after.replace(year=after.year - 1), after - timedelta(days=1)


def estimate(leagues: Sequence[League], start: date, end: date) -> Estimate:
    """What a backfill of these leagues will cost."""
    runs = sum(len(season_parts(league, start, end)) for league in leagues)
    chunks = [chunk for league in leagues for chunk in chunks_of(league, start, end)]
    requests = sum(chunk.requests for chunk in chunks)
    return Estimate(runs, requests, round(requests * SECONDS_A_REQUEST))


def queue_backfill(
    leagues: Sequence[League], start: date, end: date, trigger: Trigger, by: str
) -> list[str]:
    """Queue a backfill, one run a league and season; the runs' ids.

    Raises DateRangeError, OverlapError when one that overlaps already waits or runs, and
    BrokerUnavailableError.
    """
    return queue_ranges([(league, start, end) for league in leagues], trigger, by)


def queue_ranges(ranges: Sequence[LeagueRange], trigger: Trigger, by: str) -> list[str]:
    """The same for leagues with a range each: all of them are queued, or none."""
    for _, start, end in ranges:
        check_range(start, end, utc_now())
    parts = [(one, *part) for one, start, end in ranges for part in season_parts(one, start, end)]
    queue, task_class = find_task(BACKFILL)
    tasks = [
        task_class((league.label, first.isoformat(), last.isoformat()))
        for league, first, last in parts
    ]

    def check(connection: Connection) -> None:
        found = select(RUNS).where(RUNS.c.task == BACKFILL, RUNS.c.state.in_(OPEN))
        runs = connection.execute(found).all()
        for part in parts:
            _refuse_overlap(runs, *part)

    with run_origin(trigger, by):
        queue.enqueue_all(tasks, check)
    return [task.id for task in tasks]


def _refuse_overlap(runs: Sequence[Any], league: League, start: date, end: date) -> None:
    for run in runs:
        if run.queue and str(run.args.get("league", "")).lower() == league.slug:
            first, last = str(run.args.get("start_date")), str(run.args.get("end_date"))
            if first <= end.isoformat() and start.isoformat() <= last:
                raise OverlapError(
                    f"a backfill of the {league.label} from {first} to {last} "
                    f"already {'runs' if run.state == RunState.STARTED else 'waits'}",
                    run.id,
                )


# ---------------------------------------------------------------- runs


def find_task(name: str) -> tuple[TrackerHuey, Any]:
    """The queue and the class of a task. Raises UnknownTaskError, which lists the known ones."""
    queues: tuple[TrackerHuey, ...] = services().queues
    for queue in queues:
        task_class = queue.task_class(name)
        if task_class is not None:
            return queue, task_class
    raise UnknownTaskError(name, [known for queue in queues for known in queue.task_names()])


def run_now(name: str, trigger: Trigger, by: str) -> str:
    """Queue a task that takes no arguments; the run's id."""
    queue, task_class = find_task(name)
    with run_origin(trigger, by):
        run_id: str = queue.enqueue(task_class()).id
    return run_id


def run_again(run_id: str, trigger: Trigger, by: str) -> str:
    """Queue a run's task once more with the same arguments; the new run's id.

    Raises RunNotFoundError, UnknownTaskError, BrokerUnavailableError.
    """
    run = find_run(run_id)
    queue, task_class = find_task(run.task)
    with run_origin(trigger, by):
        new_id: str = queue.enqueue(task_class(kwargs=dict(run.args))).id
    return new_id


def run_group_again(fingerprint: str, trigger: Trigger, by: str) -> list[str]:
    """Queue every failed run of this fingerprint again, each set of arguments once."""
    found = select(TaskRun.task, TaskRun.args, TaskRun.id).where(
        HAS_FINGERPRINT, TaskRun.fingerprint == fingerprint, TaskRun.state.in_(FAILED)
    )
    once = {(run.task, repr(sorted(run.args.items()))): run.id for run in db.session.execute(found)}
    return [run_again(run_id, trigger, by) for run_id in once.values()]


def cancel(run_id: str) -> str:
    """Cancel a run. What waits ends at once; what runs stops after its current chunk.

    Returns what happened, in words. Raises RunNotFoundError.
    """
    found = cancel_run(run_id)
    if found in WAITING:
        return "cancelled before it began"
    if found == RunState.STARTED:
        return "will stop after its current chunk and keep what it has"
    db.session.rollback()
    return f"has ended already ({find_run(run_id).state})"


def waiting_count() -> int:
    """How many runs wait in the queues, for a worker or for their time."""
    found = select(func.count()).select_from(RUNS).where(*_in_queues())
    return db.session.scalar(found) or 0


def purge() -> int:
    """Drop everything that waits in the queues; how many runs that were.

    The ledger comes first, so that a worker that takes a message meanwhile finds nothing to do.
    Raises BrokerUnavailableError.
    """
    with write_connection() as connection:
        dropped: CursorResult[Any] = connection.execute(
            update(RUNS)
            .where(*_in_queues())
            .values(state=RunState.REVOKED, finished_at=utc_now(), cancel_asked=True)
        )
    for queue in services().queues:
        with broker_errors():
            queue.storage.flush_queue()
            queue.storage.flush_schedule()
    return dropped.rowcount


def _in_queues() -> tuple[Any, ...]:
    names = [queue.name for queue in services().queues]
    return RUNS.c.queue.in_(names), RUNS.c.state.in_(WAITING)


# ---------------------------------------------------------------- the schedule


def set_paused(name: str, paused: bool) -> None:
    """Pause or resume a periodic task. Slots that pass meanwhile are not caught up.

    Raises UnknownTaskError for a task that has no schedule.
    """
    queue = services().queues[0]
    if name not in queue.periodic_tasks:
        raise UnknownTaskError(name, list(queue.periodic_tasks))
    now = utc_now()
    with write_connection() as connection:
        insert_ignoring(
            connection, SCHEDULES, [{"task": name, "paused": paused, "since_at": now}], ["task"]
        )
        values: dict[str, Any] = {"paused": paused} | ({} if paused else {"since_at": now})
        connection.execute(update(SCHEDULES).where(SCHEDULES.c.task == name).values(values))


# ---------------------------------------------------------------- dead letters


def put_back(letter_id: int) -> None:
    """Put a dead letter back on its queue and forget it. Raises RunNotFoundError."""
    letter = _letter(letter_id)
    queues = {queue.name: queue for queue in services().queues}
    queue = queues.get(letter.queue)
    if queue is None or len(letter.message.encode()) != letter.size:
        raise DeadLetterError("this message was not kept whole, so it cannot be put back")
    queue.storage.enqueue(letter.message.encode())
    discard(letter_id)


def discard(letter_id: int) -> None:
    """Forget a dead letter."""
    with write_connection() as connection:
        connection.execute(delete(DeadLetter).where(DeadLetter.id == letter_id))


def _letter(letter_id: int) -> DeadLetter:
    letter = db.session.get(DeadLetter, letter_id)
    if letter is None:
        raise RunNotFoundError(f"there is no dead letter {letter_id}")
    return letter
