"""Days whose sync failed are remembered, so that an operator sees them and has them read again.

A day counts as failed until it is read (see ``db.models.FailedDay``): nothing has to be removed.
"""

from collections.abc import Mapping
from datetime import date

from sqlalchemy import Table

from sportsapp.db.engine import writing
from sportsapp.db.models import FailedDay
from sportsapp.db.upsert import insert_replacing
from sportsapp.sync.context import SyncContext

FAILED_DAYS: Table = FailedDay.__table__
LONGEST_ERROR = 500

Failures = Mapping[tuple[int, date], str]
"""By league row and day: the error's text."""


def note_failed(context: SyncContext, failures: Failures) -> None:
    """Note that the sync of these days failed now. Commits when there is something to note."""
    if failures:
        with writing(context.session):
            add_failed(context, failures)


def add_failed(context: SyncContext, failures: Failures) -> None:
    """As ``note_failed``, within the session's writing transaction."""
    rows = [
        {
            "league_id": league_id,
            "day": day,
            "failed_at": context.now,
            "run_id": context.run_id,
            "error": error[:LONGEST_ERROR],
        }
        for (league_id, day), error in failures.items()
    ]
    insert_replacing(context.session, FAILED_DAYS, rows, ["league_id", "day"])
