"""The development door: ``flask ...`` finds the app here."""

import sys

import sportsapp.lean  # noqa: F401  # before anything else of ours
from sportsapp.errors import SettingsError
from sportsapp.factory import create_app
from sportsapp.logs import set_up_logging

try:
    app = create_app()
except SettingsError as error:
    sys.exit(str(error))
set_up_logging(app.extensions["settings"])
