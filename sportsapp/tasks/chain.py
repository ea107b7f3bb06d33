"""The first sync of a new instance: leagues, then teams with rosters, then the schedule."""

from contextlib import suppress

from sqlalchemy import select

from sportsapp.core.errors import OverlapError
from sportsapp.db.engine import db
from sportsapp.db.models import TaskRun, Trigger
from sportsapp.db.models.run import OPEN
from sportsapp.db.queries import has_data
from sportsapp.runs.rows import run_origin
from sportsapp.tasks.repeats import queue_once
from sportsapp.tasks.sync import sync_all_leagues

FOLLOWING = ("sync_all_teams", "sync_daily_schedule")


def start_chain(trigger: Trigger, by: str) -> str:
    """Queue leagues, teams and schedule, one after the other; the first run's id.

    Raises OverlapError when the leagues are being synced, and BrokerUnavailableError.
    """
    task = sync_all_leagues.s()
    with run_origin(trigger, by, FOLLOWING):
        queue_once([task])
    return str(task.id)


def start_first_sync() -> str | None:
    """Queue the chain when the database is empty and none is on its way; the run's id or None."""
    db.session.rollback()  # what another transaction has written counts
    names = ("sync_all_leagues", *FOLLOWING)
    open_run = select(TaskRun.id).where(TaskRun.task.in_(names), TaskRun.state.in_(OPEN)).limit(1)
    if has_data(db.session) or db.session.scalar(open_run):
        return None
    with suppress(OverlapError):  # another process was quicker
        return start_chain(Trigger.CHAIN, "first start")
    return None
