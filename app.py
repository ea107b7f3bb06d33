"""Makes the app and sets up logging; no process of ours waits for who reads its standard error.

``flask ...`` finds the app here; wsgi.py and huey_config.py import it.
"""

import sys

from sportsapp.core.errors import SettingsError
from sportsapp.core.logs import set_up_logging
from sportsapp.core.output import nonblocking
from sportsapp.factory import create_app
from sportsapp.services import services_of

sys.stderr = nonblocking(sys.stderr)
try:
    app = create_app()
except SettingsError as error:
    sys.exit(str(error))
set_up_logging(services_of(app).settings)
