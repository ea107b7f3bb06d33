"""Summaries as the demo feed answers them, and made ones: each sport's parts, and broken parts."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest

from demo.chance import seeded
from demo.events import FeedView
from demo.script import tempo, timeline
from demo.seasons import season_of
from demo.summaries import summary_json
from sportsapp.core.errors import PayloadError
from sportsapp.core.leagues import ALL_LEAGUES, BY_SLUG
from sportsapp.core.summary import SummaryRecord, pack, unpack
from sportsapp.feed.parse import parse_summary
from tests.conftest import RECORDED
from tests.unit.test_parse_mutations import assert_storable

ONE_OF_A_SPORT = ("nfl", "nba", "mlb", "nhl", "epl")
PARTS = {  # the parts of a summary, and the fields of the record that are read from each
    "injuries": {"injuries"},
    "seasonseries": {"series"},
    "winprobability": {"chances"},
    "gameInfo": {"officials", "weather", "attendance"},
    "scoringPlays": {"scoring"},
    "rosters": {"lineups"},
}
WRONG = ("x", 7, -1, 1e300, 10**40, True, [], {}, [[]], "9" * 500, "\x00\u2028", {"id": None})


@cache
def body_of(slug: str, played: float) -> str:
    """The demo feed's summary of a league's game of which this share has been played."""
    league = BY_SLUG[slug]
    games = season_of(league.feed_slug, 2026).games
    game = next(game for game in games if game.fate == "played")
    seconds = sum(stretch.seconds for stretch in timeline(game)) * tempo(game)
    view = FeedView(game.start + timedelta(seconds=seconds * played + 1))
    return json.dumps(summary_json(game, view))


def said_of(slug: str, played: float = 1.0) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(body_of(slug, played))
    return said


def read(slug: str, said: Any) -> SummaryRecord:
    return parse_summary(json.dumps(said).encode(), BY_SLUG[slug])


# ---------------------------------------------------------------- each sport


@pytest.mark.parametrize("league", ALL_LEAGUES, ids=lambda league: league.slug)
def test_final_of_each_league_has_its_parts(league):
    said = said_of(league.slug)
    got = read(league.slug, said)
    assert (got.errors, got.state, got.is_completed) == ((), "post", True)
    assert [box.side for box in got.box] == ["away", "home"]
    assert got.officials
    assert got.attendance == said["gameInfo"]["attendance"]
    assert {one.side for one in got.injuries} == {"home", "away"}
    assert bool(got.lineups) == (league.sport == "soccer") != bool(got.box[0].tables)
    assert bool(got.chances) == (league.sport in {"football", "basketball", "baseball"})
    points = dict.fromkeys(("away", "home"), 0)
    before = {"away": 0, "home": 0}
    for play in got.scoring:
        if league.sport == "soccer":
            points[play.side] += 1
        else:
            now = {"away": play.away_score, "home": play.home_score}
            points[play.side] += now[play.side] - before[play.side]
            before = now
    assert points == {"away": got.away.score, "home": got.home.score}
    assert unpack(pack(got)) == got
    assert_storable(got)


@pytest.mark.parametrize("slug", ONE_OF_A_SPORT)
def test_game_to_come_has_neither_score_nor_plays(slug):
    got = read(slug, said_of(slug, -1.0))
    assert (got.state, got.away.score, got.groups, got.scoring) == ("pre", None, (), ())


def test_drive_that_goes_on_is_the_last_and_is_not_there_twice():
    said = said_of("nfl")
    drives = said["drives"]["previous"]
    said["drives"] = {"previous": drives, "current": {**drives[-1], "displayResult": "Now"}}
    groups = read("nfl", said).groups
    assert len(groups) == len(drives)
    assert groups[-1].result == "Now"
    for drive in (*said["drives"]["previous"], said["drives"]["current"]):
        del drive["id"]
    assert len(read("nfl", said).groups) == len(drives) + 1


def test_at_bat_that_goes_on_has_its_pitches_so_far():
    said = said_of("mlb")
    end = max(n for n, one in enumerate(said["plays"]) if one["type"]["text"] == "Play Result")
    said["plays"] = said["plays"][:end]
    play = read("mlb", said).groups[-1].plays[-1]
    assert " pitches to " in play.text
    assert len(play.pitches) == 2


def test_pitch_is_told_with_its_speed():
    said = said_of("mlb")
    pitch = next(one for one in said["plays"] if one["summaryType"] == "P")
    pitch |= {"text": "Pitch 1 : Ball 1", "pitchVelocity": 97, "pitchType": {"text": "Sinker"}}
    assert read("mlb", said).groups[0].plays[0].pitches[0] == "Ball 1, 97 mph Sinker"


def test_shootout_of_soccer_is_a_group_for_each_side_and_no_score():
    said = said_of("epl")
    home = next(
        one for one in said["header"]["competitions"][0]["competitors"] if one["order"] == 0
    )
    shots = [
        {"id": "1", "player": "A. One", "playerId": "11", "didScore": True},
        {"id": "2", "player": "B. Two", "didScore": False},
    ]
    said["shootout"] = [{"id": home["team"]["id"], "team": "Home", "shots": shots}]
    got = read("epl", said)
    assert (got.groups[-1].title, got.groups[-1].side) == ("Shootout", "home")
    assert [(one.kind, one.text, one.is_scoring) for one in got.groups[-1].plays] == [
        ("Scored", "A. One", False),
        ("Missed", "B. Two", False),
    ]
    assert got.scoring == read("epl", said_of("epl")).scoring


def test_lineup_counts_who_came_on_in_either_of_the_feeds_forms():
    said = said_of("epl")
    first, second, *_ = said["rosters"][0]["roster"]
    first |= {"subbedOut": {"didSub": True}, "subbedIn": {"didSub": False}}
    second |= {"subbedIn": True}
    lineup = read("epl", said).lineups[0]
    assert [(one.came_on, one.went_off) for one in lineup.players[:2]] == [
        (False, True),
        (True, False),
    ]
    assert lineup.formation == "4-4-2"
    assert sum(one.is_starter for one in lineup.players) == 11


def test_meetings_of_soccer_are_head_to_head():
    said = said_of("epl")
    meeting = {"id": "5", "gameDate": "2025-01-01T15:00Z", "homeTeamId": "1", "awayTeamId": "2"}
    meeting |= {"homeTeamScore": "3", "awayTeamScore": "1"}
    said["headToHeadGames"] = [{"team": {"id": "1"}, "events": [meeting]}] * 2
    (series,) = read("epl", said).series
    assert [(one.home_id, one.home_score, one.away_score) for one in series.meetings] == [
        ("1", 3, 1)
    ]


def test_player_who_did_not_play_has_the_reason_and_one_who_played_has_not():
    said = said_of("nba")
    lines = said["boxscore"]["players"][0]["statistics"][0]["athletes"]
    lines[0] |= {"reason": "COACH'S DECISION", "didNotPlay": False}
    lines[1] |= {"reason": "COACH'S DECISION", "didNotPlay": True, "stats": []}
    players = read("nba", said).box[0].tables[0].players
    assert [one.note for one in players[:2]] == ["", "COACH'S DECISION"]
    assert players[1].stats == ()


# ---------------------------------------------------------------- broken parts


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{}", b'{"header": 7, "boxscore": 7}'])
def test_what_is_no_summary_is_refused(body):
    with pytest.raises(PayloadError):
        parse_summary(body, BY_SLUG["nfl"])


def test_box_score_survives_without_a_header():
    said = said_of("nba")
    whole = read("nba", said)
    got = read("nba", {**said, "header": [said["header"]]})
    assert got.box == whole.box
    assert got.state == ""
    assert [line.partition(":")[0] for line in got.errors] == ["header"]


@pytest.mark.parametrize("slug", ONE_OF_A_SPORT)
@pytest.mark.parametrize("wrong", ["x", 7, [7], {"a": 1}])
def test_broken_part_costs_itself_alone(slug, wrong):
    said = said_of(slug)
    whole = read(slug, said)
    for part, fields in PARTS.items():
        if part in said:
            got = read(slug, {**said, part: wrong})
            for field in set(SummaryRecord.__struct_fields__) - fields - {"errors"}:
                assert getattr(got, field) == getattr(whole, field), (part, field)


@pytest.mark.parametrize("wrong", [None, 7, "x", [], {}, {"athlete": {"id": "1"}}])
def test_broken_row_costs_itself_and_a_line(wrong):
    said = said_of("nba")
    rows = said["boxscore"]["players"][1]["statistics"][0]["athletes"]
    whole = read("nba", said).box[1].tables[0].players
    rows[2] = wrong
    got = read("nba", said)
    assert got.box[1].tables[0].players == (*whole[:2], *whole[3:])
    assert len(got.errors) == 1


def test_broken_value_of_a_play_costs_that_value():
    said = said_of("nba")
    whole = read("nba", said).groups[0].plays
    said["plays"][3] |= {"homeScore": "many", "participants": 7}
    play = read("nba", said).groups[0].plays[3]
    assert (play.text, play.away_score) == (whole[3].text, whole[3].away_score)
    assert (play.home_score, play.players) == (None, ())


def test_more_rows_than_any_game_has_are_cut_off():
    said = said_of("nhl")
    said["plays"] *= 3_100 // len(said["plays"]) + 1
    got = read("nhl", said)
    assert sum(len(group.plays) for group in got.groups) == 3_000
    assert "3,000 were read" in got.errors[0]


# ---------------------------------------------------------------- two thousand


def shortened(value: Any) -> Any:
    """The first rows of every list."""
    if isinstance(value, dict):
        return {name: shortened(part) for name, part in value.items() if name not in TOO_MUCH}
    return [shortened(part) for part in value[:2]] if isinstance(value, list) else value


TOO_MUCH = {"links", "logos", "news", "article", "standings", "videos", "playsMap", "atBats"}
TOO_MUCH |= {"pickcenter", "againstTheSpread", "images", "headshot", "leaders", "lastFiveGames"}


def documents() -> list[tuple[str, Any]]:
    """Slug and summary, shortened: the recorded ones where they are, and the demo's."""
    paths = sorted(Path(RECORDED).glob("*/summary-*.json"))
    recorded = [(path.parent.name, json.loads(path.read_bytes())) for path in paths]
    made = [(slug, said_of(slug, played)) for slug in ONE_OF_A_SPORT for played in (0.6, 1.0)]
    return [(slug, shortened(said)) for slug, said in recorded + made]


def paths_of(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    below = [(*path, step) for step, _ in parts]
    deeper = [
        one
        for place in below
        if isinstance(value[place[-1]], dict | list)
        for one in paths_of(value[place[-1]], place)
    ]
    return below + deeper


def broken(said: Any, path: tuple[Any, ...], chance: Random) -> None:
    """Drop, null, retype or nest what is at this place, unless it has gone already."""
    *above, last = path
    try:
        for step in above:
            said = said[step]
        value = said[last]
        said[last] = chance.choice([None, [value], {"id": value}, chance.choice(WRONG)])
        if chance.random() < 0.25:
            del said[last]
    except (KeyError, IndexError, TypeError):
        pass


def test_two_thousand_broken_summaries_are_read_and_what_is_not_broken_is_there():
    chance = seeded("broken summaries")
    whole = [
        (slug, json.dumps(said), paths_of(said), read(slug, said)) for slug, said in documents()
    ]
    for number in range(2_000):
        slug, text, paths, record = whole[number % len(whole)]
        said = json.loads(text)
        chosen = chance.choices(paths, k=chance.randint(1, 5))
        for path in chosen:
            broken(said, path, chance)
        try:
            got = read(slug, said)
        except PayloadError:
            assert {path[0] for path in chosen if len(path) == 1} >= {"header", "boxscore"}, number
            continue
        assert_storable(got)
        touched = {path[0] for path in chosen}
        for part, fields in PARTS.items():
            # who is home and who is away comes from the first two
            if not touched & {"header", "boxscore", "plays", "keyEvents", "drives", part}:
                for field in fields:
                    assert getattr(got, field) == getattr(record, field), (number, field)
