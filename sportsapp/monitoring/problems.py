"""Problems that the database remembers, by kind and subject: some are reported when they happen.

``monitoring.alerts`` writes them; the checks read those that nothing but their report shows.
"""

from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy import select

from sportsapp.db.engine import AnySession
from sportsapp.db.models import Alert


class Kind(StrEnum):
    """What can be reported. A problem that a check found has the check's ``kind`` instead."""

    FAILURE = "failure"
    TIMEOUT = "timeout"
    REFUSED = "refused"
    DRIFT = "drift"
    BREACH = "breach"
    DAMAGE = "damage"


def active_texts(session: AnySession, *kinds: Kind) -> Sequence[str]:
    """What is wrong of these kinds now, a sentence for each subject, in their order."""
    active = Alert.kind.in_(kinds), Alert.active_since.is_not(None)
    return session.scalars(select(Alert.text).where(*active).order_by(Alert.subject)).all()
