"""Games that are due to be given up are looked for by their ids first: one request for each.

What is found on another day is read there; what is found nowhere is no longer listed.
"""

import logging
from collections.abc import Mapping
from datetime import date

from sportsapp.core.errors import FeedUnavailableError, TrackerError
from sportsapp.core.leagues import League
from sportsapp.feed import parse
from sportsapp.sync import store
from sportsapp.sync.context import SyncContext
from sportsapp.sync.store import LeagueRef

logger = logging.getLogger(__name__)

LOOKUPS = 2
"""The most games that are looked for after one answer; the others are after the next ones."""


def look_for(
    context: SyncContext, league: League, ref: LeagueRef, due: Mapping[str, date]
) -> list[str]:
    """Look for some of the games that are ``due`` (the feed's ids, with their days). Commits.

    While the feed cannot be reached, none is given up. Returns a line for each part that failed.
    """
    lines = []
    for espn_id, day in list(due.items())[:LOOKUPS]:
        name = f"{league.label} game {espn_id}"
        found: date | None = None
        try:
            found = context.client.summary(league, espn_id).parsed(parse.parse_summary_day)
            if found != day:
                answer = context.client.scoreboard(league, found)
                board = answer.parsed(parse.parse_scoreboard, league)
                store.store_scoreboard(
                    context, ref, board, board.games, days=[found], digest=answer.digest
                )
        except FeedUnavailableError as error:
            lines.append(f"{name} of {day}: {error}")
            continue
        except TrackerError as error:
            logger.info("%s of %s was not found: %s", name, day, error)
        if store.end_search(context, ref, espn_id, day, is_there=found == day):
            logger.warning("%s of %s is no longer listed", name, day)
    return lines
