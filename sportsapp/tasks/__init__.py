"""The tasks that Huey runs. Names, schedules, limits and return values are a promise."""

from sportsapp.tasks.sync import (
    sync_all_leagues,
    sync_all_live_games,
    sync_all_teams,
    sync_daily_schedule,
    sync_date_range_task,
)

__all__ = [
    "sync_all_leagues",
    "sync_all_live_games",
    "sync_all_teams",
    "sync_daily_schedule",
    "sync_date_range_task",
]
