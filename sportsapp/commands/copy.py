"""`flask db-copy`: an instance moves to another database."""

from __future__ import annotations

import sys
from dataclasses import replace

import click
from flask import Flask
from flask.cli import with_appcontext
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from sportsapp.commands.shell import fail, misuse
from sportsapp.core.clock import utc_now
from sportsapp.core.errors import SettingsError, TrackerError
from sportsapp.core.settings import Settings, load_settings
from sportsapp.db.copy import copy_database
from sportsapp.db.engine import db, init_database
from sportsapp.runs import reports as activity
from sportsapp.services import services


@click.command("db-copy")
@click.argument("url")
@click.option("--backup", is_flag=True, help="While consumers run: this moment's state, to keep.")
@with_appcontext
def copy_command(url: str, backup: bool) -> None:
    """Copy the whole database into the empty one at URL, and compare every row.

    URL is written as DATABASE_URL is, for example postgresql://scores@db.example.org/scores;
    with "-" it is read from standard input, so that a password is in no list of processes.
    Tables are made there first. To move there, stop the consumers before, so that nothing is
    written meanwhile.
    """
    if url == "-":
        url = sys.stdin.readline().strip()
    settings: Settings = services().settings
    try:
        there = replace(settings, database_url=load_settings({"DATABASE_URL": url}).database_url)
    except SettingsError as error:
        misuse(_of_target(error))
    if make_url(there.database) == make_url(settings.database):
        misuse("URL: is the database that DATABASE_URL names already")
    try:
        _check_source(at_work_is_fine=backup)
        counts = _copy(there)
    except SettingsError as error:
        fail(f"nothing was copied: {_of_target(error)}")
    except TrackerError as error:
        fail(f"nothing was copied: {error}")
    except SQLAlchemyError as error:
        reason = " ".join(str(getattr(error, "orig", None) or error).split())
        fail(f"nothing was copied: {reason}")
    click.echo(f"{sum(counts.values())} rows copied and compared.")
    if not backup:
        click.echo("Now set DATABASE_URL to it and start everything again.")


def _of_target(error: SettingsError) -> str:
    return str(error).replace("DATABASE_URL", "URL", 1)


def _check_source(*, at_work_is_fine: bool) -> None:
    """Our own database has to have this version's tables; and is anybody at work on it?"""
    from sportsapp.db import migrate as migrations  # loads Alembic, see there

    with db.engine.connect() as connection:
        found = migrations.revision_of(connection)
    if found != migrations.newest_revision():
        fail("this database is not migrated: run `flask db upgrade` first")
    if not at_work_is_fine and (alive := activity.consumers(db.session, utc_now())):
        where = ", ".join(sorted({f"{one.host}, process {one.pid}" for one in alive}))
        fail(f"consumers are at work ({where}): stop them first, and wait a minute")


def _copy(there: Settings) -> dict[str, int]:
    from sportsapp.db import migrate as migrations  # loads Alembic, see there

    source = db.engine
    other = Flask("sportsapp", instance_path=str(there.instance_path))
    other.config["SQLALCHEMY_DATABASE_URI"] = there.database
    init_database(other)
    with other.app_context():
        try:
            migrations.migrate_database()
            return copy_database(source, db.engine, _say)
        finally:
            db.engine.dispose()


def _say(table: str, rows: int) -> None:
    click.echo(f"{table}: {rows}")
