"""One game with all that its summary has: a request of a hundred kilobytes to one megabyte."""

from functools import partial
from typing import Any

from sqlalchemy import Table, select, update

from sportsapp.core.errors import PayloadError, UnknownGameError
from sportsapp.core.leagues import League
from sportsapp.core.records import State
from sportsapp.core.summary import VERSION, SummaryRecord, pack
from sportsapp.db.engine import AnySession, writing
from sportsapp.db.models import SummaryRow
from sportsapp.db.upsert import insert_replacing
from sportsapp.feed import parse
from sportsapp.feed.client import Answer
from sportsapp.feed.fetch import fetch
from sportsapp.sync import plan
from sportsapp.sync.context import SyncContext, SyncResult
from sportsapp.sync.doubts import WITH_RESULT
from sportsapp.sync.load import GAMES, LEAGUES, locked_league

SUMMARY_ROWS: Table = SummaryRow.__table__
HEADER = "$.header.competitions[0].status"

_GAME = (
    select(
        GAMES.c.id, GAMES.c.league_id, GAMES.c.status, SUMMARY_ROWS.c.digest, SUMMARY_ROWS.c.version
    )
    .join(LEAGUES, LEAGUES.c.id == GAMES.c.league_id)
    .outerjoin(SUMMARY_ROWS, SUMMARY_ROWS.c.game_id == GAMES.c.id)
)


def stored_game(session: AnySession, league: League, espn_id: object) -> Any:
    """Row with id, league_id and status of a stored game, and its summary's digest and version.

    These are None without a summary. Raises UnknownGameError.
    """
    game = None
    if isinstance(espn_id, str) and espn_id.isprintable():  # PostgreSQL takes no NUL
        where = LEAGUES.c.slug == league.slug, GAMES.c.espn_id == espn_id
        game = session.execute(_GAME.where(*where)).first()
    if game is None:
        raise UnknownGameError(league.label, espn_id)
    return game


def sync_game(context: SyncContext, league: League, espn_id: str) -> SyncResult:
    """Store the summary of a stored game, by the feed's id; ``synced`` is 1, or 0 before its start.

    What of the summary could not be read is in ``errors``. Raises UnknownGameError, and a FeedError
    for an answer that is not this game's, or older than what is stored of it.
    """
    game = stored_game(context.session, league, espn_id)
    name = f"{league.label} game {espn_id}"
    answer = fetch(partial(context.client.summary, league, espn_id), context.is_stopping)
    summary = answer.parsed(parse.parse_summary, league)
    _check(summary, espn_id, answer, has_result=game.status in WITH_RESULT)
    if not _has_begun(summary):
        return SyncResult(left_out=[f"{name} has not begun, or was called off"])
    is_stored = not context.thorough and (game.digest, game.version) == (answer.digest, VERSION)
    is_new = not is_stored and _store(context, game, answer, summary)
    context.tally.add(league.label, "games", 1, int(is_new))
    return SyncResult(1, [f"{name}: {line}" for line in summary.errors])


def _has_begun(summary: SummaryRecord) -> bool:
    """Whether there is anything to store: a game that was called off has no plays."""
    if summary.state == State.POST and not summary.is_completed:
        return bool(summary.groups)
    return summary.state != State.PRE


def _store(context: SyncContext, game: Any, answer: Answer, summary: SummaryRecord) -> bool:
    """Write a summary, unless a later one was stored meanwhile; whether it was written. Commits.

    One that says something new moves the league's version, so that its pages are made again.
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
            if stored is None or stored.document != row["document"]:
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
