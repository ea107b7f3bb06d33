"""The tables: what the feed told us (league, team, player, game) and what the tasks did."""

from sportsapp.db.models.account import AdminUser
from sportsapp.db.models.alert import Alert
from sportsapp.db.models.game import Game, GameDoubt, Scoreboard
from sportsapp.db.models.league import League, Player, Team
from sportsapp.db.models.run import (
    Consumer,
    DeadLetter,
    RunState,
    RunTotal,
    Schedule,
    TaskRun,
    Trigger,
)

__all__ = [
    "AdminUser",
    "Alert",
    "Consumer",
    "DeadLetter",
    "Game",
    "GameDoubt",
    "League",
    "Player",
    "RunState",
    "RunTotal",
    "Schedule",
    "Scoreboard",
    "TaskRun",
    "Team",
    "Trigger",
]
