"""Frozen records of the feed's answers: feed/parse makes them, sync/plan compares them.

Times are aware and in UTC. Text is cleaned: no NUL, no lone surrogates, bounded length. A text that
the feed does not have is empty.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

import msgspec


class State(StrEnum):
    """The phase of a game, by the feed's names: to come, live, over or called off."""

    PRE = "pre"
    IN = "in"
    POST = "post"


class Status(StrEnum):
    """What a game can be. The set is ours and closed; the feed's own text is in ``detail``."""

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


class EventKind(StrEnum):
    """What can change in a game from one reading to the next (see ``sync.events``)."""

    START = "start"
    SCORE = "score"
    LEAD = "lead"
    PERIOD_END = "period_end"
    OVERTIME = "overtime"
    CLOSE = "close"
    DELAYED = "delayed"
    SUSPENDED = "suspended"
    RESUMED = "resumed"
    POSTPONED = "postponed"
    CANCELLED = "cancelled"
    RESCHEDULED = "rescheduled"
    FINAL = "final"
    TAKEN_BACK = "taken_back"


VANISHED_AFTER = 3
"""So many whole answers in a row lack a game before pages say so."""


class TeamRecord(msgspec.Struct, frozen=True):
    """A team. ``espn_id`` is unique within its league only; colors are six hex digits."""

    espn_id: str
    abbreviation: str
    location: str
    name: str
    display_name: str
    short_name: str
    color: str
    alternate_color: str


class CompetitorRecord(msgspec.Struct, frozen=True):
    """A team in one game. ``team`` is None while it is not known ("TBD").

    ``score`` is None before the start. ``linescores`` are points by period, from the first,
    None where a side did not play (the home side of a decided ninth inning). ``winner`` is
    False for both sides of a draw. ``rank`` is 1 to 25, None for a team that is not ranked.
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
    """One game. ``day`` is the US Eastern date of its start, under which the feed files it.

    ``time_set`` is False while only the day is fixed. ``period`` counts from 1, and is 0 before
    the start. ``clock_left`` is seconds left in the period, None where there is no clock; where
    the clock counts up it is what is left of the period's regular time, below zero in the time
    added on. ``series`` holds how a series or a tie over two games stands or was decided: every
    text that reveals a result. ``situation`` is empty unless the game is live, but for
    ``home_red_cards`` and ``away_red_cards``, which stay after its end.
    ``leaders`` holds mappings with ``side``, ``category``, ``name`` and ``value``. ``about`` has
    what is known of ``weather`` (until the end), ``headline`` (of the recap) and ``players``: the
    probable starters, or once it is over its pitchers, stars or goalies, shaped as leaders.
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
    about: dict[str, Any]


class LeagueRecord(msgspec.Struct, frozen=True):
    """The league as its scoreboard describes it: its name and the season it is in."""

    name: str
    season_year: int | None
    season_type: int | None
    season_name: str


class ScoreboardRecord(msgspec.Struct, frozen=True):
    """One scoreboard answer.

    ``games`` are in the feed's order; ``errors`` has one line for each event that could not
    be read; ``events`` counts all of them, good and broken.
    """

    league: LeagueRecord | None
    games: tuple[GameRecord, ...]
    errors: tuple[str, ...]
    events: int


class PlayerRecord(msgspec.Struct, frozen=True):
    """A player of a roster. ``roster_group`` is offense, Pitchers or such, empty if flat.

    ``status`` is that of his injury (Questionable), else the feed's word for him (active).
    """

    espn_id: str
    name: str
    jersey: str
    position: str
    position_name: str
    roster_group: str
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

    ``group`` is the conference, ``position`` counts from 1 within it; ``division`` and
    ``division_position`` are None where conferences have no divisions. ``stats`` maps the feed's
    names (wins, losses, streak) to the text it shows; ``note`` is what the place leads to,
    ``noteColor`` its colour in six hex digits.
    """

    team: TeamRecord
    group: str
    position: int
    summary: str
    stats: dict[str, str]
    division: str | None = None
    division_position: int | None = None
