"""Events of a scoreboard in the feed's format, built in code."""

from __future__ import annotations

from typing import Any

STATES = {
    "pre": ("STATUS_SCHEDULED", "pre", False, "Scheduled"),
    "in": ("STATUS_IN_PROGRESS", "in", False, "9:03 - 3rd Quarter"),
    "post": ("STATUS_FINAL", "post", True, "Final"),
    "postponed": ("STATUS_POSTPONED", "post", False, "Postponed"),
}


def event(
    espn_id: str = "401",
    start: str = "2026-01-15T20:00Z",
    state: str = "post",
    home: int = 20,
    away: int = 17,
    **more: Any,
) -> dict[str, Any]:
    """One game of team 1 (home, Alpha) and team 2 (away, Beta); ``more`` goes into it."""
    name, phase, completed, detail = STATES[state]
    status = {
        "period": 3,
        "displayClock": "9:03",
        "clock": 543.0,
        "type": {"name": name, "state": phase, "completed": completed, "detail": detail},
    }
    competition = {
        "competitors": [
            _side("home", "1", "Alpha", "ALP", home),
            _side("away", "2", "Beta", "BET", away),
        ],
        "status": status,
        "date": start,
        "venue": {"fullName": "The Ground", "address": {"city": "Springfield"}},
        "broadcasts": [{"market": "national", "names": ["TV One"]}],
    }
    return {"id": espn_id, "date": start, "competitions": [competition | more]}


def _side(where: str, team_id: str, name: str, short: str, score: int) -> dict[str, Any]:
    return {
        "homeAway": where,
        "score": str(score),
        "team": {"id": team_id, "displayName": name, "abbreviation": short},
        "records": [{"type": "total", "summary": "3-1"}],
        "linescores": [{"value": score - 3.0, "period": 1}, {"value": 3.0, "period": 2}],
    }


def board(*events: dict[str, Any]) -> dict[str, Any]:
    """A scoreboard answer."""
    league = {"name": "A League", "season": {"year": 2026, "type": {"type": 2, "name": "Regular"}}}
    return {"events": list(events), "leagues": [league]}
