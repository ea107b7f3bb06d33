"""The live sync: one reading, and within its minute further ones of the leagues with a live game.

A reading is a request for each day of theirs that has one; it is stored by itself. All times within
a run are those of a timer, which no correction of the clock moves.

No day is to have more than 12,000 requests (docs/performance.md). So more than two leagues in play
share the requests of two, and a league in which every live game has a break, or is delayed, is left
to the first reading.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import inf

from sqlalchemy import bindparam, case, func, select, update

from sportsapp.core.clock import game_day
from sportsapp.core.leagues import BY_SLUG, League
from sportsapp.core.outgoing import time_limit
from sportsapp.core.records import State, Status
from sportsapp.db.engine import writing
from sportsapp.db.models import Game
from sportsapp.db.queries.freshness import MOVES_FOR
from sportsapp.feed.fetch import FetchStopped
from sportsapp.feed.pace import live_share
from sportsapp.sync.context import SyncContext, SyncResult
from sportsapp.sync.games import sync_watched
from sportsapp.sync.load import LEAGUES
from sportsapp.sync.scoreboards import LIVE_DAYS, Reading, live_days, read_days

LOOK_SECONDS = 5.0
"""How often a run that waits looks for watched games."""
NEXT_LOOK_SECONDS = 9.0
"""So long after a look the next one has come: a reading may lie between them."""
NEXT_RUN_SECONDS = 15.0
"""So long after the last look of a run the next run has looked."""
FREE_SECONDS = 2.0
"""So long before the next slot a run that follows has ended."""
AT_ONCE = 2
"""So many requests are made every LIVE_READ_SECONDS at most."""
ENOUGH_SECONDS = 2.0
"""What is left before the next reading for watched games to be read, at least."""
SHORTEST = 1.0
"""A reading is expected to take as long as the longest of the run, and this at least."""
FIRST_SECONDS = 25.0
"""What a first reading may take at least, however late it begins, since a slow feed is read too."""


@dataclass(frozen=True, kw_only=True)
class Follow:
    """How live games are followed: read again ``every`` so many seconds until the next slot.

    That is in ``seconds``. ``wait`` waits for so many seconds; it returns False when the run is to
    end before. ``is_stopping`` returns whether it is to end even while an answer is awaited.
    ``timer`` returns seconds. ``watched`` returns the live games that somebody looks at and whose
    summaries are due within so many seconds (``WatchedGames.take``); they are read between the
    readings.
    """

    seconds: float
    every: float
    wait: Callable[[float], bool]
    is_stopping: Callable[[], bool] = lambda: False
    timer: Callable[[], float] = time.monotonic
    watched: Callable[[float], Sequence[tuple[str, str]]] | None = None

    def read_watched(
        self,
        context: SyncContext,
        leagues: Collection[League],
        until: float,
        next_look: float = NEXT_LOOK_SECONDS,
    ) -> None:
        """Read the summaries of watched games of these leagues, before this time.

        Those that will be due when the next look comes, in so many seconds at the latest.
        """
        seconds = until - self.timer()
        if self.watched is None or seconds < ENOUGH_SECONDS:
            return
        slugs = {league.slug for league in leagues}
        if names := [name for name in self.watched(next_look) if name[0] in slugs]:
            with time_limit(seconds - SHORTEST):  # answers may come that much late
                sync_watched(context.with_current_time(), names)

    def watch_until(self, context: SyncContext, leagues: Collection[League], until: float) -> bool:
        """Read watched games while there is time. Returns False when the run is to end."""
        while self.watched is not None and until - self.timer() > LOOK_SECONDS + ENOUGH_SECONDS:
            if not self.wait(LOOK_SECONDS):
                return False
            self.read_watched(context, leagues, until)
        return True

    def wait_until(self, context: SyncContext, leagues: Collection[League], until: float) -> bool:
        """Wait, and read watched games meanwhile. Returns False when the run is to end before."""
        is_to_go_on = self.watch_until(context, leagues, until)
        return is_to_go_on and self.wait(max(until - self.timer(), 0.0))


def sync_live(
    context: SyncContext,
    leagues: Sequence[League],
    first_read: Callable[[], None] = lambda: None,
    follow: Follow | None = None,
) -> SyncResult:
    """Bring the days up to date on which a game may be live. Raises AllLeaguesFailedError.

    Once today's scoreboards have been read, makes no request while there can be no live game.
    ``first_read`` is called after the first good reading; with ``follow`` further ones may come.
    Raises FetchStopped when ``follow.is_stopping`` before the first one has ended.
    """
    with live_share():
        if follow is None:
            result = read_days(context, live_days(context, leagues), live=True).result()
            first_read()
            return result
        context = replace(context, is_stopping=follow.is_stopping)
        return _follow(context, leagues, first_read, follow)


def _follow(
    context: SyncContext, leagues: Sequence[League], first_read: Callable[[], None], follow: Follow
) -> SyncResult:
    """One reading; then each league with a live game again, later after it has failed."""
    timer, began = follow.timer, follow.timer()
    next_slot = began + follow.seconds
    ends_at = next_slot - FREE_SECONDS
    days: Mapping[League, Sequence[date]] = live_days(context, leagues)
    with time_limit(max(ends_at - began, FIRST_SECONDS)):
        readings = [read_days(context, days, live=True)]
    readings[0].result()
    longest = max(timer() - began, SHORTEST)
    live: dict[League, list[date]] = {}
    failures: dict[League, int] = {}  # in a row, within this run
    again: dict[League, float] = {}  # when each league is due
    try:
        first_read()
        while days:
            live, in_play = _live_days(context, leagues)
            requests = sum(len(live[league]) for league in in_play)
            pace = follow.every * max(1, requests / AT_ONCE)
            for league in days:
                is_failing = league in readings[-1].failures
                failures[league] = failures.get(league, 0) + 1 if is_failing else 0
                again[league] = began + pace * 2 ** failures[league]
            due = {league: again.setdefault(league, began + pace) for league in in_play}
            moment = max(min(due.values(), default=inf), timer())
            follow.read_watched(context, live, min(moment, ends_at))
            if moment + longest > ends_at:
                if in_play:
                    _note_next(context, dict.fromkeys(live, next_slot - timer()))
                    if follow.watch_until(context, live, ends_at):
                        follow.read_watched(context, live, ends_at, NEXT_RUN_SECONDS)
                break
            expected = len(readings) + 1 + int((ends_at - moment) // follow.every)
            context.progress(len(readings), expected, {"result": total(readings).as_dict()})
            fits = {league: at for league, at in due.items() if at + longest <= ends_at}
            _note_next(context, {league: fits.get(league, next_slot) - timer() for league in live})
            context.tally.log(is_quiet=context.scheduled)
            if not follow.wait_until(context, live, moment):
                break
            began, context = timer(), context.with_current_time()
            days = {league: live[league] for league, at in due.items() if at <= max(moment, began)}
            with time_limit(ends_at - began):
                readings.append(read_days(context, days, live=True, again=True))
            longest = max(longest, timer() - began)
    except FetchStopped:  # what was read is stored
        pass
    if live:
        _note_next(context.with_current_time(), dict.fromkeys(live, next_slot - timer()))
    if len(readings) > 1:
        context.progress(len(readings), len(readings), None)
    return total(readings)


def total(readings: Sequence[Reading]) -> SyncResult:
    """The result of a run of several readings: each game once, and one line for each league."""
    if len(readings) == 1:
        return readings[0].result()
    ids: dict[League, set[str]] = {}
    lines: dict[League, list[str]] = {}
    for reading in readings:
        for league, game_ids in reading.ids.items():
            ids.setdefault(league, set()).update(game_ids)
        for league, texts in reading.lines.items():
            lines.setdefault(league, []).extend(texts)
    return SyncResult(
        sum(len(game_ids) for game_ids in ids.values()),
        [
            texts[-1] if len(texts) == 1 else f"{texts[-1]} ({len(texts)} errors in this run)"
            for texts in lines.values()
            if texts
        ],
    )


def _live_days(
    context: SyncContext, leagues: Sequence[League]
) -> tuple[dict[League, list[date]], list[League]]:
    """The days of each league that have a live game, in order; and the leagues with one in play.

    Not those of a league that is paused, nor of games that the feed has left live for days.
    """
    now = context.now
    in_play = func.max(case((Game.status == Status.LIVE, 1), else_=0))
    games = (
        select(LEAGUES.c.slug, Game.day, in_play)
        .join(LEAGUES, LEAGUES.c.id == Game.league_id)
        .where(LEAGUES.c.slug.in_([league.slug for league in leagues]))
        .where(Game.state == State.IN, Game.listed, Game.start_at > now - MOVES_FOR)
        .where(Game.day <= game_day(now) + timedelta(days=1))
        .group_by(LEAGUES.c.slug, Game.day)
        .order_by(Game.day)
    )
    days: dict[League, list[date]] = {}
    playing: set[League] = set()
    for slug, day, is_in_play in context.session.execute(games):
        days.setdefault(BY_SLUG[slug], []).append(day)
        if is_in_play:
            playing.add(BY_SLUG[slug])
    paused = {}
    if days and (watch := context.watch):  # a pause lasts to its end here, not half a tick less
        paused = watch.paused(list(days), now - watch.grace, live=True)
    live = {
        league: days[league][-LIVE_DAYS:] for league in leagues if league in days.keys() - paused
    }
    return live, [league for league in live if league in playing]


def _note_next(context: SyncContext, seconds: Mapping[League, float]) -> None:
    """Note in how many seconds these leagues are read next, for pages. Commits."""
    now = context.clock() if context.clock else context.now
    rows = [
        {"league": league.slug, "at": now + timedelta(seconds=left)}
        for league, left in seconds.items()
    ]
    this_league = update(LEAGUES).where(LEAGUES.c.slug == bindparam("league"))
    with writing(context.session) as session:
        session.connection().execute(this_league.values(next_read_at=bindparam("at")), rows)
