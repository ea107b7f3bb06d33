"""The activity log: what people changed, and when."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from sportsapp.db.types import Base, UtcDateTime


class Via(StrEnum):
    """Where somebody did something."""

    PANEL = "panel"
    COMMAND = "command"


class Activity(Base):
    """Something that a person did: ``action`` to ``subject``, with the outcome as ``detail``.

    ``who`` is the account, or the shell user of a command; empty when nobody knows. ``address`` is
    the browser's network address, or the name of the command's host.
    """

    __tablename__ = "activities"
    __table_args__ = (
        Index("ix_activities_at", "at"),
        Index("ix_activities_who_at", "who", "at"),
        Index("ix_activities_action_at", "action", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    who: Mapped[str]
    address: Mapped[str]
    via: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[str]
