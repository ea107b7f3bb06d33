"""`flask prepare`: what has to be done once before the parts are started, each by itself."""

import click
from flask.cli import with_appcontext

from sportsapp.accounts.accounts import add_first_account
from sportsapp.commands.shell import fail_for, make_instance
from sportsapp.core.errors import TrackerError
from sportsapp.core.settings import Settings
from sportsapp.db.engine import db
from sportsapp.db.identity import require_feed
from sportsapp.db.migrate import migrate_database
from sportsapp.services import services
from sportsapp.tasks.chains import start_first_sync


@click.command("prepare")
@with_appcontext
def prepare_command() -> None:
    """Do once what the parts need: tables, the first admin account, the first sync.

    Done again it changes nothing but the tables of an older version.
    """
    try:
        make_instance()
        migrate_database()
        require_feed(db.engine, services().settings)
        announce_first_admin(services().settings)
        start_first_sync()
    except TrackerError as error:
        fail_for(error)


def announce_first_admin(settings: Settings) -> None:
    """Make the first admin account if there is none, and print it, this once.

    A password that was set in ADMIN_PASSWORD is not printed: it does not belong in a log.
    """
    if made := add_first_account(settings):
        username, password = made
        shown = "as set in ADMIN_PASSWORD" if settings.admin_password else password
        click.echo(f"Admin account, shown this once: {username} / {shown}")
