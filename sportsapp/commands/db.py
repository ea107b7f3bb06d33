"""`flask db`: Flask-Migrate's commands, loaded when one of them is wanted."""

from __future__ import annotations

from typing import Any

import click
from flask import Flask


class MigrationCommands(click.Command):
    """Stands where Flask-Migrate's group of commands will stand."""

    def __init__(self, app: Flask) -> None:
        super().__init__("db", help="Perform database migrations.")
        self._app = app

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """The context of Flask-Migrate's own group, which then is what is run."""
        from sportsapp import migrations  # loads Alembic, see there

        migrations.init_app(self._app)
        return self._app.cli.commands["db"].make_context(*args, **kwargs)
