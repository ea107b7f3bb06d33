"""Chains of tasks, and the one that syncs everything: leagues, then teams, then the schedule."""

import uuid
from collections.abc import Callable
from contextlib import suppress

from huey.api import Result
from sqlalchemy import Connection, select

from sportsapp.core.errors import OverlapError
from sportsapp.db.engine import db
from sportsapp.db.models import TaskRun, Trigger
from sportsapp.db.models.run import OPEN
from sportsapp.db.queries import has_data
from sportsapp.queue.tracker import TrackedTask
from sportsapp.runs.rows import run_origin
from sportsapp.tasks.repeats import unless_queued
from sportsapp.tasks.sync import sync_all_leagues, sync_all_teams, sync_daily_schedule


def chain(
    *links: TrackedTask, check: Callable[[Connection], None] = lambda _connection: None
) -> list[Result]:
    """Queue runs that follow one another: each begins once the one before it has succeeded.

    ::

        leagues, games = chain(
            sync_all_leagues.s(), sync_date_range_task.s("NBA", "2026-01-01", "2026-01-31")
        )
        run_of(games).state      # "PENDING"

    It is Celery's ``chain(a.si(), b.si())()``: it starts at once, and no result is passed on, since
    each link has its own arguments, queue, retries and limits. All links are runs of the ledger
    from the start, and the next one is due in the transaction that records the SUCCESS before it,
    so a chain goes on wherever a process was killed. A link that ends in any other way (FAILURE
    after its last retry, TIMEOUT, EXPIRED, REVOKED, SKIPPED) ends the chain: the rest is REVOKED,
    and the error of each names the run and its state. ``revoke()`` of a waiting link revokes it and
    the rest.

    Returns Huey's result handles, one a link, in order. ``get(blocking=True)`` of one that is
    REVOKED never returns: ``run_of(handle).ready`` is True for it.

    ``check`` is called first, with the connection of the transaction that records the runs; what it
    raises is raised here, and nothing is queued. Raises TypeError for what is no task (``.s()`` is
    missing), for the same task object twice, for a later link with ``eta`` or ``delay``, and for
    arguments that cannot go into a message; BrokerUnavailableError when the broker does not take
    the first link: nothing will run then.
    """
    if not links or not all(isinstance(link, TrackedTask) for link in links):
        raise TypeError("a chain is made of tasks: chain(sync_all_leagues.s(), sync_all_teams.s())")
    if len({link.id for link in links}) < len(links):
        raise TypeError("a task object can be one link only: make another with .s()")
    if any(link.eta for link in links[1:]):
        raise TypeError("only the first link of a chain can have an eta or a delay")
    chain_id = str(uuid.uuid4())
    for place, link in enumerate(links, 1):
        link.chain_id, link.chain_place = chain_id, place
    links[0].huey.enqueue_all(links, check)
    return [Result(link.huey, link) for link in links]


def sync_everything(trigger: Trigger, by: str) -> str:
    """Queue leagues, teams and schedule, one after the other; the first run's id.

    Raises OverlapError when the leagues are being synced, and BrokerUnavailableError.
    """
    leagues = sync_all_leagues.s()
    with run_origin(trigger, by):
        chain(
            *(leagues, sync_all_teams.s(), sync_daily_schedule.s()), check=unless_queued([leagues])
        )
    return str(leagues.id)


def start_first_sync() -> str | None:
    """Queue the chain when the database is empty and none is on its way; the run's id or None."""
    db.session.rollback()  # what another transaction has written counts
    tasks = (sync_all_leagues, sync_all_teams, sync_daily_schedule)
    names = [task.task_class.__name__ for task in tasks]
    open_run = select(TaskRun.id).where(TaskRun.task.in_(names), TaskRun.state.in_(OPEN)).limit(1)
    if has_data(db.session) or db.session.scalar(open_run):
        return None
    with suppress(OverlapError):  # another process was quicker
        return sync_everything(Trigger.CHAIN, "first start")
    return None
