"""The activity log: who did what to what, when, from the panel or by a command.

Written at two places: ``admin/view.py`` and the sign-in for the panel, ``commands/shell.py`` for
commands. What has happened is never taken back because it could not be recorded.
"""

import logging
import socket
from datetime import timedelta

from sqlalchemy import func, insert, select
from sqlalchemy.exc import SQLAlchemyError

from sportsapp.core.clock import utc_now
from sportsapp.core.printable import printable
from sportsapp.db.engine import db, write_connection
from sportsapp.db.models import Activity, Via
from sportsapp.http.limits import client_address

logger = logging.getLogger(__name__)

LONGEST = {"who": 100, "action": 60, "subject": 200, "detail": 500}
DAY = timedelta(days=1)


def record_activity(
    who: str,
    via: Via,
    action: str,
    subject: str = "",
    detail: str = "",
    *,
    a_day: int | None = None,
) -> None:
    """Record what somebody has done, with the address of the request or of the shell's host.

    Texts are cut at LONGEST characters. ``a_day`` limits how many rows of this action are written
    in 24 hours. When the database takes no row, the action stands and is a line in the log.
    """
    now = utc_now()
    texts = {"who": who, "action": action, "subject": subject, "detail": detail}
    row = {name: printable(text)[: LONGEST[name]] for name, text in texts.items()}
    row["address"] = client_address() if via == Via.PANEL else socket.gethostname()
    lately = select(func.count()).where(Activity.action == action, Activity.at > now - DAY)
    try:
        if a_day is None or (db.session.scalar(lately) or 0) < a_day:
            with write_connection() as connection:
                connection.execute(insert(Activity).values(at=now, via=via, **row))
    except SQLAlchemyError as error:
        reason = getattr(error, "orig", None) or error
        logger.warning("this activity was not recorded: %s: %s", " ".join(row.values()), reason)
