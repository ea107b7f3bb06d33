"""Recorded summaries, each part compared with the payload by code that shares none of the parser's.

What is expected is taken out of the recorded JSON here.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from sportsapp.core.leagues import BY_SLUG
from sportsapp.core.summary import SummaryRecord, pack, unpack
from sportsapp.feed.parse import parse_summary
from tests.conftest import RECORDED

NAMES = sorted(f"{path.parent.name}/{path.stem}" for path in RECORDED.glob("*/summary-*.json"))
FINALS = [name for name in NAMES if "final" in name]
MARKS = {"Start Inning", "End Inning", "Start Batter/Pitcher", "End Batter/Pitcher"}
STORED_BYTES = 30_000

pytestmark = pytest.mark.usefixtures("recorded")


def read(name: str) -> tuple[dict[str, Any], SummaryRecord]:
    path = Path(RECORDED, f"{name}.json")
    body = path.read_bytes()
    return json.loads(body), parse_summary(body, BY_SLUG[path.parent.name])


def side_of(said: dict[str, Any], team: dict[str, Any]) -> str:
    competitors = said["header"]["competitions"][0]["competitors"]
    return next(one["homeAway"] for one in competitors if one["team"]["id"] == team["id"])


def plays_of(read: SummaryRecord) -> list[Any]:
    return [play for group in read.groups for play in group.plays]


@pytest.mark.parametrize("name", NAMES)
def test_header_is_as_the_feed_says_and_nothing_is_broken(name):
    said, got = read(name)
    contest = said["header"]["competitions"][0]
    kind = contest["status"]["type"]
    assert (got.espn_id, got.state, got.is_completed, got.detail, got.errors) == (
        said["header"]["id"],
        kind["state"],
        kind["completed"],
        kind["detail"],
        (),
    )
    for side in contest["competitors"]:
        own = getattr(got, side["homeAway"])
        lines = [int(line["displayValue"]) for line in side.get("linescores", [])]
        score = int(side["score"]) if "score" in side else None
        assert (own.team_id, own.score, list(own.linescores)) == (side["team"]["id"], score, lines)


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_of_every_team(name):
    said, got = read(name)
    teams = {one.side: one for one in got.box}
    assert [one.side for one in got.box] == ["away", "home"]
    assert len(said["boxscore"]["teams"]) == 2
    for team in said["boxscore"]["teams"]:
        stats = [
            (figure["abbreviation"], figure.get("displayValue", ""))
            for group in team["statistics"]
            for figure in group.get("stats", ())
        ] or [(one["label"], one["displayValue"]) for one in team["statistics"] if "label" in one]
        own = teams[side_of(said, team["team"])]
        assert own.team_id == team["team"]["id"]
        assert [(one.label, one.value) for one in own.stats] == stats
        notes = [one for part in team.get("details", ()) for one in part["stats"]]
        expected = [(one["displayName"], one["displayValue"].strip()) for one in notes]
        assert [(one.label, one.value) for one in own.notes] == expected


@pytest.mark.parametrize("name", NAMES)
def test_every_row_and_total_of_every_player_table(name):
    said, got = read(name)
    tables = {one.side: one.tables for one in got.box}
    rows = 0
    for team in said["boxscore"].get("players", ()):
        own = tables[side_of(said, team["team"])]
        assert len(own) == len(team["statistics"])
        for table, expected in zip(own, team["statistics"], strict=True):
            assert table.name == expected.get("name", expected.get("type", ""))
            assert list(table.labels) == expected["labels"]
            assert list(table.keys) == expected["keys"]
            assert list(table.totals) == expected.get("totals", [])
            assert [
                (line.espn_id, line.name, list(line.stats), line.is_starter)
                for line in table.players
            ] == [
                (
                    one["athlete"]["id"],
                    one["athlete"]["displayName"],
                    one["stats"],
                    one.get("starter", False),
                )
                for one in expected["athletes"]
            ]
            rows += len(table.players)
    assert rows >= (20 if "final" in name else 0)


@pytest.mark.parametrize("name", FINALS)
def test_scoring_plays_lead_to_the_score(name):
    said, got = read(name)
    expected = said.get("scoringPlays") or [
        play
        for play in said["plays"]
        if play["scoringPlay"] and play.get("summaryType") in {None, "S"} and play.get("text")
    ]
    assert [(one.text, one.away_score, one.home_score) for one in got.scoring] == [
        (one["text"].strip(), one["awayScore"], one["homeScore"]) for one in expected
    ]
    assert (got.scoring[-1].away_score, got.scoring[-1].home_score) == (
        got.away.score,
        got.home.score,
    )
    teams = {side: getattr(got, side).team_id for side in ("away", "home")}
    assert [teams[one.side] for one in got.scoring] == [one["team"]["id"] for one in expected]
    for side in ("away", "home"):
        own = getattr(got, side)
        assert sum(own.linescores) == own.score


@pytest.mark.parametrize("name", [one for one in FINALS if "mlb" not in one])
def test_every_play_in_its_group(name):
    said, got = read(name)
    if "drives" in said:
        groups = [
            (one["description"], one["displayResult"], one["plays"])
            for one in said["drives"]["previous"]
        ]
    else:
        titles = dict.fromkeys(one["period"]["displayValue"] for one in said["plays"])
        groups = [
            (title, "", [one for one in said["plays"] if one["period"]["displayValue"] == title])
            for title in titles
        ]
    assert [(one.title, one.result) for one in got.groups] == [one[:2] for one in groups]
    for own, (_, _, plays) in zip(got.groups, groups, strict=True):
        assert [
            (p.espn_id, p.kind, p.text, p.clock, p.period, p.away_score, p.home_score)
            for p in own.plays
        ] == [
            (
                p["id"],
                p["type"]["text"].replace("\n", " "),
                p["text"].strip(),
                p["clock"]["displayValue"],
                p["period"]["number"],
                p["awayScore"],
                p["homeScore"],
            )
            for p in plays
        ]


@pytest.mark.parametrize("name", [one for one in FINALS if "mlb" in one])
def test_every_at_bat_with_its_pitches_in_its_half_inning(name):
    said, got = read(name)
    kept = [
        play
        for play in said["plays"]
        if play.get("text") and play["type"]["text"] not in MARKS and play.get("summaryType") != "P"
    ]
    assert [play.text for play in plays_of(got)] == [play["text"] for play in kept]
    halves = dict.fromkeys((one["period"]["type"], one["period"]["displayValue"]) for one in kept)
    assert [group.title for group in got.groups] == [" ".join(half) for half in halves]
    assert {group.side for group in got.groups if group.title.startswith("Top")} == {"away"}
    pitches = Counter(one["atBatId"] for one in said["plays"] if one.get("summaryType") == "P")
    assert sum(len(play.pitches) for play in plays_of(got)) == pitches.total()


@pytest.mark.parametrize("name", NAMES)
def test_what_surrounds_the_game(name):
    said, got = read(name)
    info = said["gameInfo"]
    assert [(one.play_id, one.home) for one in got.chances] == [
        (one["playId"], round(one["homeWinPercentage"], 4))
        for one in said.get("winprobability", ())
    ]
    assert [(" ".join(one.name.split()), one.position) for one in got.officials] == [
        (" ".join(one["displayName"].split()), one["position"]["name"])
        for one in info.get("officials", ())
    ]
    assert got.attendance == info.get("attendance")
    assert [(one.side, one.espn_id, one.status, one.detail) for one in got.injuries] == [
        (
            side_of(said, team["team"]),
            one["athlete"]["id"],
            one["status"],
            one.get("details", {}).get("type", ""),
        )
        for team in said["injuries"]
        for one in team["injuries"]
    ]
    assert [(one.title, one.summary) for one in got.series] == [
        (one["title"], one["summary"]) for one in said.get("seasonseries", ())
    ]
    for own, series in zip(got.series, said.get("seasonseries", ()), strict=True):
        assert len(own.meetings) == len(series["events"])
        for meeting, event in zip(own.meetings, series["events"], strict=True):
            sides = {one["homeAway"]: one for one in event["competitors"]}
            assert (meeting.espn_id, meeting.state) == (event["id"], event["status"])
            assert (meeting.away_id, meeting.home_id) == (
                sides["away"]["team"]["id"],
                sides["home"]["team"]["id"],
            )
            scores = [sides[side].get("score") for side in ("away", "home")]
            assert [meeting.away_score, meeting.home_score] == [
                None if score is None else int(score) for score in scores
            ]


@pytest.mark.parametrize("name", NAMES)
def test_it_is_stored_small_and_comes_back_as_it_was(name):
    _, got = read(name)
    document = pack(got)
    assert len(document) < STORED_BYTES
    assert unpack(document) == got
