"""The strip of days above the games, and a month as a calendar."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest

from sportsapp.core.clock import DAYS_AHEAD, game_day, utc_now
from tests.integration.events import event
from tests.stored import mark_read

DAY = re.compile(r'<a[^>]* href="([^"]*)"[^>]*><(?:span|b)>.*?<small[^>]*>(.*?)</small></a>')


def days(page: str) -> dict[str, str]:
    """What the page says that days have, by their addresses, as a listener hears it."""
    found = DAY.findall(page)
    spoken = [re.sub(r"<span aria-hidden.*?</span>|<[^>]*>", "", words) for _, words in found]
    return dict(zip((address for address, _ in found), spoken, strict=True))


@pytest.fixture
def january(synced) -> None:
    """Two NFL games on the 15th and one on the 17th; the 14th and 16th were read and have none."""
    synced("nfl", event("1"), event("2"))
    synced("nfl", event("3", "2026-01-17T20:00Z", "pre"), day=date(2026, 1, 17))
    mark_read("nfl", date(2026, 1, 14), date(2026, 1, 16))


@pytest.mark.usefixtures("january")
@pytest.mark.parametrize("path", ["/nfl/2026-01-15", "/nfl/months/2026-01"])
def test_days_say_how_many_games_they_have_and_whether_they_were_read(client, path):
    words = days(client.get(path).text)
    assert words["/nfl/2026-01-13"] == "not read"
    assert words["/nfl/2026-01-14"] == "no games"
    assert words["/nfl/2026-01-15"] == "2 games"
    assert words["/nfl/2026-01-17"] == "1 game"


@pytest.mark.usefixtures("january")
def test_strip_has_three_days_on_each_side(client):
    shown = list(days(client.get("/nfl/2026-01-15").text))
    assert shown == [f"/nfl/2026-01-{n}" for n in range(12, 19)]


@pytest.mark.usefixtures("january")
def test_day_of_all_leagues_is_read_when_each_of_them_was(visitor):
    words = days(visitor.get("/2026-01-14").text)
    assert words["/2026-01-14"] == "not read"
    assert words["/2026-01-15"] == "2 games or more"
    for slug in ("nba", "mlb", "nhl"):
        mark_read(slug, date(2026, 1, 14), date(2026, 1, 15))
    words = days(visitor.get("/months/2026-01").text)
    assert words["/2026-01-14"] == "no games"
    assert words["/2026-01-15"] == "2 games"


@pytest.mark.usefixtures("january")
@pytest.mark.parametrize("path", ["/nfl/2026-01-15", "/nfl/months/2026-01", "/2026-01-15"])
def test_days_of_favourites_are_marked(visitor, path):
    page = visitor.get(path, headers={"Cookie": "favourites=nfl-1"}).text
    marked = {address for address, words in days(page).items() if "favourite" in words}
    assert {address[-10:] for address in marked} == {"2026-01-15", "2026-01-17"}
    other = visitor.get(path, headers={"Cookie": "favourites=nfl-99.nba-1"}).text
    assert "with a favourite" not in other


def test_months_lead_to_the_next_and_previous(client):
    page = client.get("/nfl/months/2026-01").text
    assert '<a rel="prev" href="/nfl/months/2025-12">Dec 2025</a>' in page
    assert '<a rel="next" href="/nfl/months/2026-02">Feb 2026</a>' in page
    assert page.count("<td><a") == 31
    assert 'rel="prev"' not in client.get("/months/1900-01").text


def test_last_month_ends_with_the_last_day_that_has_a_page(client):
    last = game_day(utc_now()) + timedelta(days=DAYS_AHEAD)
    page = client.get(f"/months/{last:%Y-%m}").text
    assert page.count("<td><a") == last.day
    assert 'rel="next"' not in page


@pytest.mark.parametrize("path", ["/nfl", "/nfl/2026-01-15", "/", "/2026-01-15"])
def test_month_is_one_link_away(client, path):
    prefix = "/nfl" if path.startswith("/nfl") else ""
    assert f'href="{prefix}/months/' in client.get(path).text


@pytest.mark.parametrize(
    "path",
    ["/months/2026-13", "/months/x", "/months/1899-12", "/months/9999-01", "/xyz/months/2026-01"],
)
def test_month_that_there_is_not_is_a_page_that_leads_back(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert 'href="/"' in answer.text


def test_month_of_a_league_in_upper_case_redirects(client):
    answer = client.get("/NFL/months/2026-01")
    assert (answer.status_code, answer.location) == (301, "/nfl/months/2026-01")


def test_date_field_of_all_leagues_leads_to_its_day(client):
    assert client.get("/?day=2026-01-15").location == "/2026-01-15"
    assert client.get(f"/?day={game_day(utc_now())}").location == "/"
    assert client.get("/?day=x").status_code == 404


def test_pages_of_months_ask_the_feed_for_nothing(client, feed):
    client.get("/months/2026-02")
    assert feed.requests == []
