"""The tasks that sync and audit: one service call each.

Calling one queues it and returns Huey's result handle; ``call_local()`` runs it here and now.
All times of schedules are UTC. A retry waits twice as long as the one before. A run that was
interrupted, lost its worker or gave way to another goes on with the step that it lost
(``sync/steps.py``); live ticks have none.
"""

import logging
import time
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from sportsapp.core.clock import parse_day, utc_now
from sportsapp.core.errors import AllLeaguesFailedError, DateRangeError, UnknownSeasonError
from sportsapp.core.leagues import League, find_league
from sportsapp.core.settings import Settings
from sportsapp.db.engine import db
from sportsapp.db.models import Trigger
from sportsapp.feed.fetch import FetchStopped, fetch
from sportsapp.monitoring.checks.database import damage_of
from sportsapp.monitoring.heartbeat import send_heartbeat
from sportsapp.queue.huey import backfill_huey, huey
from sportsapp.queue.schedules import Cron, Every
from sportsapp.runs.progress import (
    CurrentRun,
    RunGivesWay,
    RunInterrupted,
    RunSkipped,
    current_run,
    report_progress,
)
from sportsapp.runs.turns import LOWEST, is_worker_wanted
from sportsapp.services import services
from sportsapp.sync.context import Progress
from sportsapp.sync.follow import Follow
from sportsapp.sync.table import AUDIT, FINALS, GAME, LEAGUES, LIVE, RANGE, SCHEDULE, TEAMS, Sync

logger = logging.getLogger(__name__)

MINUTES = 60
LOOK_SECONDS = 1.0
"""How often a run that follows live games looks whether to end."""
LIVE_EXPIRES = 55
TIME_SHARE = 0.75
"""Of its time limit, after which a backfill goes on as another attempt."""
UNHURRIED: dict[str, Any] = {
    "retries": 2,
    "retry_delay": 5 * MINUTES,
    "retry_backoff": 2,
    "priority": 10,
}
"""Retries and priority of the tasks for which nobody waits."""


@huey.periodic_task(
    Every(lambda: huey.tick_seconds),
    one_at_a_time=True,
    retries=3,
    retry_delay=5,
    retry_backoff=2,
    timeout=5 * MINUTES,
    expires=LIVE_EXPIRES,
    priority=100,
)
def sync_all_live_games() -> dict[str, Any]:
    """Bring the games that may be live now up to date: ``{"synced", "errors"}``.

    A scheduled run follows those that are live, until shortly before the next slot.
    """
    run, ping = current_run(), partial(send_heartbeat, services().settings.heartbeat_url)
    if run is None or run.row.slot is None:
        return _run(LIVE, services().leagues, ping)
    try:
        stop_with = partial(fetch, ping, run.is_stopping)
        return _run(LIVE, services().leagues, stop_with, _following(run))
    except FetchStopped:
        raise RunInterrupted("the consumer is to end") from None


def _following(run: CurrentRun) -> Follow:
    """How a scheduled run follows live games: to the end of its slot."""
    ends_at = run.row.slot + timedelta(seconds=huey.tick_seconds)
    left = (ends_at - utc_now()).total_seconds()
    return Follow(
        seconds=min(max(left, 0.0), huey.tick_seconds),  # the clock may have been set back since
        every=services().settings.live_read_seconds,
        wait=partial(_wait, run),
        is_stopping=run.is_stopping,
        watched=services().watched_games.take,
    )


def _wait(run: CurrentRun, seconds: float) -> bool:
    """Wait for so long. Returns False, before, when the run is to leave its worker."""
    until = time.monotonic() + seconds
    while not run.is_stopping():
        with db.engine.connect() as connection:
            if is_worker_wanted(connection, huey, utc_now()):
                logger.info("run %s ends early: another one waits for a worker", run.row.id)
                return False
        left = until - time.monotonic()
        if left <= 0:
            return True
        time.sleep(min(left, LOOK_SECONDS))
    return False


@huey.periodic_task(
    Cron("hourly at :00 UTC", minute="0"),
    catch_up=timedelta(hours=1),
    is_long=True,
    retries=3,
    retry_delay=MINUTES,
    retry_backoff=2,
    timeout=10 * MINUTES,
    priority=50,
)
def sync_daily_schedule() -> dict[str, Any]:
    """Bring the days around today up to date, then missed days: ``{"synced", "errors"}``."""
    return _run(SCHEDULE, services().leagues)


@huey.periodic_task(
    Cron("daily at 03:00 UTC", hour="3", minute="0"),
    catch_up=timedelta(days=1),
    is_long=True,
    timeout=30 * MINUTES,
    **UNHURRIED,
)
def sync_all_leagues() -> dict[str, Any]:
    """Bring seasons and standings up to date: ``{"created", "updated", "errors"}``."""
    return _run(LEAGUES, services().leagues)


@huey.periodic_task(
    Cron("Mondays at 04:00 UTC", day_of_week="1", hour="4", minute="0"),
    catch_up=timedelta(days=7),
    is_long=True,
    timeout=60 * MINUTES,
    **UNHURRIED,
)
def sync_all_teams() -> dict[str, Any]:
    """Bring teams and rosters up to date: ``{"synced", "errors"}``; synced counts teams."""
    return _run(TEAMS, services().leagues)


@huey.periodic_task(
    Cron("daily at 09:00 UTC", hour="9", minute="0"),
    catch_up=timedelta(hours=12),
    is_long=True,
    timeout=30 * MINUTES,
    **UNHURRIED,
)
def audit_seasons(league: str = "", season: int | None = None) -> dict[str, Any]:
    """Check stored seasons against the feed: ``{"audited", "breaches", "errors"}``.

    Of every league, after looking for damage in the database's file, or of this one; the running
    season, or that of the feed's year. Bad arguments fail at once: UnknownLeagueError,
    UnknownSeasonError.
    """
    if not (isinstance(league, str) and isinstance(season, int | None)):
        raise UnknownSeasonError(f"a season is a league and a year, not {league!r} and {season!r}")
    followed = services().leagues
    if league:
        followed = [find_league(league, services().settings.leagues)]
    else:
        with db.engine.connect() as connection:
            services().alerts.report_damage(damage_of(connection))
    return _run(AUDIT, followed, season)


@huey.periodic_task(
    Cron("every 5 min from :02 on", minute=",".join(map(str, range(2, 60, 5)))),
    one_at_a_time=True,
    is_long=True,
    retries=1,
    retry_delay=MINUTES,
    timeout=10 * MINUTES,
    priority=LOWEST,
)
def sync_final_games() -> dict[str, Any]:
    """Read box scores and plays of games that have just ended: ``{"synced", "errors"}``."""
    return _run(FINALS, services().leagues)


@backfill_huey.task(timeout=60 * MINUTES, **UNHURRIED)
def sync_date_range_task(
    league: str, start_date: str | date, end_date: str | date, games: bool = False
) -> dict[str, Any]:
    """Bring a league's days from start to end up to date: ``{"synced", "errors"}``.

    With ``games`` also the summaries of its finals that have none; ``box_scores`` are those that
    have one now. Days are dates or YYYY-MM-DD, US Eastern. Bad arguments fail at once:
    UnknownLeagueError, DateRangeError. An attempt that is at work for three quarters of the time
    limit leaves the rest to another one.
    """
    if not isinstance(games, bool):
        raise DateRangeError(f"games is True or False, not {games!r}")
    days, every_month = (_day(start_date), _day(end_date)), False
    return _run(RANGE, _followed(league), *days, every_month, games, progress=_in_good_time)


def _in_good_time(done: int, total: int, resume: dict[str, Any] | None = None) -> None:
    """``report_progress`` that also ends an attempt after a step, with most of its time over."""
    report_progress(done, total, resume)
    run = current_run()
    if run is None or not run.timeout or not (run.row.resume or {}).get("done", 0) < done < total:
        return
    if (utc_now() - run.row.started_at).total_seconds() > run.timeout * TIME_SHARE:
        raise RunGivesWay("most of its time is over")


@huey.task(is_long=True, retries=1, retry_delay=MINUTES, timeout=10 * MINUTES, priority=1)
def sync_unread_days(league: str, start_date: str | date, end_date: str | date) -> dict[str, Any]:
    """Read days for which a visitor asked: ``{"synced", "errors"}``.

    Arguments and errors are those of ``sync_date_range_task``. It keeps to the pauses of scheduled
    polling, since no operator asked for it.
    """
    followed = _followed(league)
    _skip_while_paused(followed)
    every_month = True  # a page waits for all of its days
    return _run(RANGE, followed, _day(start_date), _day(end_date), every_month)


@huey.task(at_once=1, retries=2, retry_delay=30, retry_backoff=2, timeout=MINUTES, priority=5)
def sync_game(league: str, espn_id: str) -> dict[str, Any]:
    """Read a stored game's box score and plays, by the feed's id: ``{"synced", "errors"}``.

    ``synced`` is 0 for a game that has not begun, or was called off. Bad arguments fail at once:
    UnknownLeagueError, UnknownGameError. What a visitor has asked for keeps to the pauses of
    scheduled polling.
    """
    followed, run = _followed(league), current_run()
    if run is not None and run.row.trigger == Trigger.VISITOR:
        _skip_while_paused(followed)
    return _run(GAME, followed, espn_id)


def _skip_while_paused(league: League) -> None:
    """Raise RunSkipped while the league is left out of scheduled polling."""
    if pause := services().feed_watch.paused([league], utc_now(), live=False).get(league):
        raise RunSkipped(f"{league.label}: {pause}") from pause


def _run(sync: Sync, *arguments: object, progress: Progress = report_progress) -> dict[str, Any]:
    """Run a sync for the current task run; what its task returns.

    Raises RunSkipped when pauses of scheduled polling leave nothing to request.
    """
    run = current_run()
    is_scheduled = run is not None and run.row.trigger == Trigger.SCHEDULE
    run_id, resume = (run.row.id, run.row.resume) if run else (None, None)
    context = services().sync_context(run_id, progress, scheduled=is_scheduled, resume=resume)
    try:
        result: dict[str, Any] = sync(context, *arguments).as_dict()
    except AllLeaguesFailedError as error:
        if error.is_pause:
            raise RunSkipped(str(error)) from error
        raise
    return result


def _followed(name: object) -> League:
    if not isinstance(name, str):  # whatever was queued arrives here
        raise DateRangeError(f"the league is text, such as NBA, not {name!r}")
    return find_league(name, services().settings.leagues)


def _day(value: object) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        return parse_day(value, utc_now())
    raise DateRangeError(f"a day is YYYY-MM-DD or a date, not {value!r}")


def configure_tasks(settings: Settings) -> None:
    """Let a live tick expire before the next one comes, since it is of no use any more then."""
    expires = min(LIVE_EXPIRES, settings.live_sync_seconds - 1)
    sync_all_live_games.task_class.default_expires = expires
