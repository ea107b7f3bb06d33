"""The plays of a summary: drives in football, half innings in baseball, else periods."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import groupby

from sportsapp.core.leagues import League
from sportsapp.core.summary import ChanceRecord, PlayGroupRecord, PlayRecord
from sportsapp.feed.parse.document import clean_text
from sportsapp.feed.parse.summary.rows import Reader, sound_id
from sportsapp.feed.parse.summary.shapes import (
    ChanceShape,
    ClockShape,
    DriveShape,
    DrivesShape,
    Part,
    PlayPeriodShape,
    PlayTypeShape,
    ShooterShape,
    ShotShape,
    SpotShape,
    SummaryPartsShape,
    SummaryPlayShape,
)
from sportsapp.feed.shapes import IdShape

PLAY_TEXT = 600
"""Of one play: fumbles with penalties are told at length."""
PITCH, NEW_BATTER = "P", "A"
MARKS = {"Start Inning", "End Inning", "End Batter/Pitcher"}
PITCH_NUMBER = re.compile(r"^Pitch \d+ : ")
BATTING = {"Top": "away", "Bottom": "home"}
NOWHERE = PlayPeriodShape()


def read_groups(
    reader: Reader, parts: SummaryPartsShape, league: League
) -> tuple[PlayGroupRecord, ...]:
    """All plays in the feed's order, in groups."""
    if drives := _drives(reader, parts.drives):
        return drives
    raw = parts.key_events if league.sport == "soccer" else parts.plays
    plays = reader.rows(raw, SummaryPlayShape, "play", lambda play: play)
    if league.sport == "baseball":
        return tuple(_half_innings(reader, plays))
    return (*_periods(reader, plays), *_shootout(reader, parts.shootout))


def read_scoring(
    reader: Reader, raw: Part, groups: Iterable[PlayGroupRecord]
) -> tuple[PlayRecord, ...]:
    """The plays that scored: the feed's own list (football), else those so marked."""
    listed = reader.rows(raw, SummaryPlayShape, "scoring play", partial(_listed, reader))
    return listed or tuple(play for group in groups for play in group.plays if play.is_scoring)


def read_chances(reader: Reader, raw: Part) -> tuple[ChanceRecord, ...]:
    """The home side's chance to win after each play; empty where the feed has none (hockey)."""

    def chance(row: ChanceShape) -> ChanceRecord:
        return ChanceRecord(sound_id(row.play_id), round(row.home_win_percentage, 4))

    return reader.rows(raw, ChanceShape, "win probability", chance)


def _listed(reader: Reader, play: SummaryPlayShape) -> PlayRecord:
    play.scoring_play = True  # the list has no mark
    return _play(reader, play)


def _play(
    reader: Reader, play: SummaryPlayShape, pitches: Sequence[str] = (), kind: str = ""
) -> PlayRecord:
    """A play; ``kind`` stands in for the feed's."""
    own_kind = clean_text((play.type or PlayTypeShape()).text, 80)
    people = [sound_id(one.athlete.id) for one in play.participants or [] if one.athlete]
    text = clean_text(play.text, PLAY_TEXT) or clean_text(play.short_text, PLAY_TEXT)
    return PlayRecord(
        espn_id=sound_id(play.id),
        period=(play.period or NOWHERE).number,
        clock=clean_text((play.clock or ClockShape()).display_value, 20),
        kind=kind or own_kind,
        text=text or own_kind,
        side=reader.side(play.team, (play.start or SpotShape()).team),
        away_score=play.away_score,
        home_score=play.home_score,
        is_scoring=bool(play.scoring_play),
        players=tuple(filter(None, people)),
        pitches=tuple(pitches),
    )


# ---------------------------------------------------------------- by sport


def _drives(reader: Reader, raw: Part) -> tuple[PlayGroupRecord, ...]:
    parts = reader.part(raw, DrivesShape, "drives") or DrivesShape()
    drives = list(reader.rows(parts.previous, DriveShape, "drive", lambda drive: drive))
    if current := reader.part(parts.current, DriveShape, "drive"):
        drives = [drive for drive in drives if not drive.id or drive.id != current.id] + [current]
    return tuple(_drive(reader, drive) for drive in drives)


def _drive(reader: Reader, drive: DriveShape) -> PlayGroupRecord:
    start = drive.start or SpotShape()
    return PlayGroupRecord(
        period=(start.period or NOWHERE).number,
        title=clean_text(drive.description, 120),
        side=reader.side(drive.team, start.team),
        result=clean_text(drive.display_result, 60) or clean_text(drive.result, 60),
        plays=reader.rows(drive.plays, SummaryPlayShape, "play", partial(_play, reader)),
    )


def _periods(reader: Reader, plays: Iterable[SummaryPlayShape]) -> list[PlayGroupRecord]:
    by_number: dict[int, list[SummaryPlayShape]] = {}
    for play in plays:
        by_number.setdefault((play.period or NOWHERE).number, []).append(play)
    return [
        PlayGroupRecord(number, _title(rows), "", "", tuple(_play(reader, row) for row in rows))
        for number, rows in by_number.items()
    ]


def _title(plays: Iterable[SummaryPlayShape]) -> str:
    titles = (clean_text((play.period or NOWHERE).display_value, 60) for play in plays)
    return next(filter(None, titles), "")


def _half_innings(reader: Reader, plays: Sequence[SummaryPlayShape]) -> Iterable[PlayGroupRecord]:
    def half_inning(play: SummaryPlayShape) -> tuple[int, str]:
        period = play.period or NOWHERE
        return period.number, clean_text(period.type, 20)

    for (number, half), rows in groupby(plays, half_inning):
        plays_of_half = list(rows)
        title = f"{half} {_title(plays_of_half)}".strip()
        if at_bats := tuple(_at_bats(reader, plays_of_half)):  # the breaks have none
            yield PlayGroupRecord(number, title, BATTING.get(half, ""), "", at_bats)


def _at_bats(reader: Reader, plays: Iterable[SummaryPlayShape]) -> Iterable[PlayRecord]:
    """The at-bats of a half inning, and what else happened in it (a steal, a new pitcher).

    Each has the pitches since the one before, and is of the kind of the last of them ("Double").
    The last may be an at-bat that goes on.
    """
    pitches: list[SummaryPlayShape] = []
    batter: SummaryPlayShape | None = None
    for play in plays:
        kind = clean_text((play.type or PlayTypeShape()).text, 80)
        if play.summary_type == PITCH:
            pitches.append(play)
        elif play.summary_type == NEW_BATTER:
            batter = play
        elif play.text and kind not in MARKS:
            own = [pitch for pitch in pitches if pitch.at_bat_id == play.at_bat_id]
            outcome = own[-1].type if own and kind == "Play Result" else None
            name = (outcome.alternative_text or outcome.text) if outcome else ""
            yield _play(reader, play, [_pitch(pitch) for pitch in own], clean_text(name, 80))
            pitches = []
            if batter and batter.at_bat_id == play.at_bat_id:
                batter = None
    if batter:
        yield _play(reader, batter, [_pitch(pitch) for pitch in pitches])


def _pitch(pitch: SummaryPlayShape) -> str:
    """Text such as "Strike 1 Foul, 87 mph Four-seam FB"."""
    words = clean_text(pitch.text, 80) or clean_text((pitch.type or PlayTypeShape()).text, 80)
    speed = f"{pitch.pitch_velocity:.0f} mph" if pitch.pitch_velocity else ""
    kind = clean_text((pitch.pitch_type or PlayTypeShape()).text, 40)
    return ", ".join(filter(None, (PITCH_NUMBER.sub("", words), f"{speed} {kind}".strip())))


def _shootout(reader: Reader, raw: Part) -> tuple[PlayGroupRecord, ...]:
    """Kicks after extra time, of one team and then of the other. They are not in the score."""

    def group(team: ShooterShape) -> PlayGroupRecord:
        side = reader.side(IdShape(team.id))
        shots = reader.rows(team.shots, ShotShape, "kick", partial(_shot, side))
        return PlayGroupRecord(0, "Shootout", side, "", shots)

    return reader.rows(raw, ShooterShape, "shootout", group)


def _shot(side: str, shot: ShotShape) -> PlayRecord:
    return PlayRecord(
        espn_id=sound_id(shot.id),
        period=0,
        clock="",
        kind="Scored" if shot.did_score else "Missed",
        text=clean_text(shot.player, 120),
        side=side,
        away_score=None,
        home_score=None,
        is_scoring=False,
        players=tuple(filter(None, [sound_id(shot.player_id)])),
    )
