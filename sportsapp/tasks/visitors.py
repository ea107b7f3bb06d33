"""What nobody has read yet, days and summaries, is read when a visitor, or an API client, asks."""

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from operator import eq

from flask import g, request
from sqlalchemy import or_, select
from sqlalchemy.exc import OperationalError

from sportsapp.core.clock import game_day, utc_now
from sportsapp.core.errors import BrokerUnavailableError, OverlapError, QueueFullError
from sportsapp.core.leagues import League, season_of
from sportsapp.core.outages import about, reason_of
from sportsapp.core.records import State
from sportsapp.db.engine import db
from sportsapp.db.models import Game, PausedQueue, Trigger
from sportsapp.db.models.run import OPEN
from sportsapp.http.limits import names_robot
from sportsapp.queue.tracker import TrackedTask
from sportsapp.runs.rows import RUNS, named_args, run_origin
from sportsapp.services import services
from sportsapp.sync.games import is_wanted
from sportsapp.tasks.repeats import overlap, queue_once
from sportsapp.tasks.sync import sync_date_range_task, sync_game, sync_unread_days

logger = logging.getLogger(__name__)

FIRST_SEASON = date(2000, 1, 1)
MOST_WAITING = 30
ASK_AGAIN_AFTER = timedelta(minutes=10)
"""After a run that could not read its days to their end, they are not queued again for so long."""


def request_days(league: League, first: date, last: date) -> bool:
    """Queue one sync of these unread days for the visitor who sent this request.

    Returns whether they are on their way: queued now or before, or part of a backfill that waits or
    runs on a queue that is not paused. Nothing is queued for days of no season that the feed may
    have, for a crawler, for what was tried a moment ago, beyond the limits, and while broker or
    database take nothing.
    """
    now = utc_now()
    task = sync_unread_days.s(league.label, first.isoformat(), last.isoformat())
    args = named_args(task)
    recent = select(RUNS.c.state, RUNS.c.args).where(
        RUNS.c.task.in_((task.name, sync_date_range_task.task_class.__name__)),
        RUNS.c.queue != "",
        RUNS.c.queue.not_in(select(PausedQueue.queue)),
        or_(RUNS.c.state.in_(OPEN), RUNS.c.finished_at > now - ASK_AGAIN_AFTER),
    )
    runs = db.session.execute(recent).all()
    if any(run.state in OPEN and overlap(run.args, args) for run in runs):
        return True
    if any(run.args == args for run in runs) or not may_have(league, first, last):  # tried just now
        return False
    return _queue(task, overlap, f"{league.label} {first} to {last}")


def want_summary(game: Game) -> bool:
    """A page or an answer shows what a game's summary has: have it read, without waiting.

    A live game is marked as watched, so that the next live run reads it. Of a final whose summary
    was not read, one reading is queued for the visitor; returns whether it is on its way. Limits
    and exceptions are those of ``request_days``. ``league_row`` of the game must be loaded.
    """
    if game.state == State.IN and game.listed:
        if request.method == "GET" and not names_robot():
            services().watched_games.mark(game.league, game.espn_id)
        return False
    now = utc_now()
    if not is_wanted(db.session, game.id, now):
        return False
    task = sync_game.s(game.league.label, game.espn_id)
    args = named_args(task)
    recent = select(RUNS.c.state, RUNS.c.args).where(
        RUNS.c.task == task.name,
        RUNS.c.queue != "",
        or_(RUNS.c.state.in_(OPEN), RUNS.c.finished_at > now - ASK_AGAIN_AFTER),
    )
    states = [run.state for run in db.session.execute(recent) if run.args == args]
    if any(state in OPEN for state in states):
        return True
    return not states and _queue(task, eq, f"{game.league.label} game {game.espn_id}")


def _queue(task: TrackedTask, is_same: Callable[..., bool], what: str) -> bool:
    """Queue a run for the visitor who sent this request; whether it is on its way."""
    if request.method != "GET" or names_robot():
        return False
    if g.get("is_queue_closed"):  # for another part of this page
        return False
    if not services().visitor_syncs.admits_visitor():
        return False
    try:
        with run_origin(Trigger.VISITOR), suppress(OverlapError):  # another request was quicker
            queue_once([task], is_same, MOST_WAITING)
    except (QueueFullError, BrokerUnavailableError, OperationalError) as error:
        # a page needs no more than it can read: a database that takes no writes is no fault of it
        text = "%s is not read for a visitor: %s"
        logger.warning(text, what, reason_of(error), extra=about(error))
        g.is_queue_closed = True
        return False
    return True


def may_have(league: League, first: date, last: date) -> bool:
    """Whether these days are of seasons of which the feed may have games, up to the next one."""
    next_season = season_of(league, game_day(utc_now()))[1] + timedelta(days=1)
    return first >= FIRST_SEASON and last <= season_of(league, next_season)[1]
