"""What orders the lines of standings."""

from __future__ import annotations

import pytest

from sportsapp.core.standings import deciding, figure_of, games_behind


def of(wins: int, losses: int) -> dict[str, str]:
    return {"wins": str(wins), "losses": str(losses)}


@pytest.mark.parametrize(
    ("line", "other", "text"),
    [
        (of(9, 5), of(9, 5), "-"),
        (of(8, 6), of(10, 4), "2"),
        (of(8, 7), of(10, 4), "2.5"),
        (of(10, 4), of(8, 6), "+2"),
        (of(0, 0), of(1, 0), "0.5"),
        ({}, of(1, 0), ""),
        (of(1, 0), {"wins": "1"}, ""),
        ({"wins": "-", "losses": "1"}, of(1, 0), ""),
    ],
)
def test_games_behind_are_half_of_what_wins_less_losses_differ(line, other, text):
    assert games_behind(line, other) == text


@pytest.mark.parametrize(
    ("text", "figure"), [(".750", 0.75), ("98", 98), ("0", 0), ("", -1), ("NaN", -1), ("6-0", -1)]
)
def test_figure_that_is_no_number_is_below_all(text, figure):
    assert figure_of({"points": text}, "points") == figure


def test_points_decide_before_percentages():
    assert deciding(["wins", "winPercent", "points"]) == "points"
    assert deciding(["wins", "vs. Conf."]) == "vs. Conf."
    assert deciding(["streak"]) == ""
