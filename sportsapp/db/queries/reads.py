"""The map of what was read: when each league's days were last read to their end."""

from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import select

from sportsapp.db.engine import AnySession
from sportsapp.db.models import Scoreboard


def day_read_at(session: AnySession, league_id: int, day: date) -> datetime | None:
    """When a league's day was last read to its end; None when it never was."""
    return days_read_at(session, [league_id], [day]).get((league_id, day))


def days_read_at(
    session: AnySession, league_ids: Collection[int], days: Collection[date]
) -> dict[tuple[int, date], datetime]:
    """When days were last read to their end, by league and day; without those that never were."""
    rows = session.execute(
        select(Scoreboard.league_id, Scoreboard.day, Scoreboard.read_at).where(
            Scoreboard.league_id.in_(league_ids),
            Scoreboard.day.in_(days),
        )
    )
    return {(row.league_id, row.day): row.read_at for row in rows if row.read_at}
