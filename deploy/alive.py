"""Is the consumer of this container alive? For its health check: ``python -m deploy.alive``.

A container has a host name of its own, so what beats under this name is this container's.
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
    here = {one.role for one in alive if one.host == socket.gethostname()}
    if missing := {"worker", "scheduler"} - here:
        sys.exit(f"no {' and no '.join(sorted(missing))} beats on {socket.gethostname()}")
