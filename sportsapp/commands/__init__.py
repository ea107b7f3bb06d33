"""The ``flask`` commands: scores, sync, audit, tasks, doctor, alerts, notify, settings, admin, db,
db-copy, restore, prepare, serve, up and broker."""

from flask import Flask

from sportsapp.commands.admin import admin_group
from sportsapp.commands.alerts import alerts_group
from sportsapp.commands.copy import copy_command
from sportsapp.commands.db import db_group
from sportsapp.commands.doctor import doctor_command
from sportsapp.commands.notify import notify_group
from sportsapp.commands.restore import restore_command
from sportsapp.commands.scores import scores_command
from sportsapp.commands.serve import serve_command
from sportsapp.commands.settings import settings_command
from sportsapp.commands.sync import audit_command, sync_group
from sportsapp.commands.tasks import tasks_group
from sportsapp.commands.up.broker import broker_command
from sportsapp.commands.up.command import up_command
from sportsapp.commands.up.prepare import prepare_command
from sportsapp.db import migrate


def init_app(app: Flask) -> None:
    """Add the commands to the app."""
    migrate.init_app(app)
    for command in (
        scores_command,
        sync_group,
        audit_command,
        tasks_group,
        settings_command,
        admin_group,
        doctor_command,
        alerts_group,
        notify_group,
        db_group,  # in the place of Flask-Migrate's own
        copy_command,
        restore_command,
        prepare_command,
        serve_command,
        up_command,
        broker_command,
    ):
        app.cli.add_command(command)
