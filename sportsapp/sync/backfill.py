"""A range of days brought up to date in chunks, and then the summaries of its finals.

Each chunk is committed, so that a backfill can be stopped after any of them and resumed.
"""

import logging
import re
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import chain

from sportsapp.core.clock import check_range, each_day, game_day
from sportsapp.core.errors import FeedRefusedError, FeedUnavailableError, TrackerError
from sportsapp.core.leagues import League, season_of
from sportsapp.feed import parse
from sportsapp.feed.client import SUSPECT_COUNTS
from sportsapp.feed.fetch import fetch_all
from sportsapp.sync import store
from sportsapp.sync.context import SyncContext, SyncResult, league_call
from sportsapp.sync.failed_days import note_failed
from sportsapp.sync.failing import mark_failed
from sportsapp.sync.games import due_finals, each_synced, read_finals
from sportsapp.sync.load import GAMES, LEAGUES
from sportsapp.sync.missing import look_for
from sportsapp.sync.ranges import Chunk, LeagueRange, chunks_of, within_seasons
from sportsapp.sync.steps import Step, Steps, parts_of
from sportsapp.sync.watch import is_refusal

logger = logging.getLogger(__name__)

FRUITLESS_MONTHS = 8
"""So many months in a row that are refused, or that have no games within a season, are enough.

The latest start of a season was in its eighth month: the NBA's in February 1999, after a lockout.
"""
NO_GAMES, REFUSED = "had no games", "were refused"

OF_GAMES = "games"
"""The kind of the steps that read summaries; those of chunks have none."""
MOST_STEPS = 400
DOWN_AFTER = 8
"""So many summaries in a row that the feed fails to give are enough: the run ends as failed."""

OF_DAYS = re.compile(r"([A-Z]+) ([-\d]{10})(?: to ([-\d]{10}))?: (.*)", re.DOTALL)
"""A line of ``errors`` about days: the league, the first day, the last, the reason."""


# ---------------------------------------------------------------- the sync


def sync_range(
    context: SyncContext,
    league: League,
    start: date,
    end: date,
    every_month: bool = False,
    games: bool = False,
) -> SyncResult:
    """Bring every day from start to end up to date, chunk by chunk.

    With ``games`` then the summaries of its finals that have none, day by day. Each chunk and each
    day is a step. One that fails is a line in ``errors``; when every chunk fails, the last error is
    raised, with a note of these lines, and so is that of DOWN_AFTER summaries in a row.

    What the feed does not have is a line in ``left_out``: days before the league's first season,
    and, unless ``every_month`` is to be read, the rest of a season after FRUITLESS_MONTHS without a
    game, and the rest of the range after as many that were refused. Raises DateRangeError.
    """
    check_range(start, end, context.now)
    ranges, left_out = within_seasons([(league, start, end)])
    chunks = [chunk for league_range in ranges for chunk in chunks_of(*league_range)]
    first = [chunk.as_step() for chunk in chunks]
    first += games_steps(ranges, game_day(context.now)) if games else []
    steps = Steps(context, first, SyncResult())
    steps.result.left_out = steps.result.left_out or left_out
    failure: TrackerError | None = None
    for current, step in steps:
        if step[0] == OF_GAMES:
            if steps.failures and "is_read" not in steps.kept:
                steps.todo.clear()
            else:
                sync_finals_of(current, steps, league, *map(date.fromisoformat, step[1:]))
            continue
        chunk, why = Chunk.of_step(step), ""
        errors, days_refused = steps.result.errors, is_refusal(failure)
        count = len(errors)
        try:
            synced, _ = sync_chunk(current, league, chunk, errors, days_refused=days_refused)
            steps.result.synced += synced
            steps.kept["is_read"], failure = True, None
            why = NO_GAMES if not synced and len(errors) == count else ""
        except TrackerError as error:
            steps.failures[league.slug] = failure = error
            errors.append(f"{league.label} {chunk}: {error}")
            why = REFUSED if isinstance(error, FeedRefusedError) else ""
            # a failed read of the past does not show that the feed fails now
            if chunk.start <= game_day(current.now) <= chunk.end:
                mark_failed(current, store.league_ref(current, league), error)
        current.tally.log(is_quiet=current.scheduled, part=str(chunk))
        if not every_month:
            leave_out_fruitless(steps, league, chunk, why)
    if steps.failures and "is_read" not in steps.kept:
        steps.begin_anew()
        failure = steps.failures[league.slug]
        failure.add_note("\n".join(steps.result.errors))
        raise failure
    return steps.result


def games_steps(ranges: Sequence[LeagueRange], today: date) -> list[Step]:
    """The steps that read the summaries of these days: one a day, or MOST_STEPS of several days."""
    days = [day for _, first, last in ranges for day in each_day(first, min(last, today))]
    some = parts_of(days, -(-len(days) // MOST_STEPS) or 1)
    return [[OF_GAMES, f"{part[0]}", f"{part[-1]}"] for part in some]


def sync_finals_of(
    context: SyncContext, steps: Steps[SyncResult], league: League, first: date, last: date
) -> None:
    """Store the summaries of these days' finals that have none, DOWN_AFTER at a time.

    Raises the last error when DOWN_AFTER in a row, of this step and those before, show that the
    feed fails.
    """
    of_days = LEAGUES.c.slug == league.slug, GAMES.c.day.between(first, last)
    parts = parts_of(due_finals(context.session, *of_days), DOWN_AFTER)
    try:
        for done, error in chain.from_iterable(each_synced(context, part) for part in parts):
            steps.result.errors += done.errors
            is_down = isinstance(error, FeedUnavailableError) or is_refusal(error)
            steps.kept["down"] = steps.kept.get("down", 0) + 1 if is_down else 0
            if error is not None and steps.kept["down"] >= DOWN_AFTER:
                error.add_note("\n".join(steps.result.errors))
                raise error
    finally:
        context.tally.log(is_quiet=context.scheduled, part=f"{first}")
    steps.result.box_scores += read_finals(context.session, *of_days)


def leave_out_fruitless(steps: Steps[SyncResult], league: League, chunk: Chunk, why: str) -> None:
    """Take off the steps what is not worth a request after this chunk.

    ``why`` is what was wrong with it, empty for nothing: FRUITLESS_MONTHS of one kind in a row end
    the season, where they had no games, or the range.
    """
    before, count = steps.kept.get("fruitless", ("", 0))
    count = count + 1 if why == before else 1
    rest = [Chunk.of_step(step) for step in steps.todo if step[0] != OF_GAMES]
    if why == NO_GAMES:
        season_end = season_of(league, chunk.start)[1]
        rest = [other for other in rest if other.start <= season_end]
    if why and rest and count == FRUITLESS_MONTHS:
        days = Chunk(rest[0].start, rest[-1].end, by_month=False)
        line = f"{league.label} {days} left out: {count} months in a row {why}"
        logger.warning("%s", line)
        steps.result.left_out.append(line)
        del steps.todo[: len(rest)]
        rest = []
    steps.kept["fruitless"] = (why, count) if rest else ("", 0)


def sync_chunk(
    context: SyncContext,
    league: League,
    chunk: Chunk,
    errors: list[str],
    *,
    days_refused: bool = False,
) -> tuple[int, int]:
    """Store the chunk's days; how many games of it are stored now, and the requests it took.

    A month that cannot be had is read by day, and days that are refused from the month's answer.
    After ``days_refused`` (the chunk before was refused in both forms) a refused month is not read
    by day. Adds a line to ``errors`` for each day or game that could not be read. Raises a
    TrackerError when nothing could be.
    """
    try:
        if chunk.by_month:
            ids = sync_month(context, league, chunk.days, errors, days_refused)
            if ids is not None:
                return len(ids), 1
        try:
            return _sync_days(context, league, chunk, errors), len(chunk.days) + chunk.by_month
        except FeedRefusedError:
            if chunk.by_month or not league.month_fits:
                raise
            ids = sync_month(context, league, chunk.days, errors)
            if ids is None:
                raise
        return len(ids), len(chunk.days) + 1
    except TrackerError as error:
        ref = store.league_ref(context, league)
        note_failed(context, {(ref.id, day): str(error) for day in chunk.days})
        raise


def sync_month(
    context: SyncContext,
    league: League,
    days: Sequence[date],
    errors: list[str],
    days_refused: bool = False,
) -> set[str] | None:
    """Store these days of one month, in order, from the month's answer.

    Returns the ids of their games that are stored now, None when they must be read day by day.
    Adds a line to ``errors`` for each game that could not be read. Raises the error of a refusal
    when days are refused as well.
    """
    chunk = Chunk(days[0], days[-1], by_month=True)
    try:
        answer = context.client.month(league, chunk.start)
        scoreboard = answer.parsed(parse.parse_scoreboard, league)
    except TrackerError as error:
        if is_refusal(error) and days_refused:
            raise  # thirty requests for days would be thirty refusals
        logger.warning("%s %s: by day instead of by month: %s", league.label, chunk, error)
        return None
    if scoreboard.events in SUSPECT_COUNTS:
        count = scoreboard.events
        logger.warning("%s %s: %s events may be cut off", league.label, chunk, count)
        return None
    games = [game for game in scoreboard.games if game.day in days]
    ref = store.league_ref(context, league)
    due = store.store_scoreboard(context, ref, scoreboard, games, days=days)
    errors += [f"{league.label} {chunk}: {line}" for line in scoreboard.errors]
    errors += look_for(context, league, ref, due)
    return {game.espn_id for game in games}


def _sync_days(context: SyncContext, league: League, chunk: Chunk, errors: list[str]) -> int:
    """Store each day of the chunk from its own answer.

    Returns how many games of the chunk are stored now, and adds a line to ``errors`` for each day
    or game that could not be read. Raises the last error when no day can be read. Where the month
    could not be had, the first day is read alone: if it is refused as well, no other is requested;
    else single days that are refused are read from the month.
    """
    ids: set[str] = set()
    failures: dict[date, TrackerError] = {}
    lines: dict[date, list[str]] = {}
    calls = {day: league_call(context.client.scoreboard, league, day) for day in chunk.days}
    first = {chunk.start: calls[chunk.start]} if chunk.by_month else calls
    rest = {day: call for day, call in calls.items() if day not in first}
    for day, future in chain(fetch_all(first), fetch_all(rest)):
        try:
            answer = future.result()
            scoreboard = answer.parsed(parse.parse_scoreboard, league)
            ref, games = store.league_ref(context, league), scoreboard.games
            due = store.store_scoreboard(
                context, ref, scoreboard, games, days=[day], digest=answer.digest
            )
            ids |= {game.espn_id for game in games if game.day == day}
            lines[day] = [f"{league.label} {day}: {line}" for line in scoreboard.errors]
            lines[day] += look_for(context, league, ref, due)
        except TrackerError as error:
            failures[day] = error
            lines[day] = [f"{league.label} {day}: {error}"]
            context.report(league, error)
            if is_refusal(error) and len(failures) == len(lines):
                raise  # the feed refuses us, so the other days would be refused too
    if len(failures) == len(calls):
        raise list(failures.values())[-1]
    refused = sorted(day for day in failures if isinstance(failures[day], FeedRefusedError))
    if refused and league.month_fits and not chunk.by_month:
        found: list[str] = []
        from_month = sync_month(context, league, refused, found)
        if from_month is not None:
            ids |= from_month
            lines |= {day: [] for day in refused} | {refused[0]: found}
            failures = {day: failures[day] for day in failures if day not in refused}
    ref = store.league_ref(context, league)
    note_failed(context, {(ref.id, day): str(error) for day, error in failures.items()})
    errors += [line for day in sorted(lines) for line in lines[day]]
    return len(ids)


def summary_of(errors: Sequence[str]) -> list[str]:
    """The ``errors`` of a sync, with one line for each reason that names all days it holds for.

    Reasons are equal when they differ in numbers only; the first one stands for them. Days that
    follow one another are one span. Lines that name no days come last, as they are.
    """
    found: dict[tuple[str, str], tuple[str, list[Chunk]]] = {}
    others = []
    for error in errors:
        match = OF_DAYS.fullmatch(error)
        if match is None:
            others.append(error)
            continue
        league, first, last, reason = match.groups()
        start, end = date.fromisoformat(first), date.fromisoformat(last or first)
        key = league, re.sub(r"\d+", "#", reason)
        spans = found.setdefault(key, (reason, []))[1]
        if spans and spans[-1].end + timedelta(days=1) == start:
            start = spans.pop().start
        spans.append(Chunk(start, end, by_month=False))
    return [
        f"{league} {', '.join(map(str, spans))}: {reason}"
        for (league, _), (reason, spans) in found.items()
    ] + others
