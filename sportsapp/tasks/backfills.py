"""Queues backfills: one run a league and season, refused where one overlaps another."""

from collections.abc import Sequence
from typing import NamedTuple

from sportsapp.core.clock import check_range, utc_now
from sportsapp.db.engine import db
from sportsapp.db.models import Trigger
from sportsapp.sync.games import expected_finals
from sportsapp.sync.ranges import LeagueRange, by_season, estimate
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
    ranges: Sequence[LeagueRange], trigger: Trigger, by: str, name: str = "", games: bool = False
) -> Backfills:
    """Queue a backfill of each range, one run a season: all of them, or none.

    With ``games`` they also read the summaries of finals. ``name`` is that of their batch, by
    default the ranges in words. Raises DateRangeError,
    OverlapError when a run that waits or runs overlaps one of them, and BrokerUnavailableError.
    """
    for _, start, end in ranges:
        check_range(start, end, utc_now())
    more = {"games": True} if games else {}  # a consumer of the release before knows no games
    tasks = [
        sync_date_range_task.s(league.label, start.isoformat(), end.isoformat(), **more)
        for league, start, end in by_season(ranges)
    ]
    cost = estimate(ranges, expected_finals(db.session, ranges, utc_now()) if games else 0)
    name = name or name_of(ranges) + (" with box scores" if games else "")
    batch_id = queue_together(name, tasks, trigger, by, cost)
    return Backfills(batch_id, [task.id for task in tasks])


def name_of(ranges: Sequence[LeagueRange]) -> str:
    """These ranges in words: their leagues, the first day and the last."""
    leagues = dict.fromkeys(league.label for league, _, _ in ranges)
    first, last = min(start for _, start, _ in ranges), max(end for _, _, end in ranges)
    return f"{', '.join(leagues)} from {first} to {last}"
