"""A box score as tables: which columns come first, and what pages leave out. Leaders as lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from sportsapp.core.summary import (
    PlayerLineRecord,
    StatTableRecord,
    SummaryRecord,
    TeamBoxRecord,
)
from sportsapp.db.models import Game

# By sport, the columns that a phone shows without scrolling, by the feed's names. All others follow
# in the feed's order.
FIRST_COLUMNS = {
    "basketball": ("points", "rebounds", "assists", "minutes"),
    "hockey": (
        *("goals", "assists", "plusMinus", "shotsTotal", "timeOnIce", "penaltyMinutes"),
        *("saves", "savePct", "goalsAgainst", "shotsAgainst"),
    ),
    "baseball": (
        *("atBats", "runs", "hits", "RBIs", "homeRuns", "walks", "strikeouts"),
        *("fullInnings.partInnings", "earnedRuns"),
    ),
    "football": (
        *("completions/passingAttempts", "passingYards", "passingTouchdowns"),
        *("rushingAttempts", "rushingYards", "rushingTouchdowns"),
        *("receptions", "receivingYards", "receivingTouchdowns"),
        *("totalTackles", "sacks", "totalKickingPoints"),
    ),
}
IN_THAT_ORDER = {"pitching": ("fullInnings.partInnings", "hits", "runs", "earnedRuns")}
"""Tables that begin otherwise than the others of their sport."""

# Of groups, which only baseball has, what a game's page shows; the feed has 150 figures there.
OF_GROUPS = {
    "batting": (
        *("runs", "hits", "doubles", "triples", "homeRuns", "RBIs", "walks", "strikeouts"),
        *("stolenBases", "runnersLeftOnBase"),
    ),
    "fielding": ("errors", "doublePlays"),
}


OTHER_WORDS = {"defenses": "Defense", "specialTeam": "Special teams"}
LONGEST_CODE = 4
"""In letters: a longer label in capitals, such as SHOTS, is a word."""


CATEGORIES = {
    "PASS": "Passing",  # a statistic  # nosec B105
    "RUSH": "Rushing",
    "REC": "Receiving",
    "PTS": "Points",
    "REB": "Rebounds",
    "AST": "Assists",
    "G": "Goals",
    "A": "Assists",
}
"""What leaders lead in, in words instead of the feed's abbreviations."""


class PlayerTable(NamedTuple):
    """A table of a team's players. A column is its label and meaning, a row a player's figures."""

    title: str
    columns: list[tuple[str, str]]
    rows: list[tuple[PlayerLineRecord, list[str]]]
    totals: list[str]


def words_of(name: str) -> str:
    """The feed's name of something for people: injuredReserve becomes "Injured reserve"."""
    if name in OTHER_WORDS:
        return OTHER_WORDS[name]
    if " " in name or not name[:1].islower():
        return name
    return re.sub("([A-Z])(?=[a-z])", r" \1", name).capitalize()


def player_tables(box: TeamBoxRecord, sport: str) -> list[PlayerTable]:
    """The tables that have players, in the feed's order, the important columns first."""
    return [_player_table(table, sport) for table in box.tables if table.players]


def column_order(table: str, keys: Sequence[str], sport: str) -> list[int]:
    """The places of a table's columns, the important ones first, then the feed's order."""
    first = IN_THAT_ORDER.get(table) or FIRST_COLUMNS.get(sport, ())
    return sorted(
        range(len(keys)),
        key=lambda place: first.index(keys[place]) if keys[place] in first else len(first),
    )


def _player_table(table: StatTableRecord, sport: str) -> PlayerTable:
    keys = table.keys + ("",) * (len(table.labels) - len(table.keys))
    places = column_order(table.name, keys[: len(table.labels)], sport)

    def ordered(texts: tuple[str, ...]) -> list[str]:
        return [texts[place] if place < len(texts) else "" for place in places]

    return PlayerTable(
        words_of(table.name) or "Players",
        [(table.labels[place], words_of(keys[place])) for place in places],
        [(line, ordered(line.stats)) for line in table.players],
        ordered(table.totals) if table.totals else [],
    )


def why(line: PlayerLineRecord) -> str:
    """What a line's note says: what was decided with the player, or why he did not play."""
    if line.stats or not line.note:
        return line.note
    return f"Did not play: {line.note.lower() if line.note.isupper() else line.note}"


def team_figures(summary: SummaryRecord) -> list[tuple[str, str, str]]:
    """Label, away and home figure of what both teams or one have, in the feed's order."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    labels: dict[tuple[str, str], str] = {}
    for box in summary.box:
        for stat in box.stats:
            if stat.group and stat.name not in OF_GROUPS.get(stat.group, ()):
                continue
            label = words_of(stat.name) if stat.group else stat.label
            if label.isupper() and len(label) > LONGEST_CODE:
                label = label.capitalize()
            rows.setdefault((stat.group, stat.name), {})[box.side] = stat.value
            labels.setdefault((stat.group, stat.name), label)
    order = [(group, name) for group, names in OF_GROUPS.items() for name in names]
    shown = sorted(rows, key=lambda row: order.index(row) if row in order else -1)
    return [(labels[row], rows[row].get("away", ""), rows[row].get("home", "")) for row in shown]


def has_box(summary: SummaryRecord) -> bool:
    """Whether there is anything to show as a box score: figures, players or a lineup."""
    return bool(summary.lineups) or any(box.stats or box.tables for box in summary.box)


def side_name(game: Game, side: str) -> str:
    """The short name of a side's team; empty for no side."""
    team = {"away": game.away_team, "home": game.home_team}.get(side)
    return team.short_name if team else ""


def leader_lines(game: Game) -> list[tuple[str, str, str, str]]:
    """The leaders, one line each: categories, name, side and figures, in the feed's order.

    What stands for all of his categories (baseball's ``2-4, HR``) is given once.
    """
    men: dict[tuple[str, str], dict[str, str]] = {}
    for row in game.leaders:
        men.setdefault((row["name"], row["side"]), {})[row["category"]] = row["value"]
    lines = []
    for (name, side), figures in men.items():
        values = list(figures.values())
        if len(set(values)) == 1:
            values = values[:1]
        categories = ", ".join(CATEGORIES.get(category.upper(), category) for category in figures)
        lines.append((categories, name, side, "; ".join(values)))
    return lines
