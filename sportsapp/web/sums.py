"""Totals and averages of what box scores show as text, where a sum means something.

A percentage, an average or a longest run is never added up; of ``5-12`` each number is added up
by itself, and minutes of ice time and innings as what they are.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

NOT_ADDED = re.compile(
    "^long|^ytd|[Aa]vg|[Aa]verage|[Pp]ercent|Pct|Per[A-Z]|Rat(ing|e)|QBR|^(ERA|WHIP|OPS)$"
)
"""Columns of the feed that are not added up, though their texts may be whole numbers."""
NUMBERS = re.compile(r"([+-]?\d+)(?:([-/:])(\d+))?")
INNINGS, THIRDS = "fullInnings.partInnings", re.compile(r"(\d+)\.([012])")
HALVES, HALF = ("sacks", "tacklesForLoss"), re.compile(r"\d+(\.[05])?")


class Sum(NamedTuple):
    """The total of a column as text, and the average of a game; empty where neither is one."""

    total: str = ""
    average: str = ""


def sum_of(key: str, texts: Sequence[str]) -> Sum:
    """The sum of a column over games, a text for each; ``key`` is the feed's name of the column."""
    if not texts or NOT_ADDED.search(key):
        return Sum()
    if key == INNINGS:
        return _innings([THIRDS.fullmatch(text) for text in texts])
    if key in HALVES and all(HALF.fullmatch(text) for text in texts):
        total = sum(map(float, texts))
        return Sum(f"{total:g}", f"{total / len(texts):.1f}")
    matches = [NUMBERS.fullmatch(text) for text in texts]
    signs = {match and match[2] for match in matches}
    if None in matches or len(signs) > 1:
        return Sum()
    firsts = [int(match[1]) for match in matches if match]
    seconds = [int(match[3] or 0) for match in matches if match]
    return _joined(signs.pop() or "", sum(firsts), sum(seconds), len(texts))


def _joined(sign: str, first: int, second: int, games: int) -> Sum:
    if sign == ":":
        seconds = first * 60 + second
        return Sum(_clock(seconds), _clock(round(seconds / games)))
    if not sign:
        return Sum(str(first), f"{first / games:.1f}")
    return Sum(f"{first}{sign}{second}", f"{first / games:.1f}{sign}{second / games:.1f}")


def _clock(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02}"


def _innings(matches: Sequence[re.Match[str] | None]) -> Sum:
    if None in matches:
        return Sum()
    outs = sum(int(match[1]) * 3 + int(match[2]) for match in matches if match)
    mean = round(outs / len(matches))
    return Sum(f"{outs // 3}.{outs % 3}", f"{mean // 3}.{mean % 3}")
