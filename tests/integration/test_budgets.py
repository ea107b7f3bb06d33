"""What a page may weigh, on the busiest day there can be; the figures are printed."""

from __future__ import annotations

import gzip
import re

import pytest

from sportsapp.core.clock import game_day, utc_now
from sportsapp.core.leagues import DEFAULT_LEAGUES
from sportsapp.core.settings import PROJECT_ROOT
from sportsapp.db.engine import db
from sportsapp.services import services_of
from sportsapp.sync.context import SyncContext
from sportsapp.sync.scoreboards import sync_today
from tests.busiest import GAMES, STATE_OF, busiest_boards
from tests.integration.events import STATES, board

KILOBYTE = 1024
PATHS = (
    "/",
    "/live",
    "/nfl",
    "/nba/2026-01-15",
    "/nfl/games/nfl0",
    "/nfl/games/nfl0/box",
    "/nfl/games/nfl0/plays",
    "/nfl/games/nfl0/recap",
    "/nfl/teams/ARI",
    "/nfl/teams/ARI/roster",
    "/nfl/teams",
    "/nfl/standings",
    "/nfl/standings/all",
    "/search",
    "/search?q=giants",
    "/preferences",
    "/xyz",
    "/embed/nfl",
    "/embed/nfl/teams/ARI",
    "/embed/nfl/games/nfl0",
    "/tv",
    "/eink",
    "/nfl/scores.atom",
    "/nfl/teams/ARI.ics",
    "/api/v1/",
)


@pytest.fixture
def busiest_day(app, feed):
    """58 games of four leagues today: a third live, a third to come, a third final."""
    today = game_day(utc_now())
    for slug, events in busiest_boards(today).items():
        feed.say(slug, board(*events))
    sync_today(
        SyncContext(services_of(app).feed_client, db.session, utc_now()), list(DEFAULT_LEAGUES)
    )


def zipped(data: bytes) -> int:
    return len(gzip.compress(data, 6))


def show(what: str, size: int, limit: int) -> None:
    print(f"{what}: {size} of {limit} bytes gzipped")


@pytest.mark.usefixtures("busiest_day")
def test_busiest_day_weighs_at_most_twelve_kilobytes(client):
    page = client.get("/")
    assert page.text.count('<li class="g ') == sum(GAMES.values()) == 58
    assert {page.text.count(f'<li class="g {state}') for state in STATE_OF} <= {18, 19, 20, 21}
    size = zipped(page.data)
    show("busiest day", size, 12 * KILOBYTE)
    assert size <= 12 * KILOBYTE


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("style.css", 6 * KILOBYTE),
        ("live.js", 3 * KILOBYTE),
        ("keys.js", KILOBYTE),
        ("screen.css", 2 * KILOBYTE),
        ("screen.js", KILOBYTE),
        ("sw.js", 4 * KILOBYTE),
        ("push.js", 2 * KILOBYTE),
    ],
)
def test_style_and_scripts_keep_to_their_budget(name, limit):
    size = zipped((PROJECT_ROOT / "static" / name).read_bytes())
    show(name, size, limit)
    assert size <= limit


@pytest.mark.usefixtures("busiest_day")
@pytest.mark.parametrize("path", PATHS)
def test_page_needs_at_most_four_requests(client, path):
    page = client.get(path).text
    loaded = re.findall(r'<(?:script|img|iframe|source)[^>]* src="([^"]+)"', page)
    loaded += re.findall(r'<link rel="(?:stylesheet|icon|preload)" href="([^"]+)"', page)
    print(f"{path}: {1 + len(loaded)} requests")
    messages = sum("/static/push.js" in address for address in loaded)  # of the preferences alone
    assert messages == (path == "/preferences")
    assert len(loaded) - messages <= 3
    assert all(address.startswith("/static/") for address in loaded)
    assert all(client.get(address, buffered=True).status_code == 200 for address in loaded)


@pytest.mark.usefixtures("busiest_day")
@pytest.mark.parametrize("path", PATHS)
def test_newcomer_gets_no_cookie(client, path):
    answer = client.get(path)
    assert "Set-Cookie" not in answer.headers


def test_every_state_of_the_events_is_used():
    assert set(STATE_OF) < set(STATES)
    assert list(GAMES) == [league.slug for league in DEFAULT_LEAGUES]


PHYSICAL = re.compile(
    r"(?:margin|padding|border|inset)-(?:left|right)"
    r"|text-align: ?(?:left|right)|[;{ ](?:left|right):"
)


@pytest.mark.parametrize("name", ["style.css", "screen.css", "admin.css"])
def test_style_has_sides_that_follow_the_direction_of_the_text(name):
    assert PHYSICAL.findall((PROJECT_ROOT / "static" / name).read_text()) == []
