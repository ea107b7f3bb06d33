"""Sessions: which admin a browser is signed in as, and for how long.

A session is a signed cookie with the account's id and generation and the time of the sign-in.
A new password or a deactivation raises the account's generation, which ends its sessions.
"""

from datetime import timedelta

from flask import Flask, session
from flask_login import LoginManager, UserMixin, current_user, login_user

from sportsapp.core.clock import utc_now
from sportsapp.db.engine import db
from sportsapp.db.models import AdminUser

SESSION_LIFETIME = timedelta(hours=12)
STARTED_AT = "began"


class SignedInAdmin(UserMixin):  # type: ignore[misc]  # Flask-Login has no types
    """The account behind a session, as Flask-Login's user."""

    def __init__(self, account: AdminUser) -> None:
        self.username = account.username
        self.must_change_password = account.must_change_password
        self.id = f"{account.id}.{account.generation}"


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


def is_signed_in() -> bool:
    """Whether the request comes from a signed-in admin."""
    return bool(current_user.is_authenticated)


def must_change_password() -> bool:
    """Whether the signed-in admin has to choose another password before anything else."""
    return bool(current_user.must_change_password)


def sign_in_as(account: AdminUser) -> None:
    """Start a new session for this account; nothing of the old one is kept."""
    session.clear()
    session.permanent = True
    session[STARTED_AT] = utc_now().timestamp()
    login_user(SignedInAdmin(account))


def _load_admin(session_id: str) -> SignedInAdmin | None:
    """The admin whose session this is; None if it has ended or was never started."""
    # The cookie is signed anew whenever it changes, so its own age is no limit.
    age = utc_now().timestamp() - session.get(STARTED_AT, 0)
    account_id, _, generation = session_id.partition(".")
    if age >= SESSION_LIFETIME.total_seconds() or not account_id.isdecimal():
        return None
    account = db.session.get(AdminUser, int(account_id), populate_existing=True)
    if account is None or not account.active or str(account.generation) != generation:
        return None
    return SignedInAdmin(account)
