"""/robots.txt, as a crawler reads it."""

from __future__ import annotations

import re
from urllib.robotparser import RobotFileParser

import pytest
from sqlalchemy import update

from sportsapp.db.engine import db
from sportsapp.db.models import Team
from tests.integration.events import event

OPEN = [
    "/", "/live", "/nfl", "/nhl", "/nfl/games/2026", "/nfl/games/1901", "/nfl/teams",
    "/nfl/teams/DAL", "/nfl/standings", "/nfl/weeks/2026/2/12", "/nfl/scores.atom", "/static/x.css",
]  # fmt: skip
CLOSED = [
    "/admin/", "/admin/sign-in", "/api/v1/", "/api/v1/games", "/search?q=ny", "/preferences?next=/",
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


def test_crawler_comes_to_an_end(visitor, crawler, synced):
    """It follows every link that it may: there are few pages, and all games are among them."""
    synced("nfl", event("401"), event("402", state="pre"))
    db.session.execute(update(Team).values(listed=True))
    db.session.commit()
    seen, ahead = set(), {"/"}
    while ahead:
        address = ahead.pop()
        seen.add(address)
        links = re.findall(r'<a [^>]*href="(/[^"#]*)', visitor.get(address).text)
        ahead |= {link for link in links if crawler.can_fetch("AnyBot", link)} - seen
        assert len(seen) < 60
    assert {"/live", "/nfl", "/nba/standings", "/nfl/games/401", "/nfl/games/402"} <= seen
    assert not [address for address in seen if re.search("months|day=|/[12][0-9]{3}-", address)]
