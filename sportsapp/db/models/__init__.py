"""The tables: what was read from the feed (leagues, teams, players, games), and the ledger."""

from sportsapp.db.models.account import AdminSession, AdminUser, Passkey, Role
from sportsapp.db.models.activity import Activity, Via
from sportsapp.db.models.alert import Alert
from sportsapp.db.models.fields import FieldShares
from sportsapp.db.models.game import (
    FailedDay,
    Game,
    GameDoubt,
    Scoreboard,
    ScoreEvent,
    SummaryFailure,
    SummaryRow,
)
from sportsapp.db.models.identity import DatabaseIdentity
from sportsapp.db.models.league import FormerAbbreviation, LeagueRow, Player, Team
from sportsapp.db.models.lines import PlayerLine, StatTable
from sportsapp.db.models.run import (
    Batch,
    ConsumerProcess,
    DeadLetter,
    PausedQueue,
    RunLine,
    RunState,
    RunTotal,
    ScheduleRow,
    TaskRun,
    Trigger,
)
from sportsapp.db.models.subscription import BROWSER, Subscription

__all__ = [
    "BROWSER",
    "Activity",
    "AdminSession",
    "AdminUser",
    "Alert",
    "Batch",
    "ConsumerProcess",
    "DatabaseIdentity",
    "DeadLetter",
    "FailedDay",
    "FieldShares",
    "FormerAbbreviation",
    "Game",
    "GameDoubt",
    "LeagueRow",
    "Passkey",
    "PausedQueue",
    "Player",
    "PlayerLine",
    "Role",
    "RunLine",
    "RunState",
    "RunTotal",
    "ScheduleRow",
    "ScoreEvent",
    "Scoreboard",
    "StatTable",
    "Subscription",
    "SummaryFailure",
    "SummaryRow",
    "TaskRun",
    "Team",
    "Trigger",
    "Via",
]
