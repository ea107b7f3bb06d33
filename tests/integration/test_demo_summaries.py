"""The demo feed's summaries fit its games: at every moment they say what its scoreboard says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from demo.events import FeedView, event_json
from demo.fixtures import Fixture
from demo.leagues import LEAGUES
from demo.script import tempo, timeline
from demo.seasons import season_of
from demo.summaries import summary_json

pytestmark = pytest.mark.slow

MOMENTS = 25
GAMES = 3
Json = dict[str, Any]


def moments_of(game: Fixture) -> list[FeedView]:
    """From before the start until after the end."""
    seconds = sum(stretch.seconds for stretch in timeline(game)) * tempo(game)
    steps = (n / (MOMENTS - 2) for n in range(-1, MOMENTS))
    return [FeedView(game.start + timedelta(seconds=seconds * step)) for step in steps]


def sides_of(competitors: list[Json]) -> dict[str, Json]:
    return {side["homeAway"]: side for side in competitors}


def points_of(summary: Json, teams: dict[str, str]) -> dict[str, int]:
    """By side what the plays that scored add up to."""
    points = dict.fromkeys(teams, 0)
    for play in summary.get("keyEvents") or summary.get("plays") or drive_plays(summary):
        if play["scoringPlay"] and play.get("summaryType", "S") == "S":
            team = play.get("team") or play["start"]["team"]
            side = next(side for side, team_id in teams.items() if team_id == team["id"])
            points[side] = play[f"{side}Score"] if "homeScore" in play else points[side] + 1
    return points


def drive_plays(summary: Json) -> list[Json]:
    drives = summary.get("drives", {})
    drives = [*drives.get("previous", ()), *filter(None, [drives.get("current")])]
    return [play for drive in drives for play in drive["plays"]]


@pytest.mark.parametrize("key", LEAGUES)
def test_score_line_score_and_plays_agree_with_the_scoreboard(key):
    played = [game for game in season_of(key, 2026).games if game.fate == "played"]
    for game in played[:: len(played) // GAMES]:
        teams = {"home": game.home.id, "away": game.away.id}
        count = 0
        for view in moments_of(game):
            event, summary = event_json(game, view), summary_json(game, view)
            shown = sides_of(event["competitions"][0]["competitors"])
            said = sides_of(summary["header"]["competitions"][0]["competitors"])
            if event["status"]["type"]["state"] == "pre":
                assert summary["boxscore"] == {"teams": []}
                continue
            for side in teams:
                assert said[side]["score"] == shown[side]["score"]
                if "linescores" in shown[side]:  # scoreboards of soccer have none
                    lines = [int(line["displayValue"]) for line in said[side]["linescores"]]
                    assert lines == [int(line["value"]) for line in shown[side]["linescores"]]
            cards = [play["team"]["id"] for play in event["competitions"][0].get("details", ())]
            assert cards == [
                play["team"]["id"]
                for play in summary.get("keyEvents", ())
                if play["type"]["text"] == "Red Card"
            ]
            scores = {side: int(shown[side]["score"]) for side in teams}
            assert points_of(summary, teams) == scores
            now = len(summary.get("keyEvents") or summary.get("plays") or drive_plays(summary))
            assert now >= count
            count = now
        assert count > 5
        assert box_of(summary, teams) == box_of_plays(summary, key, scores, shown)


def box_of(summary: Json, teams: dict[str, str]) -> dict[str, list[int]]:
    """By side the points (runs, goals) of the players, and where there are totals, those."""
    box: dict[str, list[int]] = {side: [] for side in teams}
    for team in summary["boxscore"]["players"]:
        side = next(side for side, one in teams.items() if one == team["team"]["id"])
        for table in team["statistics"]:
            for label in {"PTS", "R", "H", "G"} & set(table["labels"]):
                if table.get("type") == "pitching" or table.get("name") == "kicking":
                    continue
                at = table["labels"].index(label)
                value = sum(int(line["stats"][at]) for line in table["athletes"])
                assert table.get("totals", [str(value)] * 99)[at] == str(value)
                box[side].append(value)
    return {side: sorted(values) for side, values in box.items()}


def box_of_plays(
    summary: Json, key: str, scores: dict[str, int], shown: dict[str, Json]
) -> dict[str, list[int]]:
    """What the box should have: in hockey a shootout's goal is nobody's."""
    if key in {"nfl", "college-football"} or LEAGUES[key].sport == "soccer":
        return {side: [] for side in scores}
    if key == "mlb":
        return {side: sorted([scores[side], shown[side]["hits"]]) for side in scores}
    if key != "nhl":
        return {side: [scores[side]] for side in scores}
    own = {side: shown[side]["team"]["id"] for side in scores}
    goals = {
        side: [
            play["type"]["text"] == "Goal"
            for play in summary["plays"]
            if play["team"]["id"] == team
        ]
        for side, team in own.items()
    }
    return {side: by_table(summary, own[side], sum(found)) for side, found in goals.items()}


def by_table(summary: Json, team_id: str, goals: int) -> list[int]:
    """The goals of forwards and of defenders, which together are these."""
    team = next(one for one in summary["boxscore"]["players"] if one["team"]["id"] == team_id)
    skaters = [table for table in team["statistics"] if "G" in table["labels"]]
    parts = [sum(int(line["stats"][0]) for line in table["athletes"]) for table in skaters]
    assert sum(parts) == goals
    return sorted(parts)


def test_who_comes_on_or_goes_off_is_in_a_lineup():
    played = [game for game in season_of("eng.1", 2026).games if game.fate == "played"]
    for game in played[:5]:
        summary = summary_json(game, FeedView(game.start + timedelta(hours=12)))
        changed = {
            one["athlete"]["id"]
            for play in summary["keyEvents"]
            if play["type"]["text"] == "Substitution"
            for one in play["participants"]
        }
        listed = [player for side in summary["rosters"] for player in side["roster"]]
        marked = [player for player in listed if player["subbedIn"] or player["subbedOut"]]
        assert changed == {player["athlete"]["id"] for player in marked}
        assert len(changed) > 5
