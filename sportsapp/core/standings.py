"""What a team's line in the standings is ordered by. Pure.

A line maps the feed's names of statistics to their text.
"""

import math
from collections.abc import Container, Mapping

DECIDING = ("points", "winPercent", "vs. Conf.", "wins")


def deciding(columns: Container[str]) -> str:
    """The one of these columns that the order of a table goes by; empty if none does."""
    return next((name for name in DECIDING if name in columns), "")


def figure_of(line: Mapping[str, str], name: str) -> float:
    """What the team has in this column; below all others where it has no number."""
    try:
        figure = float(line.get(name, ""))
    except ValueError:
        return -1.0
    return figure if math.isfinite(figure) else -1.0


def games_behind(line: Mapping[str, str], other: Mapping[str, str]) -> str:
    """How many games the team is behind another one: ``2.5``, ``-`` for none, ``+2`` if ahead.

    Empty where wins or losses are not known.
    """
    try:
        own, others = (int(each["wins"]) - int(each["losses"]) for each in (line, other))
    except (KeyError, ValueError):
        return ""
    behind = (others - own) / 2
    if behind > 0:
        return f"{behind:g}"
    return f"+{-behind:g}" if behind else "-"
