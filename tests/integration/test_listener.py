"""What a listener hears of a game: one sentence, then what cards show by marks alone."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.integration.events import event

DAY, GAME = "/nfl/2026-01-15", "/nfl/games/401"
HIDES = {"Cookie": "scores=hide"}
SITUATION = {
    "downDistanceText": "3rd & 4 at ALP 35",
    "possession": "2",
    "isRedZone": True,
    "homeTimeouts": 3,
    "awayTimeouts": 0,
}


def heard(page: str) -> str:
    """The only card of a page, as a screen reader reads it."""
    card = page.partition('<ul class="games">')[2].partition("</ul>")[0]
    link = re.search('<a [^>]*aria-label="([^"]*)"', card)[1]
    rest = re.sub(
        '<a [^>]*aria-label.*?</a>|<(span|svg)[^>]* aria-hidden="true">.*?</\\1>',
        "",
        card,
        flags=re.S,
    )
    return " ".join([link, *re.sub("<[^>]*>", " ", rest).split()])


def heading(page: str) -> str:
    return re.search("<h1[^>]*>(.*?)</h1>", page)[1]


def with_status(state: str, detail: str, **more: Any) -> dict[str, Any]:
    game = event(state=state, **more)
    game["competitions"][0]["status"]["type"]["detail"] = detail
    return game


@pytest.mark.parametrize(
    ("game", "sentence"),
    [
        (event(state="in"), "Beta 17, Alpha 20, 3rd quarter, 9:03 left"),
        (with_status("in", "0:48.2 - OT"), "Beta 17, Alpha 20, OT, 0:48.2 left"),
        (with_status("in", "End of 2nd Quarter"), "Beta 17, Alpha 20, End of 2nd quarter"),
        (event(), "Beta 17, Alpha 20, Final"),
        (event(state="pre", home=0, away=0), "Beta at Alpha, 3:00 PM"),
        (event(state="pre", home=0, away=0, neutralSite=True), "Beta vs Alpha, 3:00 PM"),
        (event(state="postponed", home=0, away=0), "Beta at Alpha, Postponed"),
    ],
)
def test_game_is_one_sentence_on_card_page_and_in_what_others_quote(
    visitor, synced, game, sentence
):
    synced("nfl", game)
    assert f"{heard(visitor.get(DAY).text)} ".startswith(f"{sentence} ")
    page = visitor.get(GAME).text
    assert heading(page) == sentence
    quoted = f'content="{sentence}. National Football League, Thursday, January 15, 2026">'
    assert f'<meta name="description" {quoted}' in page
    assert f'<meta property="og:description" {quoted}' in page


def test_state_is_heard_once(visitor, synced):
    synced("nfl", event(state="in"))
    assert heard(visitor.get(DAY).text) == "Beta 17, Alpha 20, 3rd quarter, 9:03 left TV One"


def test_winner_of_a_level_game_is_heard(visitor, synced):
    game = event(home=2, away=2)
    for side, won in zip(game["competitions"][0]["competitors"], (False, True), strict=True):
        side["winner"] = won
    synced("nfl", game)
    assert "Beta 2, Alpha 2, Final, Beta won" in visitor.get(GAME).text


@pytest.mark.parametrize(
    ("state", "sentence"), [("in", "Beta at Alpha, Live"), ("post", "Beta at Alpha, Final")]
)
def test_hidden_score_is_not_heard(visitor, synced, state, sentence):
    synced("nfl", event(state=state, situation=SITUATION))
    card, page = (visitor.get(path, headers=HIDES).text for path in (DAY, GAME))
    assert heard(card).startswith(f"{sentence} ")
    assert heading(page) == sentence
    for told in (card, page):
        assert "left" not in told
        assert "all:" not in told
        assert "--n" not in told


def test_ball_and_time_outs_of_marks_are_heard(visitor, synced):
    synced("nfl", event(state="in", situation=SITUATION))
    assert heard(visitor.get(DAY).text).endswith(
        "3rd &amp; 4 at ALP 35 , red zone Ball: Beta. Time-outs left: Beta 0, Alpha 3 TV One"
    )
    assert "<span>Time-outs left: Beta 0, Alpha 3</span>" in visitor.get(GAME).text


@pytest.mark.parametrize("path", [DAY, GAME])
def test_time_outs_are_ticks_under_the_score(visitor, synced, path):
    synced("nfl", event(state="in", situation=SITUATION))
    page = visitor.get(path).text
    assert re.findall('class="s"( style="--n:.")?', page) == ["", ' style="--n:3"']


RED = [{"redCard": True, "team": {"id": team_id}} for team_id in ("1", "2", "1")]


@pytest.mark.parametrize("state", ["in", "post"])
def test_red_cards_are_marks_beside_the_name_and_words_in_the_sentence(visitor, synced, state):
    synced("nfl", event(state=state, details=RED))
    card, page = (visitor.get(path).text for path in (DAY, GAME))
    words = "red cards: Beta, Alpha 2"
    assert heard(card).partition(" TV")[0].endswith(words)
    assert heading(page).endswith(words)
    for told in (card, page):
        sides = re.split('class="(?:r|side)[ "]', told)[-2:]
        assert [side.count('class="rc"') for side in sides] == [1, 2]


@pytest.mark.parametrize("path", [DAY, GAME])
def test_red_cards_are_hidden_with_the_score(visitor, synced, path):
    synced("nfl", event(details=RED))
    page = visitor.get(path, headers=HIDES).text
    assert "red card" not in page.lower()
    assert 'class="rc"' not in page


def test_time_outs_that_the_feed_lacks_are_not_told(visitor, synced):
    synced("nfl", event(state="in", situation={"lastPlay": {"text": "Kick."}}))
    for path in (DAY, GAME):
        page = visitor.get(path).text
        assert "Time-outs" not in page
        assert "--n" not in page


@pytest.mark.parametrize(
    ("path", "favourites", "is_announced"),
    [
        (DAY, "nfl-7", False),
        (DAY, "nba-1", False),
        (DAY, "nfl-1", True),
        (DAY, "nfl-2", True),
        (GAME, "nfl-7", True),
    ],
)
def test_only_favourites_and_the_game_one_is_on_are_announced(
    visitor, synced, path, favourites, is_announced
):
    synced("nfl", event(state="in"))
    page = visitor.get(path, headers={"Cookie": f"favourites={favourites}"}).text
    assert ('data-say="Beta 17, Alpha 20, live"' in page) == is_announced


def test_favourite_has_a_star_on_its_card(visitor, synced):
    synced("nfl", event())
    page = visitor.get(DAY, headers={"Cookie": "favourites=nfl-2"}).text
    assert re.findall('<i( class="fav")? style="[^"]*">(...)</i>', page) == [
        (' class="fav"', "BET"),
        ("", "ALP"),
    ]
    assert heard(page).startswith("Beta 17, Alpha 20, Final, favourite")


def test_both_teams_have_a_star_on_the_games_page(visitor, synced):
    synced("nfl", event())
    page = visitor.get(GAME, headers={"Cookie": "favourites=nfl-2"}).text
    assert re.findall('class="star"[^>]* aria-label="([^"]*)"', page) == [
        "Remove Beta from favourites",
        "Add Alpha to favourites",
    ]
    assert re.findall('name="team" value="([^"]*)"', page) == ["nfl-2", "nfl-1"]
