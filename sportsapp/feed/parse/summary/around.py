"""What surrounds a game: officials, crowd, injuries, earlier meetings, lineups."""

from __future__ import annotations

from functools import partial

from sportsapp.core.summary import (
    InjuryRecord,
    LineupPlayerRecord,
    LineupRecord,
    MeetingRecord,
    OfficialRecord,
    SeriesRecord,
)
from sportsapp.feed.parse.details import ATTENDANCE_LIMIT
from sportsapp.feed.parse.document import clean_text, optional
from sportsapp.feed.parse.summary.rows import Reader, name_of, sound_id, sound_score
from sportsapp.feed.parse.summary.shapes import (
    InjuredShape,
    InjuriesShape,
    InjuryDetailShape,
    LineupShape,
    MeetingShape,
    MeetingsShape,
    OfficialShape,
    Part,
    RosterPlayerShape,
    SideShape,
    SubstitutionShape,
)
from sportsapp.feed.shapes import IdShape, PositionShape

HEAD_TO_HEAD = "Head to head"


def read_officials(reader: Reader, raw: Part) -> tuple[OfficialRecord, ...]:
    """Referees or umpires, in the feed's order."""

    def official(row: OfficialShape) -> OfficialRecord:
        position = row.position or PositionShape()
        return OfficialRecord(name_of(row), clean_text(position.name, 60))

    return reader.rows(raw, OfficialShape, "official", official)


def read_attendance(raw: Part) -> int | None:
    """Spectators. The feed gives 0 where it does not know."""
    number = optional(raw, float)
    return int(number) if number and 0 < number < ATTENDANCE_LIMIT else None


def read_injuries(reader: Reader, raw: Part) -> tuple[InjuryRecord, ...]:
    """The injured of both teams, in the feed's order."""

    def injured(side: str, row: InjuredShape) -> InjuryRecord:
        position = row.athlete.position or PositionShape()
        return InjuryRecord(
            side=side,
            espn_id=sound_id(row.athlete.id),
            name=name_of(row.athlete),
            position=clean_text(position.abbreviation, 12),
            status=clean_text(row.status, 40),
            detail=clean_text((row.details or InjuryDetailShape()).type, 80),
        )

    def of_team(team: InjuriesShape) -> tuple[InjuryRecord, ...]:
        side = reader.side(team.team)
        return reader.rows(team.injuries, InjuredShape, "injury", partial(injured, side))

    teams = reader.rows(raw, InjuriesShape, "injuries", of_team)
    return tuple(injury for injuries in teams for injury in injuries)


def read_series(reader: Reader, season: Part, head_to_head: Part) -> tuple[SeriesRecord, ...]:
    """Earlier and coming games of the two teams: by season, or in soccer head to head."""

    def series(row: MeetingsShape) -> SeriesRecord:
        return SeriesRecord(
            title=clean_text(row.title, 80) or HEAD_TO_HEAD,
            summary=clean_text(row.summary, 120),
            meetings=reader.rows(row.events, MeetingShape, "meeting", partial(_meeting, reader)),
        )

    of_season = reader.rows(season, MeetingsShape, "series", series)
    # soccer lists the same games once for each team
    return of_season or reader.rows(head_to_head, MeetingsShape, "series", series)[:1]


def _meeting(reader: Reader, row: MeetingShape) -> MeetingRecord:
    away, home = _sides_of(reader, row)
    return MeetingRecord(
        espn_id=sound_id(row.id),
        date=clean_text(row.date or row.game_date, 40),
        state=clean_text(row.status, 20),
        away_id=sound_id(away.id),
        home_id=sound_id(home.id),
        away_score=sound_score(away.score),
        home_score=sound_score(home.score),
    )


def _sides_of(reader: Reader, row: MeetingShape) -> tuple[SideShape, SideShape]:
    sides = {
        "away": SideShape(id=row.away_team_id, score=row.away_team_score),
        "home": SideShape(id=row.home_team_id, score=row.home_team_score),
    }
    for side in reader.rows(row.competitors, SideShape, "meeting", lambda side: side):
        sides[side.home_away] = side
        side.id = (side.team or IdShape()).id if side.id is None else side.id
    return sides["away"], sides["home"]


def read_lineups(reader: Reader, raw: Part) -> tuple[LineupRecord, ...]:
    """The lineups of soccer; a team without players has none yet."""

    def player(row: RosterPlayerShape) -> LineupPlayerRecord:
        position = row.position or row.athlete.position or PositionShape()
        return LineupPlayerRecord(
            espn_id=sound_id(row.athlete.id),
            name=name_of(row.athlete),
            jersey=clean_text(row.jersey or row.athlete.jersey, 8),
            position=clean_text(position.abbreviation, 12),
            is_starter=row.starter,
            came_on=_did_substitute(row.subbed_in),
            went_off=_did_substitute(row.subbed_out),
        )

    def lineup(row: LineupShape) -> LineupRecord:
        return LineupRecord(
            side=reader.side(row.team) or clean_text(row.home_away, 8),
            formation=clean_text(row.formation, 20),
            players=reader.rows(row.roster, RosterPlayerShape, "lineup", player),
        )

    lineups = reader.rows(raw, LineupShape, "lineup", lineup)
    return tuple(lineup for lineup in lineups if lineup.players)


def _did_substitute(value: bool | SubstitutionShape) -> bool:
    return value if isinstance(value, bool) else value.did_sub
