"""Totals and averages of a player's figures: what is added up, how, and what never is."""

from __future__ import annotations

import pytest

from sportsapp.web.sums import sum_of


@pytest.mark.parametrize(
    ("key", "texts", "total", "average"),
    [
        ("points", ["11", "4", "0"], "15", "5.0"),
        ("plusMinus", ["-11", "+5"], "-6", "-3.0"),
        ("fieldGoalsMade-fieldGoalsAttempted", ["5-8", "4-15"], "9-23", "4.5-11.5"),
        ("completions/passingAttempts", ["14/25", "20/31"], "34/56", "17.0/28.0"),
        ("timeOnIce", ["21:28", "9:03"], "30:31", "15:16"),
        ("fullInnings.partInnings", ["5.1", "1.0", "0.2"], "7.0", "2.1"),
        ("sacks", ["0.5", "1", "2.0"], "3.5", "1.2"),
        ("penaltyMinutes", ["2", "0"], "2", "1.0"),
    ],
)
def test_column_is_added_up_as_what_it_is(key, texts, total, average):
    assert sum_of(key, texts) == (total, average)


@pytest.mark.parametrize(
    ("key", "texts"),
    [
        # whole numbers that mean nothing added up
        *((key, ["8", "24"]) for key in ("longRushing", "longReception", "ytdGoals", "ERA")),
        *((key, ["50", "100"]) for key in ("fieldGoalPct", "faceoffPercent", "QBRating", "adjQBR")),
        *((key, ["4", "5"]) for key in ("yardsPerPassAttempt", "avg", "slugAvg", "onBasePct")),
        ("grossAvgPuntYards", ["49", "50"]),
        ("yards", ["6.0", "3.7"]),  # an average under a name that is not known
        ("points", ["11", "--"]),
        ("points", ["11", ""]),
        ("points", []),
        ("odd", ["1-2", "3/4"]),
        ("fullInnings.partInnings", ["5.1", "1.3"]),
    ],
)
def test_what_is_no_sum_stays_empty(key, texts):
    assert sum_of(key, texts) == ("", "")
