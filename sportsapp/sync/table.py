"""The syncs there are: one row each, which its task and its ``flask sync`` command share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sportsapp.sync.auditor import AuditResult, audit_leagues
from sportsapp.sync.backfill import sync_range
from sportsapp.sync.catalogue import sync_leagues, sync_teams
from sportsapp.sync.catch_up import sync_schedule_and_catch_up
from sportsapp.sync.context import LeaguesResult, SyncContext, SyncResult
from sportsapp.sync.follow import sync_live
from sportsapp.sync.games import sync_finals, sync_game
from sportsapp.sync.scoreboards import sync_day, sync_today


@dataclass(frozen=True)
class Sync:
    """One sync.

    ``name`` is what the ledger records it under, and its task's where it has one. ``run`` takes a
    SyncContext and the sync's arguments, and returns a ``result``, whose fields are what it
    counts. ``help`` is its command's.
    """

    name: str
    run: Callable[..., SyncResult | LeaguesResult | AuditResult]
    help: str
    result: type[SyncResult] | type[LeaguesResult] | type[AuditResult] = SyncResult

    def __call__(self, context: SyncContext, *arguments: Any) -> Any:
        """The sync's result. Logs what it did to each league, however it ends.

        A scheduled sync logs nothing of a league of which nothing has changed.
        """
        try:
            return self.run(context, *arguments)
        finally:
            context.tally.log(is_quiet=context.scheduled)

    def failed(self, error: Exception) -> dict[str, Any]:
        """The result, as a mapping, of a sync that raised: nothing counted, and its error."""
        return self.result(errors=[str(error)]).as_dict()


# These take the leagues.
TODAY = Sync("sync_today", sync_today, "Today in every league.")
LIVE = Sync("sync_all_live_games", sync_live, "The games that may be live now.")
SCHEDULE = Sync(
    "sync_daily_schedule",
    sync_schedule_and_catch_up,
    "Yesterday, today, tomorrow and missed days in every league.",
)
LEAGUES = Sync(
    "sync_all_leagues", sync_leagues, "Seasons and standings of every league.", LeaguesResult
)
TEAMS = Sync("sync_all_teams", sync_teams, "Teams and rosters of every league.")
FINALS = Sync(
    "sync_final_games", sync_finals, "Box scores and plays of games that have just ended."
)

# This one takes a league and a day.
DAY = Sync("sync_day", sync_day, "One league on one day (YYYY-MM-DD).")

# This one takes a league and the feed's id of a game.
GAME = Sync("sync_game", sync_game, "One game with box score and plays, by the feed's id.")

# This one takes a league, the first day and the last day, and two choices.
RANGE = Sync(
    "sync_date_range_task", sync_range, "One league from START to END (YYYY-MM-DD), both included."
)

# This one takes the leagues, and a season or None for the running one.
AUDIT = Sync("audit_seasons", audit_leagues, "Whether what is stored can be true.", AuditResult)
