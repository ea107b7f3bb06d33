"""The door for other web servers than ours, `flask serve`: any WSGI server serves ``wsgi:app``."""

import os

from app import app
from sportsapp.queue.huey import huey

if "FLASK_RUN_FROM_CLI" not in os.environ:  # `flask` looks for the app here, too
    huey.exit_if_foreign()

__all__ = ["app"]
