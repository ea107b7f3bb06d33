"""The five tasks: one service call each.

Calling one queues it and gives Huey's result handle; ``call_local()`` runs it here and now.
All times of schedules are UTC. A retry waits twice as long as the one before.
"""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta
from typing import Any

import requests

from sportsapp.core.clock import parse_day, utc_now
from sportsapp.core.errors import DateRangeError
from sportsapp.core.leagues import League, find_league
from sportsapp.core.settings import Settings
from sportsapp.db.engine import db
from sportsapp.db.models import Trigger
from sportsapp.queue.huey import backfill_huey, huey
from sportsapp.queue.schedules import Cron, Every
from sportsapp.runs.app_context import with_app_context
from sportsapp.runs.progress import current_run, report_progress
from sportsapp.services import services
from sportsapp.sync import service

logger = logging.getLogger(__name__)

MINUTES = 60
LIVE_EXPIRES = 55
HEARTBEAT_TIMEOUT = 5


@huey.periodic_task(
    Every(lambda: huey.tick_seconds),
    skip_while_running=True,
    retries=3, retry_delay=5, retry_backoff=2,
    timeout=5 * MINUTES, expires=LIVE_EXPIRES, priority=100,
)  # fmt: skip
@with_app_context
def sync_all_live_games() -> dict[str, Any]:
    """Bring the games that may be live now up to date: ``{"synced", "errors"}``."""
    result = service.sync_live(_sync(), _leagues())
    _ping(_settings().heartbeat_url)
    return result.as_dict()


@huey.periodic_task(
    Cron("hourly at :00 UTC", minute="0"),
    catch_up=timedelta(hours=1),
    retries=3, retry_delay=MINUTES, retry_backoff=2,
    timeout=10 * MINUTES, priority=50,
)  # fmt: skip
@with_app_context
def sync_daily_schedule() -> dict[str, Any]:
    """Bring yesterday, today and tomorrow up to date: ``{"synced", "errors"}``."""
    return service.sync_schedule(_sync(), _leagues()).as_dict()


@huey.periodic_task(
    Cron("daily at 03:00 UTC", hour="3", minute="0"),
    catch_up=timedelta(days=1),
    retries=2, retry_delay=5 * MINUTES, retry_backoff=2,
    timeout=30 * MINUTES, priority=10,
)  # fmt: skip
@with_app_context
def sync_all_leagues() -> dict[str, Any]:
    """Bring seasons and standings up to date: ``{"created", "updated", "errors"}``."""
    return service.sync_leagues(_sync(), _leagues()).as_dict()


@huey.periodic_task(
    Cron("Mondays at 04:00 UTC", day_of_week="1", hour="4", minute="0"),
    catch_up=timedelta(days=7),
    retries=2, retry_delay=5 * MINUTES, retry_backoff=2,
    timeout=60 * MINUTES, priority=10,
)  # fmt: skip
@with_app_context
def sync_all_teams() -> dict[str, Any]:
    """Bring teams and rosters up to date: ``{"synced", "errors"}``; synced counts teams."""
    return service.sync_teams(_sync(), _leagues(), report_progress).as_dict()


@backfill_huey.task(
    retries=2, retry_delay=5 * MINUTES, retry_backoff=2, timeout=60 * MINUTES, priority=10
)
@with_app_context
def sync_date_range_task(
    league: str, start_date: str | date, end_date: str | date
) -> dict[str, Any]:
    """Bring a league's days from start to end up to date: ``{"synced", "errors"}``.

    Days are dates or YYYY-MM-DD, US Eastern. Bad arguments fail at once: UnknownLeagueError,
    DateRangeError.
    """
    known = find_league(_name(league), _settings().leagues)
    start, end = _day(start_date), _day(end_date)
    run = current_run()
    resume = run.resume if run else None
    return service.sync_range(_sync(), known, start, end, report_progress, resume).as_dict()


def configure_tasks(settings: Settings) -> None:
    """A live tick is worth nothing any more when the next one comes."""
    expires = min(LIVE_EXPIRES, settings.live_sync_seconds - 1)
    sync_all_live_games.task_class.default_expires = expires


def _sync() -> service.Sync:
    run = current_run()
    client = services().feed_client
    return service.Sync(
        client,
        db.session,
        utc_now(),
        run.id if run else None,
        clock=utc_now,
        watch=services().feed_watch,
        scheduled=run is not None and run.trigger == Trigger.SCHEDULE,
    )


def _settings() -> Settings:
    settings: Settings = services().settings
    return settings


def _leagues() -> list[League]:
    return service.followed_leagues(_settings().leagues)


def _name(league: object) -> str:
    if not isinstance(league, str):
        raise DateRangeError(f"the league is text, such as NBA, not {league!r}")
    return league


def _day(value: object) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        return parse_day(value, utc_now())
    raise DateRangeError(f"a day is YYYY-MM-DD or a date, not {value!r}")


def _ping(url: str) -> None:
    """Tell the dead man's switch that a live tick went well. Its trouble is not ours."""
    if not url:
        return
    try:
        requests.get(url, timeout=HEARTBEAT_TIMEOUT).raise_for_status()
    except requests.RequestException as error:
        logger.warning("the heartbeat could not be sent: %s", type(error).__name__)
