"""The picture that others show beside a link to a game, and the tags that lead them to it."""

from __future__ import annotations

import io
import re
import threading

import pytest
from PIL import Image

from sportsapp.http.page_cache import SHARED
from sportsapp.web import drawing
from sportsapp.web.drawing import Scene, Side, picture_of
from tests.integration.events import event

HIDES = {"Cookie": "scores=hide"}
PAGE = "/nfl/games/401"
PICTURE = f"{PAGE}/picture.png"
RED = "#ff0000"

pytestmark = pytest.mark.usefixtures("clock")


def scene(name: str = "Alpha", score: str = "3", state: str = "Final") -> Scene:
    sides = Side(name, RED, score, has_lost=False), Side("Beta", RED, "7", has_lost=True)
    return Scene("NFL", sides, state, is_live=False)


@pytest.fixture
def drawn(monkeypatch):
    """Every scene that is drawn from now on."""
    drawing.picture_of.cache_clear()
    seen = []
    original = drawing.ImageDraw.Draw

    def draw(image):
        seen.append(image)
        return original(image)

    monkeypatch.setattr(drawing.ImageDraw, "Draw", draw)
    return seen


def tags(page: str) -> dict[str, str]:
    return dict(re.findall(r'<meta (?:property|name)="([^"]+)" content="([^"]*)"', page))


def test_picture_has_the_size_that_sites_show(visitor, synced):
    synced("nfl", event("401"))
    answer = visitor.get(PICTURE)
    assert (answer.status_code, answer.mimetype) == (200, "image/png")
    picture = Image.open(io.BytesIO(answer.data))
    assert (picture.format, picture.size) == ("PNG", (1200, 630))
    assert len(answer.data) < 100_000


def test_page_names_its_picture_title_and_score(visitor, synced):
    synced("nfl", event("401", home=24, away=17))
    found = tags(visitor.get(PAGE).text)
    address = found["og:image"]
    assert address.startswith(f"http://localhost{PICTURE}?v=")
    assert visitor.get(address.removeprefix("http://localhost")).mimetype == "image/png"
    assert (found["og:image:width"], found["og:image:height"]) == ("1200", "630")
    assert found["twitter:card"] == "summary_large_image"
    assert "17-24" in found["og:title"]
    assert "24" in found["og:description"]
    assert "og:image" not in tags(visitor.get("/nfl").text)


@pytest.mark.parametrize("state", ["in", "post"])
def test_who_hides_scores_gets_one_picture_whatever_the_score(visitor, synced, state):
    found = {}
    for home, away in ((24, 17), (3, 40)):
        made = event("401", state=state, home=home, away=away)
        for side in made["competitions"][0]["competitors"]:
            side["winner"] = (side["homeAway"] == "home") is (home > away)
        synced("nfl", made)
        picture, page = f"{PICTURE}?of={home}", f"{PAGE}?of={home}"  # each is cached by itself
        found[home] = [
            (
                visitor.get(picture, headers=headers).data,
                tags(visitor.get(page, headers=headers).text),
            )
            for headers in (HIDES, {})
        ]
    hidden, shown = zip(found[24], found[3], strict=True)
    assert hidden[0] == hidden[1]
    assert shown[0][0] != shown[1][0]
    assert shown[0][1]["og:image"] != shown[1][1]["og:image"]
    for _, said in hidden:
        assert not re.search(r"\b(24|17|40)\b", said["og:title"] + said["og:description"])


def test_picture_is_drawn_once_for_what_it_shows_and_again_when_that_changes(
    visitor, synced, drawn
):
    synced("nfl", event("401", home=24))
    etag = visitor.get(PICTURE).headers["ETag"]
    for path in (PICTURE, f"{PICTURE}?v=1", f"{PICTURE}?v=2"):
        assert visitor.get(path).headers["ETag"] == etag
    assert len(drawn) == 1
    assert visitor.get(PICTURE, headers={"If-None-Match": etag}).status_code == 304
    synced("nfl", event("401", home=31))
    assert visitor.get(f"{PICTURE}?v=3").headers["ETag"] != etag
    assert len(drawn) == 2


def test_caches_are_told_the_same_as_for_pages(visitor, synced):
    synced("nfl", event("401"))
    answer = visitor.get(PICTURE)
    assert answer.headers["Cache-Control"] == SHARED
    assert "Cookie" in answer.headers["Vary"]
    assert visitor.get(PICTURE, headers=HIDES).headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("path", ["/nfl/games/1/picture.png", "/xyz/games/401/picture.png"])
def test_unknown_game_has_no_picture(visitor, synced, path):
    synced("nfl", event("401"))
    assert visitor.get(path).status_code == 404


@pytest.mark.parametrize(
    "name",
    ["", "W" * 400, "Ł" * 60, "San José State", "a\nb\tc", "\u202e\u0301", "東京", "😀" * 30],
)
def test_any_name_fits(name):
    picture = Image.open(io.BytesIO(picture_of(scene(name, "1" * 9, name))))
    assert picture.size == (1200, 630)
    edge = {picture.getpixel((x, y)) for x in (5, 1195) for y in range(630)}
    assert edge == {(13, 31, 60)}  # nothing is written into the margin


def test_memory_for_pictures_is_bounded(monkeypatch, drawn):
    for number in range(drawing.MOST_KEPT + 5):
        picture_of(scene(score=str(number)))
    assert drawing.picture_of.cache_info().currsize == drawing.MOST_KEPT


def test_one_is_drawn_at_a_time_and_who_waits_too_long_is_told_when_to_come_back(
    visitor, synced, drawn
):
    synced("nfl", event("401"))
    known = picture_of(scene())
    drawn.clear()
    with drawing._drawing:
        assert picture_of(scene()) == known  # what was drawn before has not to wait
        answer = visitor.get(PICTURE)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert drawn == []
    at_once = []

    def draw(number: int) -> None:
        at_once.append(picture_of(scene(score=str(number))))

    threads = [threading.Thread(target=draw, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(at_once)) == 3
