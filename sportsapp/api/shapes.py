"""Rows as the API shows them. Moments are ISO 8601 in UTC, days US Eastern dates."""

from __future__ import annotations

from typing import Any

from sportsapp.clock import iso_utc
from sportsapp.leagues import League as KnownLeague
from sportsapp.models import Game, League, Team


def game_json(game: Game) -> dict[str, Any]:
    """One game. Scores are null before the start, a side that is not known yet is "TBD"."""
    return {
        "league": game.league.slug,
        "espn_id": game.espn_id,
        "day": game.day.isoformat(),
        "start_at": iso_utc(game.start_at),
        "time_set": game.time_set,
        "state": game.state,
        "status": game.status,
        "detail": game.detail,
        "period": game.period,
        "clock": game.clock,
        "home": _side(game.home_team, game.home_score, game.home_record, game.home_linescores),
        "away": _side(game.away_team, game.away_score, game.away_record, game.away_linescores),
        "venue": game.venue,
        "broadcast": game.broadcast,
        "updated_at": iso_utc(game.updated_at),
    }


def _side(
    team: Team | None, score: int | None, record: str, linescores: list[int | None]
) -> dict[str, Any]:
    return {
        "espn_id": team.espn_id if team else None,
        "abbreviation": team.abbreviation if team else "TBD",
        "name": team.display_name if team else "TBD",
        "score": score,
        "record": record,
        "linescores": linescores,
    }


def league_json(league: KnownLeague, row: League | None) -> dict[str, Any]:
    """A league with the state of its feed; ``row`` is None before it was first asked for."""
    return {
        "league": league.slug,
        "name": league.name,
        "sport": league.sport,
        "season": row.season_name if row else "",
        "polled_at": iso_utc(row.polled_at) if row and row.polled_at else None,
        "changed_at": iso_utc(row.changed_at) if row and row.changed_at else None,
        "failing_since": iso_utc(row.failing_since) if row and row.failing_since else None,
    }


def team_json(team: Team) -> dict[str, Any]:
    """A team of a league's list."""
    return {
        "league": team.league.slug,
        "espn_id": team.espn_id,
        "abbreviation": team.abbreviation,
        "name": team.display_name,
        "location": team.location,
        "nickname": team.name,
        "color": team.color or None,
        "record": team.record,
    }
