"""Standings: every team's line, conference by conference, and its place in its division."""

from collections.abc import Sequence
from functools import partial
from itertools import groupby

import msgspec
from msgspec import Raw

from sportsapp.core.errors import PayloadError
from sportsapp.core.leagues import League
from sportsapp.core.records import StandingRecord
from sportsapp.core.standings import deciding, figure_of
from sportsapp.feed.parse.document import (
    clean_text,
    decode_sound_parts,
    first_lines,
    read_document,
    read_rows,
)
from sportsapp.feed.parse.teams import TEAM_REQUIRED, hex_color, team_record
from sportsapp.feed.shapes import StandingEntryShape, StandingsShape

GROUP_LIMIT = 120
DIRECTIONS = ("East", "North", "South", "West")
"""Divisions of these names need the name of their conference."""


def parse_standings(body: bytes, league: League) -> tuple[list[StandingRecord], list[str]]:
    """Every team's line, group by group in the feed's order; may be empty before a season.

    Within a group the lines go by the feed's seed or rank, where it has one; within a division by
    what decides, then as in their group. A table without groups is one group without a name.
    Raises PayloadError when the body is not standings.
    Endpoint: ``apis/v2/sports/{sport}/{league}/standings``.
    """
    document = read_document(body, StandingsShape, "standings")
    lines: dict[str, list[StandingRecord]] = {}
    errors: list[str] = []
    if document.children is None and document.standings is None:
        text = "these standings have no groups and no lines"
        raise PayloadError(text, path="$.children", body=body)
    for group, division, rows in _groups(document, league):
        read = partial(_line, group=group, division=division, league=league)
        good, bad = read_rows(rows, read, "line")
        lines.setdefault(group, []).extend(good)
        errors += bad
    placed = [line for group in lines.values() for line in _placed(group, league)]
    return placed, first_lines(errors)


def _groups(document: StandingsShape, league: League) -> list[tuple[str, str | None, list[Raw]]]:
    """The lowest groups, which hold the lines, as (conference, division, lines).

    Where the league has no divisions the lowest group stands for a conference.
    """
    if document.children is None:
        return [("", None, document.standings.entries if document.standings else [])]
    groups: list[tuple[str, str | None, list[Raw]]] = []
    waiting = [("", group) for group in reversed(document.children)]
    while waiting:
        parent, group = waiting.pop()
        own = clean_text(group.name, 80)
        is_common = own in DIRECTIONS or not (" " in own or league.has_divisions)
        name = f"{parent} {own}".strip()[:GROUP_LIMIT] if own and is_common else own or parent
        rows = group.standings.entries if group.standings else []
        if group.children:
            waiting += [(name, child) for child in reversed(group.children)]
        elif league.has_divisions and parent not in ("", name):
            groups.append((parent, name, rows))
        else:
            groups.append((name, None, rows))
    return groups


def _placed(lines: Sequence[StandingRecord], league: League) -> list[StandingRecord]:
    """The lines of a group in order, with their positions in it and in their divisions."""
    decides = deciding(league.standings)
    seeded = sorted(lines, key=_seed)
    by_division = sorted(
        seeded, key=lambda line: (line.division or "", -figure_of(line.stats, decides))
    )
    positions = {
        line.team.espn_id: position
        for _, members in groupby(by_division, key=lambda line: line.division)
        for position, line in enumerate(members, 1)
    }
    return [
        msgspec.structs.replace(
            line,
            position=position,
            division_position=positions[line.team.espn_id] if line.division else None,
        )
        for position, line in enumerate(seeded, 1)
    ]


def _line(raw: Raw, group: str, division: str | None, league: League) -> StandingRecord:
    """A line, its positions not yet counted."""
    entry = decode_sound_parts(raw, StandingEntryShape, TEAM_REQUIRED)
    # Types with an underscore ("vsconf_wins") are about some of the games only.
    stats = [stat for stat in entry.stats if "_" not in clean_text(stat.type)]
    values: dict[str, str] = {}
    for stat in stats:
        name = clean_text(stat.name, 40)
        if name:
            values[name] = clean_text(stat.display_value, 40) or clean_text(stat.summary, 40)
    if entry.note and (note := clean_text(entry.note.description, 60)):
        values |= {"note": note, "noteColor": hex_color(entry.note.color)}
    numbers = [stat for stat in stats if stat.name in league.standings and not stat.summary]
    if numbers and not any(clean_text(stat.display_value) for stat in numbers):
        raise ValueError("its statistics have no text")
    totals = (s for s in stats if clean_text(s.name) == "overall" or clean_text(s.type) == "total")
    summary = next((clean_text(stat.summary, 20) for stat in totals), "")
    return StandingRecord(
        team=team_record(entry.team, league),
        group=group,
        position=0,
        summary=summary,
        stats=values,
        division=division,
    )


def _seed(line: StandingRecord) -> tuple[int, float]:
    """Order within a group: lines with a seed or rank by it, then the others as they came."""
    text = line.stats.get("playoffSeed") or line.stats.get("rank", "")
    return (0, float(text)) if text.isdecimal() else (1, 0.0)
