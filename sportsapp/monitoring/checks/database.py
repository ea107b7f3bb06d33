"""Checks of the database: it can be read and written, and its file is sound."""

from collections.abc import Iterator

from sqlalchemy import Connection, update
from sqlalchemy.exc import SQLAlchemyError

from sportsapp.core.clock import game_day
from sportsapp.db import migrate, queries
from sportsapp.db.engine import (
    damage_in,
    database_reason,
    db,
    file_is_gone,
    write_connection,
)
from sportsapp.db.models import ScheduleRow
from sportsapp.monitoring.checks.check import Finding, Look, check, ok, warn, wrong
from sportsapp.monitoring.problems import Kind, active_texts

RESTORE = "stop everything and restore a backup, see docs/operating.md"


@check("database", "cannot be used or is not migrated", unready=True)
def check_database(look: Look) -> Iterator[Finding]:
    """The database has this version's tables, pages can be read, and it takes a write."""
    kind = db.engine.dialect.name
    newest = migrate.newest_revision()
    try:
        with db.engine.connect() as connection:
            is_gone = file_is_gone(connection)
            revision = migrate.revision_of(connection)
        if not is_gone and revision == newest:
            queries.games_today(look.session, game_day(look.now), look.settings.leagues)
    except SQLAlchemyError as error:
        text = f"{kind} cannot be used: {database_reason(error)}"
        is_damaged = "malformed" in text or "not a database" in text
        yield wrong(text, RESTORE if is_damaged else "correct DATABASE_URL, or start the database")
        return
    if is_gone:
        yield wrong(f"{kind}'s file was removed or replaced while it was in use", RESTORE)
    elif revision is None:
        yield wrong(f"{kind} is empty: not migrated", "run `flask db upgrade`")
    elif revision == newest:
        yield _written(kind, revision)
    elif migrate.is_known(revision):
        text = f"{kind} is not migrated: it is at {revision}, the code at {newest}"
        yield wrong(text, "run `flask db upgrade`, then restart everything")
    else:
        text = f"{kind} is at {revision}, which this code does not know"
        yield wrong(text, "run the version that made it, or restore a backup")


def _written(kind: str, revision: str) -> Finding:
    """Whether the database takes a write: one that changes nothing."""
    try:
        with write_connection() as connection:
            connection.execute(update(ScheduleRow).where(ScheduleRow.task == "").values(task=""))
    except SQLAlchemyError as error:
        text = f"{kind} takes no writes: {database_reason(error)}"
        if "locked" in text or "lock timeout" in text:  # only for now: somebody else is at it
            return warn(text, "see who else writes; on SQLite one at a time can")
        return wrong(text, "make the file, or the server, writable; see its disk and its owner")
    return ok(f"{kind}, migrated to {revision}, takes writes")


@check("damage", "the database's file is damaged", needs=("database",), unready=True, kind="")
def check_damage(look: Look) -> Iterator[Finding]:
    """SQLite's file is sound: as a thorough look finds it now, or as the last night has."""
    if look.thorough:
        found = damage_of(look.session.connection())
    else:
        found = " ".join(active_texts(look.session, Kind.DAMAGE))
    if found:
        yield wrong(found, RESTORE)
    else:
        yield ok("the file is sound" if look.thorough else "none was found when it was last read")


def damage_of(connection: Connection) -> str:
    """What is wrong with the database's file, a sentence, or "". Reads all of the file."""
    try:
        damage = damage_in(connection)
    except SQLAlchemyError as error:
        damage = database_reason(error)
    return f"the database's file is damaged: {damage}" if damage else ""
