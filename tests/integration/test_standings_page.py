"""The standings: groups in the feed's order, the columns of the sport, the time they are of."""

from __future__ import annotations

import re

import pytest

from sportsapp.core.clock import utc_now
from sportsapp.core.leagues import BY_SLUG
from sportsapp.db.engine import db
from sportsapp.services import services_of
from sportsapp.sync.catalogue import sync_leagues
from sportsapp.sync.context import SyncContext
from tests.integration.events import board

SPORTS = {
    "nfl": (
        {"wins": "9", "losses": "1", "ties": "0", "winPercent": ".900", "streak": "W3"},
        ["#", "Team", "W", "L", "T", "PCT", "STRK"],
    ),
    "nba": (
        {"wins": "9", "losses": "1", "winPercent": ".900", "gamesBehind": "-", "streak": "W3"},
        ["#", "Team", "W", "L", "PCT", "GB", "STRK"],
    ),
    "nhl": (
        {
            "gamesPlayed": "11",
            "wins": "9",
            "losses": "1",
            "otLosses": "1",
            "points": "19",
            "winPercent": ".8",
            "streak": "W3",
        },
        ["#", "Team", "GP", "W", "L", "OTL", "PTS", "STRK"],
    ),
}


@pytest.fixture
def standings(app, feed):
    """Put these groups of teams into a league's standings."""

    def put(slug: str, groups: dict[str, list[str]], stats: dict[str, str]) -> None:
        children = [
            {"name": name, "standings": {"entries": [entry(team, stats) for team in teams]}}
            for name, teams in groups.items()
        ]
        feed.say(slug, board())
        feed.say(slug, {"children": children}, kind="standings")
        sync_leagues(
            SyncContext(services_of(app).feed_client, db.session, utc_now()), [BY_SLUG[slug]]
        )

    return put


def entry(name: str, stats: dict[str, str]) -> dict:
    team = {"id": name, "abbreviation": name[:3].upper(), "displayName": name}
    return {
        "team": team,
        "stats": [{"name": key, "displayValue": text} for key, text in stats.items()],
    }


def headings(page: str) -> list[str]:
    head = page.partition("<thead>")[2].partition("</thead>")[0]
    return re.findall(r'<th scope="col"[^>]*>(?:<abbr title="[^"]+">)?([^<]+)<', head)


@pytest.mark.parametrize("slug", SPORTS)
def test_columns_are_those_of_the_sport(client, standings, slug):
    stats, expected = SPORTS[slug]
    standings(slug, {"East": ["Alpha", "Beta"]}, stats)
    page = client.get(f"/{slug}/standings").text
    assert headings(page) == expected
    assert "<td>W3</td>" in page


def test_groups_and_teams_stand_in_order(client, standings):
    standings("nfl", {"East": ["Beta", "Alpha"], "West": ["Gamma"]}, SPORTS["nfl"][0])
    page = client.get("/nfl/standings").text
    assert re.findall(r'<h2 id="group\d">([^<]+)', page) == ["East", "West"]
    assert re.findall(r'<a href="/nfl/teams/(\w+)">', page) == ["BET", "ALP", "GAM"]
    assert re.findall(r"<tr><td>(\d)</td>", page) == ["1", "2", "1"]


def test_standings_say_of_when_they_are_and_once(client, standings):
    standings("nfl", {"East": ["Alpha"]}, SPORTS["nfl"][0])
    page = client.get("/nfl/standings").text
    assert 'Standings as of <time datetime="' in page
    assert page.count("as of") == 1


@pytest.mark.parametrize(("slug", "figure"), [("nfl", ".900"), ("nba", ".900"), ("nhl", "19")])
def test_figure_that_decides_the_order_stands_out(client, standings, slug, figure):
    standings(slug, {"East": ["Alpha"]}, SPORTS[slug][0])
    page = client.get(f"/{slug}/standings").text
    assert re.findall('<td class="key">([^<]*)', page) == [figure]


def test_abbreviation_is_for_the_eye_and_the_name_for_all(client, standings):
    standings("nfl", {"East": ["Alpha"]}, SPORTS["nfl"][0])
    page = client.get("/nfl/standings").text
    assert re.search('aria-hidden="true">ALP</i><span class="name">Alpha</span></a></th>', page)


def test_league_without_standings_says_so(client):
    assert "No NFL standings yet." in client.get("/nfl/standings").text


def test_standings_tell_results_and_so_are_hidden_until_asked_for(visitor, standings):
    standings("nfl", {"East": ["Alpha"]}, SPORTS["nfl"][0])
    hides = {"Cookie": "scores=hide"}
    page = visitor.get("/nfl/standings", headers=hides).text
    assert "Alpha" not in page
    assert '<a href="?reveal=all">Show them</a>' in page
    assert "Alpha" in visitor.get("/nfl/standings?reveal=all", headers=hides).text
