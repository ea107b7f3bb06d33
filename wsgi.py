"""The production door: any WSGI server serves ``wsgi:app``."""

import os

from sportsapp.core.processes import die_with_parent, process_name

if process_name():  # started by `flask up`: a web worker must not outlive its master
    die_with_parent()

from app import app
from sportsapp.queue.huey import huey

if "FLASK_RUN_FROM_CLI" not in os.environ:  # `flask` looks for the app here, too
    huey.exit_if_foreign()

__all__ = ["app"]
