"""The consumers' door: makes the app, registers the tasks, exposes the two queues.

``huey_consumer huey_config.huey`` runs what is scheduled and asked for,
``huey_consumer huey_config.backfill_huey`` the backfills.
"""

import sys

from sportsapp.errors import SettingsError
from sportsapp.factory import create_app
from sportsapp.logs import set_up_logging
from sportsapp.queue import backfill_huey, huey
from sportsapp.tasks import (
    sync_all_leagues,
    sync_all_live_games,
    sync_all_teams,
    sync_daily_schedule,
    sync_date_range_task,
)

try:
    app = create_app()
except SettingsError as error:
    sys.exit(str(error))
set_up_logging(app.extensions["settings"])

__all__ = [
    "app",
    "backfill_huey",
    "huey",
    "sync_all_leagues",
    "sync_all_live_games",
    "sync_all_teams",
    "sync_daily_schedule",
    "sync_date_range_task",
]
