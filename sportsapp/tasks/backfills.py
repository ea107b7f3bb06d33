"""Queues backfills: one run a league and season, refused where one overlaps another."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, select

from sportsapp.core.clock import check_range, utc_now
from sportsapp.core.errors import OverlapError
from sportsapp.core.leagues import League
from sportsapp.db.models import RunState, TaskRun, Trigger
from sportsapp.db.models.run import OPEN
from sportsapp.queue.huey import backfill_huey
from sportsapp.runs.rows import run_origin
from sportsapp.sync.backfill import LeagueRange, by_season
from sportsapp.sync.table import RANGE
from sportsapp.tasks.sync import sync_date_range_task

RUNS = TaskRun.__table__


def queue_backfills(ranges: Sequence[LeagueRange], trigger: Trigger, by: str) -> list[str]:
    """Queue a backfill of each range, one run a season: all of them, or none.

    Returns the runs' ids, in the order of the ranges and their seasons. Raises DateRangeError,
    OverlapError when a run that waits or runs overlaps one of them, and BrokerUnavailableError.
    """
    for _, start, end in ranges:
        check_range(start, end, utc_now())
    parts = by_season(ranges)
    tasks = [
        sync_date_range_task.s(league.label, start.isoformat(), end.isoformat())
        for league, start, end in parts
    ]

    def check(connection: Connection) -> None:
        """Raise OverlapError. In the transaction that records the runs, so that none slips in."""
        is_open = select(RUNS).where(RUNS.c.task == RANGE.name, RUNS.c.state.in_(OPEN))
        for run in connection.execute(is_open).all():
            for part in parts:
                _refuse_overlap(run, *part)

    with run_origin(trigger, by):
        backfill_huey.enqueue_all(tasks, check)
    return [task.id for task in tasks]


def _refuse_overlap(run: Row[Any], league: League, start: date, end: date) -> None:
    if not run.queue or str(run.args.get("league", "")).lower() != league.slug:
        return  # a run without a queue belongs to a shell, which is not waited for
    first, last = str(run.args.get("start_date")), str(run.args.get("end_date"))
    if first <= end.isoformat() and start.isoformat() <= last:
        state = "already runs" if run.state == RunState.STARTED else "already waits"
        text = f"a backfill of the {league.label} from {first} to {last} {state}"
        raise OverlapError(text, run.id)
