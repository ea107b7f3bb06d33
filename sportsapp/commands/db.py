"""`flask db`: Flask-Migrate's commands; a database that cannot be used is one line."""

from typing import Any

import click
from flask_migrate.cli import db as migrate_group

from sportsapp.commands.shell import fail
from sportsapp.core.errors import SettingsError
from sportsapp.db.migrate import database_errors


class MigrationGroup(click.Group):
    """A group that ends with one line and status 1 when the database cannot be used."""

    def invoke(self, context: click.Context) -> Any:
        """Run the command that was given."""
        try:
            with database_errors():
                return super().invoke(context)
        except SettingsError as error:
            fail(str(error))


db_group = MigrationGroup(
    "db",
    commands=migrate_group.commands,
    params=migrate_group.params,
    callback=migrate_group.callback,
    help="Perform database migrations.",
)
