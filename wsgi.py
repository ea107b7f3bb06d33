"""The production door: any WSGI server serves ``wsgi:app``."""

import sys

from sportsapp.errors import SettingsError
from sportsapp.factory import create_app
from sportsapp.logs import set_up_logging
from sportsapp.processes import die_with_parent, is_supervised

if is_supervised():
    die_with_parent()

try:
    app = create_app()
except SettingsError as error:
    sys.exit(str(error))
set_up_logging(app.extensions["settings"])
