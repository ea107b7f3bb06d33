"""Addresses as people type them: a slash at the end, everyday words, names of teams."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest

from sportsapp.core.clock import utc_now
from sportsapp.core.leagues import BY_SLUG
from sportsapp.db.engine import db
from sportsapp.services import services_of
from sportsapp.sync.catalogue import sync_teams
from sportsapp.sync.context import SyncContext
from tests.answers import make_team_list
from tests.stored import statements

TEAMS = {
    "nfl": [
        ("6", "DAL", "Dallas Cowboys"),
        ("19", "NYG", "New York Giants"),
        ("20", "NYJ", "New York Jets"),
        ("25", "SF", "San Francisco 49ers"),
    ],
    "mlb": [("26", "SF", "San Francisco Giants")],
}
MEANT = re.compile(r"Did you mean (.*)</p>")
LINK = re.compile(r'<a href="([^"]+)">')


@pytest.fixture(autouse=True)
def stored(app, feed):
    """Two leagues with teams."""
    for slug, named in TEAMS.items():
        rows = [{"id": n, "abbreviation": short, "displayName": name} for n, short, name in named]
        feed.say(slug, make_team_list(*rows), kind="teams")
        feed.say(slug, {"athletes": []}, kind="roster")
    sync = SyncContext(services_of(app).feed_client, db.session, utc_now())
    sync_teams(sync, [BY_SLUG[slug] for slug in TEAMS])


# ---------------------------------------------------------------- a slash at the end


@pytest.mark.parametrize(
    "address",
    [
        "/live", "/nfl", "/NFL", "/2026-11-29", "/nfl/2026-11-29", "/nfl/weeks/2026/2/12",
        "/months/2026-11", "/nfl/months/2026-11", "/nfl/games/401", "/nfl/teams", "/nfl/teams/DAL",
        "/nfl/teams/DAL.ics", "/nfl/standings", "/nfl/scores.atom", "/search", "/preferences",
    ],
)  # fmt: skip
def test_slash_at_the_end_leads_to_the_address_without(visitor, address):
    answer = visitor.get(f"{address}/")
    assert (answer.status_code, answer.location) == (308, address)
    assert visitor.get(f"{address}//").location == address
    assert visitor.head(f"{address}/").location == address


@pytest.mark.parametrize("query", ["q=giants", "q=a%26b%2F", "q=S%C3%A3o", "q=//evil.example&x="])
def test_query_goes_along(visitor, query):
    assert visitor.get(f"/search/?{query}").location == f"/search?{query}"


@pytest.mark.parametrize(
    "address",
    [
        "//evil.example/", "///evil.example/", "/%2Fevil.example/", "/%5Cevil.example/",
        "/\\evil.example/", "/nfl//evil.example/", "/%09/evil.example/", "/xyz/",
        "/xyz/teams/", "/xyz/2026-11-29/", "/nfl/a/b/c/", "/static/",
        "/api/", "/preferences/favourites/",
    ],
)  # fmt: skip
def test_slash_at_the_end_of_what_is_no_page_leads_nowhere(visitor, address):
    environ = {"PATH_INFO": unquote(address)}  # a client would take //evil.example for a host
    answer = visitor.get("/", environ_overrides=environ)
    assert (answer.status_code, answer.location) == (404, None)


def test_addresses_that_end_in_a_slash_stay(visitor):
    assert visitor.get("/api/v1/").status_code == 200
    assert visitor.get("/api/v1/teams/").json["error"]["code"] == "not_found"
    assert visitor.get("/admin/sign-in").status_code == 200


# ---------------------------------------------------------------- everyday words


@pytest.mark.parametrize("word", ["today", "scores", "schedule", "Today"])
@pytest.mark.parametrize("league", ["nfl", "NFL"])
def test_everyday_words_lead_to_the_league(visitor, league, word):
    answer = visitor.get(f"/{league}/{word}")
    assert (answer.status_code, answer.location) == (301, "/nfl")


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("cowboys", "DAL"),
        ("Cowboys", "DAL"),
        ("DALLAS", "DAL"),
        ("dallas-cowboys", "DAL"),
        ("Dallas%20Cowboys", "DAL"),
        ("giants", "NYG"),
        ("niners", "SF"),
        ("49ers", "SF"),
    ],
)
def test_name_of_a_team_leads_to_its_page(visitor, name, address):
    answer = visitor.get(f"/nfl/teams/{name}")
    assert (answer.status_code, answer.location) == (308, f"/nfl/teams/{address}")


def test_name_of_a_team_costs_no_more_than_its_page(visitor):
    visitor.get("/nfl/teams/NYG")  # the first request looks for more than later ones do
    with statements() as known:
        visitor.get("/nfl/teams/DAL")
    with statements() as named:
        visitor.get("/nfl/teams/cowboys")
    assert named["SELECT"] <= known["SELECT"]


# ---------------------------------------------------------------- what means nothing


@pytest.mark.parametrize(
    ("address", "teams"),
    [
        ("/cowboys", ["/nfl/teams/DAL"]),
        ("/giants", ["/nfl/teams/NYG", "/mlb/teams/SF"]),
        ("/nfl/cowbys", ["/nfl/teams/DAL"]),
        ("/nfl/teams/cowbys", ["/nfl/teams/DAL"]),
        ("/nfl/teams/new-york", ["/nfl/teams/NYG", "/nfl/teams/NYJ"]),
        ("/nfl/teams/sa", ["/nfl/teams/SF"]),
        ("/san-francisco", ["/nfl/teams/SF", "/mlb/teams/SF"]),
        ("/cowboys/games/1", ["/nfl/teams/DAL"]),
    ],
)
def test_at_most_three_teams_are_offered(visitor, address, teams):
    answer = visitor.get(address)
    assert answer.status_code == 404
    (meant,) = MEANT.findall(answer.text)
    assert LINK.findall(meant) == teams
    assert meant.endswith("?")


def test_fourth_team_is_in_the_search(visitor, monkeypatch):
    monkeypatch.setattr("sportsapp.web.lookup.MOST_MEANT", 1)
    page = visitor.get("/giants").text
    assert LINK.findall(*MEANT.findall(page)) == ["/nfl/teams/NYG"]
    assert '<a href="/search?q=giants">Search all teams for "giants"</a>' in page


@pytest.mark.parametrize("address", ["/xyzzy", "/nfl/xyzzy", "/nfl/teams/xyzzy"])
def test_name_that_is_like_no_other_is_led_to_the_search(visitor, address):
    page = visitor.get(address).text
    assert MEANT.findall(page) == []
    assert '<a href="/search?q=xyzzy">' in page


@pytest.mark.parametrize("address", ["/favicon.ico", "/wp-login.php", "/nfl/.env", "/x"])
def test_what_is_nobodys_name_is_not_looked_up(visitor, address):
    visitor.get("/nfl/teams/DAL")
    with statements() as asked:
        page = visitor.get(address)
    assert (page.status_code, asked["SELECT"]) == (404, 0)
    assert "/search?q=" not in page.text


@pytest.mark.parametrize("address", ["/a/b/c/d", "/nfl/a/b"])
def test_page_that_there_is_not_says_so_in_our_words(visitor, address):
    answer = visitor.get(address)
    assert answer.status_code == 404
    assert "This site has no page at that address." in answer.text
    assert "server" not in answer.text
