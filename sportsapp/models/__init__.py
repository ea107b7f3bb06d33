"""The tables: what the feed told us (league, team, player, game) and what the tasks did."""

from sportsapp.models.account import AdminUser
from sportsapp.models.alert import Alert
from sportsapp.models.game import Game, GameDoubt, Scoreboard
from sportsapp.models.league import League, Player, Team
from sportsapp.models.run import (
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
