"""What answers have of the fields that we read, and when a share counts as fallen."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from sportsapp.core.leagues import BY_SLUG
from sportsapp.sync import fields
from sportsapp.sync.fields import BLANK, Window, judge
from tests.answers import make_board, make_event, read_board, read_standings, sample_bytes

DAY = date(2026, 11, 22)
LIVE = {"status": "live", "period": 2, "score": ("7", "3")}


def shares(**counted: tuple[int, int]) -> dict[str, object]:
    return BLANK | {"day": DAY, "counted": counted}


@pytest.mark.parametrize(
    ("known", "now", "is_fallen"),
    [
        ((100, 100), (0, 10), True),
        ((100, 100), (5, 10), True),
        ((100, 100), (6, 10), False),
        ((60, 100), (3, 10), True),
        ((60, 100), (4, 10), False),
        ((49, 100), (0, 10), False),  # what half of all rows lack is missing now and then
        ((0, 100), (0, 10), False),
        ((9, 9), (0, 10), False),  # too few to know what is usual
    ],
)
def test_share_of_half_of_what_it_was_has_fallen(known, now, is_fallen):
    judged = judge(shares(clock=known), {"clock": now}, DAY)
    assert ("clock" in judged["fallen"]) == is_fallen
    counted = list(known) if is_fallen else [known[0] + now[0], known[1] + now[1]]
    assert list(judged["counted"]["clock"]) == counted


def test_first_window_is_only_counted():
    judged = judge(BLANK, {"clock": (0, 40)}, DAY)
    assert judged == {"day": DAY, "counted": {"clock": [0, 40]}, "before": {}, "fallen": {}}


def test_share_is_kept_for_the_day_before_and_longer_where_nothing_was_counted():
    judged = judge(shares(score=(50, 50), clock=(30, 30)), {"score": (9, 10)}, DAY + timedelta(1))
    assert judged["counted"] == {"score": [9, 10]}
    assert judged["before"] == {"score": (50, 50), "clock": (30, 30)}
    judged = judge(judged, {"score": (20, 20)}, DAY + timedelta(9))
    assert judged["before"] == {"score": [9, 10], "clock": (30, 30)}
    assert "clock" in judge(judged, {"clock": (0, 10)}, DAY + timedelta(9))["fallen"]


def test_field_that_comes_back_is_fallen_no_more():
    judged = judge(shares(score=(50, 50)), {"score": (0, 10)}, DAY)
    assert judged["fallen"] == {"score": "2026-11-22"}
    assert judge(judged, {"score": (2, 10)}, DAY)["fallen"] == {"score": "2026-11-22"}
    assert judge(judged, {"clock": (9, 10)}, DAY)["fallen"] == {"score": "2026-11-22"}
    assert judge(judged, {"score": (9, 10)}, DAY)["fallen"] == {}


def test_what_is_gone_for_a_week_is_normal_from_then_on():
    judged = judge(shares(score=(50, 50)), {"score": (0, 10)}, DAY)
    for number in range(1, 7):
        judged = judge(judged, {"score": (0, 10)}, DAY + timedelta(number))
        assert judged["fallen"] == {"score": "2026-11-22"}
    for number in range(7, 10):
        judged = judge(judged, {"score": (0, 10)}, DAY + timedelta(number))
        assert judged["fallen"] == {}


def test_window_keeps_what_is_too_little_to_judge():
    window = Window()
    for _ in range(5):
        window.add([("clock", True), ("score", True), ("score", False)])
    assert window.take() == {"score": [5, 10]}
    assert (window.answers, window.counts) == (0, {"clock": [5, 5]})


def counts_of(notes: fields.Notes) -> dict[str, list[int]]:
    window = Window()
    window.add(notes)
    return window.counts


def board_counts(*events: object, league: str = "nfl") -> dict[str, list[int]]:
    return counts_of(fields.scoreboard_notes(read_board(make_board(*events), league)))


def test_games_that_have_not_begun_are_counted_as_events_alone():
    assert board_counts(make_event(), make_event("2", "postponed"), {"id": "3"}) == {
        "event": [2, 3]
    }


def test_one_game_alone_is_not_asked_for_what_all_star_games_lack():
    assert set(board_counts(make_event(**LIVE))) == {
        *("event", "score", "team", "period", "detail", "season")
    }


@pytest.mark.parametrize(
    ("season_type", "is_counted"), [(1, False), (2, True), (3, False), (4, False), (12654, True)]
)
def test_regular_season_has_a_number_of_its_own_in_soccer(season_type, is_counted):
    games = [make_event(f"{n}", **LIVE) for n in range(3)]
    for game in games:
        game["season"] = {"year": 2026, "type": season_type}
    assert ("venue" in board_counts(*games, league="epl")) == is_counted


def test_clocks_are_those_of_live_games_of_the_season():
    games = [make_event(f"{n}", **LIVE, shown="1:00") for n in range(3)]
    games.append(make_event("4", "final", period=4, score=("1", "0")))
    games.append(make_event("5", "break", period=2, score=("1", "0")))
    assert board_counts(*games)["clock"] == [3, 3]
    for game in games:
        game["season"] = {"year": 2026, "type": 1}
    assert "clock" not in board_counts(*games)


def test_line_scores_are_those_of_finals_and_of_live_games_past_their_first_period():
    lines = [{"value": 1.0, "period": 1}]
    games = [make_event("1", "final", period=4, score=("1", "0"))]
    games += [make_event(f"{n}", **LIVE | {"period": n - 1}) for n in (2, 3, 4)]
    assert board_counts(*games)["linescores"] == [0, 3]
    for game in games:
        for side in game["competitions"][0]["competitors"]:
            side["linescores"] = lines
    assert board_counts(*games)["linescores"] == [3, 3]


def test_score_of_one_side_is_no_score():
    game = make_event(**LIVE)
    del game["competitions"][0]["competitors"][0]["score"]
    assert board_counts(game)["score"] == [0, 1]


def test_standings_are_asked_for_the_columns_of_their_table():
    lines, errors = read_standings(sample_bytes("nba-standings"), "nba")
    counts = counts_of(fields.standing_notes(lines, errors, BY_SLUG["nba"]))
    assert set(counts) == {"line", "record", "group", "division", *BY_SLUG["nba"].standings}
    assert counts["line"] == [len(lines), len(lines) + len(errors)]
    assert counts["wins"] == [len(lines), len(lines)]
