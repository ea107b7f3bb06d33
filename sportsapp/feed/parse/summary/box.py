"""The box score of a summary: what each team and each player did."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from sportsapp.core.summary import (
    SIDES,
    PlayerLineRecord,
    StatRecord,
    StatTableRecord,
    TeamBoxRecord,
)
from sportsapp.feed.parse.document import clean_text
from sportsapp.feed.parse.summary.rows import Reader, name_of, sound_id, texts
from sportsapp.feed.parse.summary.shapes import (
    BoxPlayersShape,
    BoxShape,
    BoxTeamShape,
    Part,
    PlayerLineShape,
    TableShape,
    TeamStatShape,
)
from sportsapp.feed.shapes import PositionShape

WORDS_LIMIT = 900
"""Of what is said of a whole team in words: all its pitchers, for one."""


def read_box(reader: Reader, raw: Part) -> tuple[TeamBoxRecord, ...]:
    """The teams' parts of the box score, away first; adds the sides that the header lacks."""
    box = reader.part(raw, BoxShape, "box score") or BoxShape()
    teams = reader.rows(box.teams, BoxTeamShape, "box score", lambda team: team)
    for team in teams:
        if team.home_away in SIDES and team.home_away not in reader.sides.values():
            reader.sides[clean_text(team.team and team.team.id)] = team.home_away
    tables = dict(reader.rows(box.players, BoxPlayersShape, "players", partial(_tables, reader)))
    records = [_team_box(reader, team, tables) for team in teams]
    known = {record.side for record in records}
    ids = {side: team_id for team_id, side in reader.sides.items()}
    records += [
        TeamBoxRecord(side, ids.get(side, ""), (), tables[side], ())
        for side in tables
        if side not in known and tables[side]
    ]
    return tuple(sorted(records, key=lambda record: (*SIDES, "").index(record.side)))


def _team_box(
    reader: Reader, team: BoxTeamShape, tables: dict[str, tuple[StatTableRecord, ...]]
) -> TeamBoxRecord:
    side = reader.side(team.team) or (team.home_away if team.home_away in SIDES else "")
    return TeamBoxRecord(
        side=side,
        team_id=sound_id(team.team and team.team.id),
        stats=_stats(reader, team.statistics),
        tables=tables.get(side, ()),
        notes=_stats(reader, team.details, in_words=True),
    )


def _stats(reader: Reader, raw: Part, *, in_words: bool = False) -> tuple[StatRecord, ...]:
    """Figures in the feed's order, those of a group after one another.

    ``in_words`` labels them with the feed's words rather than its abbreviations.
    """
    read = partial(_stat_or_group, reader, in_words)
    rows = reader.rows(raw, TeamStatShape, "team figures", read)
    return tuple(stat for stats in rows for stat in stats)


def _stat_or_group(reader: Reader, in_words: bool, stat: TeamStatShape) -> Iterable[StatRecord]:
    group = clean_text(stat.name, 60)
    read = partial(_stat, group, in_words)
    if stats := reader.rows(stat.stats, TeamStatShape, group, read):
        return stats
    return () if stat.display_value is None else (_stat("", in_words, stat),)


def _stat(group: str, in_words: bool, stat: TeamStatShape) -> StatRecord:
    words = clean_text(stat.display_name, 80)
    label = clean_text(stat.label, 80) or clean_text(stat.abbreviation, 40)
    return StatRecord(
        group=group,
        name=clean_text(stat.name, 80),
        label=(in_words and words) or label or words,
        value=clean_text(stat.display_value, WORDS_LIMIT),
    )


def _tables(reader: Reader, players: BoxPlayersShape) -> tuple[str, tuple[StatTableRecord, ...]]:
    """The side, and its tables in the feed's order."""
    side = reader.side(players.team)
    return side, reader.rows(players.statistics, TableShape, "table", partial(_table, reader))


def _table(reader: Reader, table: TableShape) -> StatTableRecord:
    name = clean_text(table.name, 60) or clean_text(table.type, 60)
    return StatTableRecord(
        name=name,
        labels=texts(table.labels),
        keys=texts(table.keys, 120),
        players=reader.rows(table.athletes, PlayerLineShape, f"{name} player".strip(), _line),
        totals=texts(table.totals or []),
    )


def _line(line: PlayerLineShape) -> PlayerLineRecord:
    position = line.position or line.athlete.position or PositionShape()
    notes = [clean_text(note.text, 80) for note in line.notes or []]
    if line.did_not_play:
        notes.append(clean_text(line.reason, 80))
    return PlayerLineRecord(
        espn_id=sound_id(line.athlete.id),
        name=name_of(line.athlete),
        jersey=clean_text(line.athlete.jersey or line.jersey, 8),
        position=clean_text(position.abbreviation, 12),
        is_starter=line.starter,
        note=", ".join(filter(None, notes)),
        stats=texts(line.stats),
    )
