"""Recorded answers of the real feed, synced over HTTP and compared without our parser."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise, permutations
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from werkzeug.wrappers import Request, Response

from bench.boards import ConstantClient, four_boards
from sportsapp.core.leagues import BY_SLUG
from sportsapp.db.engine import db
from sportsapp.feed import parse
from sportsapp.services import services_of
from sportsapp.sync import catalogue, context, plan, scoreboards
from sportsapp.sync.context import SyncContext
from tests.conftest import RECORDED
from tests.loopback import LoopbackFeed
from tests.stored import all_rows, forget_everything, query, statements, writes

SLUGS = ("nfl", "nba", "mlb", "nhl")
NOW = datetime(2026, 10, 4, 18, 0, tzinfo=UTC)
FILES = sorted(
    f"{slug}/{path.name}"
    for slug in SLUGS
    for kind in ("scoreboard", "series")
    for path in (RECORDED / slug).glob(f"{kind}-*.json")
)
SERIES = {
    "mlb": [
        "series-20250601-1-scheduled",
        "series-20250601-2-live",
        "series-20250601-3-mixed",
        "series-20250601-4-final",
    ],
    "nhl": ["series-20250521-1-live", "series-20250521-2-final"],
    "nfl": ["scoreboard-scheduled-2025-week1", "scoreboard-2025-week1-after-opener"],
}
NEVER_PLAYED = ("STATUS_POSTPONED", "STATUS_CANCELED")

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("recorded")]


@pytest.fixture
def sync(app) -> SyncContext:
    return SyncContext(services_of(app).feed_client, db.session, NOW)


def body_of(name: str) -> bytes:
    return (RECORDED / name).with_suffix(".json").read_bytes()


# ---------------------------------------------------------------- the answers, walked by hand


def eastern_day(start: str) -> str:
    moment = datetime.fromisoformat(start)
    return moment.astimezone(ZoneInfo("America/New_York")).date().isoformat()


def expected_score(competition: dict[str, Any], home_away: str) -> int | None:
    kind = competition["status"]["type"]
    if kind["state"] == "pre" or kind["name"] in NEVER_PLAYED:
        return None
    (side,) = [one for one in competition["competitors"] if one["homeAway"] == home_away]
    return int(float(side["score"]))


def expected_games(body: bytes) -> dict[str, dict[str, Any]]:
    """Of each event with two competitors: day, state and scores."""
    expected = {}
    for event in json.loads(body)["events"]:
        competition = event["competitions"][0]
        if len(competition["competitors"]) == 2:
            expected[event["id"]] = {
                "day": eastern_day(event["date"]),
                "state": competition["status"]["type"]["state"],
                "home_score": expected_score(competition, "home"),
                "away_score": expected_score(competition, "away"),
            }
    return expected


def stored_games(slug: str) -> dict[str, dict[str, Any]]:
    rows = query(
        "SELECT g.espn_id, CAST(g.day AS TEXT) AS day, g.state, g.home_score, g.away_score"
        " FROM games g JOIN leagues l ON l.id = g.league_id WHERE l.slug = :slug",
        slug=slug,
    )
    return {row.pop("espn_id"): row for row in rows}


def day_to_ask(body: bytes) -> date:
    events = json.loads(body)["events"]
    return date.fromisoformat(eastern_day(events[0]["date"]) if events else "2025-07-01")


def sync_file(sync: SyncContext, feed: LoopbackFeed, name: str) -> context.SyncResult:
    body, slug = body_of(name), name.split("/")[0]
    feed.say(slug, body)
    return scoreboards.sync_day(sync, BY_SLUG[slug], day_to_ask(body))


# ---------------------------------------------------------------- scoreboards


def test_recorded_answers_are_there():
    assert len(FILES) >= 20


@pytest.mark.parametrize("name", FILES)
def test_every_game_is_stored_as_the_feed_says(sync, feed, name):
    expected = expected_games(body_of(name))
    result = sync_file(sync, feed, name)
    assert stored_games(name.split("/")[0]) == expected
    assert result.as_dict() == {"synced": len(expected), "errors": []}


@pytest.mark.parametrize("name", FILES)
def test_second_run_writes_nothing(sync, feed, name):
    first = sync_file(sync, feed, name)
    before = all_rows()
    with statements() as count:
        assert sync_file(sync, feed, name) == first
    assert (writes(count), all_rows()) == (0, before)


@pytest.mark.parametrize("name", FILES)
def test_same_games_in_other_bytes_change_no_row_but_the_digest(sync, feed, name):
    sync_file(sync, feed, name)
    before = all_rows()
    slug, body = name.split("/")[0], body_of(name)
    feed.say(slug, json.dumps(json.loads(body)).encode() + b" ")
    scoreboards.sync_day(sync, BY_SLUG[slug], day_to_ask(body))
    after = all_rows()
    assert before.pop("scoreboards") != after.pop("scoreboards")
    assert after == before


def test_all_files_together_fill_one_database(sync, feed):
    for name in FILES:
        sync_file(sync, feed, name)
    for slug in SLUGS:
        ids = {i for name in FILES if name.startswith(slug) for i in expected_games(body_of(name))}
        assert set(stored_games(slug)) == ids
    assert query("SELECT * FROM teams WHERE espn_id LIKE '-%'") == []


def test_file_of_many_sports_costs_only_the_events_that_are_no_games():
    for slug in SLUGS:
        record = parse.parse_scoreboard(body_of("mixed/all"), BY_SLUG[slug])
        assert len(record.games) + len(record.errors) == record.events == 32
        assert len(record.games) > 20


# ---------------------------------------------------------------- the same day again and again

PHASES = {"pre": 0, "in": 1, "post": 2}
BOOKKEEPING = ("id", "league_id", "home_team_id", "away_team_id", "created_at", "updated_at")


def points_reached() -> dict[str, tuple[int, int]]:
    """How far each game has come: its phase and period."""
    rows = query("SELECT espn_id, state, period FROM games")
    return {row["espn_id"]: (PHASES[row["state"]], row["period"]) for row in rows}


def games_as_shown() -> list[dict[str, Any]]:
    rows = query(
        "SELECT g.*, h.espn_id AS home, a.espn_id AS away FROM games g"
        " LEFT JOIN teams h ON h.id = g.home_team_id LEFT JOIN teams a ON a.id = g.away_team_id"
        " ORDER BY g.espn_id"
    )
    games = [{k: v for k, v in row.items() if k not in BOOKKEEPING} for row in rows]
    for game in games:  # its facts are in the order in which they came
        about = game["about"]
        game["about"] = json.loads(about) if isinstance(about, str) else about
    return games


def play(
    sync: SyncContext, feed: LoopbackFeed, names: Sequence[str]
) -> list[dict[str, tuple[int, int]]]:
    """Sync these files one after the other; how far the games have come after each.

    It is the night of their day: long after it, records would not be taken any more.
    """
    forget_everything()
    night = datetime.combine(
        min(day_to_ask(body_of(name)) for name in names), datetime.min.time(), UTC
    ) + timedelta(hours=30)
    points = []
    for name in names:
        sync_file(replace(sync, now=night), feed, name)
        points.append(points_reached())
    return points


def assert_only_forward(points: list[dict[str, tuple[int, int]]]) -> None:
    for before, after in pairwise(points):
        assert all(after[espn_id] >= point for espn_id, point in before.items())


@pytest.mark.parametrize("slug", SERIES)
def test_day_moves_only_forward_and_ends_the_same_in_every_order(sync, feed, slug):
    names = [f"{slug}/{name}" for name in SERIES[slug]]
    assert_only_forward(play(sync, feed, names))
    end, last = games_as_shown(), expected_games(body_of(names[-1]))
    assert stored_games(slug) == last
    for order in permutations(names):
        assert_only_forward(play(sync, feed, order))
        assert games_as_shown() == end, order


# ---------------------------------------------------------------- teams, rosters, standings


def teams_in(body: bytes) -> dict[str, str]:
    (league,) = json.loads(body)["sports"][0]["leagues"]
    return {one["team"]["id"]: one["team"]["displayName"] for one in league["teams"]}


def players_in(body: bytes) -> dict[str, str]:
    athletes = json.loads(body)["athletes"]
    flat = [one for row in athletes for one in row.get("items", [row])]
    return {one["id"]: one["displayName"] for one in flat}


def say_roster(feed: LoopbackFeed, slug: str, name: str) -> str:
    """Serve this roster for its team, and none for the others; the team's id."""
    body = body_of(f"{slug}/{name}")
    team_id = json.loads(body)["team"]["id"]

    def roster(request: Request) -> Response:
        found = f"/teams/{team_id}/roster" in request.path
        return Response(body) if found else Response("{}", 404)

    feed.say(slug, roster, kind="roster")
    return team_id


def active_players(slug: str, team_id: str) -> dict[str, str]:
    rows = query(
        "SELECT p.espn_id, p.name FROM players p JOIN teams t ON t.id = p.team_id"
        " JOIN leagues l ON l.id = t.league_id"
        " WHERE l.slug = :slug AND t.espn_id = :team AND p.active",
        slug=slug,
        team=team_id,
    )
    return {row["espn_id"]: row["name"] for row in rows}


@pytest.mark.parametrize(
    ("slug", "roster"),
    [
        ("nfl", "roster-chiefs"),
        ("nba", "roster-lakers"),
        ("mlb", "roster-braves"),
        ("mlb", "roster-redsox-20250524"),
        ("nhl", "roster-mapleleafs"),
    ],
)
def test_teams_and_a_roster_are_stored_as_the_feed_says(sync, feed, slug, roster):
    body = body_of(f"{slug}/teams")
    feed.say(slug, body, kind="teams")
    team_id = say_roster(feed, slug, roster)
    result = catalogue.sync_teams(sync, [BY_SLUG[slug]])
    stored = query("SELECT espn_id, display_name FROM teams WHERE listed")
    assert {row["espn_id"]: row["display_name"] for row in stored} == teams_in(body)
    assert result.synced == len(teams_in(body))
    assert len(result.errors) == result.synced - 1  # the other teams have no roster here
    assert active_players(slug, team_id) == players_in(body_of(f"{slug}/{roster}"))


def test_players_come_and_go_between_two_rosters(sync, feed):
    feed.say("mlb", body_of("mlb/teams"), kind="teams")
    before = players_in(body_of("mlb/roster-redsox-20250524"))
    after = players_in(body_of("mlb/roster-redsox-20250601"))
    assert before.keys() - after.keys()
    assert after.keys() - before.keys()
    team_id = say_roster(feed, "mlb", "roster-redsox-20250524")
    catalogue.sync_teams(sync, [BY_SLUG["mlb"]])
    say_roster(feed, "mlb", "roster-redsox-20250601")
    catalogue.sync_teams(sync, [BY_SLUG["mlb"]])
    assert active_players("mlb", team_id) == after
    gone = {row["espn_id"] for row in query("SELECT espn_id FROM players WHERE NOT active")}
    assert gone == before.keys() - after.keys()
    rows = all_rows()
    catalogue.sync_teams(sync, [BY_SLUG["mlb"]])
    assert all_rows() == rows


def standings_in(body: bytes) -> dict[str, dict[str, str]]:
    """Of each team its group and its record over all games."""
    lines = {}
    for group in json.loads(body)["children"]:
        for entry in group["standings"]["entries"]:
            (overall,) = [stat for stat in entry["stats"] if stat.get("name") == "overall"]
            record = overall["summary"].split(",")[0]
            lines[entry["team"]["id"]] = {"standing_group": group["name"], "record": record}
    return lines


@pytest.mark.parametrize("slug", ["nfl", "nba", "nhl"])
def test_standings_are_stored_as_the_feed_says(sync, feed, slug):
    feed.say(slug, body_of(f"{slug}/scoreboard-empty"))
    body = body_of(f"{slug}/standings")
    feed.say(slug, body, kind="standings")
    result = catalogue.sync_leagues(sync, [BY_SLUG[slug]])
    assert result.as_dict() == {"created": 1, "updated": 0, "errors": []}
    rows = query("SELECT espn_id, standing_group, record, standing_position FROM teams")
    positions: dict[str, list[int]] = {}
    for row in rows:
        positions.setdefault(row["standing_group"], []).append(row.pop("standing_position"))
    assert {row.pop("espn_id"): row for row in rows} == standings_in(body)
    assert all(sorted(each) == list(range(1, len(each) + 1)) for each in positions.values())
    before = all_rows()
    catalogue.sync_leagues(sync, [BY_SLUG[slug]])
    assert all_rows() == before


# ---------------------------------------------------------------- what it costs


def cpu_milliseconds(work: Any, times: int = 5) -> float:
    """The least CPU time of a few runs."""
    spent = []
    for _ in range(times):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return min(spent) * 1000


def decode_and_plan(bodies: dict[str, bytes]) -> int:
    """Decode the four scoreboards and plan them against themselves; how many games."""
    count = 0
    for slug, body in bodies.items():
        games = parse.parse_scoreboard(body, BY_SLUG[slug]).games
        stored = {game.espn_id: plan.game_values(game) for game in games}
        assert plan.plan_games(stored, games, {}, NOW) == plan.GamePlan()
        count += len(games)
    return count


def test_four_live_scoreboards_cost_little(sync, capsys):
    bodies = four_boards()
    assert decode_and_plan(bodies) == 53
    planned = cpu_milliseconds(lambda: decode_and_plan(bodies))
    warm = SyncContext(ConstantClient(bodies), sync.session, NOW)

    def sync_all() -> None:
        for slug in SLUGS:
            scoreboards.sync_day(warm, BY_SLUG[slug], NOW.date())

    sync_all()
    again = cpu_milliseconds(sync_all)
    with capsys.disabled():
        print(f"\n53 games: decode and plan {planned:.1f} ms, same again {again:.1f} ms of CPU")
    assert planned < 250
    assert again < 100
