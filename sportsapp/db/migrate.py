"""The way from one version's tables to the next: all that needs Alembic.

Alembic takes 12 MB, and a process that forks shares them with its copies for life. So nobody
imports this module at the top of the file: whoever migrates loads it then.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from flask import Flask, current_app
from flask_migrate import Migrate, upgrade
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from sportsapp.core.errors import SettingsError
from sportsapp.core.settings import PROJECT_ROOT
from sportsapp.db.engine import db

FOLDER = str(PROJECT_ROOT / "migrations")


def init_app(app: Flask) -> None:
    """Tell Flask-Migrate of the app, and the app of `flask db`."""
    Migrate(app, db, directory=FOLDER, compare_type=True)


def migrate_database() -> None:
    """Run the migrations that this database has not seen. Needs an application context.

    Raises SettingsError when the database cannot be reached.
    """
    init_app(current_app._get_current_object())  # type: ignore[attr-defined]
    alembic = logging.getLogger("alembic.runtime.migration")
    alembic.addFilter(_is_about_a_migration)
    try:
        with faults_in_a_line():
            upgrade(directory=FOLDER)
    finally:
        alembic.removeFilter(_is_about_a_migration)


@contextmanager
def faults_in_a_line() -> Iterator[None]:
    """Raises SettingsError, one line, for a database that cannot be used."""
    try:
        yield
    except OperationalError as error:
        reason = " ".join(str(error.orig).split())
        raise SettingsError(
            f"DATABASE_URL: the database does not work ({reason}); "
            "for example sqlite:////srv/scores/tracker.db"
        ) from error


def _is_about_a_migration(record: logging.LogRecord) -> bool:
    """Of what Alembic says at each start, only what it changes is news."""
    return record.levelno > logging.INFO or record.getMessage().startswith("Running")


def newest_revision() -> str | None:
    """The revision that this code's tables are at."""
    return ScriptDirectory(FOLDER).get_current_head()


def revision_of(connection: Connection) -> str | None:
    """The revision that a database is at; None for one without our tables."""
    return MigrationContext.configure(connection).get_current_revision()


def is_known(revision: str) -> bool:
    """Whether this code has that revision."""
    try:
        return ScriptDirectory(FOLDER).get_revision(revision) is not None
    except CommandError:
        return False
