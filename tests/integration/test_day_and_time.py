"""Day and time of a game are of one zone, the reader's, wherever they are shown."""

from __future__ import annotations

import re
from datetime import date

import pytest

from tests.integration.events import event
from tests.integration.test_spoiler_free import pages

LATE = "2026-11-27T01:20Z"  # Thursday evening in New York, Friday in Berlin
DAY = date(2026, 11, 26)

pytestmark = pytest.mark.usefixtures("clock")  # January: the game is to come


def night_game(state: str = "pre", **more: object) -> dict:
    return event(start=LATE, state=state, **more) | {
        "season": {"year": 2026, "type": 2},
        "week": {"number": 12},
    }


def page_in(visitor, zone: str, path: str) -> str:
    return visitor.get(path, headers={"Cookie": f"zone={zone}"}).text


@pytest.mark.parametrize(
    ("zone", "day", "time"),
    [
        ("America/New_York", "Thu, Nov 26", "8:20 PM"),
        ("America/Los_Angeles", "Thu, Nov 26", "5:20 PM"),
        ("Europe/Berlin", "Fri, Nov 27", "2:20 AM"),
        ("Asia/Kathmandu", "Fri, Nov 27", "7:05 AM"),
    ],
)
def test_team_page_has_the_readers_day_beside_his_time(visitor, synced, zone, day, time):
    synced("nfl", night_game(), day=DAY)
    page = page_in(visitor, zone, "/nfl/teams/ALP")
    assert page.count(f'<a href="/nfl/games/401">{day}</a>') == 2
    assert page.count(f">{time}</time>") == 2
    assert ("Nov 26" in page) == (day == "Thu, Nov 26")


@pytest.mark.parametrize(
    "path", ["/nfl/2026-11-26", "/nfl/weeks/2026/2/12", "/2026-11-26", "/nfl/games/401"]
)
def test_card_has_the_readers_day_where_it_is_not_the_pages(visitor, synced, path):
    synced("nfl", night_game(), day=DAY)
    assert ">8:20 PM</time>" in page_in(visitor, "America/New_York", path)
    assert ">Fri, Nov 27, 2:20 AM</time>" in page_in(visitor, "Europe/Berlin", path)


def test_card_of_a_game_that_is_over_has_the_readers_day_too(visitor, synced):
    synced("nfl", night_game("post"), day=DAY)
    assert "<span>Fri, Nov 27</span>" in page_in(visitor, "Europe/Berlin", "/nfl/2026-11-26")
    assert "Nov 27" not in page_in(visitor, "America/Denver", "/nfl/2026-11-26").partition("<ul")[2]


@pytest.mark.parametrize(
    ("zone", "short", "long"),
    [
        ("America/New_York", "Thu, Nov 26", "Thursday, November 26, 2026"),
        ("Europe/Berlin", "Fri, Nov 27", "Friday, November 27, 2026"),
    ],
)
def test_titles_have_the_readers_day(visitor, synced, zone, short, long):
    synced("nfl", night_game("post"), day=DAY)
    page = page_in(visitor, zone, "/nfl/games/401")
    assert "<title>BET 17-20 ALP, Final - " in page
    hidden = visitor.get("/nfl/games/401", headers={"Cookie": f"zone={zone}; scores=hide"}).text
    assert f"<title>Beta at Alpha, {short} - " in hidden
    assert '<meta name="description" content="Beta at Alpha, Final' in hidden
    assert f'. National Football League, {long}">' in page
    assert f"<summary>National Football League, {long}," in page_in(
        visitor, zone, "/nfl/scores.atom"
    )


def test_day_without_a_time_is_the_same_everywhere(visitor, synced):
    synced("nfl", night_game(timeValid=False) | {"date": LATE}, day=DAY)
    for zone in ("America/New_York", "Europe/Berlin", "Pacific/Kiritimati"):
        page = page_in(visitor, zone, "/nfl/teams/ALP")
        assert page.count('<a href="/nfl/games/401">Thu, Nov 26</a>') == 2
        assert "Nov 27" not in page_in(visitor, zone, "/nfl/2026-11-26").partition("<ul")[2]
        assert "Beta at Alpha, Thu, Nov 26" in page_in(visitor, zone, "/nfl/games/401")


@pytest.mark.parametrize("state", ["pre", "in", "post"])
def test_every_time_on_every_page_is_in_the_clock_that_the_reader_prefers(
    app, visitor, synced, state
):
    synced("nfl", night_game(state), day=DAY)
    addresses = [*pages(app), "/nfl", "/nfl/2026-11-26", "/nfl/weeks/2026/2/12"]
    # a frame reads no cookies
    in_24 = {path: f"{path}&clock=24" if path.startswith("/embed") else path for path in addresses}
    chosen = {"Cookie": "clock=24"}
    both = [
        (path, visitor.get(path).text, visitor.get(in_24[path], headers=chosen).text)
        for path in addresses
        if path.partition("?")[0] != "/preferences"  # which shows either form
    ]
    assert [path for path, _, page in both if re.search(r"\b\d:\d\d [AP]M\b", page)] == []
    shown = [page for _, page, _ in both if re.search(r"\b\d:\d\d [AP]M\b", page)]
    assert len(shown) > 5


def test_clock_of_24_hours_begins_at_zero(visitor, synced):
    synced("nfl", event(start="2026-11-27T05:05Z", state="pre"), day=date(2026, 11, 27))
    page = visitor.get("/nfl/games/401", headers={"Cookie": "clock=24"}).text
    assert "00:05" in page
    berlin = {"Cookie": "clock=24; zone=Europe/Berlin"}
    assert "06:05" in visitor.get("/nfl/games/401", headers=berlin).text


def test_clock_is_chosen_at_one_touch_and_back(visitor):
    ours = {"Sec-Fetch-Site": "same-origin"}
    assert 'name="clock" value="24"' in visitor.get("/preferences").text
    answer = visitor.post("/preferences", data={"clock": "24"}, headers=ours)
    assert answer.headers["Set-Cookie"].startswith("clock=24;")
    chosen = {"Cookie": "clock=24"}
    assert 'name="clock" value="12"' in visitor.get("/preferences", headers=chosen).text
    answer = visitor.post("/preferences", data={"clock": "12"}, headers=ours | chosen)
    assert answer.headers["Set-Cookie"].startswith("clock=; Expires=Thu, 01 Jan 1970")
