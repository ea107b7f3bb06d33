"""`flask restore`: a backup becomes the SQLite database of this instance.

SQLite applies a ``-wal`` or ``-journal`` file to whatever database has its name, so neither may
stay beside another database, and a database may not be moved without them.
"""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from flask.cli import with_appcontext
from sqlalchemy import delete, func, select
from sqlalchemy.exc import SQLAlchemyError

from sportsapp.commands.shell import fail, make_instance, misuse, record_command
from sportsapp.core.clock import utc_now
from sportsapp.core.errors import RestoreError, TrackerError
from sportsapp.core.instance import hold_instance
from sportsapp.db import migrate
from sportsapp.db.engine import (
    damage_in,
    database_reason,
    db,
    merge_wal,
    sqlite_path,
    writing,
)
from sportsapp.db.models import AdminSession, Game
from sportsapp.services import services

PARTS = ("", "-wal", "-journal")
USE_INSTEAD = "use pg_restore, or `flask db-copy` from the backup into an empty database"


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@with_appcontext
def restore_command(file: Path) -> None:
    """Put a copy of the backup FILE in the place of the database, while nothing runs.

    FILE is checked first, and its tables are brought up to date in the copy. The database that
    was there is kept beside it. This is for SQLite: for PostgreSQL use pg_restore, or copy the
    backup into an empty database with `flask db-copy`.
    """
    make_instance()
    settings = services().settings
    target = sqlite_path(settings.database)
    if target is None:
        misuse(f"nothing was restored: DATABASE_URL names no SQLite file; {USE_INSTEAD}")
    target = target.resolve()
    db.engine.dispose()
    try:
        with hold_instance(settings), TemporaryDirectory("", "restore-", target.parent) as folder:
            games = load_backup(file, draft := Path(folder) / target.name)
            aside = replace_database(target, draft)
    except SQLAlchemyError as error:
        fail(f"nothing was restored: {file}: {database_reason(error)}")
    except (OSError, TrackerError) as error:
        fail(f"nothing was restored: {error}")
    click.echo(f"{file} with {games} games is in place as {target}.")
    click.echo(f"The database that was there is {aside}.")


def load_backup(file: Path, draft: Path) -> int:
    """Copy a backup to ``draft``, check the copy and migrate it; the number of its games.

    ``draft`` is one whole file then, for its owner alone. ``file`` is only read. Raises
    RestoreError, SettingsError, OSError or SQLAlchemyError for a file that cannot be restored.
    """
    if not file.is_file():
        raise RestoreError(f"{file} is no file")
    with migrate.database_at(f"sqlite:///{draft}", draft.parent) as engine:
        for part in [part for part in PARTS if Path(f"{file}{part}").exists()]:
            shutil.copyfile(f"{file}{part}", f"{draft}{part}")
        with engine.connect() as connection:
            damage, revision = damage_in(connection), migrate.revision_of(connection)
        if damage:
            raise RestoreError(f"{file} is damaged: {damage}")
        if not revision or not migrate.is_known(revision):
            raise RestoreError(f"{file} has no tables that this release can read ({revision})")
        migrate.migrate_database()
        with writing(db.session) as session:
            session.execute(delete(AdminSession))  # some have ended since the backup
        record_command()
        games = db.session.scalars(select(func.count()).select_from(Game)).one()
        merge_wal()
    return games


def replace_database(file: Path, draft: Path) -> Path:
    """Put ``draft``, one whole file, in the place of the database at ``file``.

    Returns where the old one is, beside it. Raises RestoreError while a program has it open.
    """
    with closing(sqlite3.connect(file, timeout=0)) as connection:
        try:
            # merges the -wal file and removes it: refused while anybody else has it open
            connection.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise RestoreError(f"a program has {file} open; stop all parts first") from None
            click.echo(f"The old database is kept as it is, with its -wal file: {error}", err=True)
    if os.geteuid() == 0:
        os.chown(draft, file.stat().st_uid, file.stat().st_gid)
    with draft.open("rb+") as handle:
        os.fsync(handle.fileno())
    aside = file.with_stem(f"{file.stem}-{utc_now():%Y-%m-%d-%H%M%S-%f}-replaced")
    os.link(file, aside)  # a power cut between these lines leaves the old database or the new one
    for part in [part for part in PARTS[1:] if Path(f"{file}{part}").exists()]:
        Path(f"{file}{part}").rename(f"{aside}{part}")
    Path(f"{file}-shm").unlink(missing_ok=True)
    draft.replace(file)
    return aside
