"""The standings: groups in the feed's order, the columns of the sport, the time they are of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import pytest

from sportsapp.core.clock import utc_now
from sportsapp.core.leagues import BY_SLUG
from sportsapp.core.settings import Settings
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
def settings(settings: Settings) -> Settings:
    """Every league is followed."""
    return replace(settings, leagues=tuple(BY_SLUG))


@pytest.fixture
def standings(app, feed):
    """Put these groups of teams into a league's standings."""

    def put(
        slug: str,
        groups: dict[str, list[str]],
        stats: dict[str, str],
        of_team: Mapping[str, dict[str, str]] = MappingProxyType({}),
        notes: Mapping[str, dict[str, str]] = MappingProxyType({}),
    ) -> None:
        children = [
            {
                "name": name,
                "standings": {
                    "entries": [
                        entry(team, stats | of_team.get(team, {})) | notes.get(team, {})
                        for team in teams
                    ]
                },
            }
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


# ---------------------------------------------------------------- tables, marks, zones

NFL_TEAMS = {"AFC": [f"A{n}" for n in range(1, 10)], "NFC": ["N1"]}
SEEDED = {
    team: {"playoffSeed": str(place), "winPercent": percent}
    for team, place, percent in [
        *((f"A{n}", n, f".{900 - n * 50}") for n in range(1, 10)),
        ("N1", 1, ".800"),
    ]
}


def places(page: str) -> list[tuple[str, str]]:
    """The place and the address of each line."""
    return re.findall(r"<td[^>]*>(\d+)</td><th scope=\"row\"><a href=\"/\w+/teams/(\w+)\">", page)


def test_records_at_home_and_away_of_late_and_differences_are_columns(client, standings):
    stats = SPORTS["nhl"][0] | {
        "Home": "6-0-1",
        "Road": "3-1-0",
        "Last Ten Games": "8-1-1, 17 PTS",
        "pointDifferential": "+21",
    }
    standings("nhl", {"East": ["Alpha"]}, stats)
    page = client.get("/nhl/standings").text
    assert headings(page)[-5:] == ["HOME", "AWAY", "L10", "DIFF", "STRK"]
    assert re.findall(r"<td>([^<]*)</td>", page)[-5:] == ["6-0-1", "3-1-0", "8-1-1", "+21", "W3"]


def test_wild_card_table_has_those_who_lead_no_division(client, standings):
    standings("nfl", NFL_TEAMS, SPORTS["nfl"][0], SEEDED)
    page = client.get("/nfl/standings/wild-card").text
    assert places(page) == [("5", "A5"), ("6", "A6"), ("7", "A7"), ("8", "A8"), ("9", "A9")]
    assert 'aria-current="page">Wild card</a>' in page
    assert 'aria-current="true">Standings</a>' in page
    assert client.get("/nba/standings/wild-card").status_code == 404
    assert client.get("/nfl/standings/bracket").status_code == 404


def test_table_of_all_goes_by_what_decides_and_equals_share_a_place(client, standings):
    standings("nfl", NFL_TEAMS, SPORTS["nfl"][0], SEEDED)
    page = client.get("/nfl/standings/all").text
    assert places(page)[:4] == [("1", "A1"), ("2", "A2"), ("2", "N1"), ("4", "A3")]
    assert "National Football League</h2>" in page


def test_games_behind_the_first_of_a_group_are_in_the_tables_of_groups_alone(client, standings):
    standings("nba", {"East": ["Alpha"], "West": ["Beta"]}, SPORTS["nba"][0])
    assert "GB" in headings(client.get("/nba/standings").text)
    assert "GB" not in headings(client.get("/nba/standings/all").text)


def test_single_table_has_no_tabs(client, standings):
    standings("epl", {"2026-27": ["Alpha"]}, {"points": "3", "rank": "1"})
    page = client.get("/epl/standings").text
    assert "Alpha" in page
    assert 'aria-label="Tables"' not in page


def test_line_is_below_the_last_seed_that_plays_on(client, standings):
    standings("nfl", NFL_TEAMS, SPORTS["nfl"][0], SEEDED)
    for path in ("/nfl/standings", "/nfl/standings/wild-card"):
        assert re.findall(r'<tr class="cut"><td>(\d+)', client.get(path).text) == ["7"]
    assert "cut" not in client.get("/nfl/standings/all").text


@pytest.mark.parametrize(
    ("slug", "mark", "words"),
    [
        ("nfl", "z", "division won"),
        ("nba", "z", "first place is certain"),
        ("nhl", "e", "out of the playoffs"),
    ],
)
def test_mark_has_words_beside_the_team_and_below_the_tables(client, standings, slug, mark, words):
    standings(slug, {"East": ["Alpha", "Beta"]}, SPORTS[slug][0], {"Alpha": {"clincher": mark}})
    page = client.get(f"/{slug}/standings").text
    assert page.count(f'<small>{mark}<span class="away">, {words}</span></small>') == 1
    assert f"<b>{mark}</b> {words}" in page
    assert page.count("<small>") == 1


def test_mark_that_is_not_known_is_not_shown(client, standings):
    standings("nfl", {"East": ["Alpha"]}, SPORTS["nfl"][0] | {"clincher": "q"})
    assert "<small>" not in client.get("/nfl/standings").text


def test_places_that_lead_somewhere_have_a_colour_and_a_word(client, standings):
    notes = {
        "Alpha": {"note": {"description": "Champions League", "color": "#81D6AC", "rank": 1}},
        "Gamma": {"note": {"description": "Relegation <b>", "color": "red;}", "rank": 3}},
    }
    standings("epl", {"": ["Alpha", "Beta", "Gamma"]}, {"points": "3"}, notes=notes)
    page = client.get("/epl/standings").text
    assert '<td class="zone" style="--c:#81d6ac">1</td>' in page
    assert "<td>2</td>" in page
    assert '<td class="zone">3</td>' in page
    assert page.count('<span class="away">, Champions League</span>') == 1
    assert '<span class="zone" style="--c:#81d6ac">Champions League</span>' in page
    assert '<span class="zone">Relegation &lt;b&gt;</span>' in page


def test_points_deducted_are_a_column_where_there_are_any(client, standings):
    teams = {"": ["Alpha", "Beta"]}
    standings("mls", teams, {"points": "3", "deductions": ""})
    assert headings(client.get("/mls/standings").text) == ["#", "Team", "PTS"]
    standings("epl", teams, {"points": "3", "deductions": ""}, {"Beta": {"deductions": "-6"}})
    assert headings(client.get("/epl/standings").text) == ["#", "Team", "PTS", "DED"]


def test_record_within_the_conference_decides_where_there_is_no_percentage(client, standings):
    standings("ncaaf", {"Big": ["Alpha"]}, {"wins": "9", "losses": "1", "vs. Conf.": "6-0"})
    page = client.get("/ncaaf/standings").text
    assert re.findall('<td class="key">([^<]*)', page) == ["6-0"]


@pytest.mark.parametrize("figure", ["NaN", "inf", "-"])
def test_team_without_a_figure_is_the_last_of_all(client, standings, figure):
    odd = {"Alpha": {"winPercent": figure}}
    standings("nfl", {"A": ["Alpha"], "B": ["Beta", "Gamma"]}, {"winPercent": ".500"}, odd)
    page = client.get("/nfl/standings/all").text
    assert page.index("Alpha") > max(page.index("Beta"), page.index("Gamma"))
