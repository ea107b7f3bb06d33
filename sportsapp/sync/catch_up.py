"""Missed days are read: those of the running season that were not read after they had ended.

The first start finds all of the season's days so far, and the end of an outage those that it hid:
the map of what was read remembers them. A month's answer is requested where enough of its days are
missed, the day last seen longest ago comes first, and one run makes about REQUESTS requests.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import NamedTuple

from sqlalchemy import select

from sportsapp.core.clock import day_end, each_day, game_day
from sportsapp.core.errors import AllLeaguesFailedError, FeedUnavailableError, TrackerError
from sportsapp.core.leagues import League, season_of
from sportsapp.core.records import State
from sportsapp.db.models import Game, LeagueRow, Scoreboard
from sportsapp.feed.fetch import PARALLEL
from sportsapp.sync import store
from sportsapp.sync.backfill import sync_chunk
from sportsapp.sync.context import SyncContext, SyncResult
from sportsapp.sync.ranges import MONTH_FROM_DAYS, Chunk
from sportsapp.sync.scoreboards import sync_schedule
from sportsapp.sync.steps import Step, Steps, parts_of
from sportsapp.sync.watch import is_refusal

REQUESTS = 40
LONGEST_WAIT = timedelta(days=1)
NEVER = datetime.min.replace(tzinfo=UTC)


class Reading(NamedTuple):
    """When a day was last read to its end, and when that was last tried."""

    read_at: datetime = NEVER
    tried_at: datetime = NEVER


def sync_schedule_and_catch_up(context: SyncContext, leagues: Sequence[League]) -> SyncResult:
    """Bring yesterday, today and tomorrow up to date, then missed days.

    A step is the days around today of a few leagues, or a chunk of missed days. A chunk that failed
    is a line in ``errors`` and is tried again later. Raises AllLeaguesFailedError.
    """
    by_slug = {league.slug: league for league in leagues}
    few = parts_of(list(by_slug), PARALLEL)
    steps = Steps(context, [["schedule", slugs] for slugs in few], SyncResult())
    for current, (kind, *about) in steps:
        if kind == "schedule":
            some = [by_slug[slug] for slug in about[0] if slug in by_slug]
            _sync_schedule(current, some, steps)
            if not steps.todo:
                steps.raise_if_all_failed(leagues)
                steps.todo += _missed_steps(current, leagues)
        elif about[0] in by_slug:
            slug, *chunk = about
            if not _sync_missed(current, by_slug[slug], Chunk.of_step(chunk), steps):
                steps.todo = [step for step in steps.todo if step[1] != slug]
            if steps.kept["requests"] >= REQUESTS:
                steps.todo = []
    return steps.result


def _sync_schedule(
    context: SyncContext, leagues: Sequence[League], steps: Steps[SyncResult]
) -> None:
    try:
        result = sync_schedule(context, leagues)
    except AllLeaguesFailedError as error:
        steps.failures |= error.failures
        result = SyncResult(
            0, [f"{slug.upper()}: {fault}" for slug, fault in error.failures.items()]
        )
    steps.result.synced += result.synced
    steps.result.errors += result.errors


def _missed_steps(context: SyncContext, leagues: Sequence[League]) -> list[Step]:
    """The missed days of the leagues that do not fail now, as steps."""
    refs = store.league_refs(context, leagues)
    well = {league: refs[league] for league in leagues if refs[league].failing_since is None}
    steps = [
        ["missed", league.slug, *chunk.as_step()] for league, chunk in missed_chunks(context, well)
    ]
    context.session.rollback()  # nothing was written, and no transaction waits for the feed
    return steps


def _sync_missed(
    context: SyncContext, league: League, chunk: Chunk, steps: Steps[SyncResult]
) -> bool:
    """Read a chunk of missed days; whether the league's other chunks are worth a request."""
    made = 0
    try:
        synced, made = sync_chunk(context, league, chunk, steps.result.errors)
        steps.result.synced += synced
    except TrackerError as error:
        steps.result.errors.append(f"{league.label} {chunk}: {error}")
        context.report(league, error)
        made = chunk.requests
        if isinstance(error, FeedUnavailableError) or is_refusal(error):
            return False  # it is not about these days
    finally:
        steps.kept["requests"] = steps.kept.get("requests", 0) + made
    store.note_tried(context, store.league_ref(context, league), chunk.days)
    return True


def missed_chunks(
    context: SyncContext, refs: Mapping[League, store.LeagueRef]
) -> list[tuple[League, Chunk]]:
    """The missed days of these leagues in chunks, those that were seen longest ago first.

    Of days that were never seen, the newest come first.
    """
    parts = []
    for league, ref in refs.items():
        missed = missed_days(context, league, ref)
        for chunk in chunks_of_days(league, missed):
            seen = min(missed[day].tried_at for day in chunk.days if day in missed)
            parts.append((seen, -chunk.start.toordinal(), league, chunk))
    parts.sort(key=lambda part: part[:2])
    return [(league, chunk) for _, _, league, chunk in parts]


def chunks_of_days(league: League, missed: Mapping[date, Reading]) -> list[Chunk]:
    """Missed days, in order, as chunks: by month where enough days of a month are missed.

    What was tried since it ended is tried day by day: the month's answer may be what is broken.
    """
    chunks: list[Chunk] = []
    for _, days in groupby(missed, key=lambda day: day.replace(day=1)):
        alone = list(days)
        untried = [day for day in alone if missed[day].tried_at < day_end(day)]
        if league.month_fits and len(untried) >= MONTH_FROM_DAYS:
            month = Chunk(untried[0], untried[-1], by_month=True)
            alone = [day for day in alone if not month.start <= day <= month.end]
            chunks.append(month)
        chunks += [Chunk(day, day, by_month=False) for day in alone]
    return chunks


def missed_days(context: SyncContext, league: League, ref: store.LeagueRef) -> dict[date, Reading]:
    """The days of a league's season that are to be read now, in order; may be empty.

    Nothing is known to be missed before the feed's calendar has named the season's first day.
    """
    today = game_day(context.now)
    begins = context.session.scalar(select(LeagueRow.season_begins).where(LeagueRow.id == ref.id))
    if begins is None:
        return {}
    first = max(begins, season_of(league, today)[0])
    of_days = Scoreboard.league_id == ref.id, Scoreboard.day >= first, Scoreboard.day < today
    rows = context.session.execute(
        select(Scoreboard.day, Scoreboard.read_at, Scoreboard.stored_at).where(*of_days)
    )
    readings = {
        day: Reading(read_at or NEVER, max(read_at or NEVER, stored_at))
        for day, read_at, stored_at in rows
    }
    is_open = Game.state.in_((State.PRE, State.IN)), Game.listed.is_(True)
    games = Game.league_id == ref.id, Game.start_at < context.now, Game.day >= first
    open_days = set(context.session.scalars(select(Game.day).where(*games, *is_open).distinct()))
    return {
        day: reading
        for day in each_day(first, today - timedelta(days=1))
        if is_due(
            day_end(day), reading := readings.get(day, Reading()), day in open_days, context.now
        )
    }


def is_due(end: datetime, reading: Reading, is_open: bool, now: datetime) -> bool:
    """Whether a day that ended then is to be read now.

    ``is_open`` is whether one of its games should have ended and has not: then it is read again,
    after twice as long each time. What could not be read is tried again after a day at most.
    """
    if reading.tried_at < end:
        return True
    distance = reading.tried_at - end
    if reading.read_at >= end:
        return is_open and now - reading.tried_at >= distance
    return now - reading.tried_at >= min(distance, LONGEST_WAIT)
