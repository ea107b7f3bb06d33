"""Admin accounts: the first one is made when an instance starts for the first time."""

from __future__ import annotations

import secrets

from sqlalchemy import select
from werkzeug.security import generate_password_hash

from sportsapp.clock import utc_now
from sportsapp.database import db, writing
from sportsapp.models import AdminUser
from sportsapp.settings import Settings

FIRST_USERNAME = "admin"


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
