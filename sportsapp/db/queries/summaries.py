"""What is stored of a game's summary."""

from sqlalchemy import select

from sportsapp.core.summary import VERSION, SummaryRecord, unpack
from sportsapp.db.engine import AnySession
from sportsapp.db.models import SummaryRow


def summary_of_game(session: AnySession, game_id: int) -> SummaryRecord | None:
    """The summary of a game by its row's id; None for one that was not read by this release."""
    this = SummaryRow.game_id == game_id, SummaryRow.version == VERSION
    document = session.scalar(select(SummaryRow.document).where(*this))
    return None if document is None else unpack(document)
