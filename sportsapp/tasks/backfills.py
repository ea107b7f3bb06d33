"""Queues backfills: one run a league and season, refused where one overlaps another."""

from collections.abc import Sequence
from typing import NamedTuple

from sportsapp.core.clock import check_range, utc_now
from sportsapp.db.models import Trigger
from sportsapp.sync.backfill import LeagueRange, by_season, estimate
from sportsapp.tasks.batches import queue_together
from sportsapp.tasks.sync import sync_date_range_task


class Backfills(NamedTuple):
    """What was queued: the runs' ids, in the order of the ranges and their seasons.

    ``batch_id`` is that of the batch which several runs are, None for one run.
    """

    batch_id: str | None
    run_ids: list[str]

    def __str__(self) -> str:
        return f"batch {self.batch_id}" if self.batch_id else f"run {self.run_ids[0]}"


def queue_backfills(
    ranges: Sequence[LeagueRange], trigger: Trigger, by: str, name: str = ""
) -> Backfills:
    """Queue a backfill of each range, one run a season: all of them, or none.

    ``name`` is that of their batch, by default the ranges in words. Raises DateRangeError,
    OverlapError when a run that waits or runs overlaps one of them, and BrokerUnavailableError.
    """
    for _, start, end in ranges:
        check_range(start, end, utc_now())
    tasks = [
        sync_date_range_task.s(league.label, start.isoformat(), end.isoformat())
        for league, start, end in by_season(ranges)
    ]
    batch_id = queue_together(name or name_of(ranges), tasks, trigger, by, estimate(ranges))
    return Backfills(batch_id, [task.id for task in tasks])


def name_of(ranges: Sequence[LeagueRange]) -> str:
    """These ranges in words: their leagues, the first day and the last."""
    leagues = dict.fromkeys(league.label for league, _, _ in ranges)
    first, last = min(start for _, start, _ in ranges), max(end for _, _, end in ranges)
    return f"{', '.join(leagues)} from {first} to {last}"
