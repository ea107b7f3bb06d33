"""Queues backfills: one run a league and season, refused where one overlaps another."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from sportsapp.core.clock import check_range, utc_now
from sportsapp.core.errors import OverlapError
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
        open_runs = select(RUNS).where(
            RUNS.c.task == RANGE.name,
            RUNS.c.state.in_(OPEN),
            RUNS.c.queue != "",  # a run without one belongs to a shell, which is not waited for
        )
        for run in connection.execute(open_runs).all():
            first, last = str(run.args.get("start_date")), str(run.args.get("end_date"))
            for league, start, end in parts:
                is_same = str(run.args.get("league", "")).lower() == league.slug
                if is_same and first <= end.isoformat() and start.isoformat() <= last:
                    state = "runs" if run.state == RunState.STARTED else "waits"
                    backfill = f"a backfill of the {league.label} from {first} to {last}"
                    raise OverlapError(f"{backfill} already {state}", run.id)

    with run_origin(trigger, by):
        backfill_huey.enqueue_all(tasks, check)
    return [task.id for task in tasks]
