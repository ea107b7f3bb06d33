"""Frames, wall and paper in a real browser, live; a frame inside a page of another origin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from sportsapp.services import KEY
from tests.acceptance.chromium import needs_chromium
from tests.acceptance.test_browser import Visitors, visitors  # noqa: F401  # a fixture
from tests.demosite import LIVE_NFL
from tests.loopback import serving

pytestmark = [pytest.mark.slow, needs_chromium]


@pytest.fixture
def club(visitors: Visitors) -> Iterator[str]:  # noqa: F811  # the fixture
    """Another site, with a frame of ours in its page. It may open windows, as Home Assistant's."""
    other = Flask("club")
    address = f"{visitors.site.url.rstrip('/')}/embed/nfl/games/{LIVE_NFL}"
    may = "allow-popups allow-same-origin allow-scripts"
    other.add_url_rule(
        "/<theme>",
        view_func=lambda theme: f'<iframe sandbox="{may}" src="{address}?theme={theme}">',
    )
    with serving(other) as url:
        yield url


@pytest.fixture
def page(visitors: Visitors) -> Iterator[Page]:  # noqa: F811  # the fixture
    with visitors.context(width=1280) as context:
        yield context.new_page()


def test_only_a_site_that_we_name_shows_our_frame_with_its_link(visitors, club, page):  # noqa: F811
    page.goto(f"{club}/light")
    frame = page.frame_locator("iframe")
    expect(frame.locator("main")).to_have_count(0)
    app = visitors.site.app
    before = app.extensions[KEY]
    named = replace(before.settings, embed_origins=(club.rstrip("/"),))
    app.extensions[KEY] = replace(before, settings=named)
    try:
        page.goto(f"{club}/dark")
        expect(frame.locator(".team b")).to_have_count(2)
        with page.context.expect_page() as opened:
            frame.locator("li a").click()
        opened.value.wait_for_url(f"**/nfl/games/{LIVE_NFL}")
    finally:
        app.extensions[KEY] = before


def test_screen_shows_a_new_score_by_itself(visitors, page):  # noqa: F811
    page.goto(f"/embed/nfl/games/{LIVE_NFL}")
    points = visitors.site.score()
    expect(page.locator(".team b").nth(1)).to_have_text(points, timeout=30_000)


def test_wall_turns_from_part_to_part(page):
    page.clock.install()
    page.goto("/tv?league=nba")
    parts = page.locator("ul")
    count = parts.count()
    seen = []
    for _ in range(count + 1):
        seen.append([parts.nth(n).is_visible() for n in range(count)].index(True))
        assert parts.filter(visible=True).count() == 1
        page.clock.run_for(10_000)
    assert seen == [*range(count), 0]


@pytest.mark.parametrize(
    ("path", "width", "height", "letters"),
    [
        ("/eink", 800, 480, 20),
        ("/tv", 1280, 720, 48),
        ("/tv", 1080, 1920, 60),
        ("/tv?league=nba", 1920, 1080, 80),
        ("/tv?league=nfl", 1920, 1080, 150),
        ("/tv?league=nfl", 2560, 1080, 150),
    ],
)
def test_screen_is_filled_without_scrolling_in_letters_of_so_many_pixels(
    page, path, width, height, letters
):
    page.set_viewport_size({"width": width, "height": height})
    page.goto(path)
    size = "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    across, down = page.evaluate(size)
    assert (across <= width, down <= height) == (True, True)
    last = page.locator("li").last.bounding_box()
    bottom = page.locator(".asof").bounding_box()
    assert last["y"] + last["height"] <= bottom["y"] + 1
    assert height * 0.93 < bottom["y"] + bottom["height"] <= height
    names = page.locator(".team > span, li p > *")
    assert names.evaluate_all("all => all.every(one => one.scrollWidth <= one.clientWidth + 1)")
    font = page.locator(".team").first.evaluate("one => parseFloat(getComputedStyle(one).fontSize)")
    assert font >= letters
    inside = "all => all.every(one => one.scrollHeight <= one.clientHeight + 1)"
    assert page.locator("li").evaluate_all(inside)  # no line of a game lies over the next one
