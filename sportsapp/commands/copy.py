"""`flask db-copy`: an instance moves to another database."""

import sys
from dataclasses import replace

import click
from flask.cli import with_appcontext
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from sportsapp.commands.shell import OneLineCommand, fail, misuse
from sportsapp.core.clock import utc_now
from sportsapp.core.errors import SettingsError, TrackerError
from sportsapp.core.settings import load_settings
from sportsapp.db import migrate
from sportsapp.db.copy import copy_database
from sportsapp.db.engine import database_reason, db
from sportsapp.runs import reports
from sportsapp.services import services


@click.command("db-copy", cls=OneLineCommand)
@click.argument("url")
@click.option("--backup", is_flag=True, help="While consumers run: this moment's state, to keep.")
@with_appcontext
def copy_command(url: str, backup: bool) -> None:
    """Copy the whole database into the empty one at URL, and compare every row.

    URL is written like DATABASE_URL, for example postgresql://scores@db.example.org/scores. With
    "-" it is read from standard input: a list of processes shows no password then. Tables are
    created there first. To move an instance, stop its consumers before, so that nothing is
    written meanwhile.
    """
    if url == "-":
        url = sys.stdin.readline().strip()
    settings = services().settings
    try:
        target = replace(settings, database_url=load_settings({"DATABASE_URL": url}).database_url)
    except SettingsError as error:
        misuse(_name_url(error))
    if make_url(target.database) == make_url(settings.database):
        misuse("URL: is the database that DATABASE_URL names already")
    try:
        _check_source(may_be_in_use=backup)
        source = db.engine
        with migrate.database_at(target.database, target.instance_path) as engine:
            migrate.migrate_database()
            counts = copy_database(source, engine, lambda name, n: click.echo(f"{name}: {n}"))
    except TrackerError as error:
        fail(f"nothing was copied: {_name_url(error)}")
    except SQLAlchemyError as error:
        fail(f"nothing was copied: {database_reason(error)}")
    click.echo(f"{sum(counts.values())} rows copied and compared.")
    if not backup:
        click.echo("Now set DATABASE_URL to it and start everything again.")


def _name_url(error: TrackerError) -> str:
    """The error's text about the argument URL, which was read as if it were the setting."""
    return str(error).replace("DATABASE_URL", "URL", 1)


def _check_source(*, may_be_in_use: bool) -> None:
    """End unless our own database has this version's tables and no consumer is alive."""
    with db.engine.connect() as connection:
        revision = migrate.revision_of(connection)
    if revision != migrate.newest_revision():
        fail("this database is not migrated: run `flask db upgrade` first")
    if not may_be_in_use and (alive := reports.consumers(db.session, utc_now())):
        where = ", ".join(sorted({f"{process.host}, process {process.pid}" for process in alive}))
        fail(f"consumers are at work ({where}): stop them first, and wait a minute")
