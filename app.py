"""Makes the app and sets up logging; no process of ours waits for who reads its standard error.

``flask ...`` finds the app here; wsgi.py and huey_config.py import it.
"""

import os
import sys
from dataclasses import fields
from pathlib import Path

from sportsapp.core.errors import SettingsError
from sportsapp.core.logs import set_up_logging
from sportsapp.core.output import nonblocking
from sportsapp.core.settings import Settings, environment_name
from sportsapp.factory import create_app
from sportsapp.services import services_of

sys.stderr = nonblocking(sys.stderr)
if "FLASK_RUN_FROM_CLI" in os.environ and sys.platform == "linux":
    # It has read every .env from the working folder upwards, whoever's that is. Linux keeps the
    # environment as this process was given it; elsewhere what was read stays.
    block = Path("/proc/self/environ").read_bytes()
    given = {entry.partition(b"=")[0] for entry in block.split(b"\0")}
    for name in (environment_name(setting.name) for setting in fields(Settings)):
        if os.fsencode(name) not in given:
            os.environ.pop(name, None)
try:
    app = create_app(makes_instance="FLASK_RUN_FROM_CLI" not in os.environ)
except SettingsError as error:
    print(error, file=sys.stderr)
    sys.exit(2)
set_up_logging(services_of(app).settings)
