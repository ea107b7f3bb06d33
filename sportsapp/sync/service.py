"""The syncs: leagues, teams, a day, what is live, a range. Each brings the database up to date.

Doors (tasks, commands) pass in the client, the session and the time. A league's TrackerError
becomes a line in ``errors`` while the others go on; when every league fails it is raised. Each
scoreboard is stored in a transaction of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_, select

from sportsapp.core.clock import check_range, each_day, game_day
from sportsapp.core.errors import (
    AllLeaguesFailedError,
    FeedRefusedError,
    PayloadError,
    TrackerError,
)
from sportsapp.core.leagues import BY_SLUG, League
from sportsapp.core.log_context import working_for
from sportsapp.core.records import State
from sportsapp.db.engine import AnySession
from sportsapp.db.models import Game, LeagueRow, Team
from sportsapp.feed import parse
from sportsapp.feed.client import SUSPECT_COUNTS, Answer, FeedClient
from sportsapp.feed.fetch import Fetched, fetch_all
from sportsapp.sync import store
from sportsapp.sync.watch import REFUSALS, FeedWatch, Trouble

logger = logging.getLogger(__name__)

LEAD = timedelta(minutes=2)
LIVE_DAYS = 3
MONTH_FROM_DAYS = 4
AHEAD_DAYS = 7

Progress = Callable[[int, int, dict[str, Any] | None], None]


def no_progress(_done: int, _total: int, _resume: dict[str, Any] | None = None) -> None:
    """For callers who do not watch."""


@dataclass(frozen=True)
class Sync:
    """What every sync needs: the feed, the session, the time, and the run it works for.

    ``clock`` lets long work see the time go on; ``watch`` hears of the leagues' errors;
    ``scheduled`` says that no person asked for this sync, so that it keeps to the watch's pauses.
    """

    client: FeedClient
    session: AnySession
    now: datetime
    run_id: str | None = None
    watch: FeedWatch | None = None
    scheduled: bool = False
    clock: Callable[[], datetime] | None = None

    def at_once(self) -> Sync:
        """The same at the time it is now, for work that takes long; as it is without a clock."""
        return replace(self, now=self.clock()) if self.clock else self

    def report(self, league: League, error: TrackerError, answer: Answer | None = None) -> None:
        """Tell the watch of a league's error, with the answer that caused it."""
        if self.watch is not None:
            body = answer.body if answer else None
            self.watch.trouble(Trouble(league, error, self.now, body))

    @contextmanager
    def reporting(self, league: League, answer: Answer | None = None) -> Iterator[None]:
        """Errors of a league that leave this block are reported on their way."""
        try:
            yield
        except TrackerError as error:
            self.report(league, error, answer)
            raise


@dataclass
class SyncResult:
    """``synced`` games (or teams) the feed gave and the database now holds, changed or not."""

    synced: int = 0
    errors: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The task's promised return value."""
        return {"synced": self.synced, "errors": self.errors}


@dataclass
class LeaguesResult:
    """League rows ``created`` and ``updated`` (brought up to date, changed or not)."""

    created: int = 0
    updated: int = 0
    errors: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The task's promised return value."""
        return {"created": self.created, "updated": self.updated, "errors": self.errors}


# ---------------------------------------------------------------- scoreboards


def sync_day(sync: Sync, league: League, day: date) -> SyncResult:
    """Bring one league's day up to date. Raises the league's FeedError."""
    boards = _Boards(sync, {league: [day]})
    answer = None
    try:
        answer = sync.client.scoreboard(league, day)
        boards.take(league, day, answer)
    except TrackerError as error:
        sync.report(league, error, answer)
        if day == game_day(sync.now):
            store.mark_failed(sync.session, boards.refs[league], str(error), sync.now)
        raise
    return boards.result([league])


def sync_schedule(sync: Sync, leagues: Sequence[League]) -> SyncResult:
    """Yesterday, today and tomorrow of every league. Yesterday, since finals get corrected."""
    today = game_day(sync.now)
    days = [today + timedelta(days=offset) for offset in (-1, 0, 1)]
    return _sync_boards(sync, dict.fromkeys(leagues, days))


def sync_today(sync: Sync, leagues: Sequence[League]) -> SyncResult:
    """Today's games of every league."""
    today = game_day(sync.now)
    return _sync_boards(sync, {league: [today] for league in leagues})


def sync_live(sync: Sync, leagues: Sequence[League]) -> SyncResult:
    """The days on which a game may be live now. Asks nothing when there is none."""
    return _sync_boards(sync, live_days(sync, leagues), live=True)


def live_days(sync: Sync, leagues: Sequence[League]) -> dict[League, list[date]]:
    """The days to ask for of each league that may have a live game now.

    Those are the days of games that are live, or should have begun; today too when one of
    them is of an earlier day, since a resumed game is listed on the day it goes on; and today
    as long as today's scoreboard has never been read, since then nobody knows.
    """
    today = game_day(sync.now)
    refs = store.league_refs(sync.session, leagues, sync.now)
    ids = {league: refs[league].id for league in leagues}
    read = store.known_answers(sync.session, ids.values(), [today])
    busy = _days_with_live_games(sync, ids)
    days: dict[League, list[date]] = {}
    for league in leagues:
        wanted = busy.get(ids[league], set())
        if min(wanted, default=today) < today or ids[league] not in read:
            wanted.add(today)
        if wanted:
            days[league] = sorted(wanted)[-LIVE_DAYS:]
    return days


def _days_with_live_games(sync: Sync, ids: Mapping[League, int]) -> dict[int, set[date]]:
    """By league row: the days of games that are live, or should have begun and may be late."""
    longest = timedelta(hours=max((league.game_hours for league in ids), default=0))
    late = {ids[league]: sync.now - timedelta(hours=league.game_hours) for league in ids}
    due = and_(
        Game.state == State.PRE,
        Game.time_set.is_(True),
        Game.start_at.between(sync.now - longest, sync.now + LEAD),
    )
    found = select(Game.league_id, Game.day, Game.state, Game.start_at).where(
        Game.league_id.in_(ids.values()), or_(Game.state == State.IN, due)
    )
    days: dict[int, set[date]] = {}
    for league_id, day, state, start_at in sync.session.execute(found):
        if state == State.IN or start_at >= late[league_id]:
            days.setdefault(league_id, set()).add(day)
    return days


def _sync_boards(
    sync: Sync, days: Mapping[League, Sequence[date]], *, live: bool = False
) -> SyncResult:
    boards = _Boards(sync, days)
    closed = boards.leave_out_closed(days, live=live)
    calls = {
        (league, day): _scoreboard_call(sync.client, league, day)
        for league, each in days.items()
        if league not in closed
        for day in each
    }
    for fetched in fetch_all(calls):
        with working_for(fetched.key[0]):
            boards.settle(fetched)
    return boards.result(list(days))


def _scoreboard_call(client: FeedClient, league: League, day: date) -> Callable[[], Answer]:
    return working_for(league)(lambda: client.scoreboard(league, day))


class _Boards:
    """Stores scoreboards as they come and keeps account of them."""

    def __init__(self, sync: Sync, days: Mapping[League, Sequence[date]]) -> None:
        self.sync = sync
        self.refs = store.league_refs(sync.session, list(days), sync.now)
        self.known = store.known_answers(
            sync.session,
            [ref.id for ref in self.refs.values()],
            [day for each in days.values() for day in each],
        )
        self.unchanged: dict[League, list[str]] = {}
        self.ids: dict[League, set[str]] = {}
        self.errors: dict[tuple[League, date], list[str]] = {}
        self.failures: dict[League, TrackerError] = {}
        self.asked_in_vain: set[League] = set()

    def take(self, league: League, day: date, answer: Answer) -> None:
        """Store one answer; nothing is decoded when it is the one that is stored already."""
        ref = self.refs[league]
        digest, ids = self.known.get(ref.id, {}).get(day, ("", []))
        if digest == answer.digest:
            self.unchanged.setdefault(league, []).extend(ids)
        else:
            record = parse.parse_scoreboard(answer.body, league)
            store.store_scoreboard(
                self.sync.session, ref, record, record.games, self.sync.now, day=day,
                answer=answer, run_id=self.sync.run_id,
            )  # fmt: skip
            ids = [game.espn_id for game in record.games]
            self.errors[league, day] = [f"{league.label} {day}: {line}" for line in record.errors]
        self.ids.setdefault(league, set()).update(ids)

    def settle(self, fetched: Fetched[tuple[League, date]]) -> None:
        """Store one finished request's answer, or note that it failed."""
        league, day = fetched.key
        if fetched.answer is None:
            self.fail(league, fetched.error, day)
            return
        try:
            self.take(league, day, fetched.answer)
        except TrackerError as error:
            self.fail(league, error, day, fetched.answer)

    def leave_out_closed(
        self, days: Mapping[League, Sequence[date]], *, live: bool
    ) -> Mapping[League, TrackerError]:
        """The leagues that scheduled polling is to leave alone now, noted as failures."""
        sync = self.sync
        if sync.watch is None or not sync.scheduled:
            return {}
        closed = sync.watch.closed(list(days), sync.now, live=live)
        for league, error in closed.items():
            self.errors[league, days[league][0]] = [f"{league.label}: {error}"]
        self.failures |= closed
        return closed

    def tell_watch(self) -> None:
        """Which leagues were read well this time, and which failed."""
        sync, asked = self.sync, self.ids.keys() | self.asked_in_vain
        if sync.watch is None or not asked:
            return
        sync.watch.well([one for one in asked if one not in self.failures])
        if sync.scheduled:
            sync.watch.failed(self.asked_in_vain, sync.now)

    def fail(
        self,
        league: League,
        error: TrackerError | None,
        day: date,
        answer: Answer | None = None,
    ) -> None:
        """Note one failed answer."""
        reason = error or PayloadError("no answer")
        self.failures[league] = reason
        self.errors[league, day] = [f"{league.label} {day}: {reason}"]
        self.asked_in_vain.add(league)
        self.sync.report(league, reason, answer)

    def _confirm(self) -> None:
        well = {
            self.refs[league]: ids
            for league, ids in self.unchanged.items()
            if league not in self.failures
        }
        if well:
            store.confirm_answers(self.sync.session, well, self.sync.now)

    def result(self, leagues: Sequence[League]) -> SyncResult:
        """The account. Raises AllLeaguesFailedError when no answer at all was good."""
        self._confirm()
        for league, error in self.failures.items():
            ref = self.refs[league]
            if league in self.asked_in_vain or not ref.failing_since:  # else it says why already
                store.mark_failed(self.sync.session, ref, str(error), self.sync.now)
        self.tell_watch()
        if self.failures and not self.ids:
            raise AllLeaguesFailedError(
                {
                    league.slug: self.failures[league]
                    for league in leagues
                    if league in self.failures
                }
            )
        order = {league.slug: n for n, league in enumerate(leagues)}
        keys = sorted(self.errors, key=lambda key: (order[key[0].slug], key[1]))
        lines = [line for key in keys for line in self.errors[key]]
        return SyncResult(sum(len(ids) for ids in self.ids.values()), lines)


# ---------------------------------------------------------------- a range


@dataclass(frozen=True)
class Chunk:
    """Some days of one month, fetched with the month's answer or day by day."""

    start: date
    end: date
    by_month: bool

    @property
    def requests(self) -> int:
        """How often the feed is asked, if a month's answer is whole."""
        return 1 if self.by_month else len(self.days)

    @property
    def days(self) -> list[date]:
        """The days of this chunk, in order."""
        return list(each_day(self.start, self.end))


def chunks_of(league: League, start: date, end: date) -> list[Chunk]:
    """A range in chunks, in order: whole months and parts of four days or more by month.

    Where a month does not fit into an answer, such a part is a chunk of days.
    """
    chunks: list[Chunk] = []
    first = start
    while first <= end:
        next_month = (first.replace(day=1) + timedelta(days=32)).replace(day=1)
        last = min(end, next_month - timedelta(days=1))
        if (last - first).days + 1 >= MONTH_FROM_DAYS:
            chunks.append(Chunk(first, last, by_month=league.month_fits))
        else:
            chunks += [Chunk(day, day, by_month=False) for day in each_day(first, last)]
        first = last + timedelta(days=1)
    return chunks


def sync_range(
    sync: Sync,
    league: League,
    start: date,
    end: date,
    progress: Progress = no_progress,
    resume: Mapping[str, Any] | None = None,
) -> SyncResult:
    """Bring every day from start to end up to date, chunk by chunk, each committed.

    ``progress`` is told after each chunk and may raise to stop there; its third argument, given
    back as ``resume``, lets another run go on from that chunk. A chunk that fails is a line in
    ``errors``; when every chunk fails the last error is raised. Raises DateRangeError.
    """
    check_range(start, end, sync.now)
    chunks = chunks_of(league, start, end)
    done, result = _resumed(resume, len(chunks))
    good = done
    failure: TrackerError | None = None
    progress(done, len(chunks), _resume_point(done, result))
    for number, chunk in enumerate(chunks[done:], done + 1):
        sync = sync.at_once()
        try:
            result.synced += _sync_chunk(sync, league, chunk, result.errors)
            good += 1
        except TrackerError as error:
            failure = error
            result.errors.append(f"{league.label} {_words(chunk)}: {error}")
            _note_failure(sync, league, error, chunk)
        progress(number, len(chunks), _resume_point(number, result))
    if failure is not None and not good:
        progress(0, len(chunks), None)  # nothing is done: a retry begins at the beginning
        raise failure
    return result


def _resumed(resume: Mapping[str, Any] | None, total: int) -> tuple[int, SyncResult]:
    if not resume:
        return 0, SyncResult()
    said = resume["result"]
    return min(resume["done"], total), SyncResult(said["synced"], list(said["errors"]))


def _resume_point(done: int, result: SyncResult) -> dict[str, Any]:
    return {"done": done, "result": {"synced": result.synced, "errors": list(result.errors)}}


def _words(chunk: Chunk) -> str:
    return str(chunk.start) if chunk.start == chunk.end else f"{chunk.start} to {chunk.end}"


def _note_failure(sync: Sync, league: League, error: TrackerError, chunk: Chunk) -> None:
    """A failed read of the past says something of the feed only when it is about now."""
    if chunk.start <= game_day(sync.now) <= chunk.end:
        row = _ref(sync, league)
        store.mark_failed(sync.session, row, str(error), sync.now)


def _sync_chunk(sync: Sync, league: League, chunk: Chunk, errors: list[str]) -> int:
    if chunk.by_month:
        synced = _sync_month(sync, league, chunk, errors)
        if synced is not None:
            return synced
    return _sync_days(sync, league, chunk, errors)


def _sync_month(sync: Sync, league: League, chunk: Chunk, errors: list[str]) -> int | None:
    """A month's answer, kept to the chunk's days. None when days have to be asked one by one."""
    try:
        answer = sync.client.month(league, chunk.start)
        record = parse.parse_scoreboard(answer.body, league)
    except TrackerError as error:
        if _is_unwanted(error):
            raise  # asking for thirty days would be thirty refusals
        logger.warning("%s %s: by day instead of by month: %s", league.label, _words(chunk), error)
        return None
    if record.events in SUSPECT_COUNTS:
        count = record.events
        logger.warning("%s %s: %s events may be cut off", league.label, _words(chunk), count)
        return None
    wanted = [game for game in record.games if chunk.start <= game.day <= chunk.end]
    row = _ref(sync, league)
    store.store_scoreboard(sync.session, row, record, wanted, sync.now, run_id=sync.run_id)
    errors += [f"{league.label} {_words(chunk)}: {line}" for line in record.errors]
    return len({game.espn_id for game in wanted})


def _is_unwanted(error: TrackerError) -> bool:
    """Whether the feed does not want us, whatever we ask for."""
    return isinstance(error, FeedRefusedError) and error.status in REFUSALS


def _sync_days(sync: Sync, league: League, chunk: Chunk, errors: list[str]) -> int:
    """Each day by itself. Raises the last error when no day can be read."""
    ids: set[str] = set()
    failures: list[TrackerError] = []
    calls = {day: _scoreboard_call(sync.client, league, day) for day in chunk.days}
    lines: dict[date, list[str]] = {}
    for fetched in fetch_all(calls):
        day = fetched.key
        try:
            answer = fetched.result()
            found, lines[day] = _take_day(sync, league, day, answer)
            ids |= found
        except TrackerError as error:
            failures.append(error)
            lines[day] = [f"{league.label} {day}: {error}"]
            sync.report(league, error, fetched.answer)
            if _is_unwanted(error) and len(failures) == len(lines):
                raise
    if len(failures) == len(calls):
        raise failures[-1]
    errors += [line for day in sorted(lines) for line in lines[day]]
    return len(ids)


def _take_day(sync: Sync, league: League, day: date, answer: Answer) -> tuple[set[str], list[str]]:
    """Store a day's answer; the ids of the games that are filed under that day, and its errors."""
    record = parse.parse_scoreboard(answer.body, league)
    row = _ref(sync, league)
    store.store_scoreboard(
        sync.session, row, record, record.games, sync.now, day=day, answer=answer,
        run_id=sync.run_id,
    )  # fmt: skip
    ids = {game.espn_id for game in record.games if game.day == day}
    return ids, [f"{league.label} {day}: {line}" for line in record.errors]


# ---------------------------------------------------------------- leagues and teams


def sync_leagues(sync: Sync, leagues: Sequence[League]) -> LeaguesResult:
    """Every league's season from today's scoreboard, its standings, and the weeks to come."""
    today = game_day(sync.now)
    result = LeaguesResult()
    failures: dict[str, TrackerError] = {}
    seasons: dict[League, tuple[date, ...]] = {}
    for fetched in fetch_all({one: _scoreboard_call(sync.client, one, today) for one in leagues}):
        league = fetched.key
        try:
            answer = fetched.result()
            _take_league(sync, league, answer, result)
            seasons[league] = parse.parse_calendar(answer.body)
        except TrackerError as error:
            failures[league.slug] = error
            row = _ref(sync, league)
            store.mark_failed(sync.session, row, str(error), sync.now)
            sync.report(league, error, fetched.answer)
    if failures and len(failures) == len(leagues):
        raise AllLeaguesFailedError(failures)
    result.errors += [f"{slug.upper()}: {error}" for slug, error in sorted(failures.items())]
    well = [one for one in leagues if one.slug not in failures]
    result.errors += _sync_standings(sync, well)
    result.errors += _sync_ahead(sync, {one: seasons[one] for one in well})
    return result


def _take_league(sync: Sync, league: League, answer: Answer, result: LeaguesResult) -> None:
    record = parse.parse_scoreboard(answer.body, league)
    if record.league is None:
        raise PayloadError("the scoreboard names no league", url=answer.url, path="$.leagues")
    found = select(LeagueRow.id).where(LeagueRow.slug == league.slug)
    is_new = sync.session.scalar(found) is None
    row = _ref(sync, league)
    store.store_league(sync.session, row, record.league, sync.now)
    if is_new:
        result.created += 1
    else:
        result.updated += 1


def _sync_standings(sync: Sync, leagues: Sequence[League]) -> list[str]:
    """Store every league's standings; a line for each that failed."""
    lines = []
    calls = {league: _standings_call(sync.client, league) for league in leagues}
    for fetched in fetch_all(calls):
        league = fetched.key
        try:
            answer = fetched.result()
            standings, errors = parse.parse_standings(answer.body, league)
            row = _ref(sync, league)
            store.store_standings(sync.session, row, standings, sync.now)
            lines += [f"{league.label} standings: {line}" for line in errors]
        except TrackerError as error:
            lines.append(f"{league.label} standings: {error}")
            sync.report(league, error, fetched.answer)
    return sorted(lines)


def _sync_ahead(sync: Sync, seasons: Mapping[League, Sequence[date]]) -> list[str]:
    """Store the games of the weeks to come, so that pages can name the next one.

    Reads this month and the next, and the month in which the season begins if that is later;
    where a month does not fit into an answer, the days of the week to come and that first day.
    Returns a line for each answer that failed.
    """
    today = game_day(sync.now)
    calls: dict[tuple[League, str], Callable[[], Answer]] = {}
    for league, days in seasons.items():
        if league.month_fits:
            for first in months_ahead(today, days):
                calls[league, f"{first:%Y-%m}"] = _month_call(sync.client, league, first)
        else:
            for day in days_ahead(today, days):
                calls[league, f"{day}"] = _scoreboard_call(sync.client, league, day)
    lines = []
    for fetched in fetch_all(calls):
        league, when = fetched.key
        try:
            answer = fetched.result()
            record = parse.parse_scoreboard(answer.body, league)
            games = [game for game in record.games if game.day > today]
            ref = _ref(sync, league)
            store.store_scoreboard(sync.session, ref, record, games, sync.now, run_id=sync.run_id)
        except TrackerError as error:
            lines.append(f"{league.label} {when}: {error}")
    return sorted(lines)


def months_ahead(today: date, season: Sequence[date]) -> list[date]:
    """The first days of the months to read ahead, in order."""
    this_month = today.replace(day=1)
    next_month = (this_month + timedelta(days=32)).replace(day=1)
    following = next((day.replace(day=1) for day in season if day > today), this_month)
    return sorted({this_month, next_month, max(following, this_month)})


def days_ahead(today: date, season: Sequence[date]) -> list[date]:
    """The days to read ahead, in order."""
    week = [today + timedelta(days=n) for n in range(1, AHEAD_DAYS + 1)]
    following = next((day for day in season if day > today), week[0])
    return sorted({*week, following})


def _month_call(client: FeedClient, league: League, first: date) -> Callable[[], Answer]:
    return working_for(league)(lambda: client.month(league, first))


def _standings_call(client: FeedClient, league: League) -> Callable[[], Answer]:
    return working_for(league)(lambda: client.standings(league))


def sync_teams(
    sync: Sync, leagues: Sequence[League], progress: Progress = no_progress
) -> SyncResult:
    """Every league's teams and their rosters. ``synced`` counts teams."""
    result = SyncResult()
    failures: dict[str, TrackerError] = {}
    for number, league in enumerate(leagues, 1):
        try:
            teams = _sync_team_list(sync, league, result)
        except TrackerError as error:
            failures[league.slug] = error
            result.errors.append(f"{league.label}: {error}")
        else:
            _sync_rosters(sync, league, teams, result)
        progress(number, len(leagues), None)
    if failures and len(failures) == len(leagues):
        raise AllLeaguesFailedError(failures)
    return result


def _sync_team_list(sync: Sync, league: League, result: SyncResult) -> dict[str, int]:
    with sync.reporting(league):
        answer = sync.client.teams(league)
    with sync.reporting(league, answer):
        teams, errors = parse.parse_teams(answer.body, league)
    row = _ref(sync, league)
    ids = store.store_teams(sync.session, row, teams, sync.now, is_whole=not errors)
    result.synced += len(ids)
    result.errors += [f"{league.label}: {line}" for line in errors]
    return ids


def _sync_rosters(sync: Sync, league: League, teams: Mapping[str, int], result: SyncResult) -> None:
    names = _team_names(sync.session, list(teams.values()))
    calls = {espn_id: _roster_call(sync.client, league, espn_id) for espn_id in teams}
    lines: list[str] = []
    for fetched in fetch_all(calls):
        team_id = teams[fetched.key]
        where = f"{league.label} {names[team_id]} roster"
        try:
            answer = fetched.result()
            roster = parse.parse_roster(answer.body)
            row = _ref(sync, league)
            if roster.players:
                store.store_roster(sync.session, row, team_id, roster, sync.now)
            lines += [f"{where}: {line}" for line in roster.errors]
        except TrackerError as error:
            lines.append(f"{where}: {error}")
            sync.report(league, error, fetched.answer)
    result.errors += sorted(lines)


def _roster_call(client: FeedClient, league: League, team_id: str) -> Callable[[], Answer]:
    return working_for(league)(lambda: client.roster(league, team_id))


def _team_names(session: AnySession, ids: Sequence[int]) -> dict[int, str]:
    rows = session.execute(select(Team.id, Team.abbreviation).where(Team.id.in_(ids)))
    return {row.id: row.abbreviation for row in rows}


def _ref(sync: Sync, league: League) -> store.LeagueRef:
    return store.league_refs(sync.session, [league], sync.now)[league]


def followed_leagues(slugs: Sequence[str]) -> list[League]:
    """The rows of the table of leagues for these slugs, in their order."""
    return [BY_SLUG[slug] for slug in slugs]
