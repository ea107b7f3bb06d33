"""Summaries: one game with all that it has, a request of a hundred kilobytes to one megabyte.

One game by its id (``sync_game``), some at the same time (``sync_games``), and the finals that have
no summary yet (``sync_finals``), a few in each run.
"""

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, func, or_, select, update

from sportsapp.core.clock import game_day
from sportsapp.core.errors import FeedUnavailableError, PayloadError, TrackerError, UnknownGameError
from sportsapp.core.leagues import BY_SLUG, League
from sportsapp.core.records import State
from sportsapp.core.summary import VERSION, SummaryRecord, pack
from sportsapp.db import queries
from sportsapp.db.engine import AnySession, writing
from sportsapp.db.models import SummaryFailure, SummaryRow
from sportsapp.db.queries import Span
from sportsapp.db.upsert import insert_replacing
from sportsapp.feed import parse
from sportsapp.feed.client import Answer
from sportsapp.feed.fetch import fetch, fetch_all
from sportsapp.sync import plan
from sportsapp.sync.context import SyncContext, SyncResult, league_call
from sportsapp.sync.doubts import WITH_RESULT
from sportsapp.sync.lines import store_lines
from sportsapp.sync.load import GAMES, LEAGUES, locked_league
from sportsapp.sync.ranges import LeagueRange, by_season
from sportsapp.sync.steps import Steps
from sportsapp.sync.watch import is_refusal

logger = logging.getLogger(__name__)

SUMMARY_ROWS: Table = SummaryRow.__table__
FAILURES: Table = SummaryFailure.__table__
HEADER = "$.header.competitions[0].status"

RECENT = timedelta(days=2)
"""Finals of games that began earlier are read when somebody opens their page, or by a backfill."""
IN_A_RUN = 40
"""With a run every five minutes, so many that all have one within ten minutes on the fullest days:
sixty games of a college league may end in a quarter of an hour.
"""
FIRST_WAIT = timedelta(minutes=1)
"""After a summary could not be read; doubles with each failure."""
DOUBLINGS = 14
SEASON_DAYS = 180
"""On about so many days of a season there are games."""

_GAME = (
    select(
        *(GAMES.c.id, GAMES.c.espn_id, GAMES.c.league_id, GAMES.c.status, GAMES.c.result_at),
        LEAGUES.c.slug,
        *(SUMMARY_ROWS.c.digest, SUMMARY_ROWS.c.version, SUMMARY_ROWS.c.read_at),
        FAILURES.c.failures,
    )
    .join(LEAGUES, LEAGUES.c.id == GAMES.c.league_id)
    .outerjoin(SUMMARY_ROWS, SUMMARY_ROWS.c.game_id == GAMES.c.id)
    .outerjoin(FAILURES, FAILURES.c.game_id == GAMES.c.id)
)
_IS_DUE = (
    GAMES.c.state == State.POST,
    GAMES.c.status.in_(WITH_RESULT),
    GAMES.c.listed,
    or_(
        SUMMARY_ROWS.c.game_id.is_(None),
        SUMMARY_ROWS.c.version != VERSION,
        SUMMARY_ROWS.c.read_at < GAMES.c.result_at,
    ),
)

GameRow = Any
"""Row of _GAME; the columns of the summary and of failures are None where there is none."""


def stored_game(session: AnySession, league: League, espn_id: object) -> GameRow:
    """A stored game by the feed's id. Raises UnknownGameError."""
    game = None
    if isinstance(espn_id, str) and espn_id.isprintable():  # PostgreSQL takes no NUL
        where = LEAGUES.c.slug == league.slug, GAMES.c.espn_id == espn_id
        game = session.execute(_GAME.where(*where)).first()
    if game is None:
        raise UnknownGameError(league.label, espn_id)
    return game


def stored_games(session: AnySession, league: League, espn_ids: Sequence[str]) -> list[GameRow]:
    """Those of these games, by the feed's ids, that are stored."""
    where = LEAGUES.c.slug == league.slug, GAMES.c.espn_id.in_(espn_ids)
    return list(session.execute(_GAME.where(*where)))


def due_finals(session: AnySession, *where: ColumnElement[bool]) -> list[GameRow]:
    """Finals whose summary this release has not read since; those that began last come first."""
    newest = GAMES.c.start_at.desc(), GAMES.c.espn_id
    return list(session.execute(_GAME.where(*_IS_DUE, *where).order_by(*newest)))


def read_finals(session: AnySession, *where: ColumnElement[bool]) -> int:
    """How many finals have a summary that this release has read."""
    is_read = GAMES.c.status.in_(WITH_RESULT), SUMMARY_ROWS.c.version == VERSION
    return _count(session, *is_read, *where)


def _count(session: AnySession, *where: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(_GAME.where(*where).subquery())) or 0


def expected_finals(session: AnySession, ranges: Sequence[LeagueRange], now: datetime) -> int:
    """About how many finals of these ranges have no summary of this release.

    Those that are stored are counted; of days that were not read it takes as many as the league's
    season has on average, and no more than a season has.
    """
    total, today = 0, game_day(now)
    for league, first, last in by_season(ranges):
        span = Span(league.slug, first, min(last, today))
        unread = len(queries.unread_days(session, span, now))
        of_days = LEAGUES.c.slug == league.slug, GAMES.c.day.between(span.first, span.last)
        total += _count(session, *_IS_DUE, *of_days)
        total += min(league.season_games, unread * league.season_games // SEASON_DAYS)
    return total


def may_be_asked_for(now: datetime) -> ColumnElement[bool]:
    """The condition that no failure keeps a game's summary from being asked for."""
    return or_(FAILURES.c.game_id.is_(None), FAILURES.c.again_at <= now)


def is_wanted(session: AnySession, game_id: int, now: datetime) -> bool:
    """Whether a stored final's summary is due, and may be asked for now."""
    this = GAMES.c.id == game_id, may_be_asked_for(now)
    return session.execute(_GAME.where(*_IS_DUE, *this)).first() is not None


# ---------------------------------------------------------------- reading


def sync_game(context: SyncContext, league: League, espn_id: str) -> SyncResult:
    """Store the summary of a stored game, by the feed's id; ``synced`` is 1, or 0 before its start.

    What of the summary could not be read is in ``errors``. Raises UnknownGameError, and a FeedError
    for an answer that is not this game's, or older than what is stored of it.
    """
    game = stored_game(context.session, league, espn_id)
    call = partial(context.client.summary, league, espn_id)
    return _sync(context, game, partial(fetch, call, context.is_stopping))


def sync_games(context: SyncContext, games: Sequence[GameRow]) -> SyncResult:
    """Store the summaries of these games, a few at the same time.

    One that cannot be read is a line in ``errors``. Raises FetchStopped.
    """
    result = SyncResult()
    for done, _ in each_synced(context, games):
        result.synced += done.synced
        result.errors += done.errors
    return result


def each_synced(
    context: SyncContext, games: Sequence[GameRow]
) -> Iterator[tuple[SyncResult, TrackerError | None]]:
    """``sync_games`` with the result of each game as it ends.

    That of one that cannot be read has its line, and its error comes with it.
    """
    summary = context.client.summary
    calls = {game: league_call(summary, BY_SLUG[game.slug], game.espn_id) for game in games}
    for game, future in fetch_all(calls, context.is_stopping):
        failure = None
        try:
            done = _sync(context, game, future.result)
        except TrackerError as error:
            done, failure = SyncResult(errors=[f"{game_name(game)}: {error}"]), error
        yield done, failure


def sync_finals(context: SyncContext, leagues: Sequence[League]) -> SyncResult:
    """Store the summaries of RECENT finals that have none; IN_A_RUN at most, one after the other.

    A league that the feed is not to be asked about now is left out, and one whose summaries cannot
    be had is left to the next run.
    """
    watch, now = context.watch, context.now
    paused = watch.paused(leagues, now, live=False) if watch and context.scheduled else {}
    slugs = [league.slug for league in leagues if league not in paused]
    recent = LEAGUES.c.slug.in_(slugs), GAMES.c.start_at > now - RECENT, may_be_asked_for(now)
    games = due_finals(context.session, *recent)[:IN_A_RUN]
    steps = Steps(context, [[game.slug, game.espn_id] for game in games], SyncResult())
    for current, (slug, espn_id) in steps:
        try:
            done = sync_game(current, BY_SLUG[slug], espn_id)
            steps.result.synced += done.synced
            steps.result.errors += done.errors
        except TrackerError as error:
            steps.result.errors.append(f"{BY_SLUG[slug].label} game {espn_id}: {error}")
            if isinstance(error, FeedUnavailableError) or is_refusal(error):
                steps.todo = [step for step in steps.todo if step[0] != slug]
    return steps.result


def sync_watched(context: SyncContext, names: Collection[tuple[str, str]]) -> None:
    """Store the summaries of live games, by league and the feed's id. Failures are only logged.

    Raises FetchStopped.
    """
    live = (
        LEAGUES.c.slug.in_({slug for slug, _ in names}),
        GAMES.c.espn_id.in_({espn_id for _, espn_id in names}),
        GAMES.c.state == State.IN,
        may_be_asked_for(context.now),
    )
    rows = context.session.execute(_GAME.where(*live)).all()
    games = [game for game in rows if (game.slug, game.espn_id) in names]
    for line in sync_games(context, games).errors:
        logger.info("%s", line)


def _sync(context: SyncContext, game: GameRow, answer: Callable[[], Answer]) -> SyncResult:
    """Store the summary of a game from its answer, and note a failure."""
    try:
        result = _store_answer(context, game, answer())
    except TrackerError:
        failures = game.failures or 0
        wait = FIRST_WAIT * 2 ** min(failures, DOUBLINGS)
        row = {"game_id": game.id, "failures": failures + 1, "again_at": context.now + wait}
        with writing(context.session) as session:
            insert_replacing(session, FAILURES, [row], ["game_id"])
        raise
    if game.failures:
        with writing(context.session) as session:
            session.execute(delete(FAILURES).where(FAILURES.c.game_id == game.id))
    return result


def _store_answer(context: SyncContext, game: GameRow, answer: Answer) -> SyncResult:
    league, name = BY_SLUG[game.slug], game_name(game)
    has_result = game.status in WITH_RESULT
    summary = answer.parsed(parse.parse_summary, league)
    _check(summary, game.espn_id, answer, has_result=has_result)
    if not _has_begun(summary):
        return SyncResult(left_out=[f"{name} has not begun, or was called off"])
    is_stored = not context.thorough and (game.digest, game.version) == (answer.digest, VERSION)
    if has_result and is_stored and game.result_at:
        is_stored = game.read_at >= game.result_at  # else it would be read again and again
    is_new = not is_stored and _store(context, game, answer, summary)
    context.tally.add(league.label, "box scores", 1, int(is_new))
    return SyncResult(1, [f"{name}: {line}" for line in summary.errors])


def game_name(game: GameRow) -> str:
    """A game as lines name it."""
    return f"{BY_SLUG[game.slug].label} game {game.espn_id}"


def _has_begun(summary: SummaryRecord) -> bool:
    """Whether there is anything to store: a game that was called off has no plays."""
    if summary.state == State.POST and not summary.is_completed:
        return bool(summary.groups)
    return summary.state != State.PRE


def _store(context: SyncContext, game: GameRow, answer: Answer, summary: SummaryRecord) -> bool:
    """Write a summary, unless a later one was stored meanwhile; whether it was written. Commits.

    One that says something new moves the league's version, so that its pages are made again; so
    does the first one since the result, and what a person requests.
    """
    row = {
        "game_id": game.id,
        "version": VERSION,
        "digest": answer.digest,
        "read_at": context.now,
        "read_by_run": context.run_id,
        "document": pack(summary),
    }
    columns = SUMMARY_ROWS.c.read_at, SUMMARY_ROWS.c.document
    with writing(context.session) as session:
        league = locked_league(session, game.league_id)
        stored = session.execute(select(*columns).where(SUMMARY_ROWS.c.game_id == game.id)).first()
        is_newest = stored is None or stored.read_at <= context.now
        if is_newest:
            insert_replacing(session, SUMMARY_ROWS, [row], ["game_id"])
            is_same = stored is not None and stored.document == row["document"]
            is_first = stored is None or bool(game.result_at and stored.read_at < game.result_at)
            if context.thorough or is_first or not is_same:
                store_lines(session, game.league_id, game.id, summary)
                version = plan.next_version(league, context.now)
                session.execute(update(LEAGUES).where(LEAGUES.c.id == league["id"]).values(version))
    return is_newest


def _check(summary: SummaryRecord, espn_id: str, answer: Answer, *, has_result: bool) -> None:
    """Raise PayloadError for a summary that is not to be stored."""
    fault = ""
    if summary.espn_id != espn_id:
        fault = f"the summary is of another game: {summary.espn_id!r}"
    elif summary.state not in set(State):
        fault = f"the summary has no state: {summary.state!r}"
    elif has_result and not summary.is_completed:
        # the feed's servers sometimes return an old copy
        fault = "the summary is older than the result that is stored"
    if fault:
        raise PayloadError(f"{fault}: {answer.url}", path=HEADER, url=answer.url, body=answer.body)
