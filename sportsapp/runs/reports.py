"""Reports on the ledger: consumers, queues, runs, failures, the schedule, and what is stored.

Serves the panel, metrics, readiness and ``flask tasks``. Each function makes a bounded number of
queries, whatever the number of runs; hours and groups are counted in SQL, on indexes. Times are in
UTC; all functions raise the database's errors.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, select, union_all
from sqlalchemy.orm import defer

from sportsapp.core.clock import CLOCK_TOLERANCE
from sportsapp.core.errors import BrokerUnavailableError
from sportsapp.db.engine import AnySession
from sportsapp.db.models import (
    ConsumerProcess,
    DeadLetter,
    Game,
    LeagueRow,
    PausedQueue,
    RunState,
    RunTotal,
    ScheduleRow,
    TaskRun,
)
from sportsapp.db.models.run import (
    FAILED,
    FAILURES,
    IS_REPLACED,
    OPEN,
    OUTSTANDING,
    UNSETTLED,
    WAITING,
    WITH_ERRORS,
)
from sportsapp.queue.huey import TrackerHuey
from sportsapp.queue.tracker import can_pause

ALIVE_FOR = timedelta(seconds=45)
LAST_RUNS = 24


# ---------------------------------------------------------------- consumers and queues


def consumers(session: AnySession, now: datetime) -> list[ConsumerProcess]:
    """The processes with a heartbeat in the last 45 s, by queue, role, host and process id."""
    process = ConsumerProcess
    alive = select(process).where(process.beat_at.between(now - ALIVE_FOR, now + CLOCK_TOLERANCE))
    order = (process.queue, process.role, process.host, process.pid)
    return list(session.scalars(alive.order_by(*order)))


def missed_consumers(session: AnySession, now: datetime) -> list[ConsumerProcess]:
    """The processes that died and that no other has replaced, by when they were last seen."""
    beat_at = ConsumerProcess.beat_at
    gone = select(ConsumerProcess).where(beat_at < now - ALIVE_FOR, ~IS_REPLACED)
    return list(session.scalars(gone.order_by(beat_at)))


def has_scheduler(session: AnySession, queue: str, now: datetime) -> bool:
    """Whether a scheduler of the queue is alive: without one its periodic tasks do not start."""
    alive = consumers(session, now)
    return any((process.queue, process.role) == (queue, "scheduler") for process in alive)


@dataclass(frozen=True)
class QueueState:
    """One queue, on the broker and in the ledger.

    ``depth`` counts the messages on the broker, None when it cannot be reached; ``waiting`` the
    runs that are due, of which the first was due at ``oldest``; ``workers`` the live workers.
    ``paused`` is its row while it is paused, ``can_pause`` whether it may be.
    """

    name: str
    depth: int | None
    waiting: int
    oldest: datetime | None
    workers: int
    paused: PausedQueue | None
    can_pause: bool


def queue_states(
    session: AnySession,
    queues: Sequence[TrackerHuey],
    alive: Sequence[ConsumerProcess],
    now: datetime,
) -> list[QueueState]:
    """The state of each queue, in the given order. ``alive`` is what ``consumers`` returned."""
    due = (
        select(TaskRun.queue, func.count(), func.min(TaskRun.due_at))
        .where(TaskRun.state.in_(WAITING), TaskRun.due_at <= now)
        .group_by(TaskRun.queue)
    )
    waiting = {name: (count, oldest) for name, count, oldest in session.execute(due)}
    workers = Counter(process.queue for process in alive if process.role == "worker")
    depths: list[int | None] = [None] * len(queues)
    with suppress(BrokerUnavailableError):  # they share a broker: waiting for it once is enough
        depths = [queue.depth() for queue in queues]
    paused = {row.queue: row for row in session.scalars(select(PausedQueue))}
    return [
        QueueState(
            queue.name,
            depth,
            *waiting.get(queue.name, (0, None)),
            workers[queue.name],
            paused.get(queue.name),
            can_pause(queue),
        )
        for queue, depth in zip(queues, depths, strict=True)
    ]


# ---------------------------------------------------------------- runs


def run_counts(session: AnySession) -> dict[tuple[str, str], int]:
    """How many runs of each (task, state) there were, those that were pruned included."""
    counts: Counter[tuple[str, str]] = Counter()
    rows = select(TaskRun.task, TaskRun.state, func.count()).group_by(TaskRun.task, TaskRun.state)
    pruned = select(RunTotal.task, RunTotal.state, RunTotal.count)
    for statement in (rows, pruned):
        for task, state, count in session.execute(statement):
            counts[task, state] += count
    return dict(counts)


def durations(session: AnySession, since: datetime) -> dict[str, list[float]]:
    """How many seconds the runs took that ended as SUCCESS since then, by task, shortest first."""
    succeeded = select(TaskRun.task, TaskRun.started_at, TaskRun.finished_at).where(
        TaskRun.state == RunState.SUCCESS, TaskRun.finished_at >= since
    )
    seconds: dict[str, list[float]] = {}
    for task, started_at, finished_at in session.execute(succeeded):
        if started_at and finished_at:
            seconds.setdefault(task, []).append((finished_at - started_at).total_seconds())
    return {task: sorted(values) for task, values in seconds.items()}


def running(session: AnySession, limit: int = 50) -> list[TaskRun]:
    """The runs in progress, longest first."""
    started = _without_large_columns().where(TaskRun.state == RunState.STARTED)
    return list(session.scalars(started.order_by(TaskRun.started_at).limit(limit)))


def with_errors(session: AnySession, since: datetime) -> dict[str, int]:
    """How many runs succeeded since then, but for some errors, by task."""
    ended = (TaskRun.state == RunState.SUCCESS, TaskRun.finished_at >= since)
    return _counts_by_task(session, *ended, WITH_ERRORS)


def outstanding(session: AnySession) -> dict[str, int]:
    """How many outstanding failures each task has; those without any are left out."""
    return _counts_by_task(session, OUTSTANDING)


def _counts_by_task(session: AnySession, *conditions: ColumnElement[bool]) -> dict[str, int]:
    counted = select(TaskRun.task, func.count()).where(*conditions).group_by(TaskRun.task)
    return dict(session.execute(counted).all())


@dataclass(frozen=True)
class Failures:
    """How many runs failed for good and are outstanding, or settled; the newest outstanding."""

    outstanding: int
    settled: int
    newest: Sequence[TaskRun]


def failures_since(session: AnySession, since: datetime, limit: int) -> Failures:
    """The failures since then, with the last ``limit`` outstanding ones, newest first."""
    failed = (TaskRun.state.in_(FAILED), TaskRun.finished_at >= since)
    counted = select(func.count(), _count_of(UNSETTLED)).where(*failed)
    count, unsettled = session.execute(counted).one()
    newest = _without_large_columns().where(*failed, UNSETTLED).order_by(TaskRun.finished_at.desc())
    runs = session.scalars(newest.limit(limit)).all() if unsettled else ()
    return Failures(unsettled, count - unsettled, runs)


@dataclass(frozen=True)
class Hour:
    """How many runs ended in the hour from ``start``, and how many of them failed."""

    start: datetime
    ended: int
    failed: int


def hours(session: AnySession, now: datetime, count: int = 24, task: str = "") -> list[Hour]:
    """The last ``count`` hours of the clock, oldest first; the newest is not over yet.

    Of one ``task``, or of all.
    """
    # not on the index of the task, which has its runs of all days
    of_task = [TaskRun.task + "" == task] if task else []
    newest = now.replace(minute=0, second=0, microsecond=0)
    starts = [newest - timedelta(hours=back) for back in range(count - 1, -1, -1)]
    columns = []
    for start in starts:
        within = (TaskRun.finished_at >= start, TaskRun.finished_at < start + timedelta(hours=1))
        runs = select(func.count()).select_from(TaskRun).where(*within, *of_task)
        columns += [runs.scalar_subquery(), runs.where(TaskRun.state.in_(FAILED)).scalar_subquery()]
    counts = session.execute(select(*columns)).one()
    return [Hour(start, counts[2 * n], counts[2 * n + 1]) for n, start in enumerate(starts)]


def backfills(session: AnySession, task: str, since: datetime, limit: int = 20) -> list[TaskRun]:
    """A task's queued runs that are open or ended since then, without those of batches.

    Open ones first, newest first.
    """
    is_open = TaskRun.state.in_(OPEN)
    newest = (
        select(TaskRun)
        .options(defer(TaskRun.traceback))
        .where(TaskRun.task == task, TaskRun.queue != "", TaskRun.batch_id.is_(None))
        .where(is_open | (TaskRun.finished_at >= since))
        .order_by(is_open.desc(), TaskRun.queued_at.desc(), TaskRun.id)
        .limit(limit)
    )
    return list(session.scalars(newest))


def counts_of(run: TaskRun) -> dict[str, Any]:
    """A run's result, so far if it is open, such as ``{"synced", "errors"}``; empty for none."""
    result = run.result if run.result is not None else (run.resume or {}).get("result")
    return result if isinstance(result, dict) else {}


# ---------------------------------------------------------------- failures


@dataclass(frozen=True)
class FailureGroup:
    """The failed runs of one fingerprint: how many, when they ended, and the newest of them.

    ``outstanding`` of them are neither resolved nor dismissed.
    """

    fingerprint: str
    count: int
    outstanding: int
    first: datetime | None
    last: datetime | None
    example: TaskRun


def settled_failures(session: AnySession) -> int:
    """How many failures of the ledger are resolved or dismissed."""
    settled = select(func.count()).select_from(TaskRun).where(FAILURES, ~UNSETTLED)
    return session.scalar(settled) or 0


def failure_groups(
    session: AnySession, limit: int, *, settled: bool = False
) -> tuple[int, list[FailureGroup]]:
    """How many fingerprints there are, and the ``limit`` that failed last, newest first.

    Of outstanding failures only, or of the ``settled`` ones as well.
    """
    failed = FAILURES if settled else OUTSTANDING
    last = func.max(TaskRun.finished_at).label("last")
    first = func.min(TaskRun.finished_at)
    groups = (
        select(TaskRun.fingerprint, func.count(), _count_of(UNSETTLED), first, last)
        .where(failed)
        .group_by(TaskRun.fingerprint)
    )
    rows = session.execute(groups.order_by(last.desc(), TaskRun.fingerprint)).all()
    shown = rows[:limit]
    newest = (
        select(TaskRun.id)
        .where(failed, TaskRun.fingerprint == row[0])
        .order_by(TaskRun.finished_at.desc())
        .limit(1)
        for row in shown
    )
    examples = {run.fingerprint: run for run in _runs_of_each(session, newest)}
    return len(rows), [FailureGroup(*row, examples[row[0]]) for row in shown if row[0] in examples]


def dead_letters(session: AnySession, limit: int) -> tuple[int, list[DeadLetter]]:
    """How many dead letters there are, and the last ``limit`` of them, newest first."""
    count = session.scalar(select(func.count()).select_from(DeadLetter)) or 0
    newest = select(DeadLetter).order_by(DeadLetter.id.desc()).limit(limit)
    return count, list(session.scalars(newest))


# ---------------------------------------------------------------- the schedule


@dataclass(frozen=True)
class PeriodicState:
    """A periodic task: its schedule in words, its last runs (newest first) and its next slot.

    Without a live scheduler (``has_scheduler``) nothing starts in that slot. ``paused`` is its row
    while it is paused; ``since`` is when a scheduler first had it, None for never;
    ``overdue_since`` is None for a task that is on time.
    """

    name: str
    label: str
    paused: ScheduleRow | None
    since: datetime | None
    runs: Sequence[TaskRun]
    next_slot: datetime
    has_scheduler: bool
    overdue_since: datetime | None

    @property
    def last(self) -> TaskRun | None:
        """The newest run, scheduled or not."""
        return self.runs[0] if self.runs else None


def periodic_states(
    session: AnySession, queue: TrackerHuey, overdue: Mapping[str, datetime], now: datetime
) -> list[PeriodicState]:
    """The state of each of the queue's periodic tasks, in their order, by three queries.

    ``overdue`` maps the name of each task that is late to when it was due.
    """
    periodics = queue.periodic_tasks.values()
    is_driven = has_scheduler(session, queue.name, now)
    rows = {row.task: row for row in session.scalars(select(ScheduleRow))}
    paused = {name: row for name, row in rows.items() if row.paused}
    newest = (
        select(TaskRun.id)
        .where(TaskRun.task == periodic.name)
        .order_by(TaskRun.queued_at.desc(), TaskRun.id.desc())
        .limit(LAST_RUNS)
        for periodic in periodics
    )
    runs: dict[str, list[TaskRun]] = {periodic.name: [] for periodic in periodics}
    for run in _runs_of_each(session, newest):
        runs[run.task].append(run)
    return [
        PeriodicState(
            name=periodic.name,
            label=periodic.schedule.label,
            paused=paused.get(periodic.name),
            since=rows[periodic.name].since_at if periodic.name in rows else None,
            runs=runs[periodic.name],
            next_slot=periodic.schedule.next_slot(now),
            has_scheduler=is_driven,
            overdue_since=overdue.get(periodic.name),
        )
        for periodic in periodics
    ]


# ---------------------------------------------------------------- data


def leagues(session: AnySession, slugs: Sequence[str]) -> list[LeagueRow]:
    """The rows of these leagues, in this order; a league that was never synced has none."""
    stored = session.scalars(select(LeagueRow).where(LeagueRow.slug.in_(slugs)))
    rows = {row.slug: row for row in stored}
    return [rows[slug] for slug in slugs if slug in rows]


def game_counts(session: AnySession) -> dict[tuple[str, str], int]:
    """How many games are stored, by the league's slug and the game's state."""
    counted = (
        select(LeagueRow.slug, Game.state, func.count())
        .join(Game, Game.league_id == LeagueRow.id)
        .group_by(LeagueRow.slug, Game.state)
    )
    return {(slug, state): count for slug, state, count in session.execute(counted)}


def _count_of(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((condition, 1)))


def _without_large_columns() -> Select[TaskRun]:
    return select(TaskRun).options(defer(TaskRun.traceback), defer(TaskRun.resume))


def _runs_of_each(session: AnySession, statements: Iterable[Select[Any]]) -> Iterable[TaskRun]:
    """The runs whose ids several small statements select, last queued first, by one query."""
    subqueries = [select(statement.subquery()) for statement in statements]
    if not subqueries:
        return []
    selected = _without_large_columns().where(TaskRun.id.in_(union_all(*subqueries)))
    return session.scalars(selected.order_by(TaskRun.queued_at.desc()))
