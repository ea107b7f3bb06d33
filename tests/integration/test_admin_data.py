"""Leagues, teams, players and games: list, search, filters, details, export."""

from __future__ import annotations

import csv
import io
import json
from datetime import date, timedelta

import pytest

from sportsapp.core.clock import utc_now
from sportsapp.db.engine import db, writing
from sportsapp.db.models import Game, Player, Team
from tests.panel import add_league, add_run, counted

pytestmark = pytest.mark.slow


def add(row) -> int:
    with writing(db.session):
        db.session.add(row)
    return row.id


def add_team(league: int, abbreviation: str, name: str, **values) -> int:
    now = utc_now()
    return add(
        Team(
            league_id=league,
            espn_id=abbreviation,
            abbreviation=abbreviation,
            location="",
            name=name,
            display_name=name,
            short_name=name,
            color="",
            alternate_color="",
            created_at=now,
            updated_at=now,
            **{"listed": True, **values},
        )
    )


def add_player(league: int, team: int | None, name: str, **values) -> int:
    now = utc_now()
    return add(
        Player(
            league_id=league,
            team_id=team,
            espn_id=name,
            name=name,
            jersey="7",
            position="G",
            position_name="Guard",
            roster_group="",
            status="Active",
            height="",
            weight="",
            created_at=now,
            updated_at=now,
            **values,
        )
    )


def add_game(league: int, home: int, away: int, espn_id: str, **values) -> int:
    now = utc_now()
    texts = dict.fromkeys(
        (
            "detail",
            "clock",
            "home_record",
            "away_record",
            "venue",
            "city",
            "broadcast",
            "note",
            "series",
        ),
        "",
    )
    usual = {"state": "post", "status": "final", "day": date(2026, 1, 5), "season_year": 2026}
    return add(
        Game(
            league_id=league,
            home_team_id=home,
            away_team_id=away,
            espn_id=espn_id,
            start_at=now,
            time_set=True,
            period=4,
            home_score=101,
            away_score=99,
            home_linescores=[25],
            away_linescores=[20],
            neutral_site=False,
            situation={},
            leaders=[],
            created_at=now,
            updated_at=now,
            **{**texts, **usual, **values},
        )
    )


@pytest.fixture
def data(panel):
    """Two leagues with two teams each, a player and a game in both."""
    nba, nfl = add_league("nba"), add_league("nfl", failing_since=utc_now())
    teams = [
        add_team(nba, "BOS", "Boston Celtics"),
        add_team(nba, "LAL", "Los Angeles Lakers"),
        add_team(nfl, "CHI", "Chicago Bears"),
        add_team(nfl, "AFC", "AFC Side", listed=False),
    ]
    add_player(nba, teams[0], "Ann Alpha")
    add_player(nfl, teams[2], "Bob Beta", active=False)
    run = add_run()
    add_game(nba, teams[0], teams[1], "401", changed_by_run=run)
    add_game(nfl, teams[2], teams[3], "402", state="in", day=date(2026, 1, 6), season_year=2025)
    return run


@pytest.mark.parametrize(
    ("path", "there", "absent"),
    [
        ("leagues/", "NBA NFL", ""),
        ("leagues/?failing=yes", ">NFL", ">NBA"),
        ("leagues/?search=nb", ">NBA", ">NFL"),
        ("teams/", "Celtics Lakers Bears", ""),
        ("teams/?league=nfl", "Bears", "Celtics"),
        ("teams/?listed=no", "AFC", "Bears"),
        ("teams/?search=lakers", "Lakers", "Celtics"),
        ("teams/?search=chi", "Bears", "Celtics"),
        ("teams/?search=%25", "", "Celtics Bears"),
        ("players/", "Alpha Beta", ""),
        ("players/?league=nba", "Alpha", "Beta"),
        ("players/?active=no", "Beta", "Alpha"),
        ("players/?search=alp", "Alpha", "Beta"),
        ("players/?search=bears", "Beta", "Alpha"),
        ("games/", "games/401 games/402", ""),
        ("games/?league=nba", "games/401", "games/402"),
        ("games/?state=in", "games/402", "games/401"),
        ("games/?season=2025", "games/402", "games/401"),
        ("games/?day=2026-01-05", "games/401", "games/402"),
        ("games/?search=lakers", "games/401", "games/402"),
        ("games/?search=402", "games/402", "games/401"),
        ("games/?search=nothing", "No rows match", "games/401 games/402"),
    ],
)
def test_filters_and_search(panel, data, path, there, absent):
    page = panel.get(f"/admin/{path}")
    page = page[page.index("<table") :]
    expected = [there] if there.startswith("No rows") else there.split()
    assert all(word in page for word in expected)
    assert not any(word in page for word in absent.split())


@pytest.mark.parametrize("table", ["leagues", "teams", "players", "games"])
@pytest.mark.parametrize(
    "junk",
    [
        "league=x",
        "day=x",
        "season=x",
        "season=99999",
        "state=x",
        "listed=x",
        "failing=x",
        "sort=77",
        "page=-1",
        "search=%01",
    ],
)
def test_junk_in_the_address_does_no_harm(panel, data, table, junk):
    panel.get(f"/admin/{table}/?{junk}")


def test_game_links_to_its_page_and_to_the_run_that_changed_it(panel, data):
    page = panel.get("/admin/games/")
    assert '<a href="/nba/games/401">Los Angeles Lakers at Boston Celtics</a>' in page
    assert f'href="/admin/runs/details/?id={data}"' in page
    assert panel.get("/nba/games/401")
    assert "sync_daily_schedule" in panel.get(f"/admin/runs/details/?id={data}")


def test_games_score_is_away_then_home(panel, data):
    assert ">99-101</td>" in panel.get("/admin/games/?league=nba")


def test_team_links_to_its_page(panel, data):
    assert '<a href="/nba/teams/BOS">Boston Celtics</a>' in panel.get("/admin/teams/")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("leagues/details/?id=1", "NBA"),
        ("teams/details/?id=1", "Boston Celtics"),
        ("players/details/?id=1", "Guard"),
        ("games/details/?id=1", "Los Angeles Lakers at Boston Celtics"),
    ],
)
def test_details(panel, data, path, text):
    assert text in panel.get(f"/admin/{path}")


@pytest.mark.parametrize("number", ["99", "x", "-1", "99999999999999999999", "²"])
@pytest.mark.parametrize("table", ["leagues", "teams", "players", "games"])
def test_details_of_nothing_are_not_found(panel, data, table, number):
    panel.get(f"/admin/{table}/details/?id={number}", status=404)


def test_names_from_the_feed_are_text_and_no_formulas(panel, data):
    add_team(1, "EVL", "=HYPERLINK(<b>x</b>)")
    assert "<b>x</b>" not in panel.get("/admin/teams/")
    rows = list(csv.DictReader(io.StringIO(panel.get("/admin/teams/export/csv/?search=hyper"))))
    assert [row["display_name"] for row in rows] == ["'=HYPERLINK(<b>x</b>)"]


def test_exports(panel, data):
    (row,) = json.loads(panel.get("/admin/games/export/json/?league=nba"))
    assert (row["home_team"], row["away_team"], row["day"]) == (
        "Boston Celtics",
        "Los Angeles Lakers",
        "2026-01-05",
    )
    assert row["changed_by_run"] == data
    rows = csv.DictReader(io.StringIO(panel.get("/admin/players/export/csv/")))
    assert [row["team"] for row in rows] == ["Boston Celtics", "Chicago Bears"]


@pytest.mark.parametrize("table", ["leagues", "teams", "players", "games"])
def test_lists_take_a_bounded_number_of_queries(panel, data, table):
    counts = []
    for _ in range(2):
        with counted() as statements:
            panel.get(f"/admin/{table}/")
        counts.append(len(statements))
        if table != "leagues":
            for n in range(30):
                team = add_team(1, f"T{n}{len(counts)}", f"Team {n}")
                add_player(1, team, f"Player {n} {len(counts)}")
                add_game(1, team, 1, f"9{n}{len(counts)}", day=date(2026, 1, 1) + timedelta(n))
    assert counts[0] <= counts[1] <= 4
