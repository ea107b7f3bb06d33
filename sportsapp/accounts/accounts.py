"""Accounts of the panel: create, authenticate, change password and role, deactivate.

Serves the panel, ``flask admin`` and the first start of an instance. User names are compared
without the spaces around them. Whatever writes does so in a transaction of its own.
"""

import logging

from sqlalchemy import delete, func, select

from sportsapp.accounts.passwords import (
    check_password,
    generate_password,
    hash_password,
    is_password,
)
from sportsapp.core.clock import utc_now
from sportsapp.core.errors import AccountError
from sportsapp.core.settings import Settings
from sportsapp.db.engine import db, lock_until_commit, writing
from sportsapp.db.models import AdminSession, AdminUser, Passkey, Role

logger = logging.getLogger(__name__)

FIRST_USERNAME = "admin"
LONGEST_USERNAME = 60


def add_first_account(settings: Settings) -> tuple[str, str] | None:
    """Add the first account of an instance; None if there is an account already.

    The name is ADMIN_USERNAME or ``admin``, the password ADMIN_PASSWORD or a generated one, which
    has to be changed at the first sign-in, since it is printed. Returns both, so that the caller
    can print a generated password: only its hash is stored. Raises AccountError for a name or
    password that breaks the rules; when there is an account already, that is only logged.
    """
    username = settings.admin_username.strip() or FIRST_USERNAME
    password = settings.admin_password or generate_password()
    if db.session.scalar(select(AdminUser.id).limit(1)) is not None:
        try:
            check_password(password, username)
        except AccountError as error:
            logger.warning("ADMIN_PASSWORD: %s; it was not used: there is an account", error)
        return None
    try:
        add_account(username, password, must_change_password=not settings.admin_password)
    except AccountError as error:
        raise AccountError(f"ADMIN_USERNAME, ADMIN_PASSWORD: {error}") from None
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


def name_of(username: str) -> str:
    """The name of the account that is meant; empty if there is none."""
    account = _by_name(username)
    return account.username if account else ""


def authenticate(username: str, password: str) -> AdminUser | None:
    """The active account with this name and password; None for anything else.

    Exactly one hash is computed in each case, so that the time of an answer does not reveal
    which names exist. Raises PasswordsBusyError when too many passwords are hashed already.
    """
    account = _by_name(username)
    if account is None:
        hash_password(password)
        return None
    is_right = is_password(account.password_hash, password)
    return account if is_right and account.active else None


def add_account(
    username: str, password: str, role: str = Role.ADMIN, *, must_change_password: bool = False
) -> None:
    """Add an account; its first sign-in can be made to ask for another password.

    Raises AccountError for an unknown role, a taken name, a name that is empty, too long or has
    control characters in it, and a password that breaks the rules in ``passwords``.
    """
    username = username.strip()
    if not 0 < len(username) <= LONGEST_USERNAME or not username.isprintable():
        raise AccountError(f"a name must have 1 to {LONGEST_USERNAME} printable characters")
    check_password(password, username)
    account = AdminUser(username=username, role=_known_role(role), created_at=utc_now())
    account.password_hash = hash_password(password)
    account.must_change_password = must_change_password
    with writing(db.session):
        if _by_name(username):
            raise AccountError(f"account {username!r} already exists")
        db.session.add(account)


def set_password(username: str, password: str, *, is_own: bool = False) -> None:
    """Change the password, which ends every session of the account.

    Unless it ``is_own``, somebody else opens the account again: its passkeys are removed, too.

    Raises AccountError for an unknown name, for a password that breaks the rules in ``passwords``,
    and for the old one where it has to be changed.
    """
    account = find_account(username)
    check_password(password, account.username)
    if account.must_change_password and is_password(account.password_hash, password):
        raise AccountError("the new password must not be the old one")
    password_hash = hash_password(password)
    with writing(db.session):
        account = find_account(username)
        account.password_hash = password_hash
        account.must_change_password = False
        _end_sessions(account)
        if not is_own:
            db.session.execute(delete(Passkey).where(Passkey.account_id == account.id))


def set_role(username: str, role: str) -> None:
    """Make the account an admin's or a viewer's, from its next request on.

    Raises AccountError for an unknown name or role, and for the last active admin.
    """
    with writing(db.session):
        account = find_account(username)
        if _known_role(role) != Role.ADMIN:
            _refuse_last_admin(account)
        account.role = _known_role(role)


def deactivate(username: str) -> None:
    """Refuse the account from now on, and end every session of it.

    Raises AccountError for an unknown name and for the last active admin.
    """
    with writing(db.session):
        account = find_account(username)
        _refuse_last_admin(account)
        account.active = False
        _end_sessions(account)


def activate(username: str) -> None:
    """Accept a deactivated account again. Raises AccountError for an unknown name."""
    with writing(db.session):
        find_account(username).active = True


def _refuse_last_admin(account: AdminUser) -> None:
    """Raise AccountError if nobody could change anything without this account."""
    lock_until_commit(db.session.connection(), "admins")  # two may not remove each other
    others = (AdminUser.active, AdminUser.role == Role.ADMIN, AdminUser.id != account.id)
    if account.role == Role.ADMIN and not db.session.scalar(select(func.count()).where(*others)):
        raise AccountError(f"{account.username} is the last active admin: there has to be one")


def _known_role(role: str) -> Role:
    if role not in set(Role):
        raise AccountError(f"there is no role {role!r}: known are {', '.join(Role)}")
    return Role(role)


def _end_sessions(account: AdminUser) -> None:
    account.generation = AdminUser.generation + 1  # in the database: no increment is lost
    db.session.flush()  # a sign-in of the old generation is over before the next line, or refused
    db.session.execute(delete(AdminSession).where(AdminSession.account_id == account.id))


def _by_name(username: str) -> AdminUser | None:
    return db.session.scalar(select(AdminUser).where(AdminUser.username == username.strip()))
