"""The feed's JSON as typed shapes, with only the fields we use.

Names are the feed's (camelCase in JSON). Everything that is optional in practice has a
default. Events stay raw here, so that a broken one costs that one alone; so do the parts
that a game can do without.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta, Raw, UnsetType

Text = str | int | float | None
Small = Annotated[int, Meta(ge=-1, le=100_000)]
Number = int | float


class Shape(msgspec.Struct, rename="camel"):
    """Base of the feed's objects."""


class SeasonType(Shape):
    id: Text = None
    type: int | None = None
    name: Text = None


class LeagueSeason(Shape):
    year: Small | None = None
    display_name: Text = None
    type: SeasonType | None = None


class League(Shape):
    name: Text = None
    season: LeagueSeason | None = None


class Week(Shape):
    start_date: str | None = None


class SeasonPart(Shape):
    entries: list[Week] = []


class Calendar(Shape):
    calendar: list[str | SeasonPart] = []
    calendar_is_whitelist: bool = False
    calendar_start_date: str | None = None


class CalendarLeagues(Shape):
    leagues: list[Calendar]


class Scoreboard(Shape):
    events: list[Raw] | None
    leagues: Raw | UnsetType = msgspec.UNSET


class EventId(Shape):
    """As much of a broken event as its error line needs."""

    id: Text = None


class Season(Shape):
    year: Small | None = None
    type: Small | None = None


class WeekNumber(Shape):
    number: Small | None = None


class StatusType(Shape):
    state: str
    completed: bool = False
    name: str = ""
    description: Text = None
    detail: Text = None
    short_detail: Text = None


class Status(Shape):
    type: StatusType
    period: Annotated[int, Meta(ge=0, le=100)] = 0
    clock: Number | None = None
    display_clock: Text = None


class Team(Shape):
    id: Text
    abbreviation: Text = None
    location: Text = None
    name: Text = None
    display_name: Text = None
    short_display_name: Text = None
    color: Text = None
    alternate_color: Text = None


class Linescore(Shape):
    value: Number | None = None
    period: Annotated[int, Meta(ge=1, le=60)] | None = None


class TeamRecord(Shape):
    type: Text = None
    name: Text = None
    summary: Text = None


class Rank(Shape):
    current: Small | None = None


class Competitor(Shape):
    team: Team
    id: Text = None
    home_away: str = ""
    score: Text = None
    winner: bool | None = None
    linescores: list[Linescore] | None = None
    records: list[TeamRecord | None] | None = None
    hits: Small | None = None
    errors: Small | None = None
    curated_rank: Rank | None = None
    shootout_score: Text = None
    aggregate_score: Text = None
    leaders: Raw | UnsetType = msgspec.UNSET


class Address(Shape):
    city: Text = None
    state: Text = None


class Venue(Shape):
    full_name: Text = None
    address: Address | None = None


class Broadcast(Shape):
    market: Text = None
    names: list[str] = []


class Note(Shape):
    headline: Text = None


class SeriesSide(Shape):
    id: Text = None
    aggregate_score: Text = None


class Series(Shape):
    summary: Text = None
    competitors: Raw | UnsetType = msgspec.UNSET


class Competition(Shape):
    competitors: list[Competitor]
    date: str | None = None
    status: Status | None = None
    time_valid: bool = True
    neutral_site: bool = False
    attendance: Raw | UnsetType = msgspec.UNSET
    venue: Raw | UnsetType = msgspec.UNSET
    broadcast: Raw | UnsetType = msgspec.UNSET
    broadcasts: Raw | UnsetType = msgspec.UNSET
    notes: Raw | UnsetType = msgspec.UNSET
    series: Raw | UnsetType = msgspec.UNSET
    situation: Raw | UnsetType = msgspec.UNSET
    leaders: Raw | UnsetType = msgspec.UNSET


class Event(Shape):
    id: str | int
    competitions: list[Competition]
    date: str | None = None
    season: Season | None = None
    week: WeekNumber | None = None
    status: Status | None = None


class LastPlay(Shape):
    text: Text = None


class Situation(Shape):
    down_distance_text: Text = None
    possession: Text = None
    possession_text: Text = None
    is_red_zone: bool | None = None
    home_timeouts: Small | None = None
    away_timeouts: Small | None = None
    balls: Small | None = None
    strikes: Small | None = None
    outs: Small | None = None
    on_first: bool | None = None
    on_second: bool | None = None
    on_third: bool | None = None
    last_play: LastPlay | None = None


class Athlete(Shape):
    display_name: Text = None
    full_name: Text = None


class LeaderTeam(Shape):
    id: Text = None


class Leader(Shape):
    display_value: Text = None
    athlete: Athlete | None = None
    team: LeaderTeam | None = None


class LeaderCategory(Shape):
    name: Text = None
    short_display_name: Text = None
    abbreviation: Text = None
    leaders: list[Leader] = []


class TeamEntry(Shape):
    team: Team


class TeamsLeague(Shape):
    teams: list[Raw]


class TeamsSport(Shape):
    leagues: list[TeamsLeague]


class Teams(Shape):
    sports: list[TeamsSport]


class Position(Shape):
    name: Text = None
    abbreviation: Text = None


class PlayerStatus(Shape):
    type: Text = None
    name: Text = None


class Player(Shape):
    id: str | int
    display_name: Text = None
    full_name: Text = None
    jersey: Text = None
    position: Position | None = None
    status: PlayerStatus | None = None
    display_height: Text = None
    display_weight: Text = None
    date_of_birth: str | None = None


class RosterGroup(Shape):
    items: list[Raw]
    position: Text = None


class Roster(Shape):
    athletes: list[Raw]


class Stat(Shape):
    name: Text = None
    type: Text = None
    display_value: Text = None
    summary: Text = None


class StandingEntry(Shape):
    team: Team
    stats: list[Stat] = []


class StandingTable(Shape):
    entries: list[Raw] = []


class StandingGroup(Shape):
    name: Text = None
    standings: StandingTable | None = None
    children: list[StandingGroup] = []


class Standings(Shape):
    children: list[StandingGroup] | UnsetType = msgspec.UNSET
    standings: StandingTable | UnsetType = msgspec.UNSET
    name: Text = None
