"""The visitor's own teams: on top of the home page, in the order that he gives them."""

from __future__ import annotations

import re
from datetime import date

import pytest

from tests.integration.events import event

MINE = {"Cookie": "favourites=nfl-1"}


def own(visitor, cookie: str = "favourites=nfl-1") -> list[str]:
    """What a listener hears of each team in the section at the top."""
    page = visitor.get("/", headers={"Cookie": cookie}).text
    section = page.partition('<ul class="mine">')[2].partition("</ul>")[0]
    return [" ".join(re.sub("<[^>]*>", " ", one).split()) for one in section.split("</li>")[:-1]]


@pytest.fixture
def played(synced) -> None:
    """The team won on Sunday, and plays again on the coming one; another game was called off."""
    synced("nfl", event("1", "2026-01-11T18:00Z", "post"), day=date(2026, 1, 11))
    synced("nfl", event("2", "2026-01-04T18:00Z", "post"), day=date(2026, 1, 4))
    synced("nfl", event("3", "2026-01-16T18:00Z", "postponed"), day=date(2026, 1, 16))
    synced("nfl", event("4", "2026-01-18T18:00Z", "pre"), day=date(2026, 1, 18))
    synced("nfl", event("5", "2026-01-25T18:00Z", "pre"), day=date(2026, 1, 25))


@pytest.mark.usefixtures("played", "clock")
def test_idle_favourite_has_its_last_result_and_its_next_game(visitor):
    (line,) = own(visitor)
    assert line == (
        "ALP Alpha W 20-17 vs Beta, Sun, Jan 11 Next: Sun, Jan 18, 1:00 PM vs Beta, TV One"
    )


@pytest.mark.usefixtures("played", "clock")
def test_other_side_sees_its_own_score_first(visitor):
    (line,) = own(visitor, "favourites=nfl-2")
    assert "L 17-20 at Alpha" in line


@pytest.mark.usefixtures("played", "clock")
def test_live_favourite_has_its_live_score_alone(visitor, synced):
    synced("nfl", event("6", "2026-01-15T20:00Z", "in"))
    assert own(visitor) == ["ALP Alpha 9:03 - 3rd 20-17 vs Beta"]


@pytest.mark.usefixtures("played", "clock")
def test_hidden_scores_stay_hidden(visitor, synced):
    for state in ("", "in"):
        if state:
            synced("nfl", event("6", "2026-01-15T20:00Z", state))
        (line,) = own(visitor, "favourites=nfl-1; scores=hide")
        assert "Show score of Beta at Alpha vs Beta" in line
        assert not re.search(r"\b(20|17|W|3rd)\b", line)


@pytest.mark.usefixtures("played", "clock")
def test_favourites_are_in_the_visitors_order(visitor):
    assert [line[:3] for line in own(visitor, "favourites=nfl-2.nfl-1")] == ["BET", "ALP"]


@pytest.mark.usefixtures("clock")
def test_favourite_of_which_nothing_is_known_says_so(visitor, synced):
    synced("nfl", event("3", "2026-01-16T18:00Z", "postponed"), day=date(2026, 1, 16))
    assert own(visitor) == ["ALP Alpha No result yet No later game is known"]


@pytest.mark.usefixtures("played", "clock")
def test_visitor_without_favourites_has_no_such_section(visitor):
    assert "My teams" not in visitor.get("/").text
    assert own(visitor, "favourites=nfl-99") == []


@pytest.mark.usefixtures("played", "clock")
def test_section_stands_on_todays_page_alone(visitor):
    assert "My teams" in visitor.get("/", headers=MINE).text
    assert "My teams" not in visitor.get("/2026-01-11", headers=MINE).text


# ---------------------------------------------------------------- their order


def moved(visitor, team: str, favourites: str) -> str | None:
    """The favourites after this team was moved up; None when the cookie was left as it is."""
    answer = visitor.post(
        "/preferences/favourites",
        data={"team": team, "action": "up"},
        headers={"Sec-Fetch-Site": "same-origin", "Cookie": f"favourites={favourites}"},
    )
    assert answer.status_code == 303
    found = re.search(r"favourites=([^;]*)", answer.headers.get("Set-Cookie", ""))
    return found and found[1]


def test_favourite_changes_places_with_the_one_before_it(visitor):
    assert moved(visitor, "nba-5", "nfl-3.nba-5.nhl-1") == "nba-5.nfl-3.nhl-1"
    assert moved(visitor, "nhl-1", "nfl-3.nba-5.nhl-1") == "nfl-3.nhl-1.nba-5"
    assert moved(visitor, "nfl-3", "nfl-3.nba-5") == "nfl-3.nba-5"
    assert moved(visitor, "mlb-9", "nfl-3.nba-5") == "nfl-3.nba-5"


@pytest.mark.usefixtures("played")
def test_all_but_the_first_favourite_can_be_moved_up(visitor):
    page = visitor.get("/preferences", headers={"Cookie": "favourites=nfl-1.nfl-2"}).text
    assert 'aria-label="Move Beta up"' in page
    assert "Move Alpha up" not in page


@pytest.mark.parametrize("path", ["/nfl/teams/ALP", "/nfl/games/401"])
def test_star_names_the_team_and_tells_whether_it_is_one(visitor, synced, path):
    synced("nfl", event())
    assert 'name="team" value="nfl-1"' in visitor.get(path).text
    assert 'value="add"' in visitor.get(path).text
    assert 'value="remove"' in visitor.get(path, headers=MINE).text
