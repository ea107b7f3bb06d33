"""Accounts of the admin panel, their sessions and their passkeys."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from sportsapp.db.types import Base, UtcDateTime


class Role(StrEnum):
    """What an account may do: an admin everything, a viewer look at everything."""

    ADMIN = "admin"
    VIEWER = "viewer"


class AdminUser(Base):
    """An account that may sign in to the panel while it is ``active``.

    A new password and a deactivation raise the ``generation`` and delete the account's sessions; a
    sign-in that began before is refused. ``must_change_password`` marks a password that was printed
    when it was generated: the account's sessions see nothing but a form for another.
    ``signed_in_at`` is the last sign-in, None before the first.
    """

    __tablename__ = "admin_users"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    must_change_password: Mapped[bool] = mapped_column(default=False)
    role: Mapped[str] = mapped_column(default=Role.ADMIN)
    active: Mapped[bool] = mapped_column(default=True)
    generation: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    signed_in_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class AdminSession(Base):
    """A browser that is signed in to the panel. Without its row a session is over.

    ``id`` is the SHA-256 of the token in the browser's cookie, as hex digits. ``last_seen_at`` is
    at most a minute behind. ``address`` and ``browser`` (its User-Agent) are as of the sign-in.
    """

    __tablename__ = "admin_sessions"

    id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("admin_users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    address: Mapped[str]
    browser: Mapped[str]


class Passkey(Base):
    """A passkey with which an account signs in; ``name`` is what its owner calls it.

    Browsers use it on ``host`` alone. ``credential_id`` and ``public_key`` are base64url.
    ``sign_count`` is the device's count of its answers, 0 for ever on devices that keep none;
    ``challenged_at`` is when the challenge was sent that it has answered last.
    """

    __tablename__ = "passkeys"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("admin_users.id", ondelete="CASCADE"))
    name: Mapped[str]
    host: Mapped[str]
    credential_id: Mapped[str] = mapped_column(unique=True)
    public_key: Mapped[str]
    sign_count: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    challenged_at: Mapped[datetime] = mapped_column(UtcDateTime)
    account: Mapped[AdminUser] = relationship()
