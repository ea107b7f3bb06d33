"""What a fan asks on a phone, and how many touches each answer takes from the home page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.acceptance.chromium import needs_chromium
from tests.acceptance.test_browser import Visitors, visitors  # noqa: F401  # a fixture

pytestmark = [pytest.mark.slow, pytest.mark.long, needs_chromium]

TEAM = "Bears"
MOST = 2
PHONE = {"width": 390, "is_mobile": True, "has_touch": True}


class Walk:
    """A visitor on the home page; ``touch`` counts."""

    def __init__(self, page: Page) -> None:
        self.page, self.touches = page, 0
        page.goto("/")

    def touch(self, target: Locator) -> None:
        """Touch it as a finger does: what is out of sight is scrolled to, what is covered fails."""
        self.touches += 1
        target.tap()

    def to_team(self) -> None:
        """By way of its game, to the team's page."""
        self.touch(self.page.locator("li.g > a").filter(has_text=TEAM).first)
        self.touch(self.page.locator(".side a").filter(has_text=TEAM))


@pytest.fixture
def walk(visitors: Visitors) -> Iterator[Callable[..., Walk]]:  # noqa: F811  # the fixture
    """Begins a walk; in another zone with ``zone``."""
    contexts = []

    def begin(zone: str = "America/New_York") -> Walk:
        made = visitors.context(**PHONE, timezone_id=zone)
        contexts.append(made)
        return Walk(made.__enter__().new_page())

    yield begin
    for made in contexts:
        made.__exit__(None, None, None)


def test_last_night_is_one_touch_away(walk):
    one = walk()
    one.touch(one.page.get_by_role("navigation", name="Days").locator("[rel=prev]"))
    expect(one.page.locator("li.g.post .s").first).to_be_visible()
    assert one.touches <= MOST


def test_last_result_next_game_channel_and_place_of_a_team(walk):
    one = walk()
    one.to_team()
    last, coming = (one.page.locator(f"#of-{part} tbody tr").first for part in ("last", "next"))
    expect(last).to_contain_text(re.compile(r"[WLT] \d+-\d+"))
    expect(coming).to_contain_text(re.compile(r"\d+:\d\d [AP]M\s+\S+"))  # the time, the channel
    expect(one.page.locator("main > .asof").first).to_contain_text(
        re.compile(r"\d(st|nd|rd|th) in")
    )
    assert one.touches <= MOST


def test_table_of_a_league(walk):
    one = walk()
    one.touch(one.page.get_by_role("navigation", name="Leagues").get_by_text("NFL"))
    one.touch(one.page.get_by_role("link", name="Standings"))
    expect(one.page.locator("table").filter(has_text=TEAM).first).to_be_visible()
    assert one.touches <= MOST


def test_star_and_then_it_is_on_top(walk):
    one = walk()
    one.touch(one.page.locator("li.g > a").filter(has_text=TEAM).first)
    one.touch(one.page.get_by_role("button", name=re.compile(f"Add .*{TEAM} to favourites")))
    assert one.touches <= MOST
    expect(one.page.get_by_role("button", name=re.compile(f"Remove .*{TEAM}"))).to_be_visible()
    one.page.goto("/")
    expect(one.page.locator(".mine li").filter(has_text=TEAM)).to_be_in_viewport()


def test_scores_are_hidden(walk):
    one = walk()
    one.touch(one.page.get_by_role("link", name="Preferences"))
    one.touch(one.page.get_by_role("button", name="Hide scores"))
    expect(one.page.get_by_role("link", name=re.compile("Show score")).first).to_be_visible()
    assert (one.touches <= MOST, one.page.locator("li.g .s").count()) == (True, 0)


def test_times_of_tokyo(walk):
    one = walk("Asia/Tokyo")
    one.touch(one.page.locator("#own button").first)
    expect(one.page.locator("footer")).to_contain_text("Times: Asia/Tokyo")
    assert one.touches <= MOST
