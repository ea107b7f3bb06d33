"""Queues backfills: one run a league and season, refused where one overlaps another."""

from collections.abc import Sequence

from sportsapp.core.clock import check_range, utc_now
from sportsapp.db.models import Trigger
from sportsapp.runs.rows import run_origin
from sportsapp.sync.backfill import LeagueRange, by_season
from sportsapp.tasks.repeats import overlap, queue_once
from sportsapp.tasks.sync import sync_date_range_task


def queue_backfills(ranges: Sequence[LeagueRange], trigger: Trigger, by: str) -> list[str]:
    """Queue a backfill of each range, one run a season: all of them, or none.

    Returns the runs' ids, in the order of the ranges and their seasons. Raises DateRangeError,
    OverlapError when a run that waits or runs overlaps one of them, and BrokerUnavailableError.
    """
    for _, start, end in ranges:
        check_range(start, end, utc_now())
    tasks = [
        sync_date_range_task.s(league.label, start.isoformat(), end.isoformat())
        for league, start, end in by_season(ranges)
    ]
    with run_origin(trigger, by):
        queue_once(tasks, overlap)
    return [task.id for task in tasks]
