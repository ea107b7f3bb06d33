"""Reads: one function for each list or row that a page, the API or a command shows.

Each takes the session first. Import the package and call ``queries.games_on(...)``.
"""

from sportsapp.db.queries.games import (
    AnyGame,
    AnyTeam,
    Cursor,
    GameSummary,
    TeamSummary,
    day_before,
    find_game,
    game_list,
    games_between,
    games_in_week,
    games_of_team,
    games_on,
    games_today,
    latest_finals,
    live_games,
    next_days,
    season_of_team,
    weeks_of,
)
from sportsapp.db.queries.leagues import LeagueSummary, has_data, league_rows, league_summaries
from sportsapp.db.queries.reads import (
    Span,
    day_read_at,
    days_read_at,
    spans_read_at,
    unread_days,
)
from sportsapp.db.queries.runs import recent_runs
from sportsapp.db.queries.teams import (
    roster_of,
    search_teams,
    standings_of,
    teams_at,
    teams_named,
    teams_of,
)

__all__ = [
    "AnyGame",
    "AnyTeam",
    "Cursor",
    "GameSummary",
    "LeagueSummary",
    "Span",
    "TeamSummary",
    "day_before",
    "day_read_at",
    "days_read_at",
    "find_game",
    "game_list",
    "games_between",
    "games_in_week",
    "games_of_team",
    "games_on",
    "games_today",
    "has_data",
    "latest_finals",
    "league_rows",
    "league_summaries",
    "live_games",
    "next_days",
    "recent_runs",
    "roster_of",
    "search_teams",
    "season_of_team",
    "spans_read_at",
    "standings_of",
    "teams_at",
    "teams_named",
    "teams_of",
    "unread_days",
    "weeks_of",
]
