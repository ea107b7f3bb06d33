"""A league begins to fail: noted in its row, with one line in the log, whichever process sees it.

That it is well again is noted by whoever stores an answer, see ``Tally.note_poll``.
"""

import logging

from sqlalchemy import update

from sportsapp.core.errors import TrackerError
from sportsapp.db.engine import writing
from sportsapp.sync.context import SyncContext
from sportsapp.sync.load import LEAGUES, locked_league
from sportsapp.sync.store import LeagueRef

logger = logging.getLogger(__name__)


def mark_failed(context: SyncContext, league: LeagueRef, error: TrackerError) -> None:
    """Note that a league could not be read, why, and since when. Commits."""
    with writing(context.session) as session:
        row = locked_league(session, league.id)
        # another day's answer of this sync may have ended a failure that goes on
        since = row["failing_since"] or context.tally.well.pop(league.label, None)
        values = {"failing_since": since or context.now, "failure": str(error)}
        if any(row[name] != values[name] for name in values):
            session.execute(update(LEAGUES).where(LEAGUES.c.id == league.id).values(values))
    if since is None:
        logger.warning("%s begins to fail: %s", league.label, error)
