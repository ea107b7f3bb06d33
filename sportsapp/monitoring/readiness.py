"""Is this instance fit to serve current scores? Database, broker, consumers, age of the data.

For watchers: each check is one word of a machine and a few for people, with nothing in them that
a stranger may not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from sportsapp.core.errors import BrokerUnavailableError
from sportsapp.db.engine import AnySession
from sportsapp.db.models import LeagueRow, ScheduleRow
from sportsapp.monitoring.checks import stale_leagues
from sportsapp.queue.broker import broker_errors
from sportsapp.queue.huey import TrackerHuey
from sportsapp.runs import reports as activity

READ_WITHIN = timedelta(hours=2, minutes=15)
"""Every league is read once an hour, whatever is on: two readings were missed."""


@dataclass(frozen=True)
class Check:
    """One thing that has to be well; ``words`` say how it is."""

    name: str
    is_well: bool
    words: str = "ok"


def readiness(
    session: AnySession, queues: Sequence[TrackerHuey], leagues: Sequence[str], now: datetime
) -> list[Check]:
    """All checks; ``leagues`` are the slugs of those that are followed."""
    broker = _broker(queues)
    try:
        session.execute(select(ScheduleRow.task).limit(1)).all()
        checks = [*_consumers(session, queues, now), _data(session, leagues, now)]
    except SQLAlchemyError:
        session.rollback()
        unknown = "unknown without the database"
        return [
            Check("database", False, "cannot be used or is not migrated"),
            broker,
            Check("consumers", False, unknown),
            Check("data", False, unknown),
        ]
    return [Check("database", True), broker, *checks]


def _broker(queues: Sequence[TrackerHuey]) -> Check:
    try:
        with broker_errors():
            queues[0].pending_count()
    except BrokerUnavailableError:
        return Check("broker", False, "cannot be reached, or refuses")
    return Check("broker", True)


def _consumers(
    session: AnySession, queues: Sequence[TrackerHuey], now: datetime
) -> Iterator[Check]:
    alive = {(one.queue, one.role) for one in activity.consumers(session, now)}
    wanted = [(queue.name, role) for queue in queues for role in ("worker", "scheduler")]
    missing = [f"no {role} of {queue}" for queue, role in wanted if (queue, role) not in alive]
    yield Check("consumers", not missing, ", ".join(missing) or "ok")


def _data(session: AnySession, leagues: Sequence[str], now: datetime) -> Check:
    found = session.execute(select(LeagueRow.slug, LeagueRow.polled_at))
    read = {row.slug: row.polled_at for row in found}
    live = {one.slug for one in stale_leagues(session, leagues, now)}
    faults = []
    for slug in leagues:
        polled_at = read.get(slug)
        if polled_at is None:
            faults.append(f"{slug.upper()} was never read")
        elif slug in live or polled_at < now - READ_WITHIN:
            minutes = int((now - polled_at).total_seconds() // 60)
            faults.append(f"{slug.upper()} was read {minutes} minutes ago")
    return Check("data", not faults, ", ".join(faults) or "ok")
