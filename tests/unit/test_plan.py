"""The plan: what an answer changes, what it may not, what is kept."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sportsapp.core.records import (
    GameRecord,
    LeagueRecord,
    PlayerRecord,
    ScoreboardRecord,
    StandingRecord,
    TeamRecord,
)
from sportsapp.sync import lists, plan
from sportsapp.sync.doubts import Doubt
from sportsapp.sync.listed import LISTED
from sportsapp.sync.names import teams_named
from sportsapp.sync.precedence import DayRead
from tests.answers import read_game

START = datetime(2026, 10, 4, 17, 0, tzinfo=UTC)
NOW = START + timedelta(hours=2)


def stored(game: GameRecord) -> dict[str, dict[str, Any]]:
    """A game as the database would give it back."""
    return {game.espn_id: plan.game_values(game) | LISTED | {"id": 1}}


def plan_after(
    before: GameRecord, after: GameRecord, doubt: Doubt | None = None, now: datetime = NOW
) -> plan.GamePlan:
    """What an answer changes of a stored game."""
    doubts = {before.espn_id: doubt} if doubt else {}
    return plan.plan_games(stored(before), [after], doubts, now)


def changes_after(before: GameRecord, after: GameRecord, now: datetime = NOW) -> dict[str, Any]:
    """The values that an answer changes at once."""
    return plan_after(before, after, now=now).updates.get(before.espn_id, {})


# ---------------------------------------------------------------- new, same, gone


def test_unknown_game_is_inserted_whole():
    game = read_game(status="live", score=("3", "2"), period=1)
    made = plan.plan_games({}, [game], {}, NOW)
    assert made.inserts == [plan.game_values(game)]
    assert made.updates == {}


def test_values_of_a_game_are_plain_and_flat():
    game = read_game(status="live", score=("3", "2"), home="7", away="-2")
    values = plan.game_values(game)
    assert (values["home_team"], values["away_team"]) == ("7", None)
    assert (values["home_score"], values["away_score"]) == (3, 2)
    assert type(values["state"]) is str
    assert type(values["status"]) is str
    assert msgspec.json.encode(values)


def test_same_game_changes_nothing():
    for status in ("scheduled", "live", "final", "postponed", "suspended"):
        game = read_game(status=status, score=("3", "2"), period=2)
        assert plan_after(game, game) == plan.GamePlan()


def test_game_that_vanished_is_left_alone():
    game = read_game()
    assert plan.plan_games(stored(game), [], {}, NOW) == plan.GamePlan()


def test_game_listed_twice_is_planned_once_and_the_last_word_counts():
    first, second = read_game(detail="first"), read_game(detail="second")
    made = plan.plan_games({}, [first, second], {}, NOW)
    assert [row["detail"] for row in made.inserts] == ["second"]
    assert plan.plan_games(stored(second), [first, second], {}, NOW) == plan.GamePlan()


def test_only_what_differs_is_changed():
    before = read_game(status="live", score=("3", "2"), period=2, clock=500, shown="8:20")
    after = read_game(status="live", score=("3", "5"), period=2, clock=490, shown="8:10")
    assert changes_after(before, after) == {"away_score": 5, "clock": "8:10", "clock_left": 490.0}


# ---------------------------------------------------------------- never step backwards


def at(status: str, period: int = 0, clock: float | None = None, **more: Any) -> dict[str, Any]:
    """A point of a game with a clock."""
    shown = f"{clock:.0f}" if clock is not None else ""
    point = {"status": status, "period": period, "clock": clock, "shown": shown}
    return point | {"score": ("10", "7")} | more


# Points of one game in the order in which they happen.
FOOTBALL = [
    at("scheduled"),
    at("live", 1, 900),
    at("live", 1, 10),
    at("break", 1, 0),
    at("live", 2, 900),
    at("live", 2, 1),
    at("break", 2, 0, detail="Halftime"),
    at("live", 3, 600),
    at("live", 5, 300),
    at("final", 5, 0),
]
BASEBALL = [
    at("scheduled", 1),
    at("live", 1, detail="Top 1st"),
    at("live", 1, detail="Middle 1st"),
    at("live", 1, detail="Bot 1st"),
    at("live", 1, detail="End 1st"),
    at("live", 2, detail="Top 2nd"),
    at("delay", 2, detail="Rain Delay, Mid 2nd"),
    at("live", 2, detail="Bottom 2nd"),
    at("live", 2, detail="End 2nd"),
    at("live", 10, detail="Top 10th"),
    at("final", 10, detail="Final/10"),
]
COLLEGE = [
    at("scheduled"),
    at("live", 1, 1200),
    at("live", 1, 3),
    at("break", 1, 0, detail="Halftime"),
    at("live", 2, 1199),
    at("break", 2, 0, detail="End of 2nd Half"),
    at("live", 3, 280),
    at("final", 3, 0, detail="Final/OT"),
]


def minute(status: str, period: int, shown: str, **more: Any) -> dict[str, Any]:
    """A point of a game whose clock counts up, and stands still in the time added on."""
    clock = {1: 2700, 2: 5400, 3: 6300, 4: 7200, 5: 7200}[period]
    played = min(int(shown.partition("'")[0]) * 60, clock)
    return at(status, period, played, detail=shown) | {"shown": shown} | more


SOCCER = [
    at("scheduled"),
    minute("live", 1, "1'"),
    minute("live", 1, "44'"),
    minute("live", 1, "45'"),
    minute("live", 1, "45'+1'"),
    minute("live", 1, "45'+12'"),
    minute("break", 1, "45'+2'", detail="HT"),
    minute("live", 2, "46'"),
    minute("live", 2, "89'"),
    minute("live", 2, "90'+3'"),
    minute("live", 2, "90'+11'"),
    minute("break", 2, "90'+7'", detail="End of regulation"),
    minute("live", 3, "91'"),
    minute("live", 3, "105'+1'"),
    minute("break", 3, "105'", detail="HT-ET"),
    minute("live", 4, "106'"),
    minute("live", 4, "120'+2'"),
    minute("break", 4, "120'", detail="AET"),
    minute("live", 5, "120'", detail="Pens"),
    minute("final", 5, "120'", detail="FT-Pens"),
]
STORIES = [
    ("nfl", FOOTBALL),
    ("nba", FOOTBALL),
    ("mlb", BASEBALL),
    ("ncaam", COLLEGE),
    ("mls", SOCCER),
    ("epl", SOCCER),
]


@pytest.mark.parametrize(("league", "story"), STORIES)
def test_earlier_point_is_an_old_copy_and_a_later_one_is_not(league, story):
    games = [read_game(league, **point) for point in story]
    for n, known in enumerate(games):
        for m, said in enumerate(games):
            made = plan_after(known, said)
            is_old = m < n and n > 0 and known.state != "pre"
            assert (said.espn_id in made.doubts) is is_old, (story[n], story[m])
            assert bool(made.updates) is (m != n and not is_old), (story[n], story[m])


@pytest.mark.parametrize(("league", "story"), STORIES)
@given(data=st.data())
def test_no_order_of_answers_moves_a_game_back(league, story, data):
    order = data.draw(st.permutations(range(len(story))))
    values: dict[str, Any] = plan.game_values(read_game(league, **story[order[0]]))
    reached = order[0]
    for n in order[1:]:
        game = read_game(league, **story[n])
        made = plan.plan_games({game.espn_id: values}, [game], {}, NOW)
        values |= made.updates.get(game.espn_id, {})
        reached = max(reached, n)
        assert values["detail"] == read_game(league, **story[reached]).detail
        assert values["period"] == read_game(league, **story[reached]).period


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (at("live", 2, 0), at("live", 2, 500)),  # a clock at zero may be one that has not begun
        (at("live", 2, 500), at("live", 2, 0)),
        (at("live", 2, 500), at("live", 2)),
        (at("live", 2), at("live", 2, 500)),
        (at("live", 2, 500), at("live", 2, 500, detail="other words")),
    ],
)
def test_what_one_of_the_two_does_not_tell_says_nothing(known, said):
    assert not plan_after(read_game(**known), read_game(**said)).doubts


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (minute("live", 1, "30'"), at("live", 1)),
        (minute("live", 1, "30'"), at("live", 1, 0) | {"shown": "0'"}),
        (minute("live", 2, "67'"), at("live", 2, 4000) | {"shown": "67'"}),
        (minute("live", 5, "120'"), minute("live", 5, "120'", detail="Pens")),
        (minute("delay", 1, "45'+3'"), minute("live", 1, "45'+3'")),
    ],
)
def test_clock_that_counts_up_and_is_not_told_says_nothing(known, said):
    assert not plan_after(read_game("mls", **known), read_game("mls", **said)).doubts


def test_game_that_goes_on_after_full_time_was_only_broken_off():
    over = read_game("mls", **minute("other", 2, "90'+4'", detail="FT"))
    for later in (minute("break", 2, "90'+4'"), minute("live", 3, "91'"), at("final", 5)):
        assert changes_after(over, read_game("mls", **later))["status"] == later["status"]
    assert plan_after(over, read_game("mls", **minute("live", 2, "88'"))).doubts


def test_final_that_goes_into_extra_time_is_believed_after_five_minutes():
    over = read_game("mls", **minute("final", 2, "90'+4'", detail="FT"))
    later = read_game("mls", **minute("live", 3, "96'"))
    assert plan_after(over, later).doubts
    doubt = Doubt(NOW - timedelta(minutes=5), 4)
    assert plan_after(over, later, doubt).updates["1001"]["period"] == 3


@pytest.mark.parametrize("words", ["", "Weather", "Pitching change"])
def test_half_of_an_inning_that_is_not_told_says_nothing(words):
    known = read_game("mlb", **at("live", 3, detail="Bottom 3rd"))
    said = read_game("mlb", **at("delay", 3, detail=words))
    assert changes_after(known, said)["status"] == "delayed"
    assert changes_after(said, known)["status"] == "live"


def test_break_is_the_end_of_its_period():
    pause = read_game("nhl", **at("break", 1, 0))
    assert plan_after(pause, read_game("nhl", **at("live", 1, 5))).doubts
    assert changes_after(pause, read_game("nhl", **at("live", 2, 1200)))["period"] == 2


@pytest.mark.parametrize("later", [at("live", 2, 400), at("live", 3, 900), at("final", 4, 0)])
@pytest.mark.parametrize("score", [("3", "7"), ("10", "0"), ("12", "7")])
def test_corrected_score_is_taken_at_once_at_the_same_or_a_later_point(later, score):
    known = read_game(**at("live", 2, 400))
    changes = changes_after(known, read_game(**(later | {"score": score})))
    assert (changes.get("home_score", 10), changes.get("away_score", 7)) == tuple(map(int, score))


def test_corrected_final_score_is_taken_at_once():
    known = read_game(status="final", score=("10", "7"))
    changes = changes_after(known, read_game(status="final", score=("9", "7")))
    assert changes == {"home_score": 9}


# ---------------------------------------------------------------- doubts


FINAL = at("final", 4, 0)
LIVE = at("live", 4, 30)


def test_final_is_not_taken_back_by_one_answer():
    made = plan_after(read_game(**FINAL), read_game(**LIVE))
    assert made.updates == {}
    assert made.doubts == {"1001": Doubt(NOW, 1)}


@pytest.mark.parametrize(
    ("answers_before", "minutes", "believed"),
    [(3, 5, False), (4, 4.9, False), (4, 5, True), (40, 4, False), (0, 600, False), (9, 90, True)],
)
def test_final_is_taken_back_after_five_answers_over_five_minutes(
    answers_before, minutes, believed
):
    since = NOW - timedelta(minutes=minutes)
    made = plan_after(read_game(**FINAL), read_game(**LIVE), Doubt(since, answers_before))
    assert bool(made.updates) is believed
    assert made.doubts == ({} if believed else {"1001": Doubt(since, answers_before + 1)})
    assert made.settled == (["1001"] if believed else [])


TOP_5TH = at("live", 5, detail="Top 5th")


@pytest.mark.parametrize("score", [("10", "6"), ("9", "7"), ("9", "8")])
def test_runs_that_go_back_within_half_an_inning_are_doubted_once(score):
    known, fetched = (read_game("mlb", **TOP_5TH), read_game("mlb", **TOP_5TH | {"score": score}))
    made = plan_after(known, fetched)
    assert (made.updates, made.doubts) == ({}, {"1001": Doubt(NOW, 1)})
    again = plan_after(known, fetched, Doubt(NOW, 1), NOW + timedelta(minutes=1))
    assert (again.doubts, again.settled) == ({}, ["1001"])
    assert again.updates["1001"]


@pytest.mark.parametrize(
    ("known", "fetched"),
    [
        (TOP_5TH, TOP_5TH | {"score": ("10", "8")}),
        (TOP_5TH, at("live", 5, detail="Mid 5th", score=("10", "6"))),
        (TOP_5TH, at("live", 6, detail="Top 6th", score=("10", "6"))),
        (TOP_5TH, at("suspended", 5, detail="Suspended, Top 5th", score=("10", "6"))),
        (at("final", 9), at("final", 9, score=("10", "6"))),
    ],
)
def test_runs_that_go_on_or_back_at_a_later_point_are_taken_at_once(known, fetched):
    made = plan_after(read_game("mlb", **known), read_game("mlb", **fetched))
    assert not made.doubts
    assert made.updates


def test_final_that_is_taken_back_loses_what_a_live_game_has_not():
    over = read_game(**FINAL)
    doubt = Doubt(NOW - timedelta(hours=1), 9)
    changes = plan_after(over, read_game(**LIVE), doubt).updates["1001"]
    assert (changes["state"], changes["status"], changes["clock_left"]) == ("in", "live", 30.0)


def test_answer_that_agrees_again_ends_the_doubt():
    over = read_game(**FINAL)
    made = plan_after(over, over, Doubt(NOW, 4))
    assert (made.settled, made.updates, made.doubts) == (["1001"], {}, {})


def test_doubt_ends_with_news_as_well():
    made = plan_after(read_game(**LIVE), read_game(**FINAL), Doubt(NOW, 4))
    assert made.settled == ["1001"]
    assert made.updates["1001"]["status"] == "final"


@pytest.mark.parametrize("said", ["scheduled", "live", "suspended", "postponed", "other"])
@pytest.mark.parametrize("name", ["STATUS_FINAL", "STATUS_FORFEIT"])
def test_game_that_is_over_is_not_reopened_at_once(name, said):
    over = read_game(status="final", score=("1", "0"))
    kind = {"STATUS_FINAL": "final", "STATUS_FORFEIT": "forfeit"}[name]
    over = msgspec.structs.replace(over, status=kind)
    assert plan_after(over, read_game(status=said, score=("1", "0"))).doubts


# ---------------------------------------------------------------- called off, broken off


def test_live_game_is_not_sent_back_to_its_start():
    assert plan_after(read_game(**LIVE), read_game(**at("scheduled"))).doubts


def test_live_game_may_be_called_off_and_loses_its_score():
    changes = changes_after(read_game(**LIVE), read_game(**at("postponed")))
    assert (changes["status"], changes["home_score"], changes["away_score"]) == (
        "postponed",
        None,
        None,
    )


def test_postponed_game_keeps_its_day_and_teams():
    made = changes_after(read_game(**at("scheduled")), read_game(**at("postponed")))
    assert set(made) == {"state", "status", "detail"}


def test_what_is_told_about_a_game_is_kept_until_its_state_changes():
    game = read_game(**at("final"))
    told = msgspec.structs.replace(
        game, about={"headline": "Alpha wins", "players": [{"name": "Ann"}]}
    )
    assert changes_after(told, game) == {}
    corrected = msgspec.structs.replace(game, about={"headline": "Alpha wins late"})
    assert changes_after(told, corrected) == {"about": told.about | corrected.about}
    live = msgspec.structs.replace(read_game(**at("live")), about={"weather": "Sunny"})
    assert changes_after(live, told)["about"] == told.about


def test_postponed_game_that_has_moved_is_scheduled_at_once():
    called_off = read_game(status="postponed")
    moved = read_game(status="scheduled", start="2026-10-06T00:00Z")
    changes = changes_after(called_off, moved)
    assert (changes["state"], changes["status"]) == ("pre", "scheduled")
    assert (changes["day"], changes["start_at"].day) == (date(2026, 10, 5), 6)


@pytest.mark.parametrize("status", ["postponed", "cancelled"])
def test_game_that_was_called_off_is_on_again_at_once(status):
    changes = changes_after(read_game(status=status), read_game(status="scheduled"))
    assert (changes["state"], changes["status"]) == ("pre", "scheduled")


@pytest.mark.parametrize("status", ["live", "final", "cancelled", "suspended"])
def test_postponed_game_may_be_played_after_all(status):
    said = read_game(status=status, score=("1", "0"), period=1)
    assert changes_after(read_game(status="postponed"), said)["status"] == status


def test_scheduled_game_may_move_to_any_time_and_back():
    early, late = read_game(), read_game(start="2026-10-03T17:00Z")
    assert changes_after(early, late)["day"] == date(2026, 10, 3)
    assert changes_after(late, early)["day"] == date(2026, 10, 4)


def inning(status: str, number: int, half: str) -> GameRecord:
    return read_game("mlb", **at(status, number, detail=f"{half} {number}th"))


def test_suspended_game_goes_on_and_ends():
    broken_off = inning("suspended", 5, "Suspended, Top")
    again = inning("live", 5, "Top")
    assert changes_after(broken_off, again)["status"] == "live"
    assert changes_after(broken_off, inning("live", 6, "Top"))["status"] == "live"
    assert changes_after(broken_off, inning("final", 9, "Final"))["status"] == "final"


@pytest.mark.parametrize("said", [("live", 4, "Top"), ("live", 4, "Bottom")])
def test_suspended_game_does_not_step_back_within_its_play(said):
    assert plan_after(inning("suspended", 5, "Suspended, Top"), inning(*said)).doubts


def test_resumed_game_is_not_suspended_again_by_an_old_copy():
    resumed = inning("live", 7, "Bottom")
    assert plan_after(resumed, inning("suspended", 5, "Suspended, Top")).doubts
    assert changes_after(resumed, inning("suspended", 7, "Suspended, Bottom"))


def test_suspended_game_that_has_got_another_start_is_scheduled_at_once():
    broken_off = inning("suspended", 5, "Suspended, Top")
    moved = read_game("mlb", status="scheduled", start="2026-10-05T17:00Z")
    assert changes_after(broken_off, moved)["status"] == "scheduled"
    same = read_game("mlb", status="scheduled")
    assert plan_after(broken_off, same).doubts


# ---------------------------------------------------------------- what is kept


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("venue", {"fullName": "Park", "address": {"city": "Town"}}),
        ("broadcast", "ABC"),
        ("attendance", 5000),
        ("notes", [{"headline": "Game 1"}]),
        ("series", {"summary": "1-0"}),
    ],
)
def test_what_the_feed_stops_mentioning_is_kept(name, value):
    before, after = read_game(**{name: value}), read_game()
    assert changes_after(before, after) == {}
    assert len(changes_after(after, before)) >= 1


def test_season_week_and_records_are_kept():
    before = read_game(records=("1-0", "0-1"))
    after = msgspec.structs.replace(read_game(), season_year=None, season_type=None, week=None)
    before = msgspec.structs.replace(before, week=5)
    assert changes_after(before, after) == {}


def test_known_team_is_not_forgotten_for_tbd():
    known, tbd = read_game(home="7"), read_game(home="-1")
    assert changes_after(known, tbd) == {}
    assert changes_after(tbd, known) == {"home_team": "7"}
    assert changes_after(known, read_game(home="8")) == {"home_team": "8"}


@pytest.mark.parametrize("status", ["live", "final", "suspended"])
def test_score_that_an_answer_leaves_out_is_kept(status):
    before = read_game(status=status, score=("10", "7"), period=2)
    assert changes_after(before, read_game(status=status, score=(None, ""), period=2)) == {}


def test_what_can_end_is_not_kept():
    before = read_game("mlb", **at("live", 3, detail="Top 3rd"), situation={"outs": 1})
    after = read_game("mlb", **at("live", 3, detail="Top 3rd"))
    assert changes_after(before, after) == {"situation": {}}


@pytest.mark.parametrize(
    ("hours", "is_settled"), [(2, False), (24, False), (25, True), (999, True)]
)
def test_records_of_a_game_that_is_over_stay_as_they_were_at_its_end(hours, is_settled):
    before = read_game(status="final", score=("1", "0"), records=("1-0", ""))
    after = read_game(status="final", score=("1", "0"), records=("9-1", "0-9"))
    changes = changes_after(before, after, START + timedelta(hours=hours))
    expected = {} if is_settled else {"home_record": "9-1", "away_record": "0-9"}
    assert changes == expected


@pytest.mark.parametrize(("hours", "record"), [(3, "9-1"), (24, "9-1"), (25, ""), (9999, "")])
@pytest.mark.parametrize("status", ["final", "postponed", "suspended"])
def test_game_that_is_first_read_long_after_it_has_no_records(hours, record, status):
    game = read_game(status=status, score=("1", "0"), records=("9-1", "9-1"))
    (row,) = plan.plan_games({}, [game], {}, START + timedelta(hours=hours)).inserts
    assert (row["home_record"], row["away_record"]) == (record, record)


@pytest.mark.parametrize(
    ("status", "kept"),
    [("scheduled", {"home_record": "", "away_record": ""}), ("live", {}), ("suspended", {})],
)
def test_end_that_is_read_late_takes_no_records_of_today(status, kept):
    before = read_game(status=status, score=("1", "0"), records=("3-1", "2-2"))
    after = read_game(status="final", score=("1", "0"), records=("9-1", "0-9"))
    changes = changes_after(before, after, START + timedelta(days=10))
    assert {name: changes[name] for name in changes if name.endswith("record")} == kept


def test_coming_game_has_the_records_of_today_however_late_it_is():
    game = read_game(status="scheduled", records=("9-1", "0-9"))
    (row,) = plan.plan_games({}, [game], {}, START + timedelta(days=10)).inserts
    assert row["home_record"] == "9-1"


def ranked(status: str, home: int | None, away: int | None = None, **more: Any) -> GameRecord:
    game = read_game("ncaaf", status=status, score=("10", "7"), **more)
    sides = {
        side: msgspec.structs.replace(getattr(game, side), rank=rank)
        for side, rank in (("home", home), ("away", away))
    }
    return msgspec.structs.replace(game, **sides)


@pytest.mark.parametrize("status", ["scheduled", "live", "postponed", "suspended"])
@pytest.mark.parametrize(("before", "after"), [(4, 3), (4, None), (None, 25)])
def test_rank_moves_while_the_game_is_not_over(status, before, after):
    assert changes_after(ranked(status, before), ranked(status, after)) == {"home_rank": after}
    changes = changes_after(ranked("live", None, before), ranked("final", None, after))
    assert changes["away_rank"] == after


@pytest.mark.parametrize(("before", "after"), [(4, 3), (4, None), (None, 25)])
def test_rank_of_a_game_that_is_over_stays_as_it_was(before, after):
    assert changes_after(ranked("final", before), ranked("final", after)) == {}


def test_record_moves_while_the_game_is_not_over():
    before, after = read_game(records=("1-0", "")), read_game(records=("2-0", ""))
    late = START + timedelta(days=30)
    assert changes_after(before, after, late) == {"home_record": "2-0"}


# ---------------------------------------------------------------- teams


def team(team_id: str, **more: Any) -> TeamRecord:
    blank = dict.fromkeys(TeamRecord.__struct_fields__, "")
    return TeamRecord(**(blank | {"espn_id": team_id, "abbreviation": "T"} | more))


def test_teams_and_records_come_from_the_games_around_today():
    games = [
        read_game(espn_id="1", home="7", away="-2", records=("5-0", "9-9")),
        read_game(espn_id="2", home="8", away="9", records=("", "1-1"), start="2026-10-05T17:00Z"),
        read_game(espn_id="3", home="6", away="5", records=("3-3", ""), start="2026-10-06T17:00Z"),
    ]
    assert set(teams_named(games, TODAY)) == {"7", "8", "9", "6", "5"}
    assert plan.win_loss_by_team(games, date(2026, 10, 4)) == {"7": "5-0", "9": "1-1"}


def test_listed_team_is_made_or_brought_up_to_date():
    known = {"1": lists.team_values(team("1", name="Old", color="aaaaaa")) | {"listed": False}}
    made = lists.plan_teams(known, [team("1", name="New"), team("2")])
    assert made.updates == {"1": {"name": "New", "listed": True, "search_words": "new t"}}
    assert made.inserts == [lists.team_values(team("2")) | {"listed": True}]


def test_new_colour_is_taken_and_a_missing_one_is_not():
    known = {"1": lists.team_values(team("1", color="aaaaaa", location="A")) | {"listed": True}}
    made = lists.plan_teams(known, [team("1", color="bbbbbb", location="")])
    assert made.updates == {"1": {"color": "bbbbbb", "location": "", "search_words": "t"}}


def test_same_list_of_teams_changes_nothing():
    known = {"1": lists.team_values(team("1", color="aaaaaa")) | {"listed": True}}
    made = lists.plan_teams(known, [team("1")])
    assert (made.inserts, made.updates) == ([], {})
    assert lists.plan_teams(known, []).updates == {}


# ---------------------------------------------------------------- rosters


def player(player_id: str, **more: Any) -> PlayerRecord:
    blank = dict.fromkeys(PlayerRecord.__struct_fields__, "")
    return PlayerRecord(**(blank | {"espn_id": player_id, "name": "P", "born_on": None} | more))


def player_row(player_id: str, team_id: int, *, active: bool = True) -> dict[str, Any]:
    row = msgspec.structs.asdict(player(player_id))
    return row | {"team_id": team_id, "active": active}


@pytest.mark.parametrize(("is_whole", "gone"), [(True, ["2"]), (False, [])])
def test_team_that_leaves_the_list_is_no_longer_listed(is_whole, gone):
    known = {n: lists.team_values(team(n)) | {"listed": n != "3"} for n in ("1", "2", "3")}
    made = lists.plan_teams(known, [team("1")], is_whole=is_whole)
    assert [(n, values) for n, values in made.updates.items()] == [
        (n, {"listed": False}) for n in gone
    ]


@pytest.mark.parametrize(
    ("gone", "believes_loss", "lost"), [(3, False, 0), (4, False, 4), (7, False, 7), (7, True, 0)]
)
def test_sudden_loss_of_teams_is_doubted(gone, believes_loss, lost):
    known = {str(n): lists.team_values(team(str(n))) | {"listed": True} for n in range(32)}
    rest = [team(str(n)) for n in range(gone, 32)]
    made = lists.plan_teams(known, [*rest, team("99")], believes_loss=believes_loss)
    assert made.lost == lost
    assert len(made.updates) == (0 if lost else gone)
    assert [row["espn_id"] for row in made.inserts] == ["99"]
    assert lists.plan_teams(known, rest, is_whole=False).lost == 0


def test_new_player_is_made_in_his_team():
    made = lists.plan_roster({}, [player("1", jersey="9")], 7)
    (row,) = made.inserts
    assert (row["team_id"], row["jersey"], row["active"]) == (7, "9", True)


def test_player_who_moves_brings_his_id_along():
    made = lists.plan_roster({"1": player_row("1", 5)}, [player("1")], 7)
    assert made.updates == {"1": {"team_id": 7}}


def test_player_who_leaves_is_inactive_and_keeps_his_last_team():
    known = {"1": player_row("1", 7), "2": player_row("2", 7), "3": player_row("3", 5)}
    made = lists.plan_roster(known, [player("2")], 7)
    assert made.updates == {"1": {"active": False}}


def test_player_who_left_long_ago_is_not_written_again():
    known = {"1": player_row("1", 7, active=False)}
    assert lists.plan_roster(known, [], 7).updates == {}


def test_player_who_comes_back_is_active():
    known = {"1": player_row("1", 7, active=False)}
    assert lists.plan_roster(known, [player("1")], 7).updates == {"1": {"active": True}}


def test_roster_that_is_not_whole_makes_nobody_inactive():
    known = {"1": player_row("1", 7), "2": player_row("2", 5)}
    made = lists.plan_roster(known, [player("2")], 7, is_whole=False)
    assert made.updates == {"2": {"team_id": 7}}


@pytest.mark.parametrize(
    ("had", "listed", "lost"), [(50, 20, 30), (50, 25, 0), (10, 4, 6), (9, 1, 0), (50, 50, 0)]
)
def test_roster_of_less_than_half_as_many_players_makes_nobody_inactive(had, listed, lost):
    known = {str(n): player_row(str(n), 7) for n in range(had)}
    known |= {f"gone{n}": player_row(f"gone{n}", 7, active=False) for n in range(60)}
    made = lists.plan_roster(known, [player(str(n)) for n in range(listed)], 7)
    assert made.lost == lost
    assert len(made.updates) == (0 if lost else had - listed)


def test_roster_with_new_players_in_the_place_of_most_is_believed():
    known = {str(n): player_row(str(n), 7) for n in range(15)}
    made = lists.plan_roster(known, [player(f"new{n}") for n in range(8)], 7)
    assert (made.lost, len(made.updates), len(made.inserts)) == (0, 15, 8)


# ---------------------------------------------------------------- standings


def line(team_id: str, summary: str, position: int = 1, **stats: str) -> StandingRecord:
    return StandingRecord(team(team_id), "East", position, summary, stats)


BLANK = {
    "standing_group": "",
    "standing_position": None,
    "standing_division": None,
    "standing_division_position": None,
    "standing": {},
    "record": "",
}


def test_standings_give_record_group_and_position():
    made = lists.plan_standings({"1": BLANK}, [line("1", "10-4-2, 22 PTS", 3, points="22")])
    assert made.updates == {
        "1": {
            "standing_group": "East",
            "standing_position": 3,
            "standing": {"points": "22"},
            "record": "10-4-2",
        }
    }


def test_standings_give_the_division_and_take_it_back():
    divided = msgspec.structs.replace(line("1", "1-0"), division="NFC East", division_position=2)
    values = {"standing_division": "NFC East", "standing_division_position": 2}
    known = BLANK | lists.plan_standings({"1": BLANK}, [divided]).updates["1"]
    assert known.items() >= values.items()
    assert lists.plan_standings({"1": known}, [line("1", "1-0")]).updates == {
        "1": dict.fromkeys(values)
    }


def test_same_standings_change_nothing():
    known = {"1": BLANK | lists.plan_standings({"1": BLANK}, [line("1", "1-0")]).updates["1"]}
    assert lists.plan_standings(known, [line("1", "1-0")]) == lists.RowPlan()
    assert lists.plan_standings(known, [line("1", "2-0")]).updates == {"1": {"record": "2-0"}}


def test_unknown_team_comes_once_with_its_last_line():
    made = lists.plan_standings({}, [line("2", "0-1"), line("2", "0-2", 4)])
    assert [(row["espn_id"], row["record"]) for row in made.inserts] == [("2", "0-2")]
    assert (made.inserts[0]["standing_position"], made.updates) == (4, {})


def test_record_is_kept_where_the_standings_have_none():
    known = {"1": BLANK | {"record": "3-1"}}
    assert "record" not in lists.plan_standings(known, [line("1", "")]).updates["1"]


# ---------------------------------------------------------------- a scoreboard

TODAY = date(2026, 10, 4)
POLLED = {
    "polled_at": NOW,
    "failing_since": None,
    "changed_at": NOW - timedelta(hours=1),
    "season_year": 2026,
    "season_type": 2,
    "season_name": "Regular Season",
}


def scoreboard(*games: GameRecord, errors: tuple[str, ...] = ()) -> ScoreboardRecord:
    """A scoreboard of the season that is stored already."""
    season = LeagueRecord("National Football League", 2026, 2, "Regular Season")
    return ScoreboardRecord(season, games, errors, len(games) + len(errors))


def scoreboard_plan(
    fetched: ScoreboardRecord, *known: GameRecord, day: date | None = TODAY, **league: Any
) -> plan.ScoreboardPlan:
    """What a scoreboard changes where these games and their teams are stored."""
    games = {espn_id: row for game in known for espn_id, row in stored(game).items()}
    records = plan.win_loss_by_team(known, TODAY)
    teams = {
        espn_id: lists.team_values(team)
        | {"id": 1, "record": records.get(espn_id, ""), "named_on": on}
        for espn_id, (on, team) in teams_named(known, TODAY).items()
    }
    read = {TODAY: DayRead(NOW, frozenset())}
    before = plan.StoredScoreboard(POLLED | league, teams, games, {}, read)
    days, digest = ([day], "abc") if day else ([], "")
    return plan.plan_scoreboard(before, fetched, fetched.games, NOW, days=days, digest=digest)


def test_same_scoreboard_changes_nothing_and_is_remembered():
    game = read_game(status="live", score=("3", "2"), period=1, records=("1-0", "0-1"))
    made = scoreboard_plan(scoreboard(game), game)
    assert made.games == plan.GamePlan()
    assert (made.teams, made.league) == (lists.RowPlan(), {})
    assert made.answers == [
        {"day": TODAY, "digest": "abc", "game_ids": [game.espn_id], "read_at": NOW}
    ]


def test_teams_of_a_new_game_come_with_their_records_and_move_the_version():
    made = scoreboard_plan(scoreboard(read_game(records=("1-0", "0-1"))))
    assert [(team["espn_id"], team["record"]) for team in made.teams.inserts] == [
        ("1", "1-0"),
        ("2", "0-1"),
    ]
    assert (made.teams.updates, made.league) == ({}, {"changed_at": NOW})


def test_new_record_alone_moves_the_version():
    before, after = read_game(records=("1-0", "0-1")), read_game(records=("1-0", "1-1"))
    made = scoreboard_plan(scoreboard(after), before)
    assert (made.teams.updates, made.league) == ({"2": {"record": "1-1"}}, {"changed_at": NOW})


def test_scoreboard_that_is_held_back_or_broken_is_not_remembered_by_its_digest():
    before = read_game(status="live", score=("3", "2"), period=2, records=("1-0", "0-1"))
    after = read_game(status="live", score=("3", "0"), period=1, records=("1-0", "0-0"))
    held = scoreboard_plan(scoreboard(after), before)
    broken = scoreboard_plan(scoreboard(before, errors=("an event without an id",)), before)
    for made, read_at in ((held, NOW), (broken, None)):
        (answer,) = made.answers
        assert (answer["digest"], answer["read_at"]) == ("", read_at)
        assert (made.teams, made.league) == (lists.RowPlan(), {})


def test_todays_scoreboard_sets_the_season_and_another_days_does_not():
    today = scoreboard_plan(scoreboard(), season_year=2025)
    assert today.league == {
        "season_year": 2026,
        "season_type": 2,
        "season_name": "Regular Season",
        "updated_at": NOW,
    }
    for day, version in ((date(2026, 10, 3), {"changed_at": NOW}), (None, {})):
        assert scoreboard_plan(scoreboard(), day=day, season_year=2025).league == version
    assert scoreboard_plan(scoreboard(), day=None).answers == []


@pytest.mark.parametrize(
    ("league", "is_marked"),
    [
        ({}, False),
        ({"polled_at": None}, True),
        ({"polled_at": NOW - plan.POLL_STAMP}, True),
        ({"failing_since": NOW - timedelta(hours=1)}, True),
    ],
)
def test_poll_is_marked_every_five_seconds_and_after_a_failure(league, is_marked):
    marks = {"polled_at": NOW, "failing_since": None, "failure": ""}
    assert scoreboard_plan(scoreboard(), **league).league == (marks if is_marked else {})


def test_version_moves_on_although_the_clock_does_not():
    made = scoreboard_plan(scoreboard(read_game()), changed_at=NOW)
    assert made.league == {"changed_at": NOW + timedelta(microseconds=1)}
