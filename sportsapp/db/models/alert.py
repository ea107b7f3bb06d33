"""What people were told is wrong, so that all processes together tell them once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from sportsapp.db.types import Base, UtcDateTime


class Alert(Base):
    """One kind of trouble of one task or league.

    ``active_since`` is when it began, None while all is well. ``told_at`` is when somebody was
    last told, ``is_told`` whether they still believe in it, ``swallowed`` how often it was
    noticed since then without a message.
    """

    __tablename__ = "alerts"

    subject: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    active_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    told_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    is_told: Mapped[bool] = mapped_column(default=False)
    swallowed: Mapped[int] = mapped_column(default=0)
    words: Mapped[str] = mapped_column(default="")
