"""/robots.txt, as a crawler reads it."""

from __future__ import annotations

import re
from urllib.robotparser import RobotFileParser

import pytest
from sqlalchemy import select, update

from sportsapp.db.engine import db
from sportsapp.db.models import Game, Team
from tests.integration.events import event

OPEN = [
    "/", "/live", "/nfl", "/nhl", "/nfl/games/2026", "/nfl/games/1901", "/nfl/teams",
    "/nfl/teams/DAL", "/nfl/standings", "/nfl/weeks/2026/2/12", "/nfl/scores.atom", "/static/x.css",
    "/search", "/preferences",
]  # fmt: skip
CLOSED = [
    "/admin/", "/admin/sign-in", "/api/v1/games", "/search?q=ny", "/preferences?next=/",
    "/2026-11-29", "/1900-01-01", "/2099-12-31", "/?day=2026-01-15", "/months/2026-01",
    "/nfl/2026-11-29", "/nhl/1917-12-19", "/nfl/months/2026-01", "/nfl?day=2026-01-15",
]  # fmt: skip


@pytest.fixture
def crawler(visitor) -> RobotFileParser:
    """A crawler that has read it."""
    answer = visitor.get("/robots.txt")
    assert (answer.status_code, answer.content_type) == (200, "text/plain; charset=utf-8")
    parser = RobotFileParser()
    parser.parse(answer.text.splitlines())
    return parser


@pytest.mark.parametrize("address", OPEN)
def test_pages_of_now_are_open(crawler, address):
    assert crawler.can_fetch("AnyBot", address)


@pytest.mark.parametrize("address", CLOSED)
def test_panel_api_and_endless_days_are_closed(crawler, address):
    assert not crawler.can_fetch("AnyBot", address)


def test_page_about_the_api_is_open_and_what_is_below_it_is_not(visitor):
    lines = visitor.get("/robots.txt").text.splitlines()
    assert lines.index("Allow: /api/v1/$") < lines.index("Disallow: /api/")


def crawl(visitor) -> set[str]:
    """All addresses that a crawler finds from the home page on."""
    crawler = RobotFileParser()
    crawler.parse(visitor.get("/robots.txt").text.splitlines())
    seen, ahead = set(), {"/"}
    while ahead:
        address = ahead.pop()
        seen.add(address)
        page = visitor.get(address).text
        assert len(seen) < 120
        if "nofollow" not in page:
            links = re.findall(r'<a [^>]*href="(/[^"#]*)', page)
            ahead |= {link for link in links if crawler.can_fetch("AnyBot", link)} - seen
    return seen


def test_crawler_comes_to_an_end(visitor, synced):
    """There are few pages, and all games, their days and their month are among them."""
    synced("nfl", event("401"), event("402", state="pre"))
    (day,) = set(db.session.scalars(select(Game.day)))
    month = f"{day:%Y-%m}"
    db.session.execute(update(Team).values(listed=True))
    db.session.commit()
    seen = crawl(visitor)
    assert {"/live", "/nfl", "/nba/standings", "/nfl/games/401", "/nfl/games/402"} <= seen
    days = {address for address in seen if re.search("/[12][0-9]{3}-", address)}
    assert {f"/nfl/{day}", f"/nfl/months/{month}"} <= days
    assert all(month in address for address in days)
    assert not [address for address in days if address.startswith("/nba")]
