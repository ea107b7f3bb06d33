"""The game page: leaders, situation, the part of the season, records of their time."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.integration.events import event


def category(short: str, name: str, value: str, team: str = "1") -> dict[str, Any]:
    athlete = {"displayName": name}
    best = {"displayValue": value, "athlete": athlete, "team": {"id": team}}
    return {"shortDisplayName": short, "leaders": [best]}


def lines_of(page: str) -> list[str]:
    """The lines of leaders, without markup."""
    part = page.partition('<ul class="plain">')[2].partition("</ul>")[0]
    return [re.sub("<[^>]+>", "", line).strip() for line in re.findall("<li>.*?</li>", part)]


def without_scores(state: str, *sides: int) -> dict[str, Any]:
    """A game whose sides (0 home, 1 away) have no score in the feed."""
    game = event(state=state, home=0, away=0)
    for side in sides:
        del game["competitions"][0]["competitors"][side]["score"]
    return game


@pytest.mark.parametrize(
    ("sides", "words"),
    [
        ((0,), "9:03 - 3rd Quarter, no score in the feed for Alpha"),
        ((1,), "9:03 - 3rd Quarter, no score in the feed for Beta"),
        ((0, 1), "9:03 - 3rd Quarter, no score in the feed"),
        ((), "9:03 - 3rd Quarter"),
    ],
)
def test_score_that_the_feed_never_had_is_named(client, synced, sides, words):
    synced("nfl", without_scores("in", *sides))
    assert f"<b>{words}</b>" in client.get("/nfl/games/401").text
    assert f"<b>{words.replace(' Quarter', '')}</b>" in client.get("/nfl/2026-01-15").text


def test_game_that_was_not_played_lacks_no_score(client, synced):
    synced("nfl", event(state="postponed"))
    assert "<b>Postponed</b>" in client.get("/nfl/games/401").text


def test_one_man_has_one_line(client, synced):
    said = [
        category("BA", "Ann", "2-4, HR, 3 RBI"),
        category("HR", "Ann", "2-4, HR, 3 RBI"),
        category("RBI", "Ann", "2-4, HR, 3 RBI"),
    ]
    synced("mlb", event(leaders=said))
    assert lines_of(client.get("/mlb/games/401").text) == ["BA, HR, RBI Ann (ALP), 2-4, HR, 3 RBI"]


def test_figures_of_one_man_are_in_the_order_of_their_names(client, synced):
    said = [
        category("Pts", "Bea", "32"),
        category("Reb", "Ann", "9", "2"),
        category("Ast", "Bea", "11"),
    ]
    synced("nba", event(leaders=said))
    assert lines_of(client.get("/nba/games/401").text) == [
        "Points, Assists Bea (ALP), 32; 11",
        "Rebounds Ann (BET), 9",
    ]


def test_namesakes_of_both_sides_stay_two(client, synced):
    said = [category("Pts", "Ann", "32"), category("Reb", "Ann", "9", "2")]
    synced("nba", event(leaders=said))
    assert lines_of(client.get("/nba/games/401").text) == [
        "Points Ann (ALP), 32",
        "Rebounds Ann (BET), 9",
    ]


@pytest.mark.parametrize(
    ("state", "heading"), [("pre", "Season leaders"), ("in", "Leaders"), ("post", "Leaders")]
)
def test_leaders_before_the_start_are_those_of_the_season(client, synced, state, heading):
    synced("nba", event(state=state, leaders=[category("PPG", "Bea", "23.9")]))
    assert f'<h2 id="leaders">{heading}</h2>' in client.get("/nba/games/401").text


def person(name: str, who: str, team: str = "1") -> dict[str, Any]:
    return {"name": name, "athlete": {"displayName": who}, "team": {"id": team}}


def with_people(state: str) -> dict[str, Any]:
    """A game with its weather, probable pitchers, a winning pitcher and a headline."""
    headlines = [{"type": "Recap", "shortLinkText": "Alpha edges Beta"}]
    game = event(state=state, headlines=headlines)
    competition = game["competitions"][0]
    competition["status"]["featuredAthletes"] = [person("winningPitcher", "Ann")]
    for side, name in zip(competition["competitors"], ("Cy", "Di"), strict=True):
        side["probables"] = [person("probableStartingPitcher", name) | {"record": "(4-3, 3.32)"}]
    return game | {"weather": {"displayValue": "Sunny", "temperature": 70}}


@pytest.mark.parametrize("headers", [{}, {"Cookie": "scores=hide"}], ids=["", "hidden"])
def test_probable_starters_and_weather_are_told_before_the_start(visitor, synced, headers):
    synced("mlb", with_people("pre"))
    page = visitor.get("/mlb/games/401", headers=headers).text
    assert '<h2 id="players">Probable starters</h2>' in page
    record = "" if headers else ", 4-3, 3.32"  # it grows with every game
    assert f"<dt>Probable pitcher</dt><dd>Di (BET){record}</dd>\n<dd>Cy (ALP){record}</dd>" in page
    assert "<dt>Weather</dt><dd>Sunny, 70 °F</dd>" in page
    assert "Ann" not in page
    assert "edges" not in page


def test_who_decided_a_game_and_its_headline_are_told_unless_scores_are_hidden(visitor, synced):
    synced("mlb", with_people("post"))
    page = visitor.get("/mlb/games/401").text
    assert '<h2 id="players">Players of the game</h2>' in page
    assert "<dt>Winning pitcher</dt><dd>Ann (ALP)</dd>" in page
    assert '<p class="play">Alpha edges Beta</p>' in page
    assert "Sunny" not in page
    hidden = visitor.get("/mlb/games/401", headers={"Cookie": "scores=hide"}).text
    assert not [word for word in ("Ann (", "Winning", "edges") if word in hidden]


def test_probable_starters_make_way_for_those_who_decided_the_game(visitor, synced):
    for hour, state in ((18, "pre"), (21, "in"), (23, "post")):
        synced("mlb", with_people(state), at=datetime(2026, 1, 15, hour, tzinfo=UTC))
        page = visitor.get(f"/mlb/games/401?{state}").text
        assert [name in page for name in ("Cy (", "Ann (")] == [state == "pre", state == "post"]


def test_nothing_is_said_of_who_bats_between_innings(client, synced):
    now = {"balls": 0, "strikes": 0, "outs": 0, "onFirst": False, "lastPlay": {"text": "Out."}}
    game = event(state="in", situation=now)
    game["competitions"][0]["status"]["type"]["detail"] = "Middle 3rd"
    synced("mlb", game)
    page = client.get("/mlb/games/401").text
    assert "<b>Middle 3rd</b></span><span>TV One</span></p>" in page
    assert "Last play: Out." in page


def test_record_of_a_game_that_was_read_long_after_it_is_not_shown(client, synced):
    synced("nfl", event("1"), at=datetime(2026, 1, 16, 4, tzinfo=UTC))
    synced("nba", event("2"), at=datetime(2026, 6, 1, tzinfo=UTC))
    pages = [client.get(path).text for path in ("/nfl/games/1", "/nba/games/2", "/nba/2026-01-15")]
    assert ["3-1" in page for page in pages] == [True, False, False]
    records = [
        client.get(f"/api/v1/games/{name}").json["home"]["record"] for name in ("nfl/1", "nba/2")
    ]
    assert records == ["3-1", ""]


@pytest.mark.parametrize(("kind", "is_told"), [(1, True), (2, False), (3, False)])
def test_preseason_is_told_on_card_and_game_page(client, synced, kind, is_told):
    game = event() | {"season": {"year": 2026, "type": kind}, "week": {"number": 1}}
    synced("nfl", game)
    for path in ("/nfl/2026-01-15", f"/nfl/weeks/2026/{kind}/1", "/nfl/games/401"):
        assert ("<span>Preseason</span>" in client.get(path).text) == is_told


def timeline(page: str) -> list[list[str]]:
    """The cells of the timeline's rows."""
    part = page.partition('<h2 id="timeline">')[2].partition("</section>")[0]
    rows = re.findall("<tr><td>.*?</tr>", part)
    return [[re.sub("<.*?>", "", cell) for cell in row.split("</td>")[:-1]] for row in rows]


def test_timeline_has_what_each_reading_showed_newest_first(client, synced):
    def read(minute: int, detail: str = "", period: int = 1, **scores: int) -> None:
        game = event(state="in", **scores)
        status = game["competitions"][0]["status"]
        status["period"], status["type"]["detail"] = period, detail
        status |= {"clock": 900.0 - minute, "displayClock": ""}
        synced("nfl", game, at=datetime(2026, 1, 15, 20, minute, tzinfo=UTC))

    synced("nfl", event(state="pre"), at=datetime(2026, 1, 15, 19, tzinfo=UTC))
    read(1, "14:00 - 1st Quarter", home=0, away=0)
    read(2, "13:00 - 1st Quarter", home=7, away=0)
    read(3, "12:00 - 1st Quarter", home=6, away=0)
    read(4, "9:00 - 2nd Quarter", 2, home=6, away=10)
    read(5, "8:00 - OT", 5, home=10, away=10)
    synced("nfl", event(home=10, away=10), at=datetime(2026, 1, 15, 23, tzinfo=UTC))
    assert timeline(client.get("/nfl/games/401").text) == [
        ["Final", "Final", "10", "10"],
        [
            "8:00 - OT",
            "End of 2nd quarter, end of 3rd quarter, end of 4th quarter, OT begins, Alpha +4",
            "10",
            "10",
        ],
        ["9:00 - 2nd", "End of 1st quarter, Beta +10, lead: Beta", "10", "6"],
        ["12:00 - 1st", "Corrected: Alpha -1", "0", "6"],
        ["13:00 - 1st", "Alpha +7, lead: Alpha", "0", "7"],
        ["14:00 - 1st", "Start", "0", "0"],
    ]


@pytest.mark.parametrize(
    ("period", "home", "words"),
    [(1, 0, "Start"), (1, 7, "First reading"), (3, 0, "First reading")],
)
def test_game_that_is_first_read_later_has_no_start_there(client, synced, period, home, words):
    game = event(state="in", home=home, away=0)
    game["competitions"][0]["status"]["period"] = period
    synced("nfl", game)
    assert timeline(client.get("/nfl/games/401").text) == [
        ["9:03 - 3rd", words, "0", str(home)],
    ]


def test_page_of_a_game_without_events_has_no_timeline(client, synced):
    synced("nfl", event(state="pre"))
    assert "Timeline" not in client.get("/nfl/games/401").text
