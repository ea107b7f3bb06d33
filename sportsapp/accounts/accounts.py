"""Admin accounts: create, authenticate, change the password, deactivate.

Serves the panel, ``flask admin`` and the first start of an instance. User names are compared
without the spaces around them. Whatever writes does so in a transaction of its own.
"""

import secrets

from sqlalchemy import func, select
from werkzeug.security import check_password_hash, generate_password_hash

from sportsapp.core.clock import utc_now
from sportsapp.core.errors import AccountError
from sportsapp.core.settings import Settings
from sportsapp.db.engine import db, writing
from sportsapp.db.models import AdminUser

FIRST_USERNAME = "admin"
SHORTEST_PASSWORD, LONGEST_PASSWORD = 10, 200
LONGEST_USERNAME = 60


def add_first_account(settings: Settings) -> tuple[str, str] | None:
    """Add the first account of an instance; None if there is an account already.

    The name is ADMIN_USERNAME or ``admin``, the password ADMIN_PASSWORD or a generated one.
    Returns both, so that the caller can print a generated password: only its hash is stored.
    Raises AccountError for an ADMIN_PASSWORD that is too long for the sign-in form.
    """
    if db.session.scalar(select(AdminUser.id).limit(1)) is not None:
        return None
    username = settings.admin_username.strip() or FIRST_USERNAME
    password = settings.admin_password or secrets.token_urlsafe(12)
    if len(password) > LONGEST_PASSWORD:
        raise AccountError(f"ADMIN_PASSWORD must have at most {LONGEST_PASSWORD} characters")
    _insert(username, generate_password_hash(password))
    return username, password


def all_accounts() -> list[AdminUser]:
    """All accounts: active ones first, then by name."""
    by_name = select(AdminUser).order_by(AdminUser.active.desc(), AdminUser.username)
    return list(db.session.scalars(by_name))


def find_account(username: str) -> AdminUser:
    """The account of this name. Raises AccountError if there is none."""
    account = _by_name(username)
    if account is None:
        raise AccountError(f"there is no account {username!r}")
    return account


def authenticate(username: str, password: str) -> AdminUser | None:
    """The active account with this name and password; None for anything else.

    Exactly one hash is computed in each case, so that the time of an answer does not reveal
    which names exist.
    """
    account = _by_name(username)
    if account is None:
        generate_password_hash(password)
        return None
    is_right = check_password_hash(account.password_hash, password)
    return account if is_right and account.active else None


def record_sign_in(account_id: int) -> None:
    """Store when the account last signed in: now."""
    with writing(db.session):
        db.session.get_one(AdminUser, account_id).signed_in_at = utc_now()


def add_account(username: str, password: str) -> None:
    """Add an account.

    Raises AccountError for a taken name, a name that is empty, too long or has control
    characters in it, and a password that is too short or too long.
    """
    username = username.strip()
    if not 0 < len(username) <= LONGEST_USERNAME or not username.isprintable():
        raise AccountError(f"a name must have 1 to {LONGEST_USERNAME} printable characters")
    _insert(username, _hash(password))


def set_password(username: str, password: str) -> None:
    """Change the password, which ends every session of the account.

    Raises AccountError for an unknown name, and a password that is too short or too long.
    """
    password_hash = _hash(password)
    with writing(db.session):
        account = find_account(username)
        account.password_hash = password_hash
        account.generation += 1


def deactivate(username: str) -> None:
    """Refuse the account from now on, and end every session of it.

    Raises AccountError for an unknown name and for the last active account, since nobody could
    sign in afterwards.
    """
    with writing(db.session):
        account = find_account(username)
        others = select(func.count()).where(AdminUser.active, AdminUser.id != account.id)
        if not db.session.scalar(others):
            raise AccountError(f"{username} is the last active account: it cannot be deactivated")
        account.active = False
        account.generation += 1


def activate(username: str) -> None:
    """Accept a deactivated account again. Raises AccountError for an unknown name."""
    with writing(db.session):
        find_account(username).active = True


def _insert(username: str, password_hash: str) -> None:
    with writing(db.session):
        if _by_name(username):
            raise AccountError(f"account {username!r} already exists")
        account = AdminUser(username=username, password_hash=password_hash, created_at=utc_now())
        db.session.add(account)


def _by_name(username: str) -> AdminUser | None:
    return db.session.scalar(select(AdminUser).where(AdminUser.username == username.strip()))


def _hash(password: str) -> str:
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise AccountError(
            f"a password must have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters"
        )
    return generate_password_hash(password)
