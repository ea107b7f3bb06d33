"""``flask settings``: what this instance is set to, and by whom."""

import click
from flask.cli import with_appcontext

from sportsapp.commands.shell import print_line
from sportsapp.core.settings import describe_settings
from sportsapp.services import services


@click.command("settings")
@with_appcontext
def settings_command() -> None:
    """Print every setting with its value and source. Secrets are hidden."""
    rows = describe_settings(services().settings)
    width = max(len(name) for name, _, _ in rows)
    for name, value, source in rows:
        print_line(f"{name:<{width}}  {source:<11}  {value}")
