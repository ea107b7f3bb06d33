"""What does not fit together in a summary: each fault is seen, and what is right is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from sportsapp.core.leagues import BY_SLUG
from sportsapp.core.summary import (
    PlayerLineRecord,
    PlayGroupRecord,
    PlayRecord,
    SideRecord,
    StatTableRecord,
    SummaryRecord,
    TeamBoxRecord,
)
from sportsapp.core.summary_faults import summary_faults
from sportsapp.feed.parse import parse_summary
from tests.conftest import RECORDED

NAMES = sorted(f"{path.parent.name}/{path.stem}" for path in RECORDED.glob("*/summary-*.json"))


def line(*stats: str) -> PlayerLineRecord:
    return PlayerLineRecord("1", "Ann", "", "", False, "", stats)


def table(*players: PlayerLineRecord, totals: tuple[str, ...] = ("10", "4-9")) -> StatTableRecord:
    keys = ("points", "fieldGoalsMade-fieldGoalsAttempted", "plusMinus")
    return StatTableRecord("", ("PTS", "FG", "+/-"), keys, players, totals)


def play(away: int | None, home: int | None, period: int = 1) -> PlayRecord:
    return PlayRecord("1", period, "0:00", "Goal", "Goal", "away", away, home, is_scoring=True)


def summary(
    *tables: StatTableRecord,
    scoring: tuple[PlayRecord, ...] = (play(10, 7),),
    away: SideRecord = SideRecord("1", 10, (4, 6)),
    home: SideRecord = SideRecord("2", 7, (7,)),
    completed: bool = True,
    detail: str = "Final",
) -> SummaryRecord:
    """A final, 10-7, with what a test is about."""
    box = TeamBoxRecord("away", "1", (), tables, ())
    groups = (PlayGroupRecord(1, "", "", "", scoring),)
    state = "post" if completed else "in"
    return SummaryRecord("401", state, completed, detail, away, home, (box,), scoring, groups)


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize("name", NAMES)
def test_recorded_games_fit_together(name):
    path = Path(RECORDED, f"{name}.json")
    assert summary_faults(parse_summary(path.read_bytes(), BY_SLUG[path.parent.name])) == []


def test_players_add_up_to_their_team_in_figures_and_in_pairs():
    good = table(line("6", "2-4", "+1"), line("4", "2-5", "-1"), line())
    assert summary_faults(summary(good)) == []
    bad = table(line("7", "2-4", "+1"), line("3", "1-5", "-1"))
    assert summary_faults(summary(bad)) == [
        "players of the away side have FG 3-9, their team 4-9",
    ]


def test_figure_that_is_no_number_is_compared_with_nothing():
    assert summary_faults(summary(table(line("6", "--"), line("4", "2-5")))) == []
    assert summary_faults(summary(table(line("10", "4-9"), totals=("", "?")))) == []


def test_players_have_scored_what_the_score_is():
    bad = table(line("8", "4-9"), totals=("8", "4-9"))
    assert summary_faults(summary(bad)) == [
        "players of the away side have scored 8, the score is 10"
    ]


def test_forwards_and_defenders_score_together():
    goals = [
        StatTableRecord(name, ("G",), ("goals",), (line(count),), ())
        for name, count in (("forwards", "7"), ("defenses", "3"))
    ]
    assert summary_faults(summary(*goals)) == []


def test_line_score_adds_up():
    bad = summary(away=SideRecord("1", 10, (4, 5)))
    assert summary_faults(bad) == ["the line score of the away side adds up to 9, not 10"]
    unknown = summary(away=SideRecord("1", 10, (4, None, 5)))
    assert summary_faults(unknown) == []


def test_plays_that_scored_lead_to_the_score():
    fault = "the last play that scored made it 10-4, the score is 10-7"
    assert summary_faults(summary(scoring=(play(10, 4),))) == [fault]
    assert summary_faults(summary(scoring=()))[0].startswith("the last play that scored made it 0")


def test_goals_of_soccer_are_counted_without_penalties_after_the_game():
    score = {"away": SideRecord("1", 1, (1,)), "home": SideRecord("2", 1, (1,))}
    goals = play(None, None), play(None, None, 2), play(None, None, 5)
    assert summary_faults(summary(scoring=goals, **score)) == []
    assert summary_faults(summary(scoring=goals[1:], **score)) == [
        "there are 1 goals among the plays, and 2 in the score"
    ]


@pytest.mark.parametrize(("detail", "count"), [("Final/SO", 0), ("Final/OT", 1)])
def test_winner_of_a_shootout_has_a_goal_that_nobody_scored(detail, count):
    sides = {"away": SideRecord("1", 3, (2, 0, 0, 0, 1)), "home": SideRecord("2", 2, (2,))}
    faults = summary_faults(summary(scoring=(play(2, 2),), detail=detail, **sides))
    assert len(faults) == count


def test_live_header_may_run_ahead_of_the_rest():
    ahead = summary(scoring=(play(10, 4),), away=SideRecord("1", 12, (4, 5)))
    assert summary_faults(ahead) != []
    assert summary_faults(replace(ahead, is_completed=False)) == []
