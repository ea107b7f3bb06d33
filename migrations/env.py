"""How Alembic finds the database and the models: through the running Flask app."""

import glob
import logging
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import context
from flask import current_app
from sqlalchemy.dialects.postgresql import JSONB

import sportsapp.db.models  # noqa: F401 - puts every table into the metadata
from sportsapp.core.clock import utc_now
from sportsapp.core.errors import SettingsError
from sportsapp.db.engine import db, protect_file, sqlite_path, write_connection
from sportsapp.db.migrate import revision_of
from sportsapp.db.types import UtcDateTime

logger = logging.getLogger(__name__)

KEPT_COPIES = 3


def render_type(kind: str, item: Any, _context: Any) -> str | bool:
    """Write plain types into migrations, so that old ones never depend on our code."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, sa.JSON):
        return "JSON"
    return False


def prepare() -> None:
    """Keep a copy of an SQLite database whose revision is about to change, and mend an old one."""
    file = sqlite_path(current_app.config["SQLALCHEMY_DATABASE_URI"])
    try:
        goal = context.get_revision_argument()
    except KeyError:  # a command that only reads, such as `flask db current`
        return
    with db.engine.connect() as connection:
        revision = revision_of(connection)
    if file and revision and revision != goal and not current_app.config.get("IS_COPY"):
        keep_copy(file, Path(current_app.instance_path), revision)
    if revision != goal:
        with write_connection() as connection:
            mend(connection)


def keep_copy(file: Path, folder: Path, revision: str) -> None:
    """Copy the database at ``file`` into ``folder`` and remove all copies but the newest three.

    Its name has date and revision. Raises SettingsError when it cannot be copied.
    """
    copy = folder / f"{file.stem}-{utc_now():%Y-%m-%d-%H%M%S-%f}-revision-{revision}.db"
    draft = copy.with_suffix(".part")
    try:
        protect_file(f"sqlite:///{draft}", folder)
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(draft)) as target:
            source.backup(target)
        draft.rename(copy)
    except (OSError, sqlite3.Error) as error:
        draft.unlink(missing_ok=True)
        raise SettingsError(
            f"INSTANCE_PATH: the database is not migrated, since no copy of it can be kept in "
            f"{folder} ({error}); make room, or name another folder, for example /srv/scores"
        ) from error
    copies = folder.glob(f"{glob.escape(file.stem)}-*-revision-*.db")
    for old in sorted(set(copies) - {copy})[: 1 - KEPT_COPIES]:
        old.unlink(missing_ok=True)
    logger.info("the database was copied to %s before its migration", copy)


def mend(connection: sa.Connection) -> None:
    """Make the tables of an old database what its revision means today.

    Two migrations were rewritten in their first days: the first one, whose index of games migration
    0005 replaces, and 0004, which on PostgreSQL changes types.
    """
    inspector = sa.inspect(connection)
    statements = []
    if inspector.has_table("games"):
        indexes = {index["name"] for index in inspector.get_indexes("games")}
        if "ix_games_state_start_at" in indexes:
            new = "ix_games_league_id_state_start_at ON games (league_id, state, start_at)"
            statements += ["DROP INDEX ix_games_state_start_at", f"CREATE INDEX {new}"]
    if connection.dialect.name == "postgresql" and inspector.has_table("task_runs"):
        types = {one["name"]: one["type"] for one in inspector.get_columns("task_runs")}
        if "earlier" in types and not isinstance(types["earlier"], JSONB):
            statements += [
                "ALTER TABLE task_runs ALTER earlier DROP DEFAULT",
                "ALTER TABLE task_runs ALTER earlier TYPE jsonb USING earlier::jsonb",
                "ALTER TABLE task_runs ALTER earlier SET DEFAULT '[]'",
                "ALTER TABLE task_runs ALTER args TYPE json USING args::json",
                "ALTER TABLE task_runs ALTER result TYPE json USING result::json",
            ]
    for statement in statements:
        logger.info("an old database: %s", statement)
        connection.execute(sa.text(statement))


def run() -> None:
    """Migrate over a connection that holds SQLite's write lock from the beginning."""
    engine = db.engine.execution_options(writes=True)
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            render_item=render_type,
            **current_app.extensions["migrate"].configure_args,
        )
        with context.begin_transaction():
            context.run_migrations()


prepare()
run()
