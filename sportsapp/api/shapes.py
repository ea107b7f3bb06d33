"""What the API answers, as typed shapes: answers are encoded from them, and the OpenAPI document
is made of them, so the one cannot say what the other does not do.

Moments are ISO 8601 in UTC, days US Eastern dates.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from sportsapp.core.clock import iso_utc
from sportsapp.core.leagues import League
from sportsapp.core.records import State, Status
from sportsapp.db.models import Game, LeagueRow, Team

UtcDateTime = Annotated[str, Meta(description="UTC", extra_json_schema={"format": "date-time"})]
Day = Annotated[str, Meta(description="US Eastern date", extra_json_schema={"format": "date"})]
Color = Annotated[str, Meta(pattern="^[0-9a-f]{6}$")]


class SideJson(msgspec.Struct):
    """A team in one game; `espn_id` is null and the names are "TBD" while nobody knows it.

    `score` is null before the start. `rank` is the team's place among the ranked 25 of a college
    league, as it was at the game; null for all others. `linescores` are points by period, null
    where a side did not play.
    """

    espn_id: str | None
    abbreviation: str
    name: str
    score: int | None
    record: str
    rank: int | None
    linescores: list[int | None]


class GameJson(msgspec.Struct):
    """One game. `detail` is the feed's own wording, `status` one of ours."""

    league: str
    espn_id: str
    day: Day
    start_at: UtcDateTime
    time_set: bool
    state: State
    status: Status
    detail: str
    period: int
    clock: str
    home: SideJson
    away: SideJson
    venue: str
    broadcast: str
    updated_at: UtcDateTime


class LeagueJson(msgspec.Struct):
    """A league with the state of its feed; the moments are null before it was first asked for.

    `failing_since` is null while the feed is well.
    """

    league: str
    name: str
    sport: str
    season: str
    polled_at: UtcDateTime | None
    changed_at: UtcDateTime | None
    failing_since: UtcDateTime | None


class TeamJson(msgspec.Struct):
    """A team of a league's list."""

    league: str
    espn_id: str
    abbreviation: str
    name: str
    location: str
    nickname: str
    color: Color | None
    record: str


class Games(msgspec.Struct):
    """Games by start, then id. `next` is the `cursor` of the games after these, null at the end."""

    games: list[GameJson]
    next: str | None


class Leagues(msgspec.Struct):
    """The leagues that are followed."""

    leagues: list[LeagueJson]


class Teams(msgspec.Struct):
    """Teams by league, then name."""

    teams: list[TeamJson]


class Fault(msgspec.Struct):
    """What went wrong: a word for programs, a sentence for people."""

    code: str
    message: str


class Error(msgspec.Struct):
    """Every error of the API."""

    error: Fault


def game_json(game: Game) -> GameJson:
    """One game as the API shows it."""
    return GameJson(
        league=game.league.slug,
        espn_id=game.espn_id,
        day=game.day.isoformat(),
        start_at=iso_utc(game.start_at),
        time_set=game.time_set,
        state=State(game.state),
        status=Status(game.status),
        detail=game.detail,
        period=game.period,
        clock=game.clock,
        home=_side(
            game.home_team, game.home_score, game.home_record, game.home_rank,
            game.home_linescores,
        ),
        away=_side(
            game.away_team, game.away_score, game.away_record, game.away_rank,
            game.away_linescores,
        ),
        venue=game.venue,
        broadcast=game.broadcast,
        updated_at=iso_utc(game.updated_at),
    )  # fmt: skip


def _side(
    team: Team | None,
    score: int | None,
    record: str,
    rank: int | None,
    linescores: list[int | None],
) -> SideJson:
    return SideJson(
        espn_id=team.espn_id if team else None,
        abbreviation=team.abbreviation if team else "TBD",
        name=team.display_name if team else "TBD",
        score=score,
        record=record,
        rank=rank,
        linescores=linescores,
    )


def league_json(league: League, row: LeagueRow | None) -> LeagueJson:
    """A league as the API shows it; ``row`` is None before it was first asked for."""
    return LeagueJson(
        league=league.slug,
        name=league.name,
        sport=league.sport,
        season=row.season_name if row else "",
        polled_at=iso_utc(row.polled_at) if row and row.polled_at else None,
        changed_at=iso_utc(row.changed_at) if row and row.changed_at else None,
        failing_since=iso_utc(row.failing_since) if row and row.failing_since else None,
    )


def team_json(team: Team) -> TeamJson:
    """A team as the API shows it."""
    return TeamJson(
        league=team.league.slug,
        espn_id=team.espn_id,
        abbreviation=team.abbreviation,
        name=team.display_name,
        location=team.location,
        nickname=team.name,
        color=team.color or None,
        record=team.record,
    )
