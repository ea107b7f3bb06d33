"""Reads of what the tasks did and do: consumers, queues, schedules, failures, backfills.

Serves the panel. Each function is one question, with a bounded number of queries whatever
the number of runs; hours and groups are counted in SQL, on indexes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, select, union_all
from sqlalchemy.orm import defer

from sportsapp.core.errors import BrokerUnavailableError
from sportsapp.db.engine import AnySession
from sportsapp.db.models import (
    ConsumerProcess,
    DeadLetter,
    Game,
    LeagueRow,
    RunState,
    RunTotal,
    ScheduleRow,
    TaskRun,
)
from sportsapp.db.models.run import FAILED, HAS_FINGERPRINT, OPEN, WAITING
from sportsapp.queue.broker import broker_errors
from sportsapp.queue.huey import TrackerHuey
from sportsapp.queue.tracker import PeriodicTask

ALIVE_FOR = timedelta(seconds=45)
STRIP = 24
HEAVY = (TaskRun.traceback, TaskRun.resume)


# ---------------------------------------------------------------- consumers and queues


def consumers(session: AnySession, now: datetime) -> list[ConsumerProcess]:
    """The processes that beat lately, by queue, role, host and process id."""
    found = (
        select(ConsumerProcess)
        .where(ConsumerProcess.beat_at > now - ALIVE_FOR)
        .order_by(
            ConsumerProcess.queue, ConsumerProcess.role, ConsumerProcess.host, ConsumerProcess.pid
        )
    )
    return list(session.scalars(found))


@dataclass(frozen=True)
class QueueState:
    """One queue: messages on the broker (None: it cannot be reached), and the ledger's view.

    ``waiting`` counts runs that could start now, ``oldest`` is since when the first waits,
    ``workers`` are the live workers.
    """

    name: str
    depth: int | None
    waiting: int
    oldest: datetime | None
    workers: int


def queue_states(
    session: AnySession,
    queues: Sequence[TrackerHuey],
    alive: Sequence[ConsumerProcess],
    now: datetime,
) -> list[QueueState]:
    """How each queue stands, in the given order."""
    found = (
        select(TaskRun.queue, func.count(), func.min(TaskRun.due_at))
        .where(TaskRun.state.in_(WAITING), TaskRun.due_at <= now)
        .group_by(TaskRun.queue)
    )
    waits = {name: (count, oldest) for name, count, oldest in session.execute(found)}
    depths = _depths(queues)
    return [
        QueueState(
            queue.name,
            depth,
            *waits.get(queue.name, (0, None)),
            sum(one.queue == queue.name and one.role == "worker" for one in alive),
        )
        for queue, depth in zip(queues, depths, strict=True)
    ]


def _depths(queues: Sequence[TrackerHuey]) -> list[int | None]:
    """Messages on each queue; a broker that is away is asked once only."""
    depths: list[int | None] = []
    try:
        for queue in queues:
            with broker_errors():
                depths.append(queue.pending_count())
    except BrokerUnavailableError:
        depths += [None] * (len(queues) - len(depths))
    return depths


# ---------------------------------------------------------------- runs


def run_counts(session: AnySession) -> dict[tuple[str, str], int]:
    """How many runs there are of each task and state, those the ledger has forgotten too."""
    counts: Counter[tuple[str, str]] = Counter()
    kept = select(TaskRun.task, TaskRun.state, func.count()).group_by(TaskRun.task, TaskRun.state)
    forgotten = select(RunTotal.task, RunTotal.state, RunTotal.count)
    for found in (kept, forgotten):
        for task, state, count in session.execute(found):
            counts[task, state] += count
    return dict(counts)


def durations(session: AnySession, since: datetime) -> dict[str, list[float]]:
    """Seconds that runs took that ended well since then, by task, shortest first."""
    found = select(TaskRun.task, TaskRun.started_at, TaskRun.finished_at).where(
        TaskRun.state == RunState.SUCCESS, TaskRun.finished_at >= since
    )
    seconds: dict[str, list[float]] = {}
    for task, started_at, finished_at in session.execute(found):
        if started_at and finished_at:
            seconds.setdefault(task, []).append((finished_at - started_at).total_seconds())
    return {task: sorted(each) for task, each in seconds.items()}


def running(session: AnySession, limit: int = 50) -> list[TaskRun]:
    """What runs now, longest first."""
    found = _light().where(TaskRun.state == RunState.STARTED).order_by(TaskRun.started_at)
    return list(session.scalars(found.limit(limit)))


def failures_since(session: AnySession, since: datetime, limit: int) -> tuple[int, list[TaskRun]]:
    """How many runs failed for good since then, and the newest of them."""
    which = (TaskRun.state.in_(FAILED), TaskRun.finished_at >= since)
    count = session.scalar(select(func.count()).select_from(TaskRun).where(*which)) or 0
    newest = _light().where(*which).order_by(TaskRun.finished_at.desc()).limit(limit)
    return count, list(session.scalars(newest)) if count else []


@dataclass(frozen=True)
class Hour:
    """How many runs ended in the hour from ``start``, and how many of them failed."""

    start: datetime
    ended: int
    failed: int


def hours(session: AnySession, now: datetime, count: int = 24) -> list[Hour]:
    """The last hours, oldest first; the last one is the hour that is not over yet."""
    this = now.replace(minute=0, second=0, microsecond=0)
    starts = [this - timedelta(hours=back) for back in range(count - 1, -1, -1)]
    columns = []
    for start in starts:
        within = (TaskRun.finished_at >= start, TaskRun.finished_at < start + timedelta(hours=1))
        runs = select(func.count()).select_from(TaskRun).where(*within)
        columns += [runs.scalar_subquery(), runs.where(TaskRun.state.in_(FAILED)).scalar_subquery()]
    counts = session.execute(select(*columns)).one()
    return [
        Hour(start, counts[2 * n], counts[2 * n + 1]) for n, start in enumerate(starts)
    ]  # fmt: skip


def backfills(session: AnySession, task: str, since: datetime, limit: int = 20) -> list[TaskRun]:
    """Backfills that wait or run, and those that ended lately; open ones first, newest first."""
    of_task = TaskRun.task == task
    is_open = TaskRun.state.in_(OPEN)
    found = (
        select(TaskRun)
        .options(defer(TaskRun.traceback))
        .where(of_task, TaskRun.queue != "", is_open | (TaskRun.finished_at >= since))
        .order_by(is_open.desc(), TaskRun.queued_at.desc(), TaskRun.id)
        .limit(limit)
    )
    return list(session.scalars(found))


def counts_of(run: TaskRun) -> dict[str, Any]:
    """What a run has done so far or in the end: ``{"synced", "errors"}``; empty if unknown."""
    said = run.result if run.result is not None else (run.resume or {}).get("result")
    return said if isinstance(said, dict) else {}


# ---------------------------------------------------------------- failures


@dataclass(frozen=True)
class FailureGroup:
    """Failed runs of one fingerprint: how many, the first, the last, and the newest as example."""

    fingerprint: str
    count: int
    first: datetime | None
    last: datetime | None
    example: TaskRun


def failure_groups(session: AnySession, limit: int) -> tuple[int, list[FailureGroup]]:
    """How many kinds of failure there are, and the ones seen last, newest first."""
    others = [state for state in RunState if state not in FAILED]
    failed = (HAS_FINGERPRINT, TaskRun.state.not_in(others))  # so that one index has all
    last = func.max(TaskRun.finished_at).label("last")
    groups = (
        select(TaskRun.fingerprint, func.count(), func.min(TaskRun.finished_at), last)
        .where(*failed)
        .group_by(TaskRun.fingerprint)
    )
    rows = session.execute(groups.order_by(last.desc(), TaskRun.fingerprint)).all()
    shown = rows[:limit]
    examples = _newest_failures(session, [row[0] for row in shown])
    return len(rows), [FailureGroup(*row, examples[row[0]]) for row in shown if row[0] in examples]


def _newest_failures(session: AnySession, fingerprints: Sequence[str]) -> dict[str, TaskRun]:
    def newest(fingerprint: str) -> Select[Any]:
        mine = (HAS_FINGERPRINT, TaskRun.fingerprint == fingerprint, TaskRun.state.in_(FAILED))
        return select(TaskRun.id).where(*mine).order_by(TaskRun.finished_at.desc()).limit(1)

    ids = _each(session, [newest(one) for one in fingerprints])
    runs = session.scalars(_light().where(TaskRun.id.in_([row[0] for row in ids])))
    return {run.fingerprint: run for run in runs}


def dead_letters(session: AnySession, limit: int) -> tuple[int, list[DeadLetter]]:
    """How many dead letters there are, and the newest of them."""
    count = session.scalar(select(func.count()).select_from(DeadLetter)) or 0
    newest = select(DeadLetter).order_by(DeadLetter.id.desc()).limit(limit)
    return count, list(session.scalars(newest))


# ---------------------------------------------------------------- the schedule


@dataclass(frozen=True)
class PeriodicState:
    """A periodic task: its last runs (newest first), next slot, and since when it is overdue.

    ``since`` is None for a task that no scheduler has looked at yet.
    """

    name: str
    words: str
    paused: bool
    since: datetime | None
    runs: Sequence[TaskRun]
    next_slot: datetime
    overdue_since: datetime | None

    @property
    def last(self) -> TaskRun | None:
        """The newest run, scheduled or not."""
        return self.runs[0] if self.runs else None


def periodic_states(
    session: AnySession,
    periodics: Iterable[PeriodicTask],
    overdue: Mapping[str, datetime],
    now: datetime,
) -> list[PeriodicState]:
    """How each periodic task stands; ``overdue`` says since when which one is. Three queries."""
    periodics = list(periodics)
    rows = {row.task: row for row in session.scalars(select(ScheduleRow))}
    runs = _last_runs(session, [one.name for one in periodics])
    return [
        PeriodicState(
            name=one.name,
            words=one.schedule.label,
            paused=rows[one.name].paused if one.name in rows else False,
            since=rows[one.name].since_at if one.name in rows else None,
            runs=runs[one.name],
            next_slot=one.schedule.next_slot(now),
            overdue_since=overdue.get(one.name),
        )
        for one in periodics
    ]


def _last_runs(session: AnySession, names: Sequence[str]) -> dict[str, list[TaskRun]]:
    def newest(name: str) -> Select[Any]:
        mine = select(TaskRun.id).where(TaskRun.task == name)
        return mine.order_by(TaskRun.queued_at.desc(), TaskRun.id.desc()).limit(STRIP)

    ids = [row[0] for row in _each(session, [newest(name) for name in names])]
    found = _light().where(TaskRun.id.in_(ids)).order_by(TaskRun.queued_at.desc())
    runs: dict[str, list[TaskRun]] = {name: [] for name in names}
    for run in session.scalars(found):
        runs[run.task].append(run)
    return runs


# ---------------------------------------------------------------- data


def leagues(session: AnySession, slugs: Sequence[str]) -> list[LeagueRow]:
    """These leagues' rows, in that order; one never asked for has none."""
    rows = {
        row.slug: row for row in session.scalars(select(LeagueRow).where(LeagueRow.slug.in_(slugs)))
    }
    return [rows[slug] for slug in slugs if slug in rows]


def game_counts(session: AnySession) -> dict[tuple[str, str], int]:
    """How many games are stored, by league and state."""
    found = (
        select(LeagueRow.slug, Game.state, func.count())
        .join(Game, Game.league_id == LeagueRow.id)
        .group_by(LeagueRow.slug, Game.state)
    )
    return {(slug, state): count for slug, state, count in session.execute(found)}


def _light() -> Select[TaskRun]:
    """Runs without their heavy columns."""
    return select(TaskRun).options(*(defer(column) for column in HEAVY))


def _each(session: AnySession, selects: Sequence[Select[Any]]) -> Sequence[Any]:
    """The rows of several small selects, asked at once."""
    if not selects:
        return []
    return session.execute(union_all(*(select(one.subquery()) for one in selects))).all()
