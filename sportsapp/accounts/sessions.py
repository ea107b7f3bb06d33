"""Sessions: which admin a browser is signed in as, and for how long.

The browser holds a random token, in Flask's signed cookie; the database holds a row under the
token's digest. A session is over when its row is gone or too old, whoever has a copy of the cookie.
"""

import hashlib
import logging
import secrets
from datetime import datetime, timedelta
from typing import Any

from flask import Flask, request, session
from flask_login import LoginManager, UserMixin, current_user, login_user
from sqlalchemy import delete, select, update
from sqlalchemy.exc import OperationalError

from sportsapp.core.clock import CLOCK_TOLERANCE, utc_now
from sportsapp.core.outages import WRITES
from sportsapp.core.printable import printable
from sportsapp.db.engine import db, writing
from sportsapp.db.models import AdminSession, AdminUser, Role
from sportsapp.http.limits import client_address

logger = logging.getLogger(__name__)

SESSION_LIFETIME = timedelta(hours=12)
IDLE_LIMIT = timedelta(hours=2)
SEEN_EVERY = timedelta(minutes=1)
LONGEST_BROWSER = 200


class SignedInAdmin(UserMixin):  # type: ignore[misc]  # Flask-Login has no types
    """The account behind a session, as Flask-Login's user; its id is the session's token."""

    def __init__(self, account: AdminUser, token: str, seen_at: datetime) -> None:
        self.username = account.username
        self.role = account.role
        self.must_change_password = account.must_change_password
        self.id = token
        self.session_id = _digest(token)
        self.seen_at = seen_at


def init_app(app: Flask) -> None:
    """Find out with Flask-Login who is signed in, when ``current_admin`` is first called."""
    login = LoginManager()
    login.user_loader(_load_admin)
    # Not login.init_app(app): its "remember me" reads the session after each request, so each
    # public page would be sent with Vary: Cookie.
    app.login_manager = login  # type: ignore[attr-defined]  # where Flask-Login looks for it


def current_admin() -> str:
    """The user name of the signed-in admin. Raises AttributeError if nobody is signed in."""
    username: str = current_user.username
    return username


def current_session() -> str:
    """The id of the signed-in admin's session."""
    session_id: str = current_user.session_id
    return session_id


def is_signed_in() -> bool:
    """Whether the request comes from a signed-in admin."""
    return bool(current_user.is_authenticated)


def must_change_password() -> bool:
    """Whether the signed-in admin has to choose another password before anything else."""
    return bool(current_user.must_change_password)


def is_viewer() -> bool:
    """Whether the signed-in account may look at everything and change nothing."""
    return bool(current_user.role == Role.VIEWER)


def sign_in_as(account: AdminUser) -> bool:
    """Start a new session for this account in place of this browser's old one.

    Returns False, and starts none, if the account has got a new password since it was read, or was
    deactivated: who signs in with the old password while it is changed stays out.
    """
    # Flask-Login keeps the token as "_user_id"
    now, token, old = utc_now(), secrets.token_urlsafe(32), session.get("_user_id", "")
    admin = SignedInAdmin(account, token, now)
    unchanged = AdminUser.id == account.id, AdminUser.generation == account.generation
    row = {
        "id": admin.session_id,
        "account_id": account.id,
        "created_at": now,
        "last_seen_at": now,
        "address": client_address(),
        "browser": printable(request.user_agent.string[:LONGEST_BROWSER]),
    }
    with writing(db.session):
        signed_in = update(AdminUser).where(*unchanged).values(signed_in_at=now)
        if not db.session.connection().execute(signed_in).rowcount:
            return False
        db.session.execute(delete(AdminSession).where(AdminSession.id == _digest(old)))
        db.session.add(AdminSession(**row))
    session.clear()
    session.permanent = True
    login_user(admin)
    return True


def record_use() -> None:
    """Store that the current session is in use, at most once a minute."""
    now = utc_now()
    if now - current_user.seen_at < SEEN_EVERY:
        return
    this_session = update(AdminSession).where(AdminSession.id == current_session())
    try:
        with writing(db.session):
            db.session.execute(this_session.values(last_seen_at=now))
    except OperationalError as error:  # a full disk must not hide the panel, which can be read
        text = "the use of a session was not stored: %s"
        logger.warning(text, error.orig, extra=WRITES.lines)


def end_session(session_id: str, of: str | None = None) -> bool:
    """End a session at once, if it is this account's. Returns False if it has ended before."""
    owned = select(AdminUser.id).where(AdminUser.username == of)
    with writing(db.session):
        this_session = delete(AdminSession).where(AdminSession.id == session_id)
        if of is not None:
            this_session = this_session.where(AdminSession.account_id.in_(owned))
        return db.session.connection().execute(this_session).rowcount > 0


def live_sessions() -> list[AdminSession]:
    """All sessions that have not ended, those used last first."""
    by_use = select(AdminSession).where(*_is_live()).order_by(AdminSession.last_seen_at.desc())
    return list(db.session.scalars(by_use))


def _load_admin(token: str) -> SignedInAdmin | None:
    """The admin whose session this is; None if it has ended or was never started."""
    found = db.session.execute(
        select(AdminUser, AdminSession.last_seen_at)
        .join(AdminSession, AdminSession.account_id == AdminUser.id)
        .where(AdminSession.id == _digest(token), AdminUser.active, *_is_live())
        .execution_options(populate_existing=True)
    ).one_or_none()
    return SignedInAdmin(found[0], token, found[1]) if found else None


def _is_live() -> tuple[Any, ...]:
    """Conditions of the sessions that go on. One of the future was used nobody knows when."""
    now = utc_now()
    return (
        AdminSession.created_at > now - SESSION_LIFETIME,
        AdminSession.last_seen_at > now - IDLE_LIMIT,
        AdminSession.last_seen_at <= now + CLOCK_TOLERANCE,
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
