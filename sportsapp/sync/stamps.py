"""What subscribers of calendars and news feeds need to know of a change. Pure.

A calendar client takes a changed event only with a higher SEQUENCE, and a reader shows an entry
again when its stamp moves: neither is to follow from attendance, a record or a leader.

No stamp goes back when an answer counts that was asked for before the stored one.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sportsapp.sync.doubts import CALLED_OFF
from sportsapp.sync.precedence import LONGEST_RUN

RESULT = frozenset({"status", "home_score", "away_score", "home_winner", "away_winner"})
APPOINTMENT = frozenset(
    {
        "start_at",
        "time_set",
        "day",
        "home_team",
        "away_team",
        "venue",
        "city",
        "neutral_site",
        "listed",
    }
)


def next_stamps(
    stored: Mapping[str, Any], changes: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """The stamps that move with these changes of a stored game: columns of ``games``."""
    before = stored["updated_at"]
    at = before if now < before <= now + LONGEST_RUN else now
    stamps: dict[str, Any] = {"updated_at": at}
    if changes.keys() & RESULT:
        stamps["result_at"] = at
    is_on_or_off = CALLED_OFF & {stored["status"], changes.get("status", stored["status"])}
    if changes.keys() & APPOINTMENT or ("status" in changes and is_on_or_off):
        stamps["revision"] = stored["revision"] + 1
    return stamps
