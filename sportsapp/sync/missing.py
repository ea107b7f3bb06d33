"""Games that are due to be given up are looked for by their ids first: one request for each.

What is found on another day is read there; what is found nowhere is no longer listed.
"""

import logging
from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any

from sqlalchemy import update

from sportsapp.core.errors import FeedUnavailableError, TrackerError
from sportsapp.core.leagues import League
from sportsapp.core.records import VANISHED_AFTER
from sportsapp.db.engine import writing
from sportsapp.feed import parse
from sportsapp.feed.fetch import fetch
from sportsapp.sync import plan, store
from sportsapp.sync.context import SyncContext
from sportsapp.sync.load import GAMES, LEAGUES, locked_league
from sportsapp.sync.store import LeagueRef

logger = logging.getLogger(__name__)

LOOKUPS = 2
"""The most games that are looked for after one answer; the others are after the next ones."""
UNFOUND_FOR = timedelta(days=1)
"""A game that is missing for longer is given up even when the feed refuses to say where it is."""


def look_for(
    context: SyncContext, league: League, ref: LeagueRef, due: Mapping[str, date]
) -> list[str]:
    """Look for some of the games that are ``due`` (the feed's ids, with their days). Commits.

    While the feed cannot be asked, one is given up after UNFOUND_FOR only. Returns a line for each
    part that failed.
    """
    lines = []
    for espn_id, day in list(due.items())[:LOOKUPS]:
        name = f"{league.label} game {espn_id}"
        found: date | None = None
        missing_for = timedelta()
        try:
            summary = fetch(partial(context.client.summary, league, espn_id), context.is_stopping)
            found = summary.parsed(parse.parse_summary_day)
            if found != day:
                request = partial(context.client.scoreboard, league, found)
                answer = fetch(request, context.is_stopping)
                board = answer.parsed(parse.parse_scoreboard, league)
                store.store_scoreboard(
                    context, ref, board, board.games, days=[found], digest=answer.digest
                )
        except FeedUnavailableError as error:
            lines.append(f"{name} of {day}: {error}")
            missing_for = UNFOUND_FOR
        except TrackerError as error:
            logger.info("%s of %s was not found: %s", name, day, error)
        if end_search(context, ref, espn_id, day, missing_for, is_there=found == day):
            logger.warning("%s of %s is no longer listed", name, day)
    return lines


def end_search(
    context: SyncContext,
    league: LeagueRef,
    espn_id: str,
    day: date,
    missing_for: timedelta,
    *,
    is_there: bool,
) -> bool:
    """Note how the search for a game of this day, missing for so long, ended; else nothing.

    One that ``is_there`` goes on being missing, and is looked for again after some answers. Returns
    whether the game is no longer listed. Commits.
    """
    values: dict[str, Any] = {"missing_answers": VANISHED_AFTER}
    if not is_there:
        values = {"listed": False, "updated_at": context.now, "changed_by_run": context.run_id}
        values["revision"] = GAMES.c.revision + 1
    this_game = GAMES.c.league_id == league.id, GAMES.c.espn_id == espn_id
    is_missing = GAMES.c.day == day, GAMES.c.missing_since <= context.now - missing_for
    with writing(context.session) as session:
        row = locked_league(session, league.id)
        change = update(GAMES).where(*this_game, *is_missing).values(values)
        is_news = session.scalar(change.returning(GAMES.c.id)) is not None and not is_there
        if is_news:
            version = plan.next_version(row, context.now)
            session.execute(update(LEAGUES).where(LEAGUES.c.id == league.id).values(version))
    return is_news
