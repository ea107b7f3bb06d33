"""What is stored of a game's summary."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select

from sportsapp.core.summary import VERSION, SummaryRecord, unpack
from sportsapp.db.engine import AnySession
from sportsapp.db.models import SummaryRow


class StoredSummary(NamedTuple):
    """A summary, and when the feed was asked for it."""

    summary: SummaryRecord
    read_at: datetime


def stored_summary(session: AnySession, game_id: int) -> StoredSummary | None:
    """The summary of a game by its row's id; None for one that was not read by this release."""
    this = SummaryRow.game_id == game_id, SummaryRow.version == VERSION
    row = session.execute(select(SummaryRow.document, SummaryRow.read_at).where(*this)).first()
    return None if row is None else StoredSummary(unpack(row.document), row.read_at)


def summary_of_game(session: AnySession, game_id: int) -> SummaryRecord | None:
    """The summary alone; None for one that was not read by this release."""
    stored = stored_summary(session, game_id)
    return stored and stored.summary
