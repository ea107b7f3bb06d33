"""Readiness: whether this instance can serve current scores.

Four checks, in this order: database, broker, consumers, data. Their texts are public: they name
no hosts, paths or errors.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from sportsapp.core.clock import CLOCK_TOLERANCE, game_day
from sportsapp.core.errors import BrokerUnavailableError
from sportsapp.db import queries
from sportsapp.db.engine import AnySession
from sportsapp.db.models import LeagueRow, ScheduleRow
from sportsapp.monitoring.checks import stale_leagues
from sportsapp.queue.huey import TrackerHuey
from sportsapp.runs import reports

POLLED_WITHIN = timedelta(hours=2, minutes=15)
"""Every league is polled once an hour, in its off-season too: two polls were missed."""


@dataclass(frozen=True)
class Check:
    """One check; ``text`` is "ok" or what is wrong."""

    name: str
    ok: bool
    text: str = "ok"


def readiness(
    session: AnySession, queues: Sequence[TrackerHuey], leagues: Sequence[str], now: datetime
) -> list[Check]:
    """The four checks; ``leagues`` are the slugs of the followed ones.

    Each queue needs a live worker and a live scheduler. Without the database, consumers and data
    are unknown and count as failed.
    """
    broker = Check("broker", True)
    try:
        queues[0].depth()
    except BrokerUnavailableError:
        broker = Check("broker", False, "cannot be reached, or refuses commands")
    try:
        session.execute(select(ScheduleRow.task).limit(1)).all()
        queries.games_today(session, game_day(now), leagues)  # what pages read, so that it works
        alive = {(process.queue, process.role) for process in reports.consumers(session, now)}
        needed = [(queue.name, role) for queue in queues for role in ("worker", "scheduler")]
        missing = [f"no {role} of {queue}" for queue, role in needed if (queue, role) not in alive]
        consumers = Check("consumers", not missing, ", ".join(missing) or "ok")
        return [Check("database", True), broker, consumers, _data(session, leagues, now)]
    except SQLAlchemyError:
        session.rollback()
        unknown = "unknown without the database"
        return [
            Check("database", False, "cannot be used or is not migrated"),
            broker,
            Check("consumers", False, unknown),
            Check("data", False, unknown),
        ]


def _data(session: AnySession, leagues: Sequence[str], now: datetime) -> Check:
    """Whether each league was polled lately, and its games that should be moving were read."""
    polls = dict(session.execute(select(LeagueRow.slug, LeagueRow.polled_at)).all())
    stale = {league.slug: league.read_at for league in stale_leagues(session, leagues, now)}
    faults = []
    for slug in leagues:
        polled_at = polls.get(slug)
        if polled_at is None:
            faults.append(f"{slug.upper()} was never polled")
        elif polled_at > now + CLOCK_TOLERANCE:
            faults.append(f"{slug.upper()} was polled while the clock was ahead")
        elif polled_at < now - POLLED_WITHIN:
            faults.append(f"{slug.upper()} was polled {_minutes(now - polled_at)} minutes ago")
        elif slug in stale:
            minutes = _minutes(now - stale[slug])
            faults.append(f"{slug.upper()} has games that were read {minutes} minutes ago")
    return Check("data", not faults, ", ".join(faults) or "ok")


def _minutes(span: timedelta) -> int:
    return int(span.total_seconds() // 60)
