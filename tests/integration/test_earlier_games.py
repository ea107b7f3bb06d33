"""What a game's page has of other games: form, meetings, the make-up game."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest

from tests.integration.events import event
from tests.stored import mark_read

DAY = date(2026, 1, 15)
HIDES = {"Cookie": "scores=hide"}


def earlier(
    espn_id: str, days_ago: int, home: int, away: int, year: int = 2026, kind: int = 2
) -> dict[str, Any]:
    """A final between Alpha (home) and Beta."""
    start = f"{DAY - timedelta(days=days_ago)}T20:00Z"
    game = event(espn_id, start, home=home, away=away)
    for side, won in zip(
        game["competitions"][0]["competitors"], (home > away, away > home), strict=True
    ):
        side["winner"] = won
    return game | {"season": {"year": year, "type": kind}}


def against(game: dict[str, Any], side: int, team_id: str) -> dict[str, Any]:
    """The same game with another team in the place of one side (0 home, 1 away)."""
    names = {"id": team_id, "displayName": f"Other {team_id}", "abbreviation": f"O{team_id}"}
    game["competitions"][0]["competitors"][side]["team"] = names
    return game


@pytest.fixture
def played(synced):
    """Stores games, each on its own day, and at last the one whose page is asked for."""

    def store(*games: dict[str, Any], state: str = "pre") -> None:
        shown = event("401", state=state) | {"season": {"year": 2026, "type": 2}}
        for game in (*games, shown):
            synced("nfl", game, day=date.fromisoformat(game["date"][:10]))

    return store


def form(page: str) -> list[list[str]]:
    """What a listener hears of each team's last games, and where each link leads."""
    rows = page.partition('<section aria-labelledby="form"')[2].partition("</section>")[0]
    return [
        [f"{espn_id}: {' '.join(re.sub('<[^>]*>', '', words).split())}" for espn_id, words in links]
        for row in rows.split('<div class="last">')[1:]
        for links in [re.findall(r'<a href="/nfl/games/(\w+)">(.*?)</a>', row)]
    ]


def meetings(page: str) -> list[str]:
    part = page.partition('<section aria-labelledby="meetings"')[2].partition("</section>")[0]
    return re.findall(r'<a href="/nfl/games/(\w+)">', part)


def test_last_games_of_both_are_told_newest_first_with_links(visitor, played):
    played(
        earlier("1", 7, home=20, away=17),
        against(earlier("2", 14, home=3, away=10), 1, "7"),
        against(earlier("3", 21, home=9, away=9), 0, "8"),
    )
    assert form(visitor.get("/nfl/games/401").text) == [
        ["1: L 17-20 at ALP, Thu, Jan 8", "3: T 9-9 at O8, Thu, Dec 25"],
        ["1: W 20-17 vs BET, Thu, Jan 8", "2: L 3-10 vs O7, Thu, Jan 1"],
    ]


def test_form_is_five_games_of_the_season_before_this_one(visitor, played):
    season = [earlier(str(number), number, home=1, away=0) for number in range(1, 8)]
    later = against(earlier("20", -3, home=1, away=0), 1, "7")
    before = earlier("30", 200, home=1, away=0, year=2025)
    preseason = against(earlier("40", 0, home=1, away=0, kind=1), 1, "7")
    preseason["competitions"][0]["date"] = preseason["date"] = f"{DAY}T10:00Z"
    played(*season, later, before, preseason)
    for row in form(visitor.get("/nfl/games/401").text):
        assert [entry[0] for entry in row] == list("12345")


def test_meetings_go_back_over_seasons_and_are_five(visitor, played):
    played(
        earlier("1", 7, home=1, away=0),
        against(earlier("2", 14, home=1, away=0), 1, "7"),
        *(earlier(str(n), 365 * (n - 2), home=1, away=0, year=2028 - n) for n in range(3, 8)),
    )
    page = visitor.get("/nfl/games/401").text
    assert meetings(page) == ["1", "3", "4", "5", "6"]
    assert "Beta 0, Alpha 1, Final</a> <time" in page.replace("\N{NO-BREAK SPACE}", " ")
    assert [[entry[0] for entry in row] for row in form(page)] == [["1"], ["1", "2"]]


def test_first_game_of_both_has_neither(visitor, played):
    played()
    page = visitor.get("/nfl/games/401").text
    assert "Last known" not in page


def test_one_without_a_game_yet_is_named_beside_the_other(visitor, played):
    played(against(earlier("1", 7, home=1, away=0), 1, "7"))
    page = visitor.get("/nfl/games/401").text
    assert [len(row) for row in form(page)] == [0, 1]
    assert "None in this season" in page


@pytest.mark.parametrize("query", ["", "?reveal=401"])
def test_form_and_meetings_are_hidden_with_scores(visitor, played, query):
    played(earlier("1", 7, home=1, away=0), state="post")
    assert "Last known" in visitor.get("/nfl/games/401").text
    assert "Last known" not in visitor.get(f"/nfl/games/401{query}", headers=HIDES).text


def rained_off(espn_id: str, day: str, state: str, note: str) -> dict[str, Any]:
    game = event(espn_id, f"{day}T20:00Z", state, notes=[{"headline": note}])
    return game | {"season": {"year": 2026, "type": 2}}


@pytest.fixture
def makeups(synced):
    """A game rained off on April 2, a double-header on June 5, another game rained off."""
    for game in (
        rained_off("1", "2026-04-02", "postponed", "Rain - Makeup date June 5"),
        rained_off("2", "2026-06-05", "pre", "Doubleheader - Game 1 - Makeup from April 2"),
        rained_off("3", "2026-06-05", "pre", "Doubleheader - Game 2"),
        rained_off("4", "2026-04-26", "postponed", "Rain - Makeup on July 7"),
        rained_off("5", "2026-07-07", "pre", "Fireworks"),
        rained_off("6", "2026-05-01", "postponed", "Rain - Makeup date June 5"),
        rained_off("7", "2026-05-02", "postponed", "Rain - Makeup date Smarch 13"),
    ):
        synced("mlb", game, day=date.fromisoformat(game["date"][:10]))


@pytest.mark.usefixtures("makeups")
@pytest.mark.parametrize(
    ("espn_id", "link"),
    [
        ("1", '<a href="/mlb/games/2">Made up on Fri, Jun 5</a>'),
        ("2", '<a href="/mlb/games/1">Makes up for Thu, Apr 2</a>'),
        ("4", '<a href="/mlb/games/5">Made up on Tue, Jul 7</a>'),
        ("3", ""),
        ("5", ""),
        ("6", ""),  # neither game of that day is named as its make-up
        ("7", ""),
    ],
)
def test_make_up_game_and_the_game_rained_off_lead_to_each_other(visitor, espn_id, link):
    page = visitor.get(f"/mlb/games/{espn_id}").text
    assert link in page
    assert len(re.findall("Made up on|Makes up for", page)) == bool(link)


def series(page: str) -> list[str]:
    return re.findall("<span>(Season series[^<]*)", page)


@pytest.mark.parametrize(
    ("games", "told"),
    [
        ([earlier("1", 7, 20, 17)], "Alpha lead 1-0"),
        ([earlier("1", 7, 20, 17), earlier("2", 9, 3, 6), earlier("3", 11, 3, 6)], "Beta lead 2-1"),
        ([earlier("1", 7, 20, 17), earlier("2", 9, 3, 6)], "tied 1-1"),
        ([earlier("1", 7, 9, 9)], "tied 0-0, 1 tie"),
        (
            [earlier("1", 7, 9, 9), earlier("2", 9, 3, 3), earlier("3", 11, 3, 0)],
            "Alpha lead 1-0, 2 ties",
        ),
        ([earlier("1", 7, 20, 17), earlier("2", -7, 3, 6)], "Alpha lead 1-0"),
        ([earlier("1", 200, 20, 17, year=2025)], None),
        ([earlier("1", 7, 20, 17, kind=1), earlier("2", 9, 3, 6, kind=3)], None),
        ([earlier("1", 7, 20, 17, kind=5)], None),
        ([against(earlier("1", 7, 20, 17), 1, "7")], None),
    ],
)
def test_season_series_counts_the_meetings_before_a_game(visitor, played, games, told):
    played(*games)
    mark_read("nfl", date(2025, 4, 1), DAY)
    page = visitor.get("/nfl/games/401").text
    assert series(page) == ([f"Season series: {told}"] if told else [])


def test_season_series_counts_the_game_itself_once_it_is_over(visitor, played):
    played(earlier("1", 7, 20, 17), state="post")
    mark_read("nfl", date(2025, 4, 1), DAY)
    assert series(visitor.get("/nfl/games/401").text) == ["Season series: Alpha lead 2-0"]


def test_season_series_of_days_that_were_not_read_is_what_is_known(visitor, played):
    played(earlier("1", 7, 20, 17))
    page = visitor.get("/nfl/games/401").text
    assert series(page) == ["Season series as far as known: Alpha lead 1-0"]


@pytest.mark.parametrize("state", ["pre", "in", "post"])
@pytest.mark.parametrize("query", ["", "?reveal=401"])
def test_season_series_is_hidden_with_scores(visitor, played, state, query):
    played(earlier("1", 7, 20, 17), state=state)
    assert series(visitor.get(f"/nfl/games/401{query}", headers=HIDES).text) == []
