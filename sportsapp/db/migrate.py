"""The way from one version's tables to the next: Alembic, through Flask-Migrate."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from flask import Flask
from flask_migrate import Migrate, upgrade
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from sportsapp.core.errors import SettingsError
from sportsapp.core.settings import PROJECT_ROOT
from sportsapp.db.engine import db, init_database

FOLDER = str(PROJECT_ROOT / "migrations")


def init_app(app: Flask) -> None:
    """Give the app to Flask-Migrate, which needs it for every command and migration."""
    Migrate(app, db, directory=FOLDER, render_as_batch=False)


def migrate_database() -> None:
    """Run the migrations that the current app's database has not had, after ``init_app``.

    Raises SettingsError when the database cannot be used.
    """
    with database_errors():
        upgrade(directory=FOLDER)


@contextmanager
def database_at(url: str, folder: Path) -> Iterator[Engine]:
    """Make the database of this URL, a copy, the current one; ``folder`` is the instance's."""
    app = Flask("sportsapp", instance_path=str(folder))
    app.config.update(SQLALCHEMY_DATABASE_URI=url, IS_COPY=True)
    init_database(app)
    init_app(app)
    with app.app_context():
        try:
            yield db.engine
        finally:
            db.engine.dispose()


@contextmanager
def database_errors() -> Iterator[None]:
    """Raise SettingsError, one line, for a database that cannot be used."""
    try:
        yield
    except OperationalError as error:
        reason = " ".join(str(error.orig).split())
        raise SettingsError(
            f"DATABASE_URL: the database does not work ({reason}); "
            "for example sqlite:////srv/scores/tracker.db"
        ) from error


def newest_revision() -> str | None:
    """The revision of the tables that this code needs."""
    return ScriptDirectory(FOLDER).get_current_head()


def revision_of(connection: Connection) -> str | None:
    """The revision of the tables in a database; None for one without our tables."""
    return MigrationContext.configure(connection).get_current_revision()


def is_known(revision: str) -> bool:
    """Whether this code has a migration to that revision."""
    try:
        return ScriptDirectory(FOLDER).get_revision(revision) is not None
    except CommandError:
        return False
