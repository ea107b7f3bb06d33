"""All ten leagues at once: colleges with their ranks, soccer with draws, halves and penalties."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from sportsapp.core.clock import utc_now
from sportsapp.core.leagues import ALL_LEAGUES, BY_SLUG
from sportsapp.core.settings import Settings
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.db.models import Game, LeagueRow, Team
from sportsapp.services import services_of
from sportsapp.sync.backfill import sync_range
from sportsapp.sync.catalogue import sync_leagues, sync_teams
from sportsapp.sync.context import SyncContext
from sportsapp.sync.scoreboards import sync_day
from sportsapp.web.labels import period_label, record_label, week_label
from tests.answers import make_team_list, read_sample, sample, sample_bytes
from tests.integration.conftest import DAY
from tests.integration.events import board, event
from tests.loopback import LoopbackFeed

pytestmark = pytest.mark.slow

HIDES = {"Cookie": "scores=hide"}
STANDINGS = {"nhl": "nhl", "ncaaf": "ncaaf", "wnba": "wnba", "mls": "epl", "epl": "epl"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Every league is followed."""
    return replace(settings, leagues=tuple(BY_SLUG))


@pytest.fixture
def filled(app: Flask, feed: LoopbackFeed) -> Flask:
    """The samples of all leagues, with teams and standings."""
    sync = SyncContext(services_of(app).feed_client, db.session, utc_now())
    for league in ALL_LEAGUES:
        name = f"{league.slug}-scoreboard"
        feed.say(league.slug, sample_bytes(name))
        kind = STANDINGS.get(league.slug, "nba")
        feed.say(league.slug, sample_bytes(f"{kind}-standings"), kind="standings")
        sides = [s for e in sample(name)["events"] for s in e["competitions"][0]["competitors"]]
        teams = {s["team"]["id"]: s["team"] for s in sides if int(s["team"]["id"]) > 0}
        feed.say(league.slug, make_team_list(*teams.values()), kind="teams")
        feed.say(league.slug, {"athletes": []}, kind="roster")
        for day in {game.day for game in read_sample(name, sample_bytes(name)).games}:
            sync_day(sync, league, day)
    sync_leagues(sync, ALL_LEAGUES)
    sync_teams(sync, ALL_LEAGUES)
    return app


def addresses() -> list[str]:
    """Every public address that the stored data has."""
    found = ["/", "/live", "/preferences", "/search?q=nobody", "/api/v1/", "/api/v1/games"]
    for slug in BY_SLUG:
        found += [f"/{slug}{part}" for part in ("", "/teams", "/standings", "/scores.atom")]
        found.append(f"/api/v1/teams?league={slug}")
    for game, slug in db.session.query(Game, LeagueRow.slug).join(Game.league_row):
        found += [f"/{slug}/games/{game.espn_id}", f"/api/v1/games/{slug}/{game.espn_id}"]
        found.append(f"/{slug}/{game.day}")
        if game.week and BY_SLUG[slug].by_week:
            found.append(f"/{slug}/weeks/{game.season_year}/{game.season_type}/{game.week}")
    for team, slug in db.session.query(Team, LeagueRow.slug).join(Team.league_row):
        found += [f"/{slug}/teams/{team.address}{end}" for end in ("", ".ics")]
    return list(dict.fromkeys(found))


# ---------------------------------------------------------------- everything that is per league


def test_every_page_of_every_league_answers(filled, client):
    found = addresses()
    assert len(found) > 150
    assert {path: client.get(path).status_code for path in found} == dict.fromkeys(found, 200)


def test_menu_and_home_page_have_every_league(filled, client):
    page = client.get("/").text
    menu = page.partition('<nav aria-label="Leagues">')[2].partition("</nav>")[0]
    assert re.findall('<a href="/(\\w*)"', menu) == ["", "live", *BY_SLUG]
    unread = page.partition('id="not-read"')[2].partition("</p>")[0]
    named = re.findall('<section aria-labelledby="(\\w+)"', page)
    named += re.findall('<a href="/(\\w+)"', unread)
    assert sorted(named, key=list(BY_SLUG).index) == list(BY_SLUG)
    for name in ("WNBA", "NCAAF", "NCAAM", "NCAAW", "MLS", "EPL"):
        assert f">{name}</a>" in menu


def test_api_knows_every_league(filled, client):
    rows = client.get("/api/v1/leagues").json["leagues"]
    assert [row["league"] for row in rows] == list(BY_SLUG)
    assert {row["sport"] for row in rows} == {
        "football",
        "basketball",
        "baseball",
        "hockey",
        "soccer",
    }
    document = client.get("/api/v1/openapi.json").json
    (league, *_) = document["paths"]["/api/v1/games"]["get"]["parameters"]
    assert league["schema"]["anyOf"][0]["enum"] == list(BY_SLUG)
    assert "NCAAM, NCAAW, MLS, EPL" in document["info"]["description"]


def test_panel_offers_a_backfill_of_every_league_and_says_what_it_costs(panel):
    page = panel.get("/admin/backfill/")
    for league in ALL_LEAGUES:
        assert f'<option value="{league.slug}">{league.label}</option>' in page
    form = {"start": "2027-01-01", "end": "2027-01-31"}
    for slug, requests in (("mls", 1), ("ncaam", 31)):
        page = panel.client.get("/admin/backfill/", query_string=form | {"league": slug}).text
        assert f"<strong>{requests}</strong> feed request" in page


def test_command_syncs_a_day_of_a_league_that_is_followed(app, feed, runner):
    feed.say("ncaam", sample_bytes("ncaam-scoreboard"))
    result = runner.invoke(args=["sync", "day", "NCAAM", "2027-01-16"])
    assert (result.exit_code, feed.asked()) == (0, ["ncaam 20270116"])


def test_search_tells_the_two_teams_of_a_school_apart(filled, client):
    page = client.get("/search?q=winfield").text
    for slug in ("wnba", "ncaaf", "ncaam", "ncaaw"):
        link = f'<a href="/{slug}/teams/WIN">Winfield Herons</a> <small>{slug.upper()}</small>'
        assert link in page


def test_calendar_and_atom_are_made_of_each_league(filled, client):
    assert "SUMMARY:Grayford United at Northport City" in client.get("/mls/teams/NPT.ics").text
    atom = client.get("/mls/scores.atom").text
    assert "Lakemere SC 1, Northport City 1 (FT)" in atom
    assert "Men&#39;s College Basketball: finals" in client.get("/ncaam/scores.atom").text


def test_long_range_of_a_college_league_is_read_day_by_day(app, feed):
    feed.say("ncaaw", board(event("1", "2027-01-16T17:00Z")), dates="20270116")
    sync = SyncContext(services_of(app).feed_client, db.session, utc_now())
    days = (DAY.replace(year=2027, day=1), DAY.replace(year=2027, day=31))
    assert sync_range(sync, BY_SLUG["ncaaw"], *days).synced == 1
    assert len(feed.asked()) == 31


# ---------------------------------------------------------------- ranks


def card(page: str, name: str) -> str:
    return page.partition(f'id="{name}"')[2].partition("</li>")[0]


RANKED = '<small aria-hidden="true">#{0}</small><span class="away">ranked {0}</span> '


def test_rank_stands_before_the_name_and_is_said_in_words(filled, client):
    game = card(client.get("/ncaam/2027-01-16").text, "ncaam980001")
    assert '<span class="n"><small>#4</small> Winfield</span>' in game
    assert 'aria-label="Elmhurst State 44, ranked 4 Winfield 51, 2nd half, 12:34 left"' in game
    assert '<span class="n">Elmhurst State</span>' in game
    page = client.get("/ncaam/games/980001").text
    assert re.search(
        re.escape(RANKED.format(4)) + r'\s*<a href="/ncaam/teams/WIN">Winfield Herons</a>', page
    )
    assert "ranked 4 Winfield Herons" in page
    assert page.count("ranked") == page.count("ranked 4 ") + page.count("ranked 4<")


def test_team_page_tells_the_opponents_rank(filled, client):
    page = client.get("/ncaam/teams/ELM").text
    assert f'at {RANKED.format(4)}<a href="/ncaam/teams/WIN">Winfield</a>' in page
    assert re.search(re.escape(f"at {RANKED.format(12)}") + "<a [^>]+>North Teller</a>", page)


def test_no_other_league_has_ranks(synced, client):
    synced("nfl", event())
    assert "ranked" not in client.get("/nfl/2026-01-15").text


def test_api_tells_the_rank_or_null(filled, client):
    game = client.get("/api/v1/games/ncaaf/970002").json
    assert (game["home"]["rank"], game["away"]["rank"]) == (8, 25)
    listed = client.get("/api/v1/games?league=ncaaf&date=2026-09-12").json["games"]
    assert [game["away"]["rank"] for game in listed] == [1, 25]
    assert client.get("/api/v1/games/nfl/910001").json["home"]["rank"] is None
    side = client.get("/api/v1/openapi.json").json["components"]["schemas"]["SideJson"]
    assert {"type": "integer"} in side["properties"]["rank"]["anyOf"]
    assert {"type": "null"} in side["properties"]["rank"]["anyOf"]


# ---------------------------------------------------------------- draws, halves, penalties


def final(espn_id: str, home: int, away: int, winner: str = "", detail: str = "FT") -> Any:
    made = event(espn_id, home=home, away=away)
    competition = made["competitions"][0]
    competition["status"]["type"] |= {"name": "STATUS_FULL_TIME", "detail": detail}
    for side in competition["competitors"]:
        side["winner"] = side["homeAway"] == winner
    return made


def test_draw_marks_no_winner_and_is_a_d(client, synced):
    synced("epl", final("1", 2, 2), final("2", 3, 1, "home"), final("3", 0, 1, "away"))
    drawn = card(client.get("/epl/2026-01-15").text, "epl1")
    assert 'class="r w"' not in drawn
    assert 'class="r w"' in card(client.get("/epl/2026-01-15").text, "epl2")
    page = client.get("/epl/teams/ALP").text
    assert [text in page for text in ("D 2-2", "W 3-1", "L 0-1")] == [True] * 3
    assert "<small>FT</small>" not in page


def test_draws_come_second_in_a_record_of_soccer(synced):
    synced("epl", final("1", 2, 2), final("2", 3, 1, "home"), final("3", 1, 1))
    [team] = queries.teams_at(db.session, "epl", "ALP")
    assert record_label(queries.games_of_team(db.session, team, None), team) == "1-2-0"


def test_level_score_of_other_leagues_is_a_tie(client, synced):
    synced("nfl", final("1", 7, 7, detail="Final/OT"))
    assert "T 7-7 <small>Final/OT</small>" in client.get("/nfl/teams/ALP").text


def test_game_that_penalties_decided_is_won(client, synced):
    synced("mls", final("1", 1, 1, "away", "FT-Pens"))
    assert "L 1-1 <small>FT-Pens</small>" in client.get("/mls/teams/ALP").text
    assert "W 1-1 <small>FT-Pens</small>" in client.get("/mls/teams/BET").text
    assert client.get("/mls/2026-01-15").text.count('class="r w"') == 1


def test_record_of_a_soccer_team_says_what_it_counts(filled, client):
    team = db.session.query(Team).filter_by(abbreviation="NPT").join(Team.league_row)
    record = team.filter(LeagueRow.slug == "mls").one().record
    assert f"<small>{record} (won-drawn-lost)</small>" in client.get("/mls/teams/NPT").text
    assert "<small>9-3</small>" in client.get("/ncaaf/teams/ELM").text


def test_tie_of_two_games_and_penalties_are_told_unless_scores_are_hidden(filled, visitor):
    telling = "Aggregate SVN 2, GRY 2; Penalties SVN 1, GRY 2"
    for path in ("/mls/2026-11-08", "/mls/games/950008", "/live"):
        assert telling in visitor.get(path).text
        assert "Penalties" not in visitor.get(path, headers=HIDES).text
    won = "Northport City win 4-2 on penalties"
    assert won in visitor.get("/mls/games/950006").text
    for path in ("/mls/2026-11-08", "/mls/games/950006"):
        assert won not in visitor.get(path, headers=HIDES).text
    assert won in visitor.get("/mls/2026-11-08?reveal=950006", headers=HIDES).text


def test_line_score_is_of_halves(filled, client):
    page = client.get("/mls/games/950005").text
    assert "Score by half" in page
    head = page.partition("<thead>")[2].partition("</thead>")[0]
    assert re.findall(r'<th scope="col">([^<]+)</th>', head) == ["Team", "1", "2", "Total"]
    page = client.get("/ncaam/games/980003").text
    head = page.partition("<thead>")[2].partition("</thead>")[0]
    assert re.findall(r'<th scope="col">([^<]+)</th>', head) == ["Team", "1", "2", "OT", "Total"]
    assert "Score by" not in client.get("/mls/games/950001").text  # the feed tells no halves


@pytest.mark.parametrize(
    ("slug", "detail", "labels"),
    [
        ("mls", "AET", ["1", "2", "ET", "2ET"]),
        ("mls", "FT-Pens", ["1", "2", "ET", "2ET", "PEN"]),
        ("epl", "Pens", ["1", "2", "ET", "2ET", "PEN"]),
        ("nhl", "Final/SO", ["1", "2", "3", "OT", "SO"]),
        ("nhl", "Final/2OT", ["1", "2", "3", "OT", "2OT"]),
        ("nhl", "Open", ["1", "2", "3", "OT", "2OT"]),
        ("ncaam", "Final/2OT", ["1", "2", "OT", "2OT"]),
        ("ncaaf", "Final/3OT", ["1", "2", "3", "4", "OT", "2OT", "3OT"]),
        ("wnba", "Final/OT", ["1", "2", "3", "4", "OT"]),
    ],
)
def test_periods_are_named_as_the_sport_does(slug, detail, labels):
    game = Game(detail=detail, league_row=LeagueRow(slug=slug))
    assert [period_label(game, n) for n in range(1, len(labels) + 1)] == labels


# ---------------------------------------------------------------- standings and weeks


def headings(page: str) -> list[tuple[str, str]]:
    head = page.partition("<thead>")[2].partition("</thead>")[0]
    return re.findall(r'<abbr title="([^"]+)">([^<]+)<', head)


def test_table_of_soccer_counts_draws_goals_and_points(filled, client):
    page = client.get("/epl/standings").text
    assert headings(page) == [
        ("Position", "#"),
        ("Played", "P"),
        ("Wins", "W"),
        ("Draws", "D"),
        ("Losses", "L"),
        ("Goal difference", "GD"),
        ("Points", "PTS"),
    ]
    row = page.partition("Northport</span></a>")[2].partition("</tr>")[0]
    assert re.findall("<td[^>]*>([^<]*)</td>", row) == ["8", "5", "2", "1", "+9", "17"]
    assert re.findall(r'<a href="/epl/teams/(\w+)">', page) == ["NPT", "SVN", "LKE"]


def test_table_of_a_college_league_has_conferences_and_the_record_within(filled, client):
    page = client.get("/ncaaf/standings").text
    assert re.findall(r'<h2 id="group\d">([^<]+)', page) == [
        "Coastal Conference",
        "Plains Conference East",
        "Plains Conference West",
    ]
    assert [short for _, short in headings(page)[:5]] == ["#", "W", "L", "CONF", "STRK"]
    row = page.partition("Elmhurst State</span></a>")[2].partition("</tr>")[0]
    assert re.findall("<td[^>]*>([^<]*)</td>", row) == ["9", "3", "6-2", "W2"]


def test_table_that_is_not_divided_goes_by_its_leagues_name(filled, client):
    page = client.get("/wnba/standings").text
    assert re.findall(r'<h2 id="group\d">([^<]+)', page) == [
        "Women&#39;s National Basketball Association"
    ]


@pytest.mark.parametrize(
    ("slug", "kind", "week", "name"),
    [
        ("nfl", 3, 1, "Wild Card"),
        ("nfl", 3, 9, "Postseason 9"),
        ("ncaaf", 2, 1, "Week 1"),
        ("ncaaf", 3, 1, "Bowls"),
        ("ncaaf", 3, 999, "Playoff"),
        ("ncaaf", 1, 2, "Preseason 2"),
    ],
)
def test_weeks_are_named_as_the_league_names_them(slug, kind, week, name):
    assert week_label(BY_SLUG[slug], kind, week) == name


def test_weeks_of_college_football_lead_to_one_another(filled, client: FlaskClient):
    page = client.get("/ncaaf/weeks/2026/2/1").text
    assert '<a rel="next" href="/ncaaf/weeks/2026/2/2">Week 2</a>' in page
    assert '<a href="/ncaaf/weeks/2026/2/2">Week 2</a>' in client.get("/ncaaf/2026-09-12").text
    assert client.get("/mls/weeks/2026/2/1").status_code == 404
