"""Teams of one abbreviation, or of none: each has an address of its own, which every link names."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pytest
from sqlalchemy import update

from sportsapp.core.clock import utc_now
from sportsapp.core.leagues import BY_SLUG
from sportsapp.core.settings import Settings
from sportsapp.db.engine import db
from sportsapp.db.models import Team
from sportsapp.services import services_of
from sportsapp.sync.catalogue import sync_leagues, sync_teams
from sportsapp.sync.context import SyncContext
from tests.integration.events import board, event
from tests.panel import signed_in
from tests.stored import query, statements

FLORIDA, OHIO, NAMELESS, MIXED = "Miami Hurricanes", "Miami (OH) RedHawks", "???", "Mixed Case"
TEAMS = {
    FLORIDA: ("2390", "MIA"),
    OHIO: ("193", "MIA"),
    NAMELESS: ("7", ""),
    MIXED: ("8", "MiX"),
    "Duke Blue Devils": ("150", "DUKE"),
}
ADDRESSES = {
    FLORIDA: "/ncaam/teams/MIA",
    OHIO: "/ncaam/teams/MIA_193",
    NAMELESS: "/ncaam/teams/_7",
    MIXED: "/ncaam/teams/MiX",
    "Duke Blue Devils": "/ncaam/teams/DUKE",
}
LINK = re.compile(r'<a href="(/ncaam/teams/[^".]*)">(?:<i .*?</i><span class="name">)?([^<]*)</')


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Only the league in which that happens."""
    return replace(settings, leagues=("ncaam",))


@pytest.fixture
def college(app, feed):
    """Five teams with standings, two of them MIA; those two have played each other."""
    teams = [team_json(*TEAMS[name], name) for name in TEAMS]
    feed.say("ncaam", {"sports": [{"leagues": [{"teams": teams}]}]}, kind="teams")
    entries = [{"team": one["team"], "stats": []} for one in teams]
    groups = {"children": [{"name": "All", "standings": {"entries": entries}}]}
    feed.say("ncaam", groups, kind="standings")
    feed.say("ncaam", board())
    sync = SyncContext(services_of(app).feed_client, db.session, utc_now())
    sync_teams(sync, [BY_SLUG["ncaam"]])
    sync_leagues(sync, [BY_SLUG["ncaam"]])


@pytest.fixture
def game(college, synced):
    """The two that are MIA play each other."""
    played = event("401")
    for side, name in zip(played["competitions"][0]["competitors"], (FLORIDA, OHIO), strict=True):
        side["team"] = team_json(*TEAMS[name], name)["team"]
    synced("ncaam", played)


def team_json(espn_id: str, abbreviation: str, name: str) -> dict:
    return {
        "team": {"id": espn_id, "abbreviation": abbreviation, "displayName": name, "location": name}
    }


def links(page: str) -> dict[str, str]:
    """Where a page's links to teams lead, by the name that they show."""
    return {unescape(name): unescape(address) for address, name in LINK.findall(page)}


@pytest.mark.usefixtures("game")
@pytest.mark.parametrize("name", TEAMS)
def test_address_leads_to_that_very_team(client, name):
    page = client.get(ADDRESSES[name])
    assert page.status_code == 200
    assert f"</i> {name}" in page.text.partition("<h1>")[2].partition("</h1>")[0]
    assert re.findall(r'href="([^"]+)\.ics"', page.text) == [
        ADDRESSES[name],
        f"webcal://localhost{ADDRESSES[name]}",
        ADDRESSES[name],
    ]
    assert f"X-WR-CALNAME:{name}" in client.get(f"{ADDRESSES[name]}.ics").text


@pytest.mark.usefixtures("game")
@pytest.mark.parametrize("path", ["/ncaam/teams", "/ncaam/standings"])
def test_lists_link_each_team_to_its_own_page(client, path):
    assert links(client.get(path).text) == ADDRESSES


@pytest.mark.usefixtures("game")
def test_game_search_and_favourites_link_each_team_to_its_own_page(visitor):
    both = {name: ADDRESSES[name] for name in (FLORIDA, OHIO)}
    assert links(visitor.get("/ncaam/games/401").text) == both
    favourites = {"Cookie": "favourites=ncaam-2390.ncaam-193"}
    assert links(visitor.get("/preferences", headers=favourites).text) == both
    assert links(visitor.get("/search?q=miami").text) == both
    assert visitor.get("/search?q=redhawks").location == ADDRESSES[OHIO]
    assert visitor.get("/search?q=hurricanes").location == ADDRESSES[FLORIDA]


@pytest.mark.usefixtures("college")
def test_panel_links_each_team_to_its_own_page(app):
    assert links(signed_in(app).get("/admin/teams/")) == ADDRESSES


@pytest.mark.usefixtures("game")
def test_page_of_the_first_names_the_others(client):
    named = client.get("/ncaam/teams/MIA").text.partition("abbreviation MIA: ")[2]
    assert links(named.partition("</p>")[0]) == {OHIO: ADDRESSES[OHIO]}
    assert "abbreviation DUKE: " not in client.get("/ncaam/teams/DUKE").text


@pytest.mark.usefixtures("college")
@pytest.mark.parametrize(
    ("asked", "lead_to"),
    [
        ("mia", "MIA"),
        ("mia_193", "MIA_193"),
        ("MIA_2390", "MIA"),
        ("X_150", "DUKE"),
        ("_193", "MIA_193"),
        ("_8", "MiX"),
    ],
)
def test_other_ways_to_say_it_lead_to_the_one_address(client, asked, lead_to):
    answer = client.get(f"/ncaam/teams/{asked}")
    assert answer.location == f"/ncaam/teams/{lead_to}"
    assert client.get(answer.location).status_code == 200


@pytest.mark.usefixtures("college")
def test_address_by_id_is_led_on_for_now_alone_since_it_may_change(client):
    assert client.get("/ncaam/teams/MIA_2390").status_code == 302
    assert client.get("/ncaam/teams/duke").status_code == 301


@pytest.mark.usefixtures("college")
@pytest.mark.parametrize("asked", ["MIA_99", "_", "MIA_", "MIA_193_193"])
def test_address_of_nobody_is_not_found(client, asked):
    assert client.get(f"/ncaam/teams/{asked}").status_code == 404


@pytest.mark.usefixtures("college")
def test_listed_team_goes_before_a_guest_that_was_known_first(client):
    db.session.execute(update(Team).where(Team.espn_id == "2390").values(listed=False))
    db.session.commit()
    assert f"</i> {OHIO}" in client.get("/ncaam/teams/MIA").text
    assert f"</i> {FLORIDA}" in client.get("/ncaam/teams/MIA_2390").text


@pytest.mark.usefixtures("game")
def test_teams_of_one_abbreviation_are_two_in_the_database():
    rows = query("SELECT espn_id FROM teams WHERE abbreviation = 'MIA' ORDER BY id")
    assert [row["espn_id"] for row in rows] == ["2390", "193"]


@pytest.mark.usefixtures("game")
def test_namesakes_cost_no_statement_more(visitor):
    visitor.get("/ncaam/teams")  # the first request looks for more than later ones do
    asked = {}
    for path in ("/ncaam/teams/DUKE", "/ncaam/teams/MIA", "/ncaam/teams/MIA_193"):
        with statements() as count:
            assert visitor.get(path).status_code == 200
        asked[path] = count["SELECT"]
    assert len(set(asked.values())) == 1, asked
