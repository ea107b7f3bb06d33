"""The summary's JSON as typed shapes, as those of ``feed.shapes``.

Parts with rows of their own stay raw, so that a broken row costs itself alone.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta, Raw, UnsetType

from sportsapp.feed.shapes import (
    AthleteShape,
    IdShape,
    PositionShape,
    Shape,
    Small,
    StatusShape,
    Text,
)

Part = Raw | UnsetType
Period = Annotated[int, Meta(ge=0, le=100)]


class SummaryPartsShape(Shape):
    """The parts of a summary; each may be missing."""

    header: Part = msgspec.UNSET
    boxscore: Part = msgspec.UNSET
    drives: Part = msgspec.UNSET
    plays: Part = msgspec.UNSET
    scoring_plays: Part = msgspec.UNSET
    key_events: Part = msgspec.UNSET
    shootout: Part = msgspec.UNSET
    winprobability: Part = msgspec.UNSET
    game_info: Part = msgspec.UNSET
    injuries: Part = msgspec.UNSET
    seasonseries: Part = msgspec.UNSET
    head_to_head_games: Part = msgspec.UNSET
    rosters: Part = msgspec.UNSET


# ---------------------------------------------------------------- header


class PeriodScoreShape(Shape):
    """Points of a period; the feed gives them as text."""

    display_value: Text = None
    value: Text = None


class SideShape(Shape):
    """``score`` is missing before the start."""

    id: Text = None
    home_away: str = ""
    team: IdShape | None = None
    score: Text = None
    linescores: list[PeriodScoreShape] | None = None


class ContestShape(Shape):
    competitors: Part = msgspec.UNSET
    status: StatusShape | None = None


class HeaderShape(Shape):
    id: Text = None
    competitions: list[ContestShape] = []


# ---------------------------------------------------------------- box score


class BoxShape(Shape):
    teams: Part = msgspec.UNSET
    players: Part = msgspec.UNSET


class TeamStatShape(Shape):
    """A figure, or in baseball a group of figures (``stats``), each with an abbreviation."""

    name: Text = None
    label: Text = None
    abbreviation: Text = None
    display_name: Text = None
    display_value: Text = None
    stats: Part = msgspec.UNSET


class BoxTeamShape(Shape):
    team: IdShape | None = None
    home_away: str = ""
    statistics: Part = msgspec.UNSET
    details: Part = msgspec.UNSET


class BoxPlayersShape(Shape):
    team: IdShape | None = None
    statistics: Part = msgspec.UNSET


class TableShape(Shape):
    """``name`` or ``type`` names it; the NBA's only table has neither."""

    name: Text = None
    type: Text = None
    labels: list[Text] = []
    keys: list[Text] = []
    athletes: Part = msgspec.UNSET
    totals: list[Text] | None = None


class PersonShape(AthleteShape):
    id: Text = None
    jersey: Text = None
    position: PositionShape | None = None


class NoteTextShape(Shape):
    text: Text = None


class PlayerLineShape(Shape):
    """``reason`` is also given for players who played."""

    athlete: PersonShape
    position: PositionShape | None = None
    jersey: Text = None
    starter: bool = False
    did_not_play: bool = False
    reason: Text = None
    notes: list[NoteTextShape] | None = None
    stats: list[Text] = []


# ---------------------------------------------------------------- plays


class PlayTypeShape(Shape):
    """``alternative_text`` is what a pitch made of the at-bat, such as Strikeout."""

    text: Text = None
    alternative_text: Text = None


class PlayPeriodShape(Shape):
    """``type`` is Top or Bottom in baseball."""

    number: Period = 0
    type: Text = None
    display_value: Text = None


class ClockShape(Shape):
    display_value: Text = None


class ParticipantShape(Shape):
    athlete: IdShape | None = None


class SpotShape(Shape):
    """Where a play or a drive began: the team that has the ball, the period."""

    team: IdShape | None = None
    period: PlayPeriodShape | None = None


class SummaryPlayShape(Shape):
    """``summary_type`` is P for a pitch, A for a new batter (baseball)."""

    id: Text = None
    type: PlayTypeShape | None = None
    text: Text = None
    short_text: Text = None
    away_score: Small | None = None
    home_score: Small | None = None
    period: PlayPeriodShape | None = None
    clock: ClockShape | None = None
    scoring_play: bool | None = None
    team: IdShape | None = None
    start: SpotShape | None = None
    participants: list[ParticipantShape] | None = None
    at_bat_id: Text = None
    summary_type: Text = None
    pitch_type: PlayTypeShape | None = None
    pitch_velocity: Annotated[float, Meta(ge=0, le=200)] | None = None


class DriveShape(Shape):
    id: Text = None
    description: Text = None
    display_result: Text = None
    result: Text = None
    team: IdShape | None = None
    start: SpotShape | None = None
    plays: Part = msgspec.UNSET


class DrivesShape(Shape):
    """``current`` is there while the game is live, and may be the last of ``previous``."""

    previous: Part = msgspec.UNSET
    current: Part = msgspec.UNSET


class ShotShape(Shape):
    id: Text = None
    player: Text = None
    player_id: Text = None
    did_score: bool = False


class ShooterShape(Shape):
    """A team's kicks after extra time (soccer)."""

    id: Text = None
    shots: Part = msgspec.UNSET


class ChanceShape(Shape):
    home_win_percentage: Annotated[float, Meta(ge=0, le=1)]
    play_id: Text = None


# ---------------------------------------------------------------- around the game


class GameInfoShape(Shape):
    officials: Part = msgspec.UNSET
    attendance: Part = msgspec.UNSET
    weather: Part = msgspec.UNSET


class OfficialShape(AthleteShape):
    position: PositionShape | None = None


class InjuryDetailShape(Shape):
    type: Text = None


class InjuredShape(Shape):
    athlete: PersonShape
    status: Text = None
    details: InjuryDetailShape | None = None


class InjuriesShape(Shape):
    team: IdShape | None = None
    injuries: Part = msgspec.UNSET


class MeetingShape(Shape):
    """A game of a series, with ``competitors``; soccer has scores and ids instead."""

    id: Text = None
    date: Text = None
    game_date: Text = None
    status: Text = None
    competitors: Part = msgspec.UNSET
    home_team_id: Text = None
    away_team_id: Text = None
    home_team_score: Text = None
    away_team_score: Text = None


class MeetingsShape(Shape):
    title: Text = None
    summary: Text = None
    events: Part = msgspec.UNSET


class SubstitutionShape(Shape):
    """Whether somebody came on or went off, before the start; later it is a bare boolean."""

    did_sub: bool = False


class RosterPlayerShape(Shape):
    athlete: PersonShape
    jersey: Text = None
    position: PositionShape | None = None
    starter: bool = False
    subbed_in: bool | SubstitutionShape = False
    subbed_out: bool | SubstitutionShape = False


class LineupShape(Shape):
    home_away: str = ""
    team: IdShape | None = None
    formation: Text = None
    roster: Part = msgspec.UNSET
