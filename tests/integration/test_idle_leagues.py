"""The closing line of all leagues' page: those without games, their next season and champion."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from sportsapp.db.engine import write_connection
from sportsapp.db.models import LeagueRow
from tests.integration.events import event
from tests.stored import mark_read

OPENER = date(2026, 3, 26)
OPENS = 'season opens <a href="/mlb/2026-03-26">Thu, Mar 26</a>'
NEXT = 'next <a href="/mlb/2026-03-26">Thu, Mar 26</a>'
LAST_DAY = date(2025, 11, 1)
GAME_7 = {"notes": [{"headline": "World Series - Game 7"}]}


def of_season(year: int, kind: int, espn_id: str, start: str, state: str, **more) -> dict:
    made = event(espn_id, start, state, **more)
    for side in made["competitions"][0]["competitors"]:
        side["winner"] = state == "post" and side["homeAway"] == "home"
    return made | {"season": {"year": year, "type": kind}}


@pytest.fixture
def closing(visitor, synced, clock):
    """The closing line of January 15, with these last and first games of two MLB seasons."""
    clock.shown = datetime(2026, 1, 15, 21, tzinfo=UTC)

    def line(cookie: str = "", year: int = 2026, kind: int = 2, last: int = 3, **more) -> str:
        before = of_season(2025, last, "7", f"{LAST_DAY}T23:00Z", "post", **(GAME_7 | more))
        synced("mlb", before, day=LAST_DAY)
        opener = of_season(year, kind, "8", f"{OPENER}T20:00Z", "pre")
        synced("mlb", opener, day=OPENER)
        mark_read("mlb", date(2026, 1, 15), OPENER)
        page = visitor.get("/", headers={"Cookie": cookie}).text
        return page.partition('id="idle">')[2].partition("</p>")[0]

    return line


def test_league_between_seasons_has_its_opening_day_and_its_champion(closing):
    assert f"MLB</a> ({OPENS}; champion: Alpha)" in closing()


def test_champion_is_hidden_with_the_scores(closing):
    line = closing("scores=hide")
    assert OPENS in line
    assert "champion" not in line


@pytest.mark.parametrize(
    "more",
    [
        {"notes": [{"headline": "World Series - Game 4"}]},
        {"notes": [{"headline": "ALCS - Game 7"}]},
        {
            "notes": [{"headline": "World Series - Game 1"}],
            "series": {"summary": "BET wins series 4-2"},
        },
        {"notes": []},
        {"last": 2},
        {"year": 2027},
    ],
    ids=[
        "not the last game",
        "no title",
        "an earlier game",
        "no note",
        "no postseason",
        "a season between",
    ],
)
def test_champion_is_never_a_guess(closing, more):
    line = closing(**more)
    assert OPENS in line
    assert "champion" not in line


def test_series_that_is_won_has_its_champion_before_a_seventh_game(closing):
    line = closing(
        notes=[{"headline": "World Series - Game 4"}], series={"summary": "ALP wins series 4-0"}
    )
    assert "champion: Alpha" in line


def test_break_within_a_season_opens_none(closing):
    assert f"MLB</a> ({NEXT})" in closing(year=2025)


def test_preseason_is_called_one(closing):
    assert f"pre{OPENS}" in closing(kind=1)


@pytest.mark.parametrize(("begins", "is_next"), [(OPENER, True), (date(2026, 3, 25), False)])
def test_days_before_a_season_need_not_be_read(visitor, synced, clock, begins, is_next):
    synced("mlb", of_season(2025, 3, "7", f"{LAST_DAY}T23:00Z", "post"), day=LAST_DAY)
    synced("mlb", of_season(2026, 2, "8", f"{OPENER}T20:00Z", "pre"), day=OPENER)
    synced("mlb")
    with write_connection() as connection:
        connection.execute(LeagueRow.__table__.update().values(season_begins=begins))
    page = visitor.get("/").text
    assert (OPENS in page, NEXT.replace("next", "next known") in page) == (is_next, not is_next)


def test_title_of_the_running_season_stands_while_no_later_game_is_known(visitor, synced, clock):
    final = of_season(2025, 3, "9", "2026-02-08T23:30Z", "post", notes=[{"headline": "Super Bowl"}])
    synced("nfl", final, day=date(2026, 2, 8))
    for month, is_known in ((3, True), (5, False)):
        clock.shown = datetime(2026, month, 1, 21, tzinfo=UTC)
        day = date(2026, month, 1)
        synced("nfl", day=day, at=clock.shown)
        line = "NFL</a> (no later games known; champion: Alpha)"
        assert (line in visitor.get("/").text) == is_known
