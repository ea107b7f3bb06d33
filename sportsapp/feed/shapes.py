"""The feed's JSON as typed shapes, with only the fields we use.

Names are the feed's, with Shape behind them (camelCase in JSON). Whatever an answer was ever seen
without has a default. Events, teams and players stay raw, so that a broken one costs that one
alone; so do the parts that a game can do without.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta, Raw, UnsetType

Text = str | int | float | None  # an id or a jersey comes as a number now and then
Small = Annotated[int, Meta(ge=-1, le=100_000)]  # fits any database; -1 is "unknown"
Number = int | float


class Shape(msgspec.Struct, rename="camel"):
    """Base of the feed's objects."""


class SeasonTypeShape(Shape):
    type: int | None = None
    name: Text = None


class LeagueSeasonShape(Shape):
    year: Small | None = None
    display_name: Text = None
    type: SeasonTypeShape | None = None


class LeagueShape(Shape):
    name: Text = None
    season: LeagueSeasonShape | None = None


class WeekShape(Shape):
    start_date: str | None = None


class SeasonPartShape(Shape):
    """A part of the NFL's season; the other leagues list days as text instead."""

    entries: list[WeekShape] = []


class CalendarShape(Shape):
    """``calendar`` holds the days with games when it is a whitelist, else those without."""

    calendar: list[str | SeasonPartShape] = []
    calendar_is_whitelist: bool = False
    calendar_start_date: str | None = None


class CalendarLeaguesShape(Shape):
    leagues: list[CalendarShape]


class ScoreboardShape(Shape):
    """``events`` has to be there, and may be null on a day without games."""

    events: list[Raw] | None
    leagues: Raw | UnsetType = msgspec.UNSET


class SummaryStartShape(Shape):
    date: str | None = None


class SummaryHeaderShape(Shape):
    competitions: list[SummaryStartShape]


class SummaryShape(Shape):
    header: SummaryHeaderShape


class IdShape(Shape):
    """A team by its id, or as much of a broken row as its error line needs."""

    id: Text = None


class SeasonShape(Shape):
    """``type`` is 1 pre-season, 2 regular, 3 postseason, 4 off-season."""

    year: Small | None = None
    type: Small | None = None


class WeekNumberShape(Shape):
    number: Small | None = None


class StatusTypeShape(Shape):
    """``state`` is pre, in or post; a game that was called off is post and not completed."""

    state: str
    completed: bool = False
    name: str = ""
    description: Text = None
    detail: Text = None
    short_detail: Text = None


class StatusShape(Shape):
    """``clock`` is in seconds, and 0 both when stopped and when not started.

    ``featured_athletes`` of a game that is over are its pitchers (MLB), stars or goalies (NHL).
    """

    type: StatusTypeShape
    period: Annotated[int, Meta(ge=0, le=100)] = 0
    clock: Number | None = None
    display_clock: Text = None
    featured_athletes: Raw | UnsetType = msgspec.UNSET


class TeamShape(Shape):
    """An id below zero stands for a team that is not known yet."""

    id: Text
    abbreviation: Text = None
    location: Text = None
    name: Text = None
    display_name: Text = None
    short_display_name: Text = None
    color: Text = None
    alternate_color: Text = None


class LinescoreShape(Shape):
    """``period`` is missing in older answers."""

    value: Number | None = None
    period: Annotated[int, Meta(ge=1, le=60)] | None = None


class RecordShape(Shape):
    """``type`` is total, home or road; the NHL has ytd instead of total."""

    type: Text = None
    summary: Text = None


class RankShape(Shape):
    """``current`` is 99 for a team that is not ranked."""

    current: Small | None = None


class CompetitorShape(Shape):
    """``score`` is text, and 0 before the start; ``records`` may hold null."""

    team: TeamShape
    id: Text = None
    home_away: str = ""
    score: Text = None
    winner: bool | None = None
    linescores: list[LinescoreShape] | None = None
    records: list[RecordShape | None] | None = None
    hits: Small | None = None
    errors: Small | None = None
    curated_rank: RankShape | None = None
    shootout_score: Text = None
    aggregate_score: Text = None
    leaders: Raw | UnsetType = msgspec.UNSET
    probables: Raw | UnsetType = msgspec.UNSET


class AddressShape(Shape):
    city: Text = None
    state: Text = None


class VenueShape(Shape):
    full_name: Text = None
    address: AddressShape | None = None


class BroadcastShape(Shape):
    """``market`` is national, home or away."""

    market: Text = None
    names: list[str] = []


class NoteShape(Shape):
    headline: Text = None


class SeriesSideShape(Shape):
    id: Text = None
    aggregate_score: Text = None


class SeriesShape(Shape):
    """In soccer the goals over two games are with the series or with the competitors."""

    summary: Text = None
    competitors: Raw | UnsetType = msgspec.UNSET


class PlayShape(Shape):
    """The last play; one of soccer's goals and cards."""

    text: Text = None
    red_card: bool | None = None
    team: IdShape | None = None


class CompetitionShape(Shape):
    competitors: list[CompetitorShape]
    date: str | None = None
    status: StatusShape | None = None
    time_valid: bool = True
    neutral_site: bool = False
    attendance: Raw | UnsetType = msgspec.UNSET
    venue: Raw | UnsetType = msgspec.UNSET
    broadcast: Raw | UnsetType = msgspec.UNSET
    broadcasts: Raw | UnsetType = msgspec.UNSET
    notes: Raw | UnsetType = msgspec.UNSET
    series: Raw | UnsetType = msgspec.UNSET
    situation: Raw | UnsetType = msgspec.UNSET
    details: Raw | UnsetType = msgspec.UNSET
    leaders: Raw | UnsetType = msgspec.UNSET
    headlines: Raw | UnsetType = msgspec.UNSET


class EventShape(Shape):
    id: str | int
    competitions: list[CompetitionShape]
    date: str | None = None
    season: SeasonShape | None = None
    week: WeekNumberShape | Small | None = None  # a bare number in newer answers
    status: StatusShape | None = None
    weather: Raw | UnsetType = msgspec.UNSET


class WeatherShape(Shape):
    """In some answers ``condition_id`` holds the words, and ``display_value`` the number."""

    display_value: Text = None
    condition_id: Text = None
    temperature: Small | None = None


class HeadlineShape(Shape):
    """``type`` is Preview, Recap or Report."""

    type: Text = None
    short_link_text: Text = None


class SituationShape(Shape):
    down_distance_text: Text = None
    possession: Text = None
    is_red_zone: bool | None = None
    home_timeouts: Small | None = None
    away_timeouts: Small | None = None
    balls: Small | None = None
    strikes: Small | None = None
    outs: Small | None = None
    on_first: bool | None = None
    on_second: bool | None = None
    on_third: bool | None = None
    last_play: PlayShape | None = None


class AthleteShape(Shape):
    display_name: Text = None
    full_name: Text = None


class FeaturedShape(Shape):
    """``name`` is firstStar or such; ``record`` is a pitcher's, as "(4-3, 3.32)".

    ``team`` is missing where the player stands with a competitor.
    """

    name: Text = None
    team: IdShape | None = None
    record: Text = None
    athlete: AthleteShape | None = None


class LeaderShape(Shape):
    """``team`` is missing where the leaders stand with a competitor.

    ``value`` is the figure of the category, ``display_value`` in baseball all that the man did.
    """

    value: Text = None
    display_value: Text = None
    athlete: AthleteShape | None = None
    team: IdShape | None = None


class LeaderCategoryShape(Shape):
    name: Text = None
    short_display_name: Text = None
    abbreviation: Text = None
    leaders: list[LeaderShape] = []


class TeamEntryShape(Shape):
    team: TeamShape


class TeamsLeagueShape(Shape):
    teams: list[Raw]


class TeamsSportShape(Shape):
    leagues: list[TeamsLeagueShape]


class TeamsShape(Shape):
    sports: list[TeamsSportShape]


class PositionShape(Shape):
    name: Text = None
    abbreviation: Text = None


class PlayerStatusShape(Shape):
    type: Text = None


class InjuryShape(Shape):
    status: Text = None


class PlayerShape(Shape):
    id: str | int
    display_name: Text = None
    full_name: Text = None
    jersey: Text = None
    position: PositionShape | None = None
    status: PlayerStatusShape | None = None
    injuries: list[InjuryShape] = []
    display_height: Text = None
    display_weight: Text = None
    date_of_birth: str | None = None


class RosterGroupShape(Shape):
    items: list[Raw]
    position: Text = None


class RosterShape(Shape):
    """``athletes`` are players (NBA) or groups of players (the other leagues)."""

    athletes: list[Raw]


class StatShape(Shape):
    """Some have a summary and no display value."""

    name: Text = None
    type: Text = None
    display_value: Text = None
    summary: Text = None


class StandingNoteShape(Shape):
    """What a place in a soccer table leads to, such as relegation."""

    description: Text = None
    color: Text = None


class StandingEntryShape(Shape):
    team: TeamShape
    stats: list[StatShape] = []
    note: StandingNoteShape | None = None


class StandingTableShape(Shape):
    entries: list[Raw] = []


class StandingGroupShape(Shape):
    """A conference or a division; one with ``children`` has no lines of its own."""

    name: Text = None
    standings: StandingTableShape | None = None
    children: list[StandingGroupShape] = []


class StandingsShape(Shape):
    """``standings`` instead of ``children`` where the table is not divided."""

    children: list[StandingGroupShape] | None = None
    standings: StandingTableShape | None = None
