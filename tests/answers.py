"""Answers of the feed for tests: samples in files, and events built in code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from sportsapp.core.leagues import BY_SLUG
from sportsapp.core.records import GameRecord, ScoreboardRecord, StandingRecord, TeamRecord
from sportsapp.feed import parse

SAMPLES = Path(__file__).parent / "samples"
SAMPLE_NAMES = sorted(
    path.stem for path in SAMPLES.glob("*.json") if not path.stem.endswith(".expected")
)
BOARD_NAMES = [name for name in SAMPLE_NAMES if name.endswith("-scoreboard")]

# name, state and completed, as the feed pairs them
STATUSES: dict[str, tuple[str, str, bool]] = {
    "scheduled": ("STATUS_SCHEDULED", "pre", False),
    "live": ("STATUS_IN_PROGRESS", "in", False),
    "break": ("STATUS_END_PERIOD", "in", False),
    "delay": ("STATUS_RAIN_DELAY", "in", False),
    "final": ("STATUS_FINAL", "post", True),
    "postponed": ("STATUS_POSTPONED", "post", False),
    "cancelled": ("STATUS_CANCELED", "post", False),
    "suspended": ("STATUS_SUSPENDED", "post", False),
    "other": ("STATUS_OUT_OF_HOURS", "post", False),
}


def sample_bytes(name: str) -> bytes:
    """A sample answer as the feed would send it."""
    return (SAMPLES / f"{name}.json").read_bytes()


def sample(name: str) -> Any:
    """A sample answer, decoded."""
    return json.loads(sample_bytes(name))


def read_sample(name: str, body: bytes) -> Any:
    """The parser's result for this body, as the kind of answer in the sample's name."""
    slug, kind = name.split("-")[:2]
    readers = {
        "scoreboard": parse.parse_scoreboard,
        "teams": parse.parse_teams,
        "standings": parse.parse_standings,
    }
    return readers[kind](body, BY_SLUG[slug]) if kind in readers else parse.parse_roster(body)


def plain(value: Any) -> Any:
    """Records as plain JSON values, without blank fields."""
    if isinstance(value, msgspec.Struct):
        value = msgspec.to_builtins(value)
    if isinstance(value, dict):
        parts = {name: plain(part) for name, part in value.items()}
        return {name: part for name, part in parts.items() if part not in ("", None, [], {})}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    return value


def make_team(team_id: str = "1", abbreviation: str = "", **more: Any) -> dict[str, Any]:
    """A team as an event has it."""
    short = abbreviation or f"T{team_id}"
    named = {"id": team_id, "abbreviation": short, "displayName": f"Town {short}", "name": short}
    return named | more


def make_side(
    home_away: str, team: dict[str, Any], score: Any, record: str, **more: Any
) -> dict[str, Any]:
    """One competitor; ``more`` replaces or adds fields."""
    side: dict[str, Any] = {"id": team["id"], "homeAway": home_away, "team": team, "score": score}
    if record:
        side["records"] = [{"type": "total", "summary": record}]
    return side | more


def make_event(
    espn_id: str = "1001",
    status: str = "scheduled",
    *,
    start: str = "2026-10-04T17:00Z",
    home: str = "1",
    away: str = "2",
    score: tuple[Any, Any] = ("0", "0"),
    period: int = 0,
    clock: float | None = None,
    shown: str = "",
    detail: str = "",
    records: tuple[str, str] = ("", ""),
    **competition: Any,
) -> dict[str, Any]:
    """An event with what a game needs; ``competition`` adds fields to its competition."""
    name, state, completed = STATUSES[status]
    kind = {"name": name, "state": state, "completed": completed, "detail": detail or status}
    status_part = {"period": period, "displayClock": shown, "type": kind}
    sides = [
        make_side("home", make_team(home), score[0], records[0]),
        make_side("away", make_team(away), score[1], records[1]),
    ]
    body = {"id": espn_id, "date": start, "timeValid": True, "competitors": sides}
    body["status"] = status_part if clock is None else status_part | {"clock": clock}
    season = {"year": 2026, "type": 2}
    return {"id": espn_id, "date": start, "season": season, "competitions": [body | competition]}


def make_board(*events: Any, **top: Any) -> dict[str, Any]:
    """A scoreboard answer with these events."""
    season = {"year": 2026, "displayName": "2026", "type": {"type": 2, "name": "Regular Season"}}
    return {"leagues": [{"name": "Some League", "season": season}], "events": list(events)} | top


def read_board(board: Any, league: str = "nfl") -> ScoreboardRecord:
    """Parse a scoreboard answer."""
    body = board if isinstance(board, bytes) else json.dumps(board).encode()
    return parse.parse_scoreboard(body, BY_SLUG[league])


def read_teams(body: bytes, league: str = "nba") -> tuple[list[TeamRecord], list[str]]:
    """Parse a list of teams."""
    return parse.parse_teams(body, BY_SLUG[league])


def read_standings(body: bytes, league: str = "nba") -> tuple[list[StandingRecord], list[str]]:
    """Parse standings."""
    return parse.parse_standings(body, BY_SLUG[league])


def read_game(league: str = "nfl", **event: Any) -> GameRecord:
    """Make one event, and parse it."""
    (game,) = read_board(make_board(make_event(**event)), league).games
    return game


def make_roster(*names: str, group: str = "Pitchers") -> dict[str, Any]:
    """A roster; each name is ``id:name``."""
    items = [{"id": name.split(":")[0], "fullName": name.split(":")[-1]} for name in names]
    return {"athletes": [{"position": group, "items": items}]}


def make_team_list(*teams: dict[str, Any]) -> dict[str, Any]:
    """A league's list of teams."""
    return {"sports": [{"leagues": [{"teams": [{"team": team} for team in teams]}]}]}


def make_standings(**records: str) -> dict[str, Any]:
    """Standings in one group; each keyword is a team's id (``t1``), its value the record."""
    entries = [
        {"team": make_team(key[1:]), "stats": [{"name": "overall", "summary": record}]}
        for key, record in records.items()
    ]
    return {"children": [{"name": "East", "standings": {"entries": entries}}]}
