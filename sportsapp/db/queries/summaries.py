"""What is stored of a game's summary."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import or_, select

from sportsapp.core.summary import VERSION, SummaryRecord, unpack
from sportsapp.db.engine import AnySession
from sportsapp.db.models import Game, SummaryRow

AT_ONCE = 50
IS_CURRENT = or_(Game.result_at.is_(None), SummaryRow.read_at >= Game.result_at)
"""Whether a game's summary was read since its score, its winner and its status last changed."""


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


def season_summaries(
    session: AnySession, league_id: int, season_year: int
) -> Iterator[tuple[str, SummaryRecord]]:
    """The summaries of a season's games with their ids in the feed, a few in memory at a time.

    Without those that are to be read again, by another release or since a result was corrected.
    """
    rows = (
        select(Game.espn_id, SummaryRow.document)
        .join(SummaryRow, SummaryRow.game_id == Game.id)
        .where(Game.league_id == league_id, Game.season_year == season_year)
        .where(SummaryRow.version == VERSION, IS_CURRENT)
        .execution_options(yield_per=AT_ONCE)
    )
    for espn_id, document in session.execute(rows):
        yield espn_id, unpack(document)
