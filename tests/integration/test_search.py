"""The search: teams by name, and which one when several answer."""

from __future__ import annotations

import re
import time
from urllib.parse import quote

import pytest

from sportsapp.core.clock import utc_now
from sportsapp.core.leagues import BY_SLUG, DEFAULT_LEAGUES
from sportsapp.db.engine import db
from sportsapp.services import services_of
from sportsapp.sync.catalogue import sync_teams
from sportsapp.sync.context import SyncContext
from tests.answers import make_team_list

TEAMS = {
    "nfl": [("19", "NYG", "New York Giants"), ("5", "CLE", "Cleveland Browns")],
    "mlb": [("26", "SF", "San Francisco Giants"), ("8", "MIL", "Milwaukee 100% Brewers")],
}


@pytest.fixture(autouse=True)
def teams(app, feed):
    """Two leagues with two teams each."""
    for slug, named in TEAMS.items():
        rows = [
            {"team": {"id": team_id, "abbreviation": short, "displayName": name}}
            for team_id, short, name in named
        ]
        feed.say(slug, {"sports": [{"leagues": [{"teams": rows}]}]}, kind="teams")
        feed.say(slug, {"athletes": []}, kind="roster")
    sync = SyncContext(services_of(app).feed_client, db.session, utc_now())
    sync_teams(sync, [BY_SLUG[slug] for slug in TEAMS])


def test_name_in_two_leagues_is_asked_back(client):
    page = client.get("/search?q=giants").text
    assert "Search results" in page
    assert '2 teams match "giants".' in page
    assert '<a href="/nfl/teams/NYG">New York Giants</a> <small>NFL</small>' in page
    assert '<a href="/mlb/teams/SF">San Francisco Giants</a> <small>MLB</small>' in page


@pytest.mark.parametrize("path", ["/search?q=giants", "/nfl/teams"])
def test_each_team_of_a_list_has_a_star(visitor, path):
    stars = {}
    for cookie in ("", "favourites=nfl-19"):
        page = visitor.get(path, headers={"Cookie": cookie}).text
        stars[cookie] = re.findall('aria-label="(.*?) favourites">&#(.*?);', page)
    other = "San Francisco Giants" if "giants" in path else "Cleveland Browns"
    empty = [(f"Add {name} to", "9734") for name in ("New York Giants", other)]
    mine = ("Remove New York Giants from", "9733")
    assert sorted(stars[""]) == sorted(empty)
    assert sorted(stars["favourites=nfl-19"]) == sorted([mine, empty[1]])


@pytest.mark.parametrize(
    "words", ["new york giants", "GIANTS york", "  nyg  ", "browns nothing", "%", "_", "e"]
)
def test_search_by_words_and_abbreviations(client, words):
    targets = {
        "new york giants": "/nfl/teams/NYG",
        "GIANTS york": "/nfl/teams/NYG",
        "  nyg  ": "/nfl/teams/NYG",
    }
    answer = client.get("/search", query_string={"q": words})
    expected = (303, targets[words]) if words in targets else (200, None)
    assert (answer.status_code, answer.location) == expected


def test_nothing_found_names_the_leagues_to_look_through(client):
    page = client.get("/search?q=nobody").text
    assert 'No team matches "nobody".' in page
    for league in DEFAULT_LEAGUES:
        assert f'href="/{league.slug}/teams"' in page


@pytest.mark.parametrize("query", ["", "?q=", "?q=%20%20"])
def test_search_without_words_explains_itself(client, query):
    assert "Find a team</h1>" in client.get(f"/search{query}").text


def test_words_are_shown_as_text(client):
    page = client.get("/search", query_string={"q": '"><script>alert(1)</script>'}).text
    assert "<script>alert" not in page
    assert 'value="&#34;&gt;&lt;script&gt;' in page


@pytest.mark.parametrize(
    "words", ["a" * 10_000, "a " * 5_000, "%" * 10_000], ids=lambda words: words[:2]
)
def test_search_of_ten_kilobytes_is_refused_at_once(client, words):
    began = time.perf_counter()
    answer = client.get("/search", query_string={"q": words})
    assert time.perf_counter() - began < 1
    assert answer.status_code == 414
    assert "at most 8000 characters" in answer.text
    assert len(answer.data) < 5000


@pytest.mark.parametrize("letter", ["a", "\x01"])
def test_search_of_more_than_a_hundred_characters_is_refused(client, letter):
    answer = client.get("/search", query_string={"q": letter * 101})
    assert answer.status_code == 400
    assert "at most 100 characters" in answer.text


@pytest.mark.parametrize("words", ["\ud800", "'; DROP TABLE teams; --", "\\", "é" * 100])
def test_odd_words_find_nobody(client, words):
    address = "/search?q=" + quote(words, errors="surrogatepass")
    assert client.get(address).status_code == 200


# ---------------------------------------------------------------- as people type


NAMED = [
    ("mls", "9720", "MTL", "CF Montréal"),
    ("mls", "9723", "SJ", "San Jose Earthquakes"),
    ("nhl", "10", "MTL", "Montréal Canadiens"),
    ("ncaaf", "23", "SJSU", "San José State Spartans"),
    ("ncaaf", "62", "HAW", "Hawai'i Rainbow Warriors"),
    ("nfl", "25", "SF", "San Francisco 49ers"),
    ("nfl", "19", "NYG", "New York Giants"),
    ("epl", "360", "MAN", "Manchester United"),
    ("epl", "382", "MNC", "Manchester City"),
    ("epl", "93", "BOD", "Bodø Łódź"),
]


@pytest.fixture
def named(app, feed):
    """Teams of leagues that write their names with accents, and some with nicknames."""
    object.__setattr__(services_of(app).settings, "leagues", tuple({row[0]: 0 for row in NAMED}))
    sync = SyncContext(services_of(app).feed_client, db.session, utc_now())
    for slug in dict.fromkeys(row[0] for row in NAMED):
        rows = [
            {"team": {"id": team_id, "abbreviation": short, "displayName": name}}
            for league, team_id, short, name in NAMED
            if league == slug
        ]
        feed.say(slug, {"sports": [{"leagues": [{"teams": rows}]}]}, kind="teams")
        feed.say(slug, {"athletes": []}, kind="roster")
        sync_teams(sync, [BY_SLUG[slug]])


@pytest.mark.usefixtures("named")
@pytest.mark.parametrize(
    ("words", "address"),
    [
        ("cf montreal", "/mls/teams/MTL"),
        ("CF MONTRÉAL", "/mls/teams/MTL"),
        ("san jose state", "/ncaaf/teams/SJSU"),
        ("SAN JOSÉ ST", "/ncaaf/teams/SJSU"),
        ("hawaii", "/ncaaf/teams/HAW"),
        ("Hawai\u2019i", "/ncaaf/teams/HAW"),
        ("niners", "/nfl/teams/SF"),
        ("man utd", "/epl/teams/MAN"),
        ("ny", "/nfl/teams/NYG"),
        ("bodo lodz", "/epl/teams/BOD"),
        ("habs", "/nhl/teams/MTL"),
    ],
)
def test_team_is_found_as_people_type(client, words, address):
    answer = client.get("/search", query_string={"q": words})
    assert (answer.status_code, answer.location) == (303, address)


@pytest.mark.usefixtures("named")
@pytest.mark.parametrize(
    ("words", "address"),
    [
        ("gaints", "/nfl/teams/NYG"),
        ("canadians", "/nhl/teams/MTL"),
        ("manchster citi", "/epl/teams/MNC"),
    ],
)
def test_guess_is_offered_and_not_followed(client, words, address):
    answer = client.get("/search", query_string={"q": words})
    assert answer.status_code == 200
    assert f'<a href="{address}">' in answer.text


@pytest.mark.usefixtures("named")
def test_city_with_teams_in_two_leagues_is_asked_back(client):
    page = client.get("/search?q=Montreal").text
    assert 'href="/mls/teams/MTL"' in page
    assert 'href="/nhl/teams/MTL"' in page


@pytest.mark.usefixtures("named")
@pytest.mark.parametrize("words", ["xyzzy", "giants xyzzy", "123456"])
def test_words_unlike_any_name_find_nobody(client, words):
    assert "No team matches" in client.get("/search", query_string={"q": words}).text


# ---------------------------------------------------------------- places, and words run together


PLACED = [
    ("nfl", "19", "NYG", "New York", "Giants"),
    ("nfl", "20", "NYJ", "New York", "Jets"),
    ("nfl", "12", "KC", "Kansas City", "Chiefs"),
    ("nfl", "13", "LV", "Las Vegas", "Raiders"),
    ("nba", "18", "NY", "New York", "Knicks"),
    ("nba", "13", "LAL", "Los Angeles", "Lakers"),
    ("nba", "22", "POR", "Portland", "Trail Blazers"),
    ("mlb", "2", "BOS", "Boston", "Red Sox"),
    ("mlb", "17", "CIN", "Cincinnati", "Reds"),
    ("mlb", "14", "TOR", "Toronto", "Blue Jays"),
    ("mls", "190", "RBNY", "Red Bull New York", ""),
    ("mls", "186", "SKC", "Sporting Kansas City", ""),
]


@pytest.fixture
def placed(app, feed):
    """Teams with their places, as the feed has them."""
    object.__setattr__(services_of(app).settings, "leagues", tuple({row[0]: 0 for row in PLACED}))
    sync = SyncContext(services_of(app).feed_client, db.session, utc_now())
    for slug in dict.fromkeys(row[0] for row in PLACED):
        rows = [
            {
                "id": team_id,
                "abbreviation": short,
                "displayName": f"{place} {name}".strip(),
                "location": place,
                "name": name or place,
            }
            for league, team_id, short, place, name in PLACED
            if league == slug
        ]
        feed.say(slug, make_team_list(*rows), kind="teams")
        feed.say(slug, {"athletes": []}, kind="roster")
        sync_teams(sync, [BY_SLUG[slug]])


def found(page: str) -> list[str]:
    """The addresses of the teams that a page of results lists, in order."""
    return re.findall(r'<a href="/(\w+/teams/\w+)">', page)


@pytest.mark.usefixtures("placed")
@pytest.mark.parametrize(
    ("words", "teams"),
    [
        ("ny", ["nfl/teams/NYG", "nfl/teams/NYJ", "nba/teams/NY", "mls/teams/RBNY"]),
        ("new yo", ["nfl/teams/NYG", "nfl/teams/NYJ", "nba/teams/NY", "mls/teams/RBNY"]),
        ("kc", ["nfl/teams/KC", "mls/teams/SKC"]),
        ("newyork", ["nfl/teams/NYG", "nfl/teams/NYJ", "nba/teams/NY", "mls/teams/RBNY"]),
    ],
)
def test_place_lists_its_teams_of_all_leagues(client, words, teams):
    page = client.get("/search", query_string={"q": words}).text
    assert found(page) == teams
    assert f'{len(teams)} teams match "{words}".' in page


@pytest.mark.usefixtures("placed")
@pytest.mark.parametrize(
    ("words", "address"),
    [
        ("redsox", "/mlb/teams/BOS"),
        ("bluejay", "/mlb/teams/TOR"),
        ("trailblazers", "/nba/teams/POR"),
        ("ny knicks", "/nba/teams/NY"),
    ],
)
def test_words_run_together_and_initials_lead_to_the_team(client, words, address):
    answer = client.get("/search", query_string={"q": words})
    assert (answer.status_code, answer.location) == (303, address)


@pytest.mark.usefixtures("placed")
@pytest.mark.parametrize(
    ("words", "teams"),
    [
        ("lakrs", ["nba/teams/LAL"]),  # not Las Vegas, of which "las" is like it
        ("knciks", ["nba/teams/NY"]),
        ("gaints ny", ["nfl/teams/NYG"]),
        ("new yrok jets", ["nfl/teams/NYJ"]),
        ("trail blasers", ["nba/teams/POR"]),
    ],
)
def test_near_miss_lists_its_team_alone_and_says_that_it_is_a_guess(client, words, teams):
    page = client.get("/search", query_string={"q": words}).text
    assert found(page) == teams
    assert f'No team is named "{words}". Did you mean:' in page
    assert "match" not in page
