"""A database that takes no writes, so that no alert can be stored: each process remembers it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from huey.storage import BaseStorage

from sportsapp.queue.broker import claim_once


@dataclass
class DatabaseOutage:
    """The outage as this process knows it, with the fields that a stored problem has."""

    active_since: datetime
    notified: bool = False
    claimed_at: datetime = datetime.min.replace(tzinfo=UTC)
    subject: str = "database"
    kind: str = "database"
    suppressed_count: int = 0

    def claim_message(
        self, now: datetime, patience: timedelta, quiet: timedelta, reader: BaseStorage
    ) -> bool:
        """Whether people are to be notified from here, once in ``quiet`` after ``patience``.

        The broker lets one process do so, where it can be asked.
        """
        if now - self.active_since < patience or now - self.claimed_at < quiet:
            return False
        self.claimed_at = now
        is_mine = claim_once(reader, "database-alert", quiet)
        self.notified |= is_mine
        return is_mine
