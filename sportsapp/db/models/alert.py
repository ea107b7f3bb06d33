"""What is wrong and who was notified, shared by all processes so that one message is sent."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from sportsapp.db.types import Base, UtcDateTime


class Alert(Base):
    """One kind of problem of one task or league.

    ``active_since`` is when the problem began, None while there is none. ``notified_at`` is when
    people were last notified, and ``notified`` whether of the problem that is active now.
    ``suppressed_count`` is how often it was noticed since then without a message, ``text`` the
    sentence that was noticed last.
    """

    __tablename__ = "alerts"

    subject: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    active_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    notified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    notified: Mapped[bool] = mapped_column(default=False)
    suppressed_count: Mapped[int] = mapped_column(default=0)
    text: Mapped[str] = mapped_column(default="")
