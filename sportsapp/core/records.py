"""What the feed said, frozen: the records that parsing yields and planning compares.

Times are aware and in UTC. Text is cleaned: no NUL, no lone surrogates, bounded length.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

import msgspec


class State(StrEnum):
    """The phase of a game, in the feed's words."""

    PRE = "pre"
    IN = "in"
    POST = "post"


class Status(StrEnum):
    """Our closed set of what a game can be; the feed's own words are kept in ``detail``."""

    SCHEDULED = "scheduled"
    LIVE = "live"
    BREAK = "break"
    DELAYED = "delayed"
    FINAL = "final"
    POSTPONED = "postponed"
    CANCELLED = "cancelled"
    SUSPENDED = "suspended"
    FORFEIT = "forfeit"
    OTHER = "other"


class TeamRecord(msgspec.Struct, frozen=True):
    """A team. ``espn_id`` is unique within its league only; colours are hex without ``#``."""

    espn_id: str
    abbreviation: str
    location: str
    name: str
    display_name: str
    short_name: str
    color: str
    alternate_color: str


class CompetitorRecord(msgspec.Struct, frozen=True):
    """A team in one game. ``team`` is None while nobody knows who will play ("TBD").

    ``score`` is None before the start; ``linescores`` are points by period, from the first,
    None where a side did not play (the home side of a decided ninth inning). ``winner`` is
    False for both sides of a draw. ``rank`` is the team's place among the ranked 25, or None.
    """

    team: TeamRecord | None
    score: int | None
    record: str
    linescores: tuple[int | None, ...]
    winner: bool | None
    hits: int | None
    errors: int | None
    rank: int | None


class GameRecord(msgspec.Struct, frozen=True):
    """One game. ``clock_left`` is in seconds of the period, None where there is no clock.

    Where the clock counts up it is what is left of the period's regular time, below zero in the
    time added on. ``series`` tells how a series or a tie of two games stands, or how it was
    decided: all that can tell a result. ``situation`` is empty unless the game is live.
    ``leaders`` holds mappings with ``side``, ``category``, ``name`` and ``value``.
    """

    espn_id: str
    start_at: datetime
    day: date
    time_set: bool
    season_year: int | None
    season_type: int | None
    week: int | None
    state: State
    status: Status
    completed: bool
    detail: str
    period: int
    clock: str
    clock_left: float | None
    home: CompetitorRecord
    away: CompetitorRecord
    venue: str
    city: str
    neutral_site: bool
    attendance: int | None
    broadcast: str
    note: str
    series: str
    situation: dict[str, Any]
    leaders: tuple[dict[str, str], ...]


class LeagueRecord(msgspec.Struct, frozen=True):
    """What a scoreboard says of its league: the season it is in."""

    name: str
    season_year: int | None
    season_type: int | None
    season_name: str


class ScoreboardRecord(msgspec.Struct, frozen=True):
    """One scoreboard answer.

    ``games`` are in the feed's order; ``errors`` has one line for each event that could not
    be read; ``events`` counts all, good and broken.
    """

    league: LeagueRecord | None
    games: tuple[GameRecord, ...]
    errors: tuple[str, ...]
    events: int


class PlayerRecord(msgspec.Struct, frozen=True):
    """A player of a roster. ``group`` is the roster's group (offense, Pitchers), may be empty."""

    espn_id: str
    name: str
    jersey: str
    position: str
    position_name: str
    group: str
    status: str
    height: str
    weight: str
    born_on: date | None


class RosterRecord(msgspec.Struct, frozen=True):
    """One team's players; ``errors`` has one line for each that could not be read."""

    players: tuple[PlayerRecord, ...]
    errors: tuple[str, ...]


class StandingRecord(msgspec.Struct, frozen=True):
    """A team's line in the standings.

    ``group`` is the conference or division, ``position`` counts from 1 within it; ``stats``
    maps the feed's names (wins, losses, streak) to the text it shows.
    """

    team: TeamRecord
    group: str
    position: int
    summary: str
    stats: dict[str, str]
