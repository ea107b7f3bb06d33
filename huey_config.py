"""The consumers' door: has the app, registers the tasks, exposes the three queues.

``huey_consumer huey_config.huey`` runs what is scheduled and asked for,
``huey_consumer huey_config.backfill_huey`` the backfills,
``huey_consumer huey_config.notify_huey`` what is sent about games.
"""

from app import app
from sportsapp.queue.huey import backfill_huey, huey, notify_huey
from sportsapp.tasks import (
    audit_seasons,
    deliver_events,
    sync_all_leagues,
    sync_all_live_games,
    sync_all_teams,
    sync_daily_schedule,
    sync_date_range_task,
    sync_final_games,
    sync_game,
)

__all__ = [
    "app",
    "audit_seasons",
    "backfill_huey",
    "deliver_events",
    "huey",
    "notify_huey",
    "sync_all_leagues",
    "sync_all_live_games",
    "sync_all_teams",
    "sync_daily_schedule",
    "sync_date_range_task",
    "sync_final_games",
    "sync_game",
]
