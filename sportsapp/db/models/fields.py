"""Which fields the feed's answers had lately, so that it is noticed when one goes missing."""

from datetime import date
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from sportsapp.db.types import Base, Json


class FieldShares(Base):
    """The fields of one kind of answer (scoreboard, teams, standings, roster) of a league.

    ``counted`` has for each field how many rows of answers had it on ``day``, and of how many;
    ``before`` has the same for the day before on which it was counted. ``fallen`` are the fields
    whose share fell by half, with the day since when (see ``sync.fields``).
    """

    __tablename__ = "field_shares"

    league_id: Mapped[int] = mapped_column(ForeignKey("leagues.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date]
    counted: Mapped[dict[str, Any]] = mapped_column(Json)
    before: Mapped[dict[str, Any]] = mapped_column(Json)
    fallen: Mapped[dict[str, str]] = mapped_column(Json)
