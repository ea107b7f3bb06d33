"""The health check of a consumer's container: ``python -m deploy.alive``.

Exits with an error unless a worker and a scheduler have a recent heartbeat under this host name,
which only this container has.
"""

from __future__ import annotations

import socket
import sys

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from sportsapp.core.clock import utc_now
from sportsapp.core.settings import load_settings
from sportsapp.runs import reports

with Session(create_engine(load_settings().database)) as session:
    alive = reports.consumers(session, utc_now())
    roles = {process.role for process in alive if process.host == socket.gethostname()}
    if missing := {"worker", "scheduler"} - roles:
        sys.exit(f"no {' and no '.join(sorted(missing))} is alive on {socket.gethostname()}")
