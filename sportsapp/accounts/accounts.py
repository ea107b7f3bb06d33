"""Admin accounts: made, checked, changed and deactivated; the last active one stays.

Serves the panel, ``flask admin`` and the first start of an instance.
"""

from __future__ import annotations

import secrets

from sqlalchemy import func, select
from werkzeug.security import check_password_hash, generate_password_hash

from sportsapp.core.clock import utc_now
from sportsapp.core.errors import AccountError
from sportsapp.core.settings import Settings
from sportsapp.db.engine import db, writing
from sportsapp.db.models import AdminUser

FIRST_USERNAME = "admin"
SHORTEST, LONGEST = 10, 200
LONGEST_NAME = 60


def make_first_admin(settings: Settings) -> tuple[str, str] | None:
    """Make the first admin account, with the settings' name and password or made-up ones.

    Returns user name and password when it made one, None when there was an account already.
    """
    if db.session.scalar(select(AdminUser.id).limit(1)) is not None:
        return None
    username = settings.admin_username or FIRST_USERNAME
    password = settings.admin_password or secrets.token_urlsafe(12)
    account = AdminUser(
        username=username,
        password_hash=generate_password_hash(password),
        created_at=utc_now(),
    )
    with writing(db.session):
        db.session.add(account)
    return username, password


def accounts() -> list[AdminUser]:
    """All accounts, active ones first, by name."""
    found = select(AdminUser).order_by(AdminUser.active.desc(), AdminUser.username)
    return list(db.session.scalars(found))


def find_account(username: str) -> AdminUser:
    """The account of this name. Raises AccountError."""
    account = _by_name(username)
    if account is None:
        raise AccountError(f"there is no account {username!r}")
    return account


def account_behind(username: str, password: str) -> AdminUser | None:
    """The active account with this name and password, None for anything else.

    One hash is computed whatever the answer, so that its time doesn't tell which names exist.
    """
    account = _by_name(username)
    if account is None:
        generate_password_hash(password)
        return None
    is_right = check_password_hash(account.password_hash, password)
    return account if is_right and account.active else None


def note_sign_in(account_id: int) -> None:
    """Remember when an account last signed in."""
    with writing(db.session):
        db.session.get_one(AdminUser, account_id).signed_in_at = utc_now()


def add_account(username: str, password: str) -> None:
    """Add an admin. Raises AccountError for a bad or taken name or a short password."""
    username = username.strip()
    if not 0 < len(username) <= LONGEST_NAME or not username.isprintable():
        raise AccountError(f"a name has 1 to {LONGEST_NAME} letters, digits or signs")
    hashed = _hash(password)
    with writing(db.session):
        if _by_name(username):
            raise AccountError(f"there is an account {username!r} already")
        db.session.add(AdminUser(username=username, password_hash=hashed, created_at=utc_now()))


def set_password(username: str, password: str) -> None:
    """Change a password and end every session of the account. Raises AccountError."""
    hashed = _hash(password)
    with writing(db.session):
        account = find_account(username)
        account.password_hash = hashed
        account.generation += 1


def deactivate(username: str) -> None:
    """Shut an account out, at once. Raises AccountError for the last active one."""
    with writing(db.session):
        account = find_account(username)
        others = select(func.count()).where(AdminUser.active, AdminUser.id != account.id)
        if not db.session.scalar(others):
            raise AccountError(f"{username} is the last active account, so it stays")
        account.active = False
        account.generation += 1


def activate(username: str) -> None:
    """Let an account in again. Raises AccountError."""
    with writing(db.session):
        find_account(username).active = True


def _by_name(username: str) -> AdminUser | None:
    return db.session.scalar(select(AdminUser).where(AdminUser.username == username.strip()))


def _hash(password: str) -> str:
    if not SHORTEST <= len(password) <= LONGEST:
        raise AccountError(f"a password has {SHORTEST} to {LONGEST} characters")
    return generate_password_hash(password)
