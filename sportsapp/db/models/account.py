"""Accounts of the admin panel."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from sportsapp.db.types import Base, UtcDateTime


class AdminUser(Base):
    """An account that may sign in to the panel while it is ``active``.

    Sessions hold the ``generation`` of their start. A new password and a deactivation raise it,
    which ends them. ``must_change_password`` marks one that was printed when it was generated: its
    sessions see nothing but a form for another. ``signed_in_at`` is the last sign-in, None before
    the first.
    """

    __tablename__ = "admin_users"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    must_change_password: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)
    generation: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    signed_in_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
