"""The tasks that Huey runs. Names, schedules, limits and return values are a promise."""

from sportsapp.runs.view import RunView, run_of
from sportsapp.tasks.alerts import send_alert
from sportsapp.tasks.chains import chain
from sportsapp.tasks.notifications import deliver_events
from sportsapp.tasks.sync import (
    audit_seasons,
    sync_all_leagues,
    sync_all_live_games,
    sync_all_teams,
    sync_daily_schedule,
    sync_date_range_task,
    sync_final_games,
    sync_game,
    sync_unread_days,
)

__all__ = [
    "RunView",
    "audit_seasons",
    "chain",
    "deliver_events",
    "run_of",
    "send_alert",
    "sync_all_leagues",
    "sync_all_live_games",
    "sync_all_teams",
    "sync_daily_schedule",
    "sync_date_range_task",
    "sync_final_games",
    "sync_game",
    "sync_unread_days",
]
