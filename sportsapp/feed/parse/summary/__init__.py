"""One game's summary to a record: header, box score, plays and what surrounds the game."""

from __future__ import annotations

from sportsapp.core.errors import PayloadError
from sportsapp.core.leagues import League
from sportsapp.core.summary import SIDES, SideRecord, SummaryRecord
from sportsapp.feed.parse.details import weather
from sportsapp.feed.parse.document import clean_text, first_lines, read_document
from sportsapp.feed.parse.summary.around import (
    read_attendance,
    read_injuries,
    read_lineups,
    read_officials,
    read_series,
)
from sportsapp.feed.parse.summary.box import read_box
from sportsapp.feed.parse.summary.plays import read_chances, read_groups, read_scoring
from sportsapp.feed.parse.summary.rows import Reader, sound_id, sound_score
from sportsapp.feed.parse.summary.shapes import (
    ContestShape,
    GameInfoShape,
    HeaderShape,
    PeriodScoreShape,
    SideShape,
    SummaryPartsShape,
)
from sportsapp.feed.shapes import StatusTypeShape

NOT_A_SIDE = SideRecord("", None, ())


def parse_summary(body: bytes, league: League) -> SummaryRecord:
    """All about one game. A part that is missing is empty, and one that is broken has a line.

    Raises PayloadError when the body is no summary: it has neither a header nor a box score.
    Endpoint: ``apis/site/v2/sports/{sport}/{league}/summary?event=ID``.
    """
    parts = read_document(body, SummaryPartsShape, "summary")
    reader = Reader()
    header = reader.part(parts.header, HeaderShape, "header")
    if header is None and reader.part(parts.boxscore, dict, "box score") is None:
        raise PayloadError("this is not a summary", path="$.header", body=body)
    header = header or HeaderShape()
    contest = header.competitions[0] if header.competitions else ContestShape()
    status = contest.status.type if contest.status else StatusTypeShape("")
    sides = _sides(reader, contest)
    info = reader.part(parts.game_info, GameInfoShape, "game info") or GameInfoShape()
    box = read_box(reader, parts.boxscore)
    groups = read_groups(reader, parts, league)
    return SummaryRecord(
        espn_id=sound_id(header.id),
        state=clean_text(status.state, 8),
        is_completed=status.completed,
        detail=clean_text(status.detail) or clean_text(status.description),
        away=sides.get("away", NOT_A_SIDE),
        home=sides.get("home", NOT_A_SIDE),
        box=box,
        scoring=read_scoring(reader, parts.scoring_plays, groups),
        groups=groups,
        chances=read_chances(reader, parts.winprobability),
        officials=read_officials(reader, info.officials),
        weather=weather(info.weather),
        attendance=read_attendance(info.attendance),
        injuries=read_injuries(reader, parts.injuries),
        series=read_series(reader, parts.seasonseries, parts.head_to_head_games),
        lineups=read_lineups(reader, parts.rosters) if league.sport == "soccer" else (),
        errors=tuple(first_lines(reader.errors)),
    )


def _sides(reader: Reader, contest: ContestShape) -> dict[str, SideRecord]:
    """The two sides by ``homeAway``; tells the reader which team is which."""
    has_score = contest.status is not None and contest.status.type.state != "pre"
    sides: dict[str, SideRecord] = {}
    for side in reader.rows(contest.competitors, SideShape, "header", lambda side: side):
        if side.home_away in SIDES:
            team_id = clean_text((side.team and side.team.id) or side.id)
            reader.sides[team_id] = side.home_away
            lines = tuple(_points(line) for line in side.linescores or [])
            score = sound_score(side.score) if has_score else None
            sides[side.home_away] = SideRecord(sound_id(team_id), score, lines)
    return sides


def _points(line: PeriodScoreShape) -> int | None:
    return sound_score(line.value if line.display_value is None else line.display_value)
