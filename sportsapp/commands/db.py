"""`flask db`: Flask-Migrate's commands, loaded when one of them is wanted."""

from __future__ import annotations

from typing import Any

import click
from flask import Flask

from sportsapp.commands.shell import fail
from sportsapp.core.errors import SettingsError


class MigrationCommands(click.Group):
    """Flask-Migrate's group of commands; a database that cannot be used is told in one line."""

    def __init__(self, app: Flask) -> None:
        super().__init__("db", help="Perform database migrations.")
        self._app = app

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """The context, once we have the commands and options that Flask-Migrate has."""
        from sportsapp.db import migrate as migrations  # loads Alembic, see there

        migrations.init_app(self._app)
        theirs: Any = self._app.cli.commands["db"]
        self.commands, self.params, self.callback = theirs.commands, theirs.params, theirs.callback
        return super().make_context(*args, **kwargs)

    def invoke(self, context: click.Context) -> Any:
        """Run the command that was asked for."""
        from sportsapp.db import migrate as migrations

        try:
            with migrations.faults_in_a_line():
                return super().invoke(context)
        except SettingsError as error:
            fail(str(error))
