"""``flask settings``: what this instance is set to, and by whom."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import with_appcontext

from sportsapp.settings import describe_settings


@click.command("settings")
@with_appcontext
def settings_command() -> None:
    """Print every setting with its value and source. Secrets are hidden."""
    rows = describe_settings(current_app.extensions["settings"])
    width = max(len(name) for name, _, _ in rows)
    for name, value, source in rows:
        click.echo(f"{name:<{width}}  {source:<11}  {value}")
