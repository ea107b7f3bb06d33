"""All leagues on one page: today, any other day, and the finals of yesterday in the morning."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.integration.events import event

NIGHT = date(2026, 1, 15)
HEADING = '<h3><a href="/nfl/2026-01-15">Yesterday'


@pytest.fixture
def night(synced, clock):
    """Two finals of Thursday night, a game that was called off, and one of Friday; a day off."""
    synced("nfl", event("1"), event("2", "2026-01-16T03:00Z"), event("3", state="postponed"))
    synced("nba", event("4", "2026-01-17T00:30Z", "pre"), day=date(2026, 1, 16))
    synced("nfl", day=date(2026, 1, 20))


def home(visitor, zone: str, cookie: str = "") -> str:
    return visitor.get("/", headers={"Cookie": f"zone={zone};{cookie}"}).text


@pytest.mark.parametrize(
    ("hour", "zone", "is_shown"),
    [
        (10, "Europe/Berlin", True),  # 11:00
        (11, "Europe/Berlin", False),
        (10, "America/New_York", True),  # 05:00
        (16, "America/New_York", True),
        (17, "America/New_York", False),
        (19, "America/Los_Angeles", True),
        (20, "America/Los_Angeles", False),
        (10, "Asia/Tokyo", True),  # 19:00: the day has turned an hour ago
        (23, "Asia/Tokyo", True),  # 08:00 of the next day
        (27, "Asia/Tokyo", False),
        (21, "Pacific/Honolulu", True),
        (22, "Pacific/Honolulu", False),
    ],
)
def test_finals_of_yesterday_stand_until_noon_of_the_reader(
    visitor, night, clock, hour, zone, is_shown
):
    clock.shown = datetime(2026, 1, 16, tzinfo=UTC) + timedelta(hours=hour)
    page = home(visitor, zone)
    assert (HEADING in page) == is_shown
    assert ('href="/nfl/games/1"' in page, 'href="/nfl/games/2"' in page) == (is_shown, is_shown)
    assert 'href="/nfl/games/3"' not in page
    assert 'href="/nba/games/4"' in page


def test_page_that_was_kept_changes_at_noon(visitor, night, clock):
    clock.shown = datetime(2026, 1, 16, 16, 59, 59, tzinfo=UTC)
    morning = visitor.get("/")
    clock.shown = datetime(2026, 1, 16, 17, 0, 0, tzinfo=UTC)
    noon = visitor.get("/", headers={"If-None-Match": morning.headers["ETag"]})
    assert noon.status_code == 200
    assert HEADING in morning.text
    assert HEADING not in noon.text


def test_finals_of_yesterday_are_hidden_as_others_are(visitor, night, clock):
    clock.shown = datetime(2026, 1, 16, 12, tzinfo=UTC)
    page = home(visitor, "America/New_York", "scores=hide")
    assert 'href="?reveal=1#nfl1"' in page
    assert 'class="s"' not in page


def test_today_leads_to_the_day_before_and_after(visitor, clock):
    page = visitor.get("/").text
    assert '<a rel="prev" href="/2026-01-14">' in page
    assert '<a rel="next" href="/2026-01-16">' in page


def test_day_of_all_leagues_has_their_games_and_the_way_back(visitor, night, clock):
    clock.shown = datetime(2026, 1, 18, tzinfo=UTC)
    page = visitor.get("/2026-01-15").text
    assert [f'href="/nfl/games/{n}"' in page for n in (1, 2, 3)] == [True] * 3
    assert 'href="/nba/games/4"' not in page
    assert "<title>Scores, Thursday, January 15, 2026 - " in page
    assert '<h2 id="nfl"><a href="/nfl/2026-01-15">' in page
    assert 'NBA</a> (next <a href="/nba/2026-01-16">' in page
    page = visitor.get("/2026-01-20").text
    assert 'No games on this day:\n<a href="/nfl">NFL</a> (no later games known)' in page
    assert '<a href="/"><span>Today</span>' in page


@pytest.mark.parametrize("day", ["2026-13-45", "1899-12-31", "9999-01-01", "20260115", "2026"])
def test_day_that_there_is_not_is_a_page_that_leads_back(visitor, day):
    answer = visitor.get(f"/{day}")
    assert answer.status_code == 404
    assert 'href="/"' in answer.text


def test_first_and_last_day_of_all_leagues_lead_nowhere_beyond(visitor, clock):
    assert 'rel="prev"' not in visitor.get("/1900-01-01").text
    assert 'rel="next"' in visitor.get("/1900-01-01").text
    assert 'rel="next"' not in visitor.get("/2028-01-16").text
