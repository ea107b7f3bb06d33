"""Scoreboards brought up to date: one day, the days around today, what is live, what is to come.

Each scoreboard is stored in a transaction of its own. A league's TrackerError becomes a line in
``errors`` while the other leagues go on; when no league can be read, it is raised.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from sqlalchemy import and_, or_, select

from sportsapp.core.clock import each_day, game_day, month_end
from sportsapp.core.errors import (
    AllLeaguesFailedError,
    FeedRefusedError,
    PayloadError,
    TrackerError,
)
from sportsapp.core.leagues import League
from sportsapp.core.log_context import add_log_fields
from sportsapp.core.records import State
from sportsapp.db.models import Game, GameDoubt
from sportsapp.feed import parse
from sportsapp.feed.fetch import fetch_all
from sportsapp.sync import store
from sportsapp.sync.backfill import sync_month
from sportsapp.sync.context import SyncContext, SyncResult, league_call
from sportsapp.sync.doubts import WITH_RESULT
from sportsapp.sync.failed_days import note_failed
from sportsapp.sync.failing import mark_failed
from sportsapp.sync.fields import scoreboard_notes
from sportsapp.sync.missing import look_for

LEAD = timedelta(minutes=2)
NEAR_START = timedelta(minutes=45)
DOUBT_HOURS = timedelta(hours=6)
LIVE_DAYS = 3
OPEN_DAYS = 7
AHEAD_DAYS = 7

LeagueDay = tuple[League, date]


@dataclass
class Reading:
    """What one reading of some leagues' scoreboards has found, by league in the order asked for.

    ``ids`` are the feed's ids of the games that are stored now, ``lines`` what went wrong.
    ``failures`` has the leagues of which some day could not be read, or that are paused.
    """

    ids: dict[League, set[str]] = field(default_factory=dict)
    lines: dict[League, list[str]] = field(default_factory=dict)
    failures: dict[League, TrackerError] = field(default_factory=dict)

    def result(self) -> SyncResult:
        """What a sync returns.

        Raises AllLeaguesFailedError when some league failed and not one answer could be read.
        """
        if self.failures and not self.ids:
            raise AllLeaguesFailedError(
                {league.slug: error for league, error in self.failures.items()}
            )
        count = sum(len(game_ids) for game_ids in self.ids.values())
        return SyncResult(count, [line for lines in self.lines.values() for line in lines])


def sync_day(context: SyncContext, league: League, day: date) -> SyncResult:
    """Bring one league's day up to date. Raises the league's FeedError."""
    try:
        return read_days(context, {league: [day]}).result()
    except AllLeaguesFailedError as error:
        raise error.failures[league.slug] from error.failures[league.slug].__cause__


def sync_today(context: SyncContext, leagues: Sequence[League]) -> SyncResult:
    """Bring today up to date. Raises AllLeaguesFailedError."""
    today = game_day(context.now)
    return read_days(context, {league: [today] for league in leagues}).result()


def sync_schedule(context: SyncContext, leagues: Sequence[League]) -> SyncResult:
    """Bring yesterday, today and tomorrow up to date. Raises AllLeaguesFailedError.

    Yesterday too, since finals get corrected; and up to OPEN_DAYS of games that answers lacked, or
    that are live for days, so that it is soon known what has become of them.
    """
    today = game_day(context.now)
    days = {today + timedelta(days=offset) for offset in (-1, 0, 1)}
    ids = {ref.id: league for league, ref in store.league_refs(context, leagues).items()}
    columns = select(Game.league_id, Game.day).where(Game.league_id.in_(ids), Game.listed)
    missing = columns.where(Game.missing_since.is_not(None))
    live = columns.where(Game.state == State.IN, Game.day < today)
    still_open: dict[League, list[date]] = {league: [] for league in leagues}
    for row in context.session.execute(missing.union(live)):
        still_open[ids[row.league_id]].append(row.day)
    wanted = {
        league: sorted(days.union(sorted(still_open[league])[:OPEN_DAYS])) for league in leagues
    }
    return read_days(context, wanted).result()


def live_days(context: SyncContext, leagues: Sequence[League]) -> dict[League, list[date]]:
    """The days to request of each of these leagues that may have a live game now, in order.

    Those are the days of games that are live, of scheduled games from LEAD before their start
    until the league's ``game_hours`` after it, of games that were called off or broken off
    within NEAR_START of it, since they may be on again, and of games in doubt, since only more
    answers end a doubt (for DOUBT_HOURS: the feed may have dropped the game). Today is added when
    the first is of an earlier day, since the feed lists a resumed game under the day on which it
    goes on, and since the past does not show whether the feed works; and as long as today's
    scoreboard has never been read, since its games are unknown then. At most the last LIVE_DAYS of
    them are read.
    ``sync/watch.py`` may pause a league that refuses or fails.
    """
    today = game_day(context.now)
    refs = store.league_refs(context, leagues)
    known = store.known_answers(context, refs.values(), [today])
    busy = _days_with_live_games(context, {league: ref.id for league, ref in refs.items()})
    days: dict[League, list[date]] = {}
    for league in leagues:
        wanted = busy.get(refs[league].id, set())
        if min(wanted, default=today) < today or (refs[league].id, today) not in known:
            wanted.add(today)
        if wanted:
            days[league] = sorted(wanted)[-LIVE_DAYS:]
    return days


def _days_with_live_games(context: SyncContext, ids: Mapping[League, int]) -> dict[int, set[date]]:
    """By league row: the days of games that are live, in doubt, should have begun or may yet begin.

    No day after tomorrow: a game that is live then is a mistake of the feed, and such days would
    take the places of today.
    """
    now = context.now
    longest = timedelta(hours=max((league.game_hours for league in ids), default=0))
    earliest = {ids[league]: now - timedelta(hours=league.game_hours) for league in ids}
    is_due = and_(
        Game.state == State.PRE,
        Game.time_set.is_(True),
        Game.start_at.between(now - longest, now + LEAD),
    )
    may_be_on_again = and_(
        Game.state == State.POST,
        Game.status.not_in(WITH_RESULT),
        Game.start_at.between(now - NEAR_START, now + NEAR_START),
    )
    games = select(Game.league_id, Game.day, Game.state, Game.start_at).where(
        Game.league_id.in_(ids.values()),
        Game.listed,
        Game.day <= game_day(now) + timedelta(days=1),
        or_(Game.state == State.IN, is_due, may_be_on_again),
    )
    days: dict[int, set[date]] = {}
    for league_id, day, state, start_at in context.session.execute(games):
        if state == State.IN or start_at >= earliest[league_id]:
            days.setdefault(league_id, set()).add(day)
    in_doubt = (
        select(Game.league_id, Game.day)
        .select_from(GameDoubt)
        .join(Game, Game.id == GameDoubt.game_id, isouter=True)  # as in select_doubts
        .where(GameDoubt.since_at >= now - DOUBT_HOURS, Game.league_id.in_(ids.values()))
    )
    for league_id, day in context.session.execute(in_doubt):
        days.setdefault(league_id, set()).add(day)
    return days


def read_days(
    context: SyncContext,
    days: Mapping[League, Sequence[date]],
    *,
    live: bool = False,
    again: bool = False,
) -> Reading:
    """Store the scoreboards of each league's days, which are in order.

    Unless ``live``, days that are refused are read from their month, which is asked for once.
    In a scheduled run, leagues that ``context.watch`` has paused after failures are left out.
    A failure of a reading ``again``, within the same run, is not counted: the watch counts runs.
    Raises FetchStopped when ``context.is_stopping`` while an answer is awaited.
    """
    watch, now = context.watch, context.now
    refs = store.league_refs(context, list(days))
    league_days = [(league, day) for league in days for day in days[league]]
    known = store.known_answers(context, refs.values(), {day for _, day in league_days})
    paused = watch.paused(list(days), now, live=live) if watch and context.scheduled else {}
    calls = {
        (league, day): league_call(context.client.scoreboard, league, day)
        for league, day in league_days
        if league not in paused
    }
    lines: dict[LeagueDay, list[str]] = {league_day: [] for league_day in league_days}
    ids: dict[League, set[str]] = {}
    unchanged: dict[tuple[store.LeagueRef, date], store.KnownAnswer] = {}
    faults: dict[LeagueDay, TrackerError] = {}
    for (league, day), future in fetch_all(calls, context.is_stopping):
        label, ref = f"{league.label} {day}", refs[league]
        with add_log_fields(league=league.label):
            try:
                answer = future.result()
                stored = None if context.thorough else known.get((ref.id, day))
                if stored and stored.digest == answer.digest:  # it is not even decoded
                    unchanged[ref, day], game_ids = stored, stored.game_ids
                    context.tally.add(league.label, "games", len(game_ids))
                else:
                    board = answer.parsed(parse.parse_scoreboard, league)
                    due = store.store_scoreboard(
                        context, ref, board, board.games, days=[day], digest=answer.digest
                    )
                    if day >= game_day(now) - timedelta(days=1):
                        notes = scoreboard_notes(board)
                        context.count_fields(league, ref.id, "scoreboard", notes, answer.body)
                    game_ids = [game.espn_id for game in board.games]
                    lines[league, day] = [f"{label}: {line}" for line in board.errors]
                    lines[league, day] += look_for(context, league, ref, due)
                ids.setdefault(league, set()).update(game_ids)
            except TrackerError as error:
                faults[league, day] = error
    if not live:
        for (league, day), (found, errors) in _from_months(context, faults).items():
            del faults[league, day]
            ids.setdefault(league, set()).update(found)
            lines[league, day] = errors
    failed: dict[League, TrackerError] = {}
    for (league, day), fault in faults.items():
        failed[league] = fault
        lines[league, day] = [f"{league.label} {day}: {fault}"]
        with add_log_fields(league=league.label):
            context.report(league, fault)
    note_failed(
        context, {(refs[league].id, day): str(faults[league, day]) for league, day in faults}
    )
    # reading the past does not show whether the feed works now
    current = {league for league in days if days[league][-1] >= game_day(now)}
    read = [league for league in ids if league not in failed and league in current]
    store.confirm_answers(context, unchanged, [refs[league] for league in failed])
    for league, failure in failed.items():
        if league in current:
            mark_failed(context, refs[league], failure)
    for league, pause in paused.items():
        lines[league, days[league][0]] = [f"{league.label}: {pause}"]
        if not refs[league].failing_since:  # else the reason is stored already
            mark_failed(context, refs[league], pause)
    if watch is not None:
        watch.succeeded(read)
        if context.scheduled and not again:
            watch.failed(failed, now)
    failures = failed | paused
    return Reading(
        ids,
        {league: [line for day in days[league] for line in lines[league, day]] for league in days},
        {league: failures[league] for league in days if league in failures},
    )


def _from_months(
    context: SyncContext, faults: Mapping[LeagueDay, TrackerError]
) -> dict[LeagueDay, tuple[set[str], list[str]]]:
    """Read the days that were refused from their months, each of which is asked for once.

    Returns the days that could be read, each with ids of games and lines of errors: those of a
    month are at its first day.
    """
    refused: dict[LeagueDay, list[date]] = {}
    for (league, day), fault in faults.items():
        if isinstance(fault, FeedRefusedError) and league.month_fits:
            refused.setdefault((league, day.replace(day=1)), []).append(day)
    read: dict[LeagueDay, tuple[set[str], list[str]]] = {}
    for (league, _), days in refused.items():
        errors: list[str] = []
        with add_log_fields(league=league.label):
            found = sync_month(context, league, sorted(days), errors)
        if found is not None:  # answers came in any order
            read |= {(league, day): (set(), []) for day in days}
            read[league, min(days)] = found, errors
    return read


# ---------------------------------------------------------------- the weeks to come


def sync_ahead(context: SyncContext, seasons: Mapping[League, Sequence[date]]) -> list[str]:
    """Store the games of the weeks to come, so that pages can name the next one.

    ``seasons`` are each league's days with games, as its calendar has them, in order. Reads this
    month and the next, and the month in which the season begins if that is later; where a month
    does not fit into an answer, is refused or cannot be read, the days of the week to come and
    that first day.
    Returns a line for each answer that failed, sorted.
    """
    today = game_day(context.now)
    refs = store.league_refs(context, list(seasons))
    wanted = {
        (league, first): month_end(first) if league.month_fits else first
        for league, season in seasons.items()
        for first in (months_ahead if league.month_fits else days_ahead)(today, season)
    }
    lines = []
    while wanted:
        calls = {
            (league, first): league_call(
                context.client.month if first < last else context.client.scoreboard, league, first
            )
            for (league, first), last in wanted.items()
        }
        refused = []
        for (league, first), future in fetch_all(calls):
            last = wanted[league, first]
            try:
                scoreboard = future.result().parsed(parse.parse_scoreboard, league)
                games = [game for game in scoreboard.games if game.day > today]
                days = [day for day in each_day(first, last) if day > today]
                due = store.store_scoreboard(context, refs[league], scoreboard, games, days=days)
                lines += look_for(context, league, refs[league], due)
            except TrackerError as error:
                when = f"{first:%Y-%m}" if first < last else f"{first}"
                lines.append(f"{league.label} {when}: {error}")
                if first < last and isinstance(error, FeedRefusedError | PayloadError):
                    refused.append((league, first))
                else:
                    days = [day for day in each_day(first, last) if day > today]
                    note_failed(context, {(refs[league].id, day): str(error) for day in days})
        wanted = {
            (league, day): day
            for league, first in refused
            for day in days_ahead(today, seasons[league])
            if first <= day <= month_end(first)
        }
    return sorted(lines)


def months_ahead(today: date, season: Sequence[date]) -> list[date]:
    """The first days of the months to read ahead, in order."""
    this_month = today.replace(day=1)
    next_month = (this_month + timedelta(days=32)).replace(day=1)
    following = next((day.replace(day=1) for day in season if day > today), this_month)
    return sorted({this_month, next_month, max(following, this_month)})


def days_ahead(today: date, season: Sequence[date]) -> list[date]:
    """The days to read ahead, in order."""
    week = [today + timedelta(days=number) for number in range(1, AHEAD_DAYS + 1)]
    following = next((day for day in season if day > today), week[0])
    return sorted({*week, following})
