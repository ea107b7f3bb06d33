"""Recorded soccer and college games, read for the leagues that are not followed by default.

What is expected is taken out of the recorded JSON here, without the parser.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from sportsapp.core.records import CompetitorRecord, GameRecord
from tests.answers import make_board, read_board

# Which league reads a recorded event, by sport and league in the event's uid: other leagues and
# the world cup stand in for one of their sport.
LEAGUES = {
    "s:600~l:770": "mls",
    "s:600~l:720": "epl",
    "s:600~l:606": "epl",
    "s:600~l:8301": "mls",
    "s:20~l:23": "ncaaf",
}
STOPS = {1: 45, 2: 90, 3: 105, 4: 120, 5: 120}


@pytest.fixture
def events(recorded) -> dict[str, tuple[dict[str, Any], str]]:
    """By id the recorded events of these sports, and the league to read each for."""
    body = json.loads((recorded / "mixed" / "all.json").read_bytes())
    slugs = {one["id"]: LEAGUES.get(one["uid"].rpartition("~")[0]) for one in body["events"]}
    return {one["id"]: (one, slug) for one in body["events"] if (slug := slugs[one["id"]])}


def read(event: dict[str, Any], slug: str) -> GameRecord:
    (game,) = read_board(make_board(event), slug).games
    return game


def minutes_of(shown: str) -> int:
    """What a clock such as 90'+8' adds up to."""
    return sum(int(part.strip("'")) for part in shown.split("+"))


def test_there_are_recorded_games_of_these_sports(events):
    assert len(events) == 8
    names = {one["status"]["type"]["name"] for one, _ in events.values()}
    assert names == {
        "STATUS_SCHEDULED",
        "STATUS_IN_PROGRESS",
        "STATUS_HALFTIME",
        "STATUS_SECOND_HALF",
        "STATUS_FULL_TIME",
        "STATUS_FINAL_PEN",
    }


def test_state_and_sides_are_as_the_feed_says(events):
    for event, slug in events.values():
        game, said = read(event, slug), event["competitions"][0]
        kind = said["status"]["type"]
        began = kind["state"] != "pre"
        assert (game.espn_id, str(game.state), game.completed, game.detail) == (
            event["id"],
            kind["state"],
            kind["completed"],
            kind["detail"],
        )
        assert game.period == (said["status"]["period"] if began else 0)
        assert game.clock == (said["status"]["displayClock"] if began else "")
        for side in said["competitors"]:
            expect_side(getattr(game, side["homeAway"]), side, slug, began)


def expect_side(read: CompetitorRecord, said: dict[str, Any], slug: str, began: bool) -> None:
    rank = said.get("curatedRank", {}).get("current", 99)
    records = [one["summary"] for one in said.get("records", []) if one["type"] == "total"]
    by_place = slug == "ncaaf"
    assert read.score == (int(said["score"]) if began else None)
    assert read.winner == (said.get("winner") if began else None)
    assert read.record == "".join(records)
    assert read.rank == (rank if rank <= 25 else None)
    assert list(read.linescores) == [line["value"] for line in said.get("linescores", [])]
    assert read.team is not None
    assert read.team.espn_id == said["team"]["id"]
    assert read.team.short_name == said["team"]["location" if by_place else "shortDisplayName"]


def test_time_left_is_reckoned_from_a_clock_that_counts_up(events):
    found = {}
    for espn_id, (event, slug) in events.items():
        status = event["status"]
        if slug != "ncaaf" and status["type"]["state"] != "pre":
            played = max(status["clock"], 60 * minutes_of(status["displayClock"]))
            found[espn_id] = STOPS[status["period"]] * 60 - played
            assert read(event, slug).clock_left == found[espn_id]
    assert sorted(found.values()) == [-480, 0, 1260]


def test_penalties_are_told_with_the_series_and_not_in_the_note(events):
    (event, slug), (headline,) = events["633850"], events["633850"][0]["competitions"][0]["notes"]
    game = read(event, slug)
    assert (game.note, game.series) == ("", headline["headline"])
    event["competitions"][0]["notes"] = []
    kicks = {
        side["team"]["abbreviation"]: side["shootoutScore"]
        for side in event["competitions"][0]["competitors"]
    }
    words = f"Penalties FRA {kicks['FRA']:g}, ARG {kicks['ARG']:g}"
    assert read(event, slug).series == words


def test_ranked_teams_are_those_the_feed_ranks(events):
    ranks = {
        side["team"]["abbreviation"]: side["curatedRank"]["current"]
        for event, slug in events.values()
        if slug == "ncaaf"
        for side in event["competitions"][0]["competitors"]
    }
    assert {name: rank for name, rank in ranks.items() if rank < 26} == {"ALA": 1, "MICH": 8}


def test_recorded_baseball_names_its_pitchers(recorded):
    told: list[tuple[str, str, str]] = []
    for file in sorted((recorded / "mlb").glob("scoreboard-*.json")):
        for event in json.loads(file.read_bytes())["events"]:
            competition = event["competitions"][0]
            state = competition["status"]["type"]["state"]
            people = read(event, "mlb").about.get("players", [])
            named = competition["status"].get("featuredAthletes") or []
            if state == "pre":
                sides = sorted(competition["competitors"], key=lambda side: side["homeAway"])
                named = [one for side in sides for one in side.get("probables") or []]
            assert [one["name"] for one in people] == [
                one["athlete"]["displayName"] for one in named if state != "in"
            ]
            assert all(one["side"] for one in people)
            told += [(state, one["category"], one["side"]) for one in people]
    assert len(told) > 100
    assert {category for _, category, _ in told} == {
        "Probable pitcher",
        "Winning pitcher",
        "Losing pitcher",
        "Save",
    }


def test_recorded_red_cards_are_counted_by_side(recorded):
    body = json.loads((recorded / "epl" / "scoreboard-final-20250525.json").read_bytes())
    games = [read(event, "epl") for event in body["events"]]
    assert {game.espn_id: game.situation for game in games if game.situation} == {
        "704652": {"home_red_cards": 1},
        "704658": {"away_red_cards": 1},
    }
