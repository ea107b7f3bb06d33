"""The standings: divisions, conferences, wild cards, the columns of the sport, their time."""

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
        groups: Mapping[str, list[str] | dict[str, list[str]]],
        stats: dict[str, str],
        of_team: Mapping[str, dict[str, str]] = MappingProxyType({}),
        notes: Mapping[str, dict[str, str]] = MappingProxyType({}),
    ) -> None:
        def group(name: str, teams: list[str] | dict[str, list[str]]) -> dict:
            if isinstance(teams, dict):
                return {"name": name, "children": [group(*item) for item in teams.items()]}
            lines = [
                entry(team, stats | of_team.get(team, {})) | notes.get(team, {}) for team in teams
            ]
            return {"name": name, "standings": {"entries": lines}}

        feed.say(slug, board())
        children = [group(*item) for item in groups.items()]
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


def test_table_of_all_goes_by_what_decides_and_equals_share_a_place(client, standings):
    standings("nfl", NFL_TEAMS, SPORTS["nfl"][0], SEEDED)
    page = client.get("/nfl/standings/all").text
    assert places(page)[:4] == [("1", "A1"), ("2", "A2"), ("2", "N1"), ("4", "A3")]
    assert "National Football League</h2>" in page


def test_single_table_has_no_tabs(client, standings):
    standings("epl", {"2026-27": ["Alpha"]}, {"points": "3", "rank": "1"})
    page = client.get("/epl/standings").text
    assert "Alpha" in page
    assert 'aria-label="Tables"' not in page


def test_line_is_below_the_last_seed_that_plays_on(client, standings):
    standings("nfl", NFL_TEAMS, SPORTS["nfl"][0], SEEDED)
    assert re.findall(r'<tr class="cut"><td>(\d+)', client.get("/nfl/standings").text) == ["7"]
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


# ---------------------------------------------------------------- divisions and wild cards

DIVIDED = {
    "AFC": {"AFC East": ["Ants", "Bees"], "AFC West": ["Cats", "Dogs", "Elks", "Foxes"]},
    "NFC": {"NFC East": ["Gnus"]},
}
WON = {"Ants": 5, "Bees": 2, "Cats": 9, "Dogs": 8, "Elks": 4, "Foxes": 3, "Gnus": 7}
SEEDS = {"Cats": 1, "Ants": 2, "Dogs": 3, "Elks": 4, "Foxes": 5, "Bees": 6, "Gnus": 1}
GAMES = {
    team: {
        "wins": str(won),
        "losses": str(10 - won),
        "winPercent": f"{won / 10}",
        "points": str(2 * won),
        "gamesBehind": "0.5",
        "playoffSeed": str(SEEDS[team]),
    }
    for team, won in WON.items()
}


def shown(page: str) -> dict[str, list[tuple[str, str]]]:
    """By each table's name the place and the address of its teams."""
    parts = re.split(r'<h2 id="group\d+">', page)[1:]
    return {part.partition("<")[0]: places(part) for part in parts}


def behind(page: str) -> list[str]:
    """The column of games behind, which stands before the last one."""
    at = headings(page).index("GB") - 2
    rows = page.partition("<tbody>")[2].split("</th>")
    return [cells[at] for row in rows if (cells := re.findall("<td[^>]*>([^<]*)</td>", row))[at:]]


@pytest.mark.parametrize(
    ("slug", "tabs", "other"),
    [
        ("nfl", ["Division", "Conference", "Wild card", "League"], "conference"),
        ("mlb", ["Division", "League", "Wild card", "All"], "conference"),
        ("nhl", ["Division", "Conference", "Wild card", "League"], "conference"),
        ("nba", ["Conference", "Division", "League"], "division"),
    ],
)
def test_tabs_begin_with_what_is_usual_in_the_league(client, standings, slug, tabs, other):
    standings(slug, DIVIDED, {}, GAMES)
    pages = [client.get(f"/{slug}/standings{part}").text for part in ("", f"/{other}")]
    for page, current in zip(pages, tabs, strict=False):
        nav = page.partition('aria-label="Tables">')[2].partition("</nav>")[0]
        assert re.findall(">([^<]+)</a>", nav) == tabs
        assert re.findall('aria-current="page">([^<]+)', nav) == [current]
        assert 'aria-current="true">Standings</a>' in page or current == tabs[0]
    sizes = [len(shown(page)) for page in pages]
    assert sizes == ([2, 3] if slug == "nba" else [3, 2])


def test_usual_table_has_one_address_and_others_are_404(client):
    redirect = client.get("/nfl/standings/division")
    assert (redirect.status_code, redirect.location) == (301, "/nfl/standings")
    paths = ("/nba/standings/wild-card", "/wnba/standings/division", "/nfl/standings/bracket")
    assert [client.get(path).status_code for path in paths] == [404, 404, 404]


def test_division_goes_by_what_decides_and_games_are_behind_its_first(client, standings):
    standings("nfl", DIVIDED, {}, GAMES)
    page = client.get("/nfl/standings").text
    assert shown(page) == {
        "AFC East": [("1", "ANT"), ("2", "BEE")],
        "AFC West": [("1", "CAT"), ("2", "DOG"), ("3", "ELK"), ("4", "FOX")],
        "NFC East": [("1", "GNU")],
    }
    assert behind(page) == ["-", "3", "-", "1", "5", "6", "-"]
    assert "cut" not in page


def test_games_are_behind_the_first_of_the_table_that_is_shown(client, standings):
    standings("nfl", DIVIDED, {}, GAMES)
    conference = client.get("/nfl/standings/conference").text
    assert list(shown(conference)) == ["AFC", "NFC"]
    assert behind(conference) == ["-", "4", "1", "5", "6", "7", "-"]
    assert behind(client.get("/nfl/standings/all").text) == ["-", "1", "2", "4", "5", "6", "7"]


def test_games_behind_are_not_made_up(client, standings):
    odd = {"wins": "", "losses": "?", "playoffSeed": "1"}
    standings("nba", {"East": ["Ants", "Bees"]}, {}, GAMES | {"Ants": odd})
    assert behind(client.get("/nba/standings").text) == ["", ""]


def test_wild_cards_go_to_the_best_who_lead_no_division(client, standings):
    standings("nfl", DIVIDED, {}, GAMES)
    page = client.get("/nfl/standings/wild-card").text
    assert shown(page) == {
        "AFC division leaders": [("1", "CAT"), ("2", "ANT")],
        "AFC wild card": [("1", "DOG"), ("2", "ELK"), ("3", "FOX"), ("4", "BEE")],
        "NFC division leaders": [("1", "GNU")],
    }
    assert behind(page) == ["-", "4", "+5", "+1", "-", "1", "-"]
    assert re.findall(r'<tr class="cut"><td>(\d+)', page) == ["3"]


def test_wild_cards_in_hockey_go_to_two_beside_three_of_each_division(client, standings):
    pacific = ["Bees", "Cats", "Dogs", "Elks", "Foxes", "Gnus"]
    standings("nhl", {"West": {"Central": ["Ants"], "Pacific": pacific}}, {}, GAMES)
    page = client.get("/nhl/standings/wild-card").text
    assert shown(page) == {
        "Central": [("1", "ANT")],
        "Pacific": [("1", "CAT"), ("2", "DOG"), ("3", "GNU")],
        "West wild card": [("1", "ELK"), ("2", "FOX"), ("3", "BEE")],
    }
    assert re.findall(r'<tr class="cut"><td>(\d+)', page) == ["2"]


def test_standings_without_divisions_are_by_conference(client, standings):
    standings("nfl", NFL_TEAMS, SPORTS["nfl"][0], SEEDED)
    for path in ("/nfl/standings", "/nfl/standings/conference", "/nfl/standings/wild-card"):
        page = client.get(path).text
        assert list(shown(page)) == ["AFC", "NFC"]
        nav = page.partition('aria-label="Tables">')[2].partition("</nav>")[0]
        assert re.findall(">([^<]+)</a>", nav) == ["Conference", "League"]
        assert 'aria-current="page">Conference</a>' in nav


def test_divisions_of_the_same_name_are_two_tables(client, standings):
    standings("mlb", {"AL": {"Central": ["Ants"]}, "NL": {"Central": ["Bees"]}}, {}, GAMES)
    page = client.get("/mlb/standings").text
    assert re.findall(r"<h2[^>]*>([^<]+)</h2>", page) == ["Central", "Central"]


def test_place_of_a_team_is_that_in_its_division(client, standings):
    standings("nfl", DIVIDED, {}, GAMES | {"Elks": GAMES["Elks"] | {"streak": "W2"}})
    assert "3rd in AFC West, W2<" in client.get("/nfl/teams/ELK").text
    assert "2nd in AFC West<" in client.get("/nfl/teams/DOG").text


def test_each_team_of_a_table_has_a_star(client, standings):
    standings("nfl", DIVIDED, {}, GAMES)
    starred = re.findall(r'name="team" value="(nfl-\w+)"', client.get("/nfl/standings").text)
    assert len(starred) == len(set(starred)) == len(WON)
