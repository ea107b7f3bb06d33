"""The tasks that Huey runs. Names, schedules, limits and return values are a promise."""

from sportsapp.runs.view import RunView, run_of
from sportsapp.tasks.alerts import send_alert
from sportsapp.tasks.sync import (
    sync_all_leagues,
    sync_all_live_games,
    sync_all_teams,
    sync_daily_schedule,
    sync_date_range_task,
    sync_unread_days,
)

__all__ = [
    "RunView",
    "run_of",
    "send_alert",
    "sync_all_leagues",
    "sync_all_live_games",
    "sync_all_teams",
    "sync_daily_schedule",
    "sync_date_range_task",
    "sync_unread_days",
]
