"""Standings: every team's line, conference by conference or division by division."""

from functools import partial

import msgspec
from msgspec import Raw

from sportsapp.core.errors import PayloadError
from sportsapp.core.leagues import League
from sportsapp.core.records import StandingRecord
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


def parse_standings(body: bytes, league: League) -> tuple[list[StandingRecord], list[str]]:
    """Every team's line, group by group in the feed's order; may be empty before a season.

    Within a group the lines go by the feed's seed or rank, where it has one. A table without
    groups is one group without a name. Raises PayloadError when the body is not standings.
    Endpoint: ``apis/v2/sports/{sport}/{league}/standings``.
    """
    document = read_document(body, StandingsShape, "standings")
    lines: list[StandingRecord] = []
    errors: list[str] = []
    if document.children is None and document.standings is None:
        text = "these standings have no groups and no lines"
        raise PayloadError(text, path="$.children", body=body)
    for group, rows in _groups(document):
        good, bad = read_rows(rows, partial(_line, group=group, league=league), "line")
        ordered = sorted(good, key=_seed)
        lines += [msgspec.structs.replace(line, position=n) for n, line in enumerate(ordered, 1)]
        errors += bad
    return lines, first_lines(errors)


def _groups(document: StandingsShape) -> list[tuple[str, list[Raw]]]:
    """The lowest groups, which hold the lines: conferences, or divisions where there are any."""
    if document.children is None:
        return [("", document.standings.entries if document.standings else [])]
    groups: list[tuple[str, list[Raw]]] = []
    waiting = [("", group) for group in reversed(document.children)]
    while waiting:
        parent_name, group = waiting.pop()
        name = clean_text(group.name, 80)
        if " " not in name:  # a division called "East" alone needs the name of its conference
            name = f"{parent_name} {name}".strip()[:GROUP_LIMIT]
        if group.children:
            waiting += [(name, child) for child in reversed(group.children)]
        else:
            groups.append((name, group.standings.entries if group.standings else []))
    return groups


def _line(raw: Raw, group: str, league: League) -> StandingRecord:
    """A line, its position not yet counted."""
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
    )


def _seed(line: StandingRecord) -> tuple[int, float]:
    """Order within a group: lines with a seed or rank by it, then the others as they came."""
    text = line.stats.get("playoffSeed") or line.stats.get("rank", "")
    return (0, float(text)) if text.isdecimal() else (1, 0.0)
