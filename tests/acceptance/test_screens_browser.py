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
    """Another site, with a frame of ours in its page."""
    other = Flask("club")
    address = f"{visitors.site.url.rstrip('/')}/embed/nfl/games/{LIVE_NFL}"
    other.add_url_rule(
        "/<theme>", view_func=lambda theme: f'<iframe src="{address}?theme={theme}">'
    )
    with serving(other) as url:
        yield url


@pytest.fixture
def page(visitors: Visitors) -> Iterator[Page]:  # noqa: F811  # the fixture
    with visitors.context(width=1280) as context:
        yield context.new_page()


def test_only_a_site_that_we_name_shows_our_frame(visitors, club, page):  # noqa: F811
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


@pytest.mark.parametrize(("path", "width", "height"), [("/eink", 800, 480), ("/tv", 1280, 720)])
def test_screen_needs_no_scrolling(page, path, width, height):
    page.set_viewport_size({"width": width, "height": height})
    page.goto(path)
    assert page.locator("li").count() > 5
    size = "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    across, down = page.evaluate(size)
    assert (across <= width, down <= height) == (True, True)
    bottom = page.locator(".asof").bounding_box()
    assert bottom["y"] + bottom["height"] <= height
