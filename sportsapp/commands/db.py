"""`flask db`: Flask-Migrate's commands; a database that cannot be used is one line."""

from typing import Any

import click
from flask.cli import with_appcontext
from flask_migrate.cli import db as migrate_group

from sportsapp.commands.shell import fail_for, make_instance
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
            fail_for(error)


upgrade = migrate_group.commands["upgrade"]


@with_appcontext
def make_and_upgrade(**options: Any) -> None:
    """Make what is missing of the instance, then run Flask-Migrate's command."""
    make_instance()
    click.get_current_context().invoke(upgrade, **options)


db_group = MigrationGroup(
    "db",
    commands={
        **migrate_group.commands,
        "upgrade": click.Command(
            "upgrade", callback=make_and_upgrade, params=upgrade.params, help=upgrade.help
        ),
    },
    params=migrate_group.params,
    callback=migrate_group.callback,
    help="Perform database migrations.",
)
