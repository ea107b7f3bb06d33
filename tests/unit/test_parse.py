"""The parser: samples beside their expected results, the rules one by one, hostile answers."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from datetime import UTC, date, datetime

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sportsapp.core.errors import PayloadError
from sportsapp.core.leagues import BY_SLUG
from sportsapp.core.records import StandingRecord, State, Status
from sportsapp.feed import parse
from sportsapp.feed.parse.document import TEXT_LIMIT
from sportsapp.feed.parse.standings import GROUP_LIMIT
from tests.answers import (
    BOARD_NAMES,
    SAMPLE_NAMES,
    SAMPLES,
    make_board,
    make_event,
    make_team,
    plain,
    read_board,
    read_game,
    read_sample,
    read_standings,
    read_teams,
    sample,
    sample_bytes,
)


@pytest.mark.parametrize("name", SAMPLE_NAMES)
def test_sample_reads_as_expected(name):
    expected = json.loads((SAMPLES / f"{name}.expected.json").read_bytes())
    assert plain(read_sample(name, sample_bytes(name))) == expected


def test_there_is_a_sample_of_every_kind_and_league():
    kinds = {name.split("-")[1] for name in SAMPLE_NAMES}
    assert kinds == {"scoreboard", "teams", "roster", "standings"}
    assert {name.split("-")[0] for name in BOARD_NAMES} == set(BY_SLUG)


# ---------------------------------------------------------------- state and status


def status_of(name: str, state: str, completed: bool) -> tuple[State, Status]:
    event = make_event(score=("3", "2"))
    event["competitions"][0]["status"]["type"] |= {
        "name": name,
        "state": state,
        "completed": completed,
    }
    (game,) = read_board(make_board(event)).games
    return game.state, game.status


@pytest.mark.parametrize(
    ("name", "state", "completed", "expected"),
    [
        ("STATUS_SCHEDULED", "pre", False, Status.SCHEDULED),
        ("STATUS_TBD", "pre", False, Status.SCHEDULED),
        ("", "pre", False, Status.SCHEDULED),
        ("STATUS_DELAYED", "pre", False, Status.DELAYED),
        ("STATUS_POSTPONED", "pre", False, Status.POSTPONED),
        ("STATUS_CANCELED", "pre", False, Status.CANCELLED),
        ("STATUS_IN_PROGRESS", "in", False, Status.LIVE),
        ("STATUS_SECOND_HALF", "in", False, Status.LIVE),
        ("STATUS_IN_PROGRESS", "in", True, Status.LIVE),
        ("STATUS_POSTPONED", "in", False, Status.LIVE),
        ("STATUS_END_PERIOD", "in", False, Status.BREAK),
        ("STATUS_HALFTIME", "in", False, Status.BREAK),
        ("STATUS_INTERMISSION", "in", False, Status.BREAK),
        ("STATUS_END_OF_PERIOD", "in", False, Status.BREAK),
        ("STATUS_END_OF_REGULATION", "in", False, Status.BREAK),
        ("STATUS_HALFTIME_ET", "in", False, Status.BREAK),
        ("STATUS_END_OF_EXTRATIME", "in", False, Status.BREAK),
        ("STATUS_FULL_TIME", "in", False, Status.BREAK),
        ("STATUS_FIRST_HALF", "in", False, Status.LIVE),
        ("STATUS_OVERTIME", "in", False, Status.LIVE),
        ("STATUS_SHOOTOUT", "in", False, Status.LIVE),
        ("STATUS_RAIN_DELAY", "in", False, Status.DELAYED),
        ("STATUS_DELAYED", "in", False, Status.DELAYED),
        ("status_rain_delay", "in", False, Status.DELAYED),
        ("STATUS_FINAL", "post", True, Status.FINAL),
        ("STATUS_FULL_TIME", "post", True, Status.FINAL),
        ("STATUS_FINAL_AET", "post", True, Status.FINAL),
        ("STATUS_FINAL_PEN", "post", True, Status.FINAL),
        ("STATUS_FULL_TIME", "post", False, Status.OTHER),
        ("STATUS_POSTPONED", "post", True, Status.FINAL),
        ("STATUS_FORFEIT", "post", True, Status.FORFEIT),
        ("STATUS_FORFEIT", "post", False, Status.FORFEIT),
        ("STATUS_POSTPONED", "post", False, Status.POSTPONED),
        ("STATUS_CANCELED", "post", False, Status.CANCELLED),
        ("STATUS_CANCELLED", "post", False, Status.CANCELLED),
        ("STATUS_SUSPENDED", "post", False, Status.SUSPENDED),
        ("STATUS_FINAL", "post", False, Status.OTHER),
        ("STATUS_ABANDONED", "post", False, Status.OTHER),
        ("", "post", False, Status.OTHER),
    ],
)
def test_phase_decides_and_name_only_tells_the_kinds_apart(name, state, completed, expected):
    assert status_of(name, state, completed) == (State(state), expected)


@pytest.mark.parametrize("state", ["", "live", "PRE", "halftime"])
def test_unknown_phase_is_a_broken_event(state):
    event = make_event()
    event["competitions"][0]["status"]["type"]["state"] = state
    record = read_board(make_board(event))
    assert record.games == ()
    assert record.errors == (f"event 1001: {state!r} is not a valid State",)


def test_detail_falls_back_to_shorter_words():
    event = make_event()
    kind = event["competitions"][0]["status"]["type"]
    kind |= {"detail": "", "shortDetail": "End 2nd", "description": "End of Period"}
    assert read_board(make_board(event)).games[0].detail == "End 2nd"
    del kind["shortDetail"]
    assert read_board(make_board(event)).games[0].detail == "End of Period"


def test_status_of_the_event_stands_in_for_a_missing_one():
    event = make_event(status="live", score=("1", "0"), period=1)
    event["status"] = event["competitions"][0].pop("status")
    assert read_board(make_board(event)).games[0].status is Status.LIVE


# ---------------------------------------------------------------- scores, periods, clock


@pytest.mark.parametrize("status", ["scheduled", "postponed", "cancelled"])
def test_game_that_was_not_played_has_no_score(status):
    line = [{"value": 0, "period": 1}]
    event = make_event(status=status, score=("0", "0"), period=1, clock=900, shown="15:00")
    for side in event["competitions"][0]["competitors"]:
        side |= {"linescores": line, "winner": False, "hits": 0, "errors": 0}
    (game,) = read_board(make_board(event)).games
    assert (game.period, game.clock, game.clock_left) == (0, "", None)
    for side in (game.home, game.away):
        assert (side.score, side.linescores, side.winner) == (None, (), None)
        assert (side.hits, side.errors) == (None, None)


@pytest.mark.parametrize("status", ["live", "break", "delay", "final", "suspended", "other"])
def test_game_that_began_has_its_score(status):
    game = read_game(status=status, score=("7", 3), period=2)
    assert (game.home.score, game.away.score, game.period) == (7, 3, 2)


@pytest.mark.parametrize(
    ("said", "score"),
    [("0", 0), ("132", 132), (4.0, 4), ("4.0", 4), (None, None), ("", None), (9999, 9999)],
)
def test_score_is_text_or_number_or_missing(said, score):
    assert read_game(status="live", score=(said, "1")).home.score == score


@pytest.mark.parametrize("said", ["-1", "10000", "4.5", "nan", "inf", "-", "many", "1" * 400])
def test_score_that_is_none_is_a_broken_event(said):
    record = read_board(make_board(make_event(status="live", score=(said, "1"))))
    assert record.errors == (f"event 1001: {said!r} is not a score"[:312],)


@pytest.mark.parametrize(
    ("lines", "points"),
    [
        ([], ()),
        (None, ()),
        ([{"value": 3}, {"value": 0}], (3, 0)),
        ([{"value": 3.0, "period": 1}, {"value": 7.0, "period": 3}], (3, None, 7)),
        ([{"value": 1, "period": 2}, {"value": 5, "period": 1}], (5, 1)),
        ([{"value": 1, "period": 1}, {"period": 2}], (1, None)),
        ([{"value": 1e30}], (None,)),
    ],
)
def test_linescores_are_paired_by_period(lines, points):
    event = make_event(status="final", score=("3", "0"))
    event["competitions"][0]["competitors"][0]["linescores"] = lines
    assert read_board(make_board(event)).games[0].home.linescores == points


@pytest.mark.parametrize(
    ("clock", "left"),
    [(521.0, 521.0), (0, None), (0.0, None), (None, None), (-5, None), (10**30, None)],
)
def test_clock_at_zero_is_no_figure(clock, left):
    assert read_game("nba", status="live", clock=clock, shown="8:41").clock_left == left


@pytest.mark.parametrize(
    ("period", "clock", "shown", "left"),
    [
        (1, 60.0, "1'", 2640),
        (1, 2640.0, "44'", 60),
        (1, 2700.0, "45'", 0),
        (1, 2700.0, "45'+1'", -60),
        (1, 2700.0, "45' + 12", -720),
        (1, 2700.0, "", 0),
        (1, 2712.0, "45'", -12),
        (2, 2760.0, "46'", 2640),
        (2, 0.0, "67'", 1380),
        (2, None, "67'", 1380),
        (2, 5400.0, "90'+8'", -480),
        (3, 5460.0, "91'", 840),
        (4, 7200.0, "120'+1'", -60),
        (5, 7200.0, "120'", 0),
        (9, 7200.0, "120'", 0),
        (1, 0.0, "0'", None),
        (1, None, "HT", None),
        (1, -3, "-", None),
        (0, 600.0, "10'", None),
    ],
)
def test_clock_that_counts_up_tells_what_is_left_of_the_regular_time(period, clock, shown, left):
    game = read_game("mls", status="live", period=period, clock=clock, shown=shown)
    assert (game.clock, game.clock_left) == (shown, left)


def test_baseball_has_no_clock():
    game = read_game("mlb", status="live", clock=30.0, shown="0:30", period=3)
    assert (game.clock, game.clock_left, game.period) == ("", None, 3)


# ---------------------------------------------------------------- draws, ties of two games, ranks


def side_parts(home: dict, away: dict, status: str = "live", **competition) -> dict:
    """An event whose sides have these parts."""
    event = make_event(status=status, score=("1", "1"), **competition)
    for side, more in zip(event["competitions"][0]["competitors"], (home, away), strict=True):
        side |= more
    return event


def test_draw_has_no_winner():
    event = side_parts({"winner": False}, {"winner": False}, "final")
    (game,) = read_board(make_board(event), "epl").games
    assert (game.home.winner, game.away.winner, game.home.score) == (False, False, 1)


SUMS = {"aggregateScore": 3.0}, {"aggregateScore": "2"}
KICKS = {"shootoutScore": 4}, {"shootoutScore": 5.0}
BOTH = tuple(sums | kicks for sums, kicks in zip(SUMS, KICKS, strict=True))
OF_SERIES = {"competitors": [{"id": "1", "aggregateScore": 3}, {"id": 2, "aggregateScore": 0}]}


@pytest.mark.parametrize(
    ("sides", "competition", "note", "series"),
    [
        (({}, {}), {}, "", ""),
        (({}, {}), {"notes": [{"headline": "Rivalry"}]}, "Rivalry", ""),
        (SUMS, {}, "", "Aggregate T2 2, T1 3"),
        (KICKS, {}, "", "Penalties T2 5, T1 4"),
        (BOTH, {}, "", "Aggregate T2 2, T1 3; Penalties T2 5, T1 4"),
        (({}, {}), {"series": OF_SERIES}, "", "Aggregate T2 0, T1 3"),
        (
            ({}, {}),
            {"series": {"summary": "T1 leads 2-1", "competitors": [{"id": "1", "wins": 2}]}},
            "",
            "T1 leads 2-1",
        ),
        (SUMS, {"series": {"summary": "Second leg"}}, "", "Second leg; Aggregate T2 2, T1 3"),
        (
            SUMS,
            {"notes": [{"headline": "T1 lead 3-2 on aggregate"}]},
            "",
            "T1 lead 3-2 on aggregate",
        ),
        (
            KICKS,
            {"notes": [{"headline": "T2 win 5-4 on penalties"}]},
            "",
            "T2 win 5-4 on penalties",
        ),
        (
            BOTH,
            {"notes": [{"headline": "T2 win 5-4 on penalties"}]},
            "",
            "T2 win 5-4 on penalties; Aggregate T2 2, T1 3",
        ),
        (({"shootoutScore": 4}, {}), {}, "", ""),
        (({"shootoutScore": "many"}, {"shootoutScore": 1}), {}, "", ""),
        (({"shootoutScore": [1]}, {"shootoutScore": {}}), {}, "", ""),
        (({}, {}), {"series": {"summary": "S", "competitors": "x"}}, "", "S"),
    ],
)
def test_goals_of_two_games_and_penalties_tell_how_a_tie_stands(sides, competition, note, series):
    (game,) = read_board(make_board(side_parts(*sides, **competition)), "mls").games
    assert (game.note, game.series) == (note, series)
    assert (game.home.score, game.away.score) == (1, 1)


def test_penalties_are_not_told_before_the_game_but_the_first_leg_is():
    event = side_parts(*BOTH, status="scheduled")
    assert read_board(make_board(event), "mls").games[0].series == "Aggregate T2 2, T1 3"


@pytest.mark.parametrize(
    ("said", "rank"),
    [
        ({"current": 1}, 1),
        ({"current": 25}, 25),
        ({"current": "7"}, 7),
        ({"current": 26}, None),
        ({"current": 99}, None),
        ({"current": 0}, None),
        ({"current": -1}, None),
        ({"current": None}, None),
        ({"current": "first"}, None),
        ({}, None),
        (None, None),
        (5, None),
        ([], None),
    ],
)
def test_rank_is_one_of_twenty_five_or_none(said, rank):
    event = side_parts({"curatedRank": said}, {})
    (game,) = read_board(make_board(event), "ncaaf").games
    assert (game.home.rank, game.away.rank) == (rank, None)


@pytest.mark.parametrize(
    ("league", "short"), [("ncaaf", "Elmhurst"), ("ncaaw", "Elmhurst"), ("nba", "Foxes")]
)
def test_college_team_goes_by_its_school(league, short):
    team = make_team("5", location="Elmhurst", name="Foxes", shortDisplayName="Foxes")
    body = json.dumps({"sports": [{"leagues": [{"teams": [{"team": team}]}]}]}).encode()
    assert read_teams(body, league)[0][0].short_name == short
    standings = {"standings": {"entries": [{"team": team}]}}
    assert read_standings(json.dumps(standings).encode(), league)[0][0].team.short_name == short
    event = make_event()
    event["competitions"][0]["competitors"][0]["team"] = team
    assert read_board(make_board(event), league).games[0].home.team.short_name == short


def test_college_team_without_a_place_goes_by_its_name():
    body = {"sports": [{"leagues": [{"teams": [{"team": {"id": 5, "name": "Foxes"}}]}]}]}
    assert read_teams(json.dumps(body).encode(), "ncaam")[0][0].short_name == "Foxes"


@pytest.mark.parametrize(
    ("season", "part", "name"),
    [
        ("2026-27", "Regular Season", "2026-27 Regular Season"),
        ("2026-27 Some League", "2026-27 Some League", "2026-27 Some League"),
        ("2026", None, "2026"),
        (None, "Regular Season", "Regular Season"),
        (None, None, ""),
    ],
)
def test_season_is_not_named_twice(season, part, name):
    said = {"year": 2026, "displayName": season, "type": {"type": 2, "name": part}}
    board = make_board(leagues=[{"name": "L", "season": said}])
    assert read_board(board).league.season_name == name


# ---------------------------------------------------------------- days and times


@pytest.mark.parametrize(
    ("text", "start_at", "day"),
    [
        ("2026-10-04T17:00Z", "2026-10-04T17:00", date(2026, 10, 4)),
        ("2026-10-04T17:00:00+00:00", "2026-10-04T17:00", date(2026, 10, 4)),
        ("2026-10-05T03:59Z", "2026-10-05T03:59", date(2026, 10, 4)),
        ("2026-10-05T04:00Z", "2026-10-05T04:00", date(2026, 10, 5)),
        ("2026-12-27T05:00Z", "2026-12-27T05:00", date(2026, 12, 27)),
        ("2026-12-27T04:59Z", "2026-12-27T04:59", date(2026, 12, 26)),
        ("2027-01-01T01:00Z", "2027-01-01T01:00", date(2026, 12, 31)),
        ("2026-10-04T13:00-04:00", "2026-10-04T17:00", date(2026, 10, 4)),
        ("2026-10-04T17:00", "2026-10-04T17:00", date(2026, 10, 4)),
    ],
)
def test_game_is_filed_under_the_eastern_date_of_its_start(text, start_at, day):
    game = read_game(start=text)
    assert game.start_at == datetime.fromisoformat(start_at).replace(tzinfo=UTC)
    assert game.start_at.tzinfo is UTC
    assert game.day == day


@pytest.mark.parametrize(
    "text", ["", "soon", "0001-01-01T00:00Z", "9999-12-31T23:59Z", "2026-13-01T00:00Z"]
)
def test_start_that_is_none_is_a_broken_event(text):
    record = read_board(make_board(make_event(start=text)))
    assert (len(record.games), len(record.errors)) == (0, 1)


def test_date_of_the_event_stands_in_for_a_missing_one():
    event = make_event(start="2026-10-04T17:00Z")
    del event["competitions"][0]["date"]
    assert read_board(make_board(event)).games[0].day == date(2026, 10, 4)


def test_placeholder_time_is_no_time():
    assert read_game(timeValid=False, start="2026-12-27T05:00Z").time_set is False
    assert read_game().time_set is True


# ---------------------------------------------------------------- sides and teams


def test_sides_are_told_by_what_they_say_and_not_by_order():
    event = make_event(status="final", score=("5", "1"))
    event["competitions"][0]["competitors"].reverse()
    (game,) = read_board(make_board(event)).games
    assert (game.home.team.espn_id, game.home.score) == ("1", 5)


@pytest.mark.parametrize(("first", "second"), [("away", ""), ("", "home")])
def test_one_side_that_tells_is_enough(first, second):
    event = make_event()
    sides = event["competitions"][0]["competitors"]
    sides[0]["homeAway"], sides[1]["homeAway"] = first, second
    (game,) = read_board(make_board(event)).games
    assert (game.home.team.espn_id, game.away.team.espn_id) == ("2", "1")


def test_order_decides_where_the_sides_say_nothing():
    event = make_event()
    for side in event["competitions"][0]["competitors"]:
        del side["homeAway"]
    (game,) = read_board(make_board(event)).games
    assert (game.home.team.espn_id, game.away.team.espn_id) == ("1", "2")


@pytest.mark.parametrize("count", [0, 1, 3])
def test_game_needs_two_competitors(count):
    event = make_event()
    side = event["competitions"][0]["competitors"][0]
    event["competitions"][0]["competitors"] = [side] * count
    assert read_board(make_board(event)).errors == (
        f"event 1001: it has {count} competitors, not two",
    )


def test_event_without_competition_is_broken():
    assert read_board(make_board({"id": 7, "competitions": []})).errors == (
        "event 7: it has no competition",
    )


@pytest.mark.parametrize("week", [{"number": 5}, 5])
def test_week_is_a_number_or_has_one(week):
    (game,) = read_board(make_board(make_event() | {"week": week})).games
    assert game.week == 5


def test_event_with_very_many_broken_parts_is_broken():
    event = make_event(score=("3", "2"))
    event["competitions"][0]["competitors"][0]["linescores"] = [{"value": "x"}] * 41
    (error,) = read_board(make_board(event)).errors
    assert error == "event 1001: more than 40 parts of it are broken"


@pytest.mark.parametrize(("home", "away"), [("-1", "-2"), (-1, -2)])
def test_tbd_is_no_team(home, away):
    game = read_game(home=home, away=away)
    assert (game.home.team, game.away.team) == (None, None)


@pytest.mark.parametrize(("side_id", "team_id"), [("-1", "5"), ("5", "-1"), (None, -1)])
def test_either_id_below_zero_means_tbd(side_id, team_id):
    event = make_event(home=team_id)
    event["competitions"][0]["competitors"][0]["id"] = side_id
    (game,) = read_board(make_board(event)).games
    assert (game.home.team, game.away.team.espn_id) == (None, "2")


@pytest.mark.parametrize("bad", ["", None, "1/2", "x y", "é", "1;drop"])
def test_id_that_is_none_is_a_broken_event(bad):
    record = read_board(make_board(make_event(), make_event(espn_id=bad)))
    assert (len(record.games), len(record.errors)) == (1, 1)


@pytest.mark.parametrize(
    ("team", "expected"),
    [
        ({"location": "Washington"}, {"name": "Washington", "display_name": "Washington"}),
        ({"displayName": "Old Boys"}, {"name": "Old Boys", "abbreviation": "OLD"}),
        ({"location": "Utah", "name": "Jazz"}, {"display_name": "Utah Jazz"}),
        ({"abbreviation": "XX"}, {"display_name": "XX"}),
        ({"displayName": "X", "color": "#00FF7f"}, {"color": "00ff7f"}),
        ({"displayName": "X", "color": "red"}, {"color": ""}),
        ({"displayName": "X", "color": "00ff7"}, {"color": ""}),
    ],
)
def test_team_is_named_from_what_there_is(team, expected):
    body = {"sports": [{"leagues": [{"teams": [{"team": {"id": 5} | team}]}]}]}
    (record,), errors = read_teams(json.dumps(body).encode())
    assert errors == []
    assert {name: getattr(record, name) for name in expected} == expected


def test_empty_list_of_teams_is_refused():
    with pytest.raises(PayloadError, match="empty"):
        read_teams(b'{"sports": [{"leagues": [{"teams": []}]}]}')


@pytest.mark.parametrize(
    ("records", "shown"),
    [
        ([{"type": "total", "summary": "8-8-1"}, {"type": "home", "summary": "4-4"}], "8-8-1"),
        ([{"type": "home", "summary": "4-4"}, {"type": "ytd", "summary": "9-5-2"}], "9-5-2"),
        ([{"type": "ytd", "summary": "1-1"}, {"type": "TOTAL", "summary": "2-2"}], "2-2"),
        ([{"type": "total", "summary": "1-0"}, {"type": "total", "summary": "9-9"}], "1-0"),
        ([None, {"type": "road", "summary": "4-4"}], ""),
        ([], ""),
    ],
)
def test_record_is_the_one_over_all_games(records, shown):
    event = make_event()
    event["competitions"][0]["competitors"][0]["records"] = records
    assert read_board(make_board(event)).games[0].home.record == shown


# ---------------------------------------------------------------- what a game can do without


@pytest.mark.parametrize(
    ("stations", "short", "shown"),
    [
        ([{"market": "national", "names": ["ABC", "ESPN"]}], "ABC", "ABC, ESPN"),
        ([{"market": "national", "names": ["ABC", "ABC"]}], "", "ABC"),
        ([{"market": "home", "names": ["YES"]}], "MLB Net", "MLB Net"),
        (
            [{"market": "home", "names": ["YES"]}, {"market": "away", "names": ["SN"]}],
            "",
            "YES, SN",
        ),
        ([], "", ""),
    ],
)
def test_broadcast_prefers_the_national_channels(stations, short, shown):
    assert read_game(broadcasts=stations, broadcast=short).broadcast == shown


@pytest.mark.parametrize(
    ("attendance", "people"),
    [(0, None), (41_000, 41_000), (41_000.0, 41_000), (10**7, None), ("lots", None), (None, None)],
)
def test_attendance_of_zero_is_unknown(attendance, people):
    assert read_game(attendance=attendance).attendance == people


@pytest.mark.parametrize(
    "part",
    [
        "venue",
        "broadcast",
        "broadcasts",
        "notes",
        "series",
        "situation",
        "details",
        "leaders",
        "attendance",
    ],
)
@pytest.mark.parametrize("value", [None, 7, "x", [], {}, [None], [7], {"text": []}, [[]], True])
def test_broken_part_costs_only_that_part(part, value):
    game = read_game(status="live", score=("3", "2"), **{part: value})
    assert (game.home.score, game.away.score) == (3, 2)


def test_situation_is_told_of_live_games_only():
    now = {"balls": 1, "strikes": 2, "outs": 0, "onFirst": False, "lastPlay": {"text": "Foul"}}
    live = read_game("mlb", status="live", situation=now)
    expected = {"balls": 1, "strikes": 2, "outs": 0, "bases": [], "last_play": "Foul"}
    assert live.situation == expected
    assert read_game("mlb", status="final", situation=now).situation == {}


def test_red_cards_are_counted_by_side_and_stay_after_the_end():
    cards = [
        {"redCard": True, "team": {"id": "1"}},
        {"redCard": False, "yellowCard": True, "team": {"id": "1"}},
        {"redCard": True, "team": {"id": "2"}},
        {"redCard": True, "team": {"id": "2"}},
        {"redCard": True, "team": {"id": "7"}},
        {"redCard": True},
    ]
    for status in ("live", "final"):
        game = read_game("epl", status=status, details=cards)
        assert game.situation == {"home_red_cards": 1, "away_red_cards": 2}
    assert read_game("epl", status="scheduled", details=cards).situation == {}


@pytest.mark.parametrize("detail", ["Middle 6th", "Mid 6th", "End 3rd", "Rain Delay, End 3rd"])
def test_nobody_bats_between_innings(detail):
    now = {"balls": 0, "strikes": 0, "outs": 0, "onFirst": False, "lastPlay": {"text": "Out"}}
    game = read_game("mlb", status="live", detail=detail, situation=now)
    assert game.situation == {"last_play": "Out"}


def test_down_goes_on_over_the_end_of_a_quarter():
    now = {"downDistanceText": "2nd & 7 at DAL 40"}
    game = read_game("nfl", status="live", detail="End of 1st Quarter", situation=now)
    assert game.situation["down_distance"] == "2nd & 7 at DAL 40"


def leader(name: str, team: str = "", short: str = "PTS", **more: object) -> dict:
    best = {"displayValue": "9", "athlete": {"fullName": name}} | more
    return {"abbreviation": short, "leaders": [best | ({"team": {"id": team}} if team else {})]}


def test_leaders_of_the_game_are_given_to_their_sides():
    said = [leader("Ann", "2"), leader("Bea", "1"), leader("Cy", "77"), leader("Di", "1")]
    rows = read_game(leaders=said).leaders
    assert [(row["name"], row["side"]) for row in rows] == [
        ("Ann", "away"),
        ("Bea", "home"),
        ("Cy", ""),
    ]


def test_leaders_that_the_game_repeats_after_its_sides_are_given_once():
    event = make_event(leaders=[leader("Ann", "1")])
    home, away = event["competitions"][0]["competitors"]
    home["leaders"], away["leaders"] = [leader("Ann")], [leader("Bea")]
    (game,) = read_board(make_board(event)).games
    assert [(row["name"], row["side"]) for row in game.leaders] == [
        ("Bea", "away"),
        ("Ann", "home"),
    ]


@pytest.mark.parametrize(
    "nothing",
    [{"value": 0.0, "displayValue": "1-4, K"}, {"displayValue": "0"}, {"displayValue": "0.0"}],
)
def test_nobody_leads_with_nothing(nothing):
    said = [leader("Ann", "1", **nothing), leader("Bea", "1", value=1, displayValue="1-4, HR")]
    assert [row["name"] for row in read_game(leaders=said).leaders] == ["Bea"]


@pytest.mark.parametrize("shown", [None, "", "-", "--"])
def test_leader_without_a_figure_is_left_out(shown):
    said = [leader("Ann", "1", displayValue=shown), leader("Bea", "1", displayValue="-7")]
    assert [row["name"] for row in read_game(leaders=said).leaders] == ["Bea"]


@pytest.mark.parametrize(
    ("status", "names"),
    [("scheduled", ["Ann", "Bea"]), ("live", ["Bea"]), ("break", ["Bea"]), ("final", ["Bea"])],
)
def test_averages_of_the_season_lead_no_game_that_has_begun(status, names):
    said = [leader("Ann") | {"name": "pointsPerGame"}, leader("Bea") | {"name": "points"}]
    assert [row["name"] for row in read_game(status=status, leaders=said).leaders] == names


def featured(name: str, who: str, team: str = "", **more: object) -> dict:
    person = {"name": name, "athlete": {"fullName": who}} | more
    return person | ({"team": {"id": team}} if team else {})


def read_about(state: str, **of_event: object) -> dict:
    """What is told about a game of whose day the feed says everything at once."""
    event = make_event(status=state, score=("3", "2")) | {
        "weather": {"displayValue": "Mostly sunny", "conditionId": "2", "temperature": 80}
    }
    event |= of_event
    competition = event["competitions"][0]
    home, away = competition["competitors"]
    home["probables"] = [featured("probableStartingPitcher", "Ann", record="(4-3, 3.32)")]
    away["probables"] = [featured("probableStartingGoalie", "Bea")]
    competition["status"]["featuredAthletes"] = [
        featured("winningPitcher", "Cy", "1"),
        featured("playerOfTheMatch", "Di", "2"),
        featured("firstStar", "", "2"),
        featured("savingPitcher", "Eve", "77"),
    ]
    competition["headlines"] = [
        {"type": "Preview", "shortLinkText": "Who will win?"},
        {"type": "Recap", "shortLinkText": "Ones beat Twos"},
    ]
    (game,) = read_board(make_board(event)).games
    return game.about


def player(side: str, category: str, name: str, value: str = "") -> dict[str, str]:
    return {"side": side, "category": category, "name": name, "value": value}


@pytest.mark.parametrize(
    ("state", "about"),
    [
        (
            "scheduled",
            {
                "weather": "Mostly sunny, 80 °F",
                "players": [
                    player("away", "Probable goalie", "Bea"),
                    player("home", "Probable pitcher", "Ann", "4-3, 3.32"),
                ],
            },
        ),
        ("live", {"weather": "Mostly sunny, 80 °F"}),
        (
            "final",
            {
                "headline": "Ones beat Twos",
                "players": [player("home", "Winning pitcher", "Cy"), player("", "Save", "Eve")],
            },
        ),
    ],
)
def test_what_is_told_about_a_game_fits_its_state(state, about):
    assert read_about(state) == about


@pytest.mark.parametrize(
    ("weather", "text"),
    [
        (
            {"displayValue": "34", "conditionId": "Mostly clear", "temperature": 72},
            "Mostly clear, 72 °F",
        ),
        ({"displayValue": "Rain"}, "Rain"),
        ({"displayValue": "34", "conditionId": "34"}, None),
        ({"temperature": 0}, "0 °F"),
        ({}, None),
    ],
)
def test_weather_is_words_and_degrees(weather, text):
    assert read_about("live", weather=weather).get("weather") == text


def test_leaders_without_a_player_are_left_out():
    said = [{"abbreviation": "A", "leaders": []}, {"leaders": [{"displayValue": "3"}]}]
    assert read_game(leaders=said).leaders == ()


def test_league_is_none_when_the_answer_does_not_tell():
    for leagues in (None, [], {}, [None], ["x"], [{"season": 3}]):
        assert read_board(make_board(make_event(), leagues=leagues)).league is None
    board = make_board(leagues=[{"name": "L", "season": {"year": 2026, "type": {"type": -9}}}])
    league = read_board(board).league
    said = (league.season_year, league.season_type, league.season_name)
    assert said == (2026, None, "")


# ---------------------------------------------------------------- hostile answers


@pytest.mark.parametrize("read", [read_teams, parse.parse_roster, read_standings])
@pytest.mark.parametrize(
    "body", [b"", b"  ", b"<html>no</html>", b"null", b"[]", b"{}", b"{", b"\xff", b'"x"', b"1"]
)
def test_what_is_not_the_answer_asked_for_is_refused(read, body):
    with pytest.raises(PayloadError) as caught:
        read(body)
    assert caught.value.path.startswith("$")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "an empty body"),
        (b" \n", "an empty body"),
        (b"<html>Sorry</html>", "begins with '<html>Sorry</html>'"),
        (b'{"code": 400}', "missing required field `events`"),
        (b'{"events": 3}', "at `$.events`"),
        (b'{"events": []', "truncated"),
        (b'\xef\xbb\xbf{"events": []}', "malformed"),
    ],
)
def test_refusal_says_what_came(body, said):
    with pytest.raises(PayloadError) as caught:
        read_board(body)
    assert said in str(caught.value)


def test_refusal_carries_the_path_to_the_field():
    with pytest.raises(PayloadError) as caught:
        read_board(b'{"events": 3}')
    assert caught.value.path == "$.events"
    with pytest.raises(PayloadError) as caught:
        read_board(b"{}")
    assert caught.value.path == "$"


@pytest.mark.parametrize("events", [[], None])
def test_day_off_is_no_error(events):
    record = read_board(make_board() | {"events": events})
    assert (record.games, record.errors, record.events) == ((), (), 0)


@pytest.mark.parametrize("hostile", [None, 0, "x", [], {}, True, [[]], {"id": {}}, 10**400])
def test_broken_event_costs_that_event_alone(hostile):
    body = json.dumps(make_board(make_event("1"), "HERE", make_event("2")))
    record = read_board(body.replace('"HERE"', json.dumps(hostile)).encode())
    assert [game.espn_id for game in record.games] == ["1", "2"]
    assert (record.events, len(record.errors)) == (3, 1)


@pytest.mark.parametrize("escape", [r"\ud83d", r"\udc00", r"\ud83d\ud83d", r"\udc00\ud83d x"])
def test_half_a_character_is_replaced_and_costs_nothing(escape):
    body = json.dumps(make_board(make_event("1", detail="HERE"), make_event("2")))
    record = read_board(body.replace("HERE", escape).encode())
    first, second = record.games
    assert first.detail.replace("\ufffd", "").strip() in ("", "x")
    assert second.detail == "scheduled"


@pytest.mark.parametrize(
    ("escape", "text"),
    [(r"\ud83c\udfc8 \ud800", "🏈 \ufffd"), (r"\\ud800 \ud800", "\\ud800 \ufffd")],
)
def test_sound_escapes_beside_half_a_character_are_kept(escape, text):
    body = json.dumps(make_board(make_event(detail="HERE"))).replace("HERE", escape)
    assert read_board(body.encode()).games[0].detail == text


def test_bytes_that_are_no_text_cost_their_event_alone():
    body = json.dumps(make_board(make_event("1", detail="HERE"), make_event("2"))).encode()
    record = read_board(body.replace(b"HERE", b"\xff\xfe"))
    assert [game.espn_id for game in record.games] == ["2"]


def test_nul_and_length_are_taken_out_of_text():
    game = read_game(detail="\x00Top\x00 5th " + "x" * 5000)
    assert game.detail.startswith("Top 5th x")
    assert len(game.detail) == TEXT_LIMIT


@pytest.mark.parametrize(
    "body",
    [
        b'{"events":[' + b"[" * 100_000 + b"]" * 100_000 + b"]}",
        b'{"events":[' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"]}",
    ],
)
def test_deep_nesting_is_refused(body):
    with pytest.raises(PayloadError, match="recursion"):
        read_board(body)


def test_deep_groups_of_standings_are_walked_without_recursion():
    depth = 400
    body = b'{"children":[' * depth + b'{"name":"x"}' + b"]}" * depth
    assert read_standings(body) == ([], [])


@pytest.mark.parametrize(
    ("above", "name", "group", "division", "college"),
    [
        ("Plains", "East", "Plains", "Plains East", "Plains East"),
        ("Plains", "East Division", "Plains", "East Division", "East Division"),
        ("The Plains", "Atlantic", "The Plains", "Atlantic", "The Plains Atlantic"),
        ("", "East", "East", None, "East"),
        ("Plains", "", "Plains", None, "Plains"),
        ("Plains", None, "Plains", None, "Plains"),
        ("", "", "", None, ""),
    ],
)
def test_common_name_of_a_division_is_told_with_its_conference(
    above, name, group, division, college
):
    table = {"entries": [{"team": make_team("1")}]}
    body = {"children": [{"name": above, "children": [{"name": name, "standings": table}]}]}
    (line,), _ = read_standings(json.dumps(body).encode())
    assert (line.group, line.division) == (group, division)
    (line,), _ = read_standings(json.dumps(body).encode(), "ncaaf")
    assert (line.group, line.division) == (college, None)


def test_names_of_deep_groups_do_not_grow_without_end():
    body = b'{"name":"East","children":[' * 300
    body += b'{"name":"East","standings":{"entries":[{"team":{"id":1,"displayName":"A"}}]}}'
    (line,), _ = read_standings(body + b"]}" * 300, "ncaaf")
    assert len(line.group) == GROUP_LIMIT


def divided(slug: str, **divisions: list[tuple[str, str, str]]) -> list[StandingRecord]:
    """Standings of one conference; of each team its name, its seed and what decides."""
    decides = "points" if slug == "nhl" else "winPercent"
    children = [
        {
            "name": name,
            "standings": {
                "entries": [
                    {
                        "team": make_team(team),
                        "stats": [
                            {"name": "playoffSeed", "displayValue": seed},
                            {"name": decides, "displayValue": figure},
                        ],
                    }
                    for team, seed, figure in teams
                ]
            },
        }
        for name, teams in divisions.items()
    ]
    body = {"children": [{"name": "All", "children": children}]}
    return read_standings(json.dumps(body).encode(), slug)[0]


@pytest.mark.parametrize(
    ("slug", "figures"), [("nba", (".500", ".451", ".488")), ("nhl", ("98", "9", "95"))]
)
def test_conference_goes_by_seeds_and_a_division_by_what_decides(slug, figures):
    seeds = zip("789", figures, strict=True)
    lines = divided(slug, A=[(seed, seed, figure) for seed, figure in seeds], B=[("1", "1", "99")])
    places = [(line.team.espn_id, line.position, line.division_position) for line in lines]
    assert places == [("1", 1, 1), ("7", 2, 1), ("8", 3, 3), ("9", 4, 2)]


def test_equals_in_a_division_go_by_their_seeds():
    lines = divided("nfl", A=[("1", "9", ".5"), ("2", "8", ".5"), ("3", "1", ".9")])
    assert {line.team.espn_id: line.division_position for line in lines} == {"3": 1, "2": 2, "1": 3}


@pytest.mark.parametrize(
    ("stats", "summary"),
    [
        ([{"name": "overall", "summary": "5-1"}], "5-1"),
        ([{"name": "All Splits", "type": "total", "summary": "5-1-2"}], "5-1-2"),
        ([{"name": "vs. Conf.", "type": "vsconf", "summary": "1-0"}], ""),
        (
            [
                {"name": "overall", "type": "home_total", "summary": "1-0"},
                {"name": "overall", "type": "total", "summary": "5-1"},
            ],
            "5-1",
        ),
        ([], ""),
    ],
)
def test_record_in_the_standings_is_the_one_over_all_games(stats, summary):
    body = {"standings": {"entries": [{"team": make_team("1"), "stats": stats}]}}
    (line,), _ = read_standings(json.dumps(body).encode(), "ncaaf")
    assert line.summary == summary


@pytest.mark.parametrize(
    ("wins", "is_broken"), [({"text": "5"}, True), ({"displayValue": "5"}, False), (None, False)]
)
def test_line_without_the_text_of_any_column_is_broken(wins, is_broken):
    stats = [{"name": "overall", "summary": "5-1"}, {"name": "losses"}]
    stats[1:] = [{"name": "losses"}, {"name": "wins"} | wins] if wins else []
    body = {"standings": {"entries": [{"team": make_team("1"), "stats": stats}]}}
    lines, errors = read_standings(json.dumps(body).encode(), "nba")
    assert (len(lines), errors) == (
        (0, ["line without id: its statistics have no text"]) if is_broken else (1, [])
    )


@pytest.mark.parametrize(
    ("stat", "order"),
    [("playoffSeed", ["3", "1", "2"]), ("rank", ["3", "1", "2"]), ("wins", ["1", "2", "3"])],
)
def test_teams_stand_by_their_seed_or_rank(stat, order):
    entries = [
        {"team": make_team(team), "stats": [{"name": stat, "displayValue": place}]}
        for team, place in (("1", "2"), ("2", "10"), ("3", "1"))
    ]
    lines, _ = read_standings(json.dumps({"standings": {"entries": entries}}).encode(), "epl")
    assert [line.team.espn_id for line in lines] == order


@pytest.mark.parametrize("seed", ["²", "٣", "9" * 40, "-1", "x"])
def test_odd_seed_only_changes_the_order(seed):
    stats = [{"name": "playoffSeed", "displayValue": seed}, {"name": None, "displayValue": "1"}]
    entries = [{"team": make_team("1"), "stats": stats}, {"team": make_team("2")}]
    body = {"children": [{"name": "East", "standings": {"entries": entries}}]}
    lines, errors = read_standings(json.dumps(body).encode())
    assert ({line.team.espn_id for line in lines}, errors) == ({"1", "2"}, [])
    assert [line.position for line in lines] == [1, 2]


def test_player_listed_twice_counts_once():
    body = {"athletes": [{"id": "1", "fullName": "A"}, {"id": 1, "fullName": "B"}]}
    roster = parse.parse_roster(json.dumps(body).encode())
    assert [player.name for player in roster.players] == ["B"]


# ---------------------------------------------------------------- mutations of the samples

HOSTILE = (
    None,
    True,
    -1,
    0,
    10**30,
    1e308,
    "",
    "x",
    "-7",
    "\x00",
    "\ud800",
    "9" * 400,
    [],
    [None],
    {},
    {"id": "1"},
    [[[]]],
)


def places(node, path=()):
    """The path of every node of a document."""
    yield path
    if isinstance(node, (dict, list)):
        for key in list(node) if isinstance(node, dict) else range(len(node)):
            yield from places(node[key], (*path, key))


def with_value(document, path, value):
    """A copy of the document with another value at this place."""
    if not path:
        return value
    changed = copy.copy(document)
    changed[path[0]] = with_value(document[path[0]], path[1:], value)
    return changed


def assert_sound(result) -> None:
    """What was read can be stored: it is valid text throughout, without NUL."""
    text = msgspec.json.encode(result)
    assert b"\\u0000" not in text


def untouched_events(name: str, path: tuple) -> set[str]:
    """The readable events of a sample that a change at this place cannot concern."""
    games = read_sample(name, sample_bytes(name)).games
    if path[:1] != ("events",) or len(path) < 2:
        return {game.espn_id for game in games} if path and path[0] != "events" else set()
    changed = sample(name)["events"][path[1]]["id"]
    return {game.espn_id for game in games} - {changed}


def documents(name):
    """A sample event by event, or whole when it has none: small documents are soon tried."""
    document = sample(name)
    events = document.get("events")
    return [document | {"events": [event]} for event in events] if events else [document]


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLE_NAMES)
def test_no_single_change_of_a_sample_escapes_the_parser(name):
    changed = (
        with_value(document, path, value)
        for document in documents(name)
        for path in places(document)
        for value in HOSTILE
    )
    for document in changed:
        with suppress(PayloadError):
            assert_sound(read_sample(name, json.dumps(document).encode()))


@pytest.mark.slow
@pytest.mark.parametrize("name", BOARD_NAMES)
def test_change_in_one_event_leaves_the_others_alone(name):
    document = sample(name)
    for path in places(document):
        others = untouched_events(name, path)
        body = json.dumps(with_value(document, path, {"id": "1"})).encode()
        if others:
            read = {game.espn_id for game in read_sample(name, body).games}
            assert others <= read, path


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(max_size=8), parts),
    max_leaves=6,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_mixture_of_changes_escapes_the_parser(data):
    name = data.draw(st.sampled_from(SAMPLE_NAMES))
    document = sample(name)
    for _ in range(data.draw(st.integers(1, 6))):
        path = data.draw(st.sampled_from(list(places(document))))
        document = with_value(document, path, data.draw(json_values))
    with suppress(PayloadError):
        assert_sound(read_sample(name, json.dumps(document).encode()))


@settings(max_examples=150)
@given(name=st.sampled_from(SAMPLE_NAMES), data=st.data())
def test_no_cut_or_flipped_byte_escapes_the_parser(name, data):
    body = bytearray(sample_bytes(name))
    place = data.draw(st.integers(0, len(body) - 1))
    body[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(place, len(body)))
    for hostile in (bytes(body), bytes(body[:cut])):
        with suppress(PayloadError):
            read_sample(name, hostile)


# ---------------------------------------------------------------- names that are there twice


def test_part_that_is_named_twice_and_broken_once_ends_nothing():
    places = b'"position": {"abbreviation": [0]}, "position": {"name": 1}'
    player = b'{"id": 7, "fullName": "Ann", ' + places + b"}"
    roster = parse.parse_roster(b'{"athletes": [' + player + b"]}")
    (known,) = roster.players
    assert (known.espn_id, known.name, known.position_name) == ("7", "Ann", "1")
    assert roster.errors == ()


@pytest.mark.parametrize(
    ("injuries", "status"),
    [
        ([], "day-to-day"),
        (None, "day-to-day"),
        ([{"status": "Questionable", "date": "2025-03-13T22:07Z"}], "Questionable"),
        ([{"date": "2025-03-13T22:07Z"}, {"status": "Out"}], "Out"),
        ([{"status": ["Out"]}], "day-to-day"),
        ("Out", "day-to-day"),
    ],
)
def test_players_status_is_that_of_the_injury_where_there_is_one(injuries, status):
    player = {"id": 7, "fullName": "Ann", "status": {"type": "day-to-day"}, "injuries": injuries}
    (known,) = parse.parse_roster(json.dumps({"athletes": [player]}).encode()).players
    assert known.status == status


@pytest.mark.parametrize("first", ['{"fullName": []}', "[]", "7"])
def test_venue_that_is_named_twice_is_the_last(first):
    sent = json.dumps(make_event(venue={"fullName": "The Ground"}))
    twice = sent.replace('"venue":', f'"venue": {first}, "venue":')
    body = f'{{"events": [{twice}], "leagues": []}}'.encode()
    (game,) = parse.parse_scoreboard(body, BY_SLUG["nfl"]).games
    assert game.venue == "The Ground"


@pytest.mark.parametrize("first", ["[]", '{"type": 7}', "7"])
def test_status_that_is_named_twice_and_broken_once_breaks_no_other_event(first):
    good, odd = make_event("1"), json.dumps(make_event("2"))
    odd = odd.replace('"status":', f'"status": {first}, "status":')
    body = f'{{"events": [{json.dumps(good)}, {odd}], "leagues": []}}'.encode()
    record = parse.parse_scoreboard(body, BY_SLUG["nfl"])
    assert [game.espn_id for game in record.games] == ["1", "2"]


@pytest.mark.parametrize(
    ("parse_body", "body"),
    [
        (parse.parse_scoreboard, b"<html>"),
        (parse.parse_scoreboard, b'{"events": "\\ud800'),
        (parse.parse_teams, b'{"sports": [{"leagues": [{"teams": []}]}]}'),
        (parse.parse_standings, b"{}"),
    ],
)
def test_error_about_a_body_carries_it(parse_body, body):
    with pytest.raises(PayloadError) as caught:
        parse_body(body, BY_SLUG["nfl"])
    assert caught.value.body == body
