"""A league's days and weeks: what leads where, and what a day without games says."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

import pytest

from sportsapp.core.clock import DAYS_AHEAD, game_day, utc_now
from tests.integration.events import event
from tests.stored import mark_read

HREF = '<a rel="{}" href="/nfl/{}">'


def week_event(number: int, day: date, kind: int = 2) -> dict:
    made = event(f"{kind}{number}", f"{day}T20:00Z")
    return made | {"season": {"year": 2025, "type": kind}, "week": {"number": number}}


def test_days_lead_to_the_next_and_previous_and_to_days_with_games(client, synced):
    synced("nfl", event("1", "2026-01-15T20:00Z"))
    synced("nfl", event("2", "2026-01-25T20:00Z"), day=date(2026, 1, 25))
    mark_read("nfl", date(2026, 1, 16), date(2026, 1, 24))
    page = client.get("/nfl/2026-01-20").text
    assert HREF.format("prev", "2026-01-19") in page
    assert HREF.format("next", "2026-01-21") in page
    assert 'Next: <a href="/nfl/2026-01-25">Sunday, January 25, 2026</a>' in page
    assert 'Last games: <a href="/nfl/2026-01-15">' in page
    assert "No NFL games on Tuesday, January 20, 2026." in page


def test_first_and_last_day_lead_nowhere_beyond(client):
    last = game_day(utc_now()) + timedelta(days=DAYS_AHEAD)
    assert 'rel="prev"' not in client.get("/nfl/1900-01-01").text
    assert 'rel="next"' in client.get("/nfl/1900-01-01").text
    assert 'rel="next"' not in client.get(f"/nfl/{last}").text
    assert client.get(f"/nfl/{last + timedelta(days=1)}").status_code == 404


@pytest.mark.parametrize(
    ("asked", "status", "target"),
    [
        ("2026-01-15", 303, "/nfl/2026-01-15"),
        ("2024-13-45", 404, None),
        ("0001-01-01", 404, None),
        ("9999-12-31", 404, None),
        ("//evil", 404, None),
        ("x" * 1_000, 404, None),
        ("x" * 10_000, 414, None),
    ],
)
def test_date_field_leads_to_its_day(client, asked, status, target):
    answer = client.get("/nfl", query_string={"day": asked})
    assert (answer.status_code, answer.location) == (status, target)


def test_date_field_with_today_leads_to_the_leagues_own_page(client):
    answer = client.get("/nfl", query_string={"day": str(game_day(utc_now()))})
    assert answer.location == "/nfl"


def test_weeks_lead_from_one_to_the_next_over_the_seasons_parts(client, synced):
    for number, kind, day in ((17, 2, 4), (18, 2, 11), (1, 3, 18)):
        synced("nfl", week_event(number, date(2026, 1, day), kind), day=date(2026, 1, day))
    page = client.get("/nfl/weeks/2025/2/18").text
    assert '<a rel="prev" href="/nfl/weeks/2025/2/17">Week 17</a>' in page
    assert '<a rel="next" href="/nfl/weeks/2025/3/1">Wild Card</a>' in page
    assert "/nfl/games/218" in page
    assert "/nfl/games/217" not in page
    assert '<a href="/nfl/weeks/2025/2/18">Week 18</a>' in client.get("/nfl/2026-01-11").text


THURSDAY, SUNDAY = date(2026, 1, 8), date(2026, 1, 11)


@pytest.fixture
def week(synced) -> None:
    """Games of week 18 on a Thursday and on the Sunday after it, and of the week after."""
    for number, day in ((18, THURSDAY), (18, SUNDAY), (19, SUNDAY + timedelta(days=4))):
        made = week_event(number, day) | {"id": f"{day:%d}"}
        made["competitions"][0]["id"] = f"{day:%d}"
        synced("nfl", made, day=day)


def games_of(page: str) -> list[str]:
    return re.findall(r'<li class="g [^>]*id="nfl(\d+)"', page)


@pytest.mark.parametrize("day", [THURSDAY, date(2026, 1, 9), SUNDAY])
def test_league_by_weeks_opens_on_its_week_and_between_game_days_shows_it(client, week, clock, day):
    clock.shown = datetime.combine(day, time(17), UTC)
    page = client.get("/nfl").text
    assert sorted(games_of(page)) == ["08", "11"]
    assert '<a href="/nfl/weeks/2025/2/18">Week 18</a>' in page
    assert "Last games" not in page


def test_day_between_game_days_shows_its_week_and_a_day_of_games_itself(client, week):
    assert games_of(client.get("/nfl/2026-01-09").text) == ["08", "11"]
    assert games_of(client.get("/nfl/2026-01-11").text) == ["11"]
    assert games_of(client.get("/nfl/2026-01-12").text) == ["15"]


def test_day_without_a_week_around_it_shows_none(client, week):
    page = client.get("/nfl/2026-02-20").text
    assert games_of(page) == []
    assert "Last games" in page or "Last known games" in page


@pytest.mark.parametrize(
    "path",
    [
        "/nfl/weeks/2025/2/99",
        "/nfl/weeks/0/0/0",
        "/nba/weeks/2025/2/1",
        "/nfl/weeks/2025/2/x",
        "/nfl/weeks/99999999999999999999/2/1",
    ],
)
def test_week_that_there_is_not_is_a_page_that_leads_back(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert 'href="/"' in answer.text


IS_HERE = 'href="{}" aria-current="page">{}'
TODAY = 'href="{}" aria-current="date"><span>Today<'


@pytest.mark.parametrize(
    ("path", "marked"),
    [
        (
            "/nfl",
            [IS_HERE.format("/nfl", "NFL"), IS_HERE.format("/nfl", "Scores"), TODAY.format("/nfl")],
        ),
        (
            "/nfl/2026-01-15",
            [
                'href="/nfl" aria-current="true">NFL',
                'aria-current="true">Scores',
                'href="/nfl/2026-01-15" aria-current="date"><span>Thu<',
            ],
        ),
        ("/nfl/standings", ['aria-current="true">NFL', 'aria-current="page">Standings']),
        ("/nfl/teams", ['aria-current="true">NFL', 'aria-current="page">Teams']),
        (
            "/nfl/teams/ALP",
            [
                'aria-current="true">NFL',
                'aria-current="true">Teams',
                IS_HERE.format("/nfl/teams/ALP", "Schedule"),
            ],
        ),
        ("/", [IS_HERE.format("/", "All"), TODAY.format("/")]),
        ("/live", ['href="/live" aria-current="page">Live']),
    ],
)
def test_menus_mark_the_page_or_what_it_belongs_to(client, synced, path, marked):
    synced("nfl", event())
    page = client.get(path).text
    assert all(one in page for one in marked)
    assert page.count("aria-current") == len(marked)


def test_doubleheader_tells_the_first_from_the_second(client, synced):
    games = [
        event(
            str(n),
            f"2026-01-15T{17 + 4 * n}:00Z",
            "pre",
            notes=[{"headline": f"Doubleheader - Game {n}"}],
        )
        for n in (0, 1)
    ]
    synced("mlb", *games)
    page = client.get("/mlb/2026-01-15").text
    assert page.index("Doubleheader - Game 0") < page.index("Doubleheader - Game 1")


def test_neutral_ground_is_said_on_the_card_and_the_game_page(client, synced):
    synced("nfl", event(neutralSite=True))
    assert "Neutral site" in client.get("/nfl/2026-01-15").text
    page = client.get("/nfl/games/401").text
    assert "(neutral site)" in page
    assert '"name": "Beta vs Alpha"' in page


def test_long_address_does_not_come_back_in_the_page(client):
    answer = client.get("/nfl/games/" + "9" * 5000)
    assert len(answer.data) < 4000
