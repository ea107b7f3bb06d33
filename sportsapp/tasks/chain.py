"""The first sync of a new instance: leagues, then teams with rosters, then the schedule."""

from sqlalchemy import select

from sportsapp.db.engine import db
from sportsapp.db.models import TaskRun, Trigger
from sportsapp.db.models.run import OPEN
from sportsapp.db.queries import has_data
from sportsapp.runs.rows import run_origin
from sportsapp.tasks.sync import sync_all_leagues

FOLLOWING = ("sync_all_teams", "sync_daily_schedule")


def start_chain(trigger: Trigger, by: str) -> str:
    """Queue leagues, teams and schedule, one after the other; the first run's id."""
    with run_origin(trigger, by, FOLLOWING):
        run_id: str = sync_all_leagues().id
    return run_id


def start_first_sync() -> str | None:
    """Queue the chain when the database is empty and none is on its way; the run's id or None."""
    db.session.rollback()  # what another transaction has written counts
    names = ("sync_all_leagues", *FOLLOWING)
    open_run = select(TaskRun.id).where(TaskRun.task.in_(names), TaskRun.state.in_(OPEN)).limit(1)
    if has_data(db.session) or db.session.scalar(open_run):
        return None
    return start_chain(Trigger.CHAIN, "first start")
