"""Read and empty, read and known, not read: what pages, API and calendars state of each."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import update

from sportsapp.core.clock import game_day, utc_now
from sportsapp.core.leagues import BY_SLUG, season_of
from sportsapp.db.engine import write_connection
from sportsapp.db.models import Scoreboard
from tests.integration.events import event
from tests.stored import mark_read, query

NFL = BY_SLUG["nfl"]
SUNDAY = date(2025, 11, 23)
NOT_READ = (
    "NFL games on Sunday, November 23, 2025 have not been read from the feed since the day ended."
)
NONE = "No NFL games on Sunday, November 23, 2025."
MORE = "There may be more"
NOINDEX = '<meta name="robots" content="noindex,nofollow">'


def kickoff(day: date) -> str:
    return f"{day}T20:00Z"


def week_event(day: date, number: int, espn_id: str = "1") -> dict:
    season = {"season": {"year": 2025, "type": 2}, "week": {"number": number}}
    return event(espn_id, kickoff(day)) | season


# ---------------------------------------------------------------- a day


def test_day_that_nobody_read_is_no_day_without_games(visitor):
    answer = visitor.get(f"/nfl/{SUNDAY}")
    assert answer.status_code == 200
    assert NOT_READ in answer.text
    assert "No NFL games" not in answer.text
    assert NOINDEX in answer.text


def test_day_that_was_read_and_has_no_games_says_so(visitor, synced):
    synced("nfl", day=SUNDAY)
    page = visitor.get(f"/nfl/{SUNDAY}").text
    assert NONE in page
    assert "not been read" not in page
    assert NOINDEX in page


def test_day_that_was_read_shows_its_games_and_nothing_else(visitor, synced):
    synced("nfl", event("1", kickoff(SUNDAY)), day=SUNDAY)
    page = visitor.get(f"/nfl/{SUNDAY}").text
    assert NOINDEX not in page
    assert 'href="/nfl/games/1"' in page
    assert "No NFL games" not in page
    assert "not been read" not in page


def test_day_of_known_games_that_was_not_read_to_its_end_may_have_more(visitor, synced):
    synced("nfl", event("1", kickoff(SUNDAY)), day=SUNDAY)
    with write_connection() as connection:
        connection.execute(update(Scoreboard).values(read_at=None))
    page = visitor.get(f"/nfl/{SUNDAY}").text
    assert 'href="/nfl/games/1"' in page
    assert (
        f"{MORE} NFL games: this day has not been read from the feed since the day ended." in page
    )


@pytest.mark.parametrize(("days", "is_read"), [(6, True), (8, False)])
def test_what_was_read_of_a_day_to_come_counts_for_a_week(visitor, days, is_read):
    day = game_day(utc_now()) + timedelta(days=40)
    mark_read("nfl", day, day, utc_now() - timedelta(days=days))
    page = visitor.get(f"/nfl/{day}").text
    assert ("No NFL games on" in page) == is_read
    assert ("have not been read from the feed this week" in page) != is_read


def test_day_that_was_read_weeks_before_it_came_is_unread(visitor, clock):
    first, last = date(2025, 11, 20), date(2026, 1, 31)
    clock.shown = datetime(2025, 11, 20, 18, tzinfo=UTC)
    mark_read("nfl", first, last, clock.shown)
    clock.shown += timedelta(days=18)
    for path in ("/nfl", "/nfl/2025-12-01", "/nfl/2025-12-08", "/nfl/2025-12-24"):
        page = visitor.get(path).text
        assert "No NFL games" not in page, path
        assert "not been read from the feed" in page, path
    assert "for today's games of NFL" in visitor.get("/live").text.replace("&#39;", "'")
    assert visitor.get("/api/v1/games?league=nfl&date=2025-12-01").json["read_at"] is None


@pytest.mark.parametrize(("hour", "is_read"), [(8, False), (9, True)])
def test_day_that_was_read_after_its_end_counts_for_good(visitor, clock, hour, is_read):
    clock.shown = datetime(2026, 3, 1, 18, tzinfo=UTC)
    day = date(2025, 11, 23)
    mark_read("nfl", day, day, datetime(2025, 11, 24, hour, tzinfo=UTC))
    assert ("No NFL games on" in visitor.get(f"/nfl/{day}").text) == is_read


@pytest.mark.usefixtures("clock")
def test_page_of_an_unread_day_is_kept_by_nobody_and_fills_as_soon_as_it_was_read(visitor, synced):
    before = visitor.get(f"/nfl/{SUNDAY}")
    assert before.headers["Cache-Control"] == "no-store"
    assert "ETag" not in before.headers
    assert "data-etag" not in before.text
    synced("nfl", event("1", kickoff(SUNDAY)), day=SUNDAY)
    after = visitor.get(f"/nfl/{SUNDAY}")  # in the same second of the stopped clock
    assert 'href="/nfl/games/1"' in after.text
    assert after.headers["ETag"]


@pytest.mark.usefixtures("clock")
def test_todays_page_changes_when_today_was_read_and_has_no_games(visitor, synced, clock):
    synced("nba")
    before = {path: visitor.get(path) for path in ("/", "/live", "/nfl")}
    not_read = "Games today have not been read from the feed this week:"
    assert before["/"].text.count("not been read from the feed") == 1
    assert f'{not_read}\n<a href="/nfl">NFL</a>, ' in before["/"].text
    assert "has not been read for today&#39;s games of NFL, MLB, NHL" in (
        before["/live"].text.replace("'", "&#39;")
    )
    clock.shown += timedelta(seconds=1)
    synced("nfl")
    for path, page in before.items():
        known = {"If-None-Match": page.headers["ETag"]}
        assert visitor.get(path, headers=known).status_code == 200, path
    assert 'No games today:\n<a href="/nfl">NFL</a> (no later games known)' in visitor.get("/").text
    assert "games of MLB, NHL" in visitor.get("/live").text


def test_page_of_all_leagues_tells_each_leagues_day(visitor, synced):
    synced("nba", day=SUNDAY)
    page = visitor.get(f"/{SUNDAY}").text
    assert 'No games on this day:\n<a href="/nba">NBA</a> (no later games known).' in page
    not_read = "Games on this day have not been read from the feed since the day ended:"
    assert page.count("not been read from the feed") == 1
    assert f'{not_read}\n<a href="/nfl/{SUNDAY}">NFL</a>, ' in page
    assert NOINDEX in page


# ---------------------------------------------------------------- the next and the last games


@pytest.mark.parametrize("is_read", [True, False])
def test_next_and_last_games_are_only_known_ones_while_a_day_between_was_not_read(
    visitor, synced, is_read
):
    for day in (SUNDAY - timedelta(days=7), SUNDAY + timedelta(days=7)):
        synced("nfl", event(f"{day}", kickoff(day)), day=day)
    hidden = [SUNDAY - timedelta(days=3), SUNDAY + timedelta(days=4)]
    for n in range(-6, 7):
        day = SUNDAY + timedelta(days=n)
        if is_read or day not in hidden:
            mark_read("nfl", day, day)
    page = visitor.get(f"/nfl/{SUNDAY}").text
    known = "" if is_read else " known"
    assert f'Last{known} games: <a href="/nfl/2025-11-16">' in page
    assert (f'{NONE} Next{"" if is_read else known + " games"}: <a href="/nfl/2025-11-30">') in page
    every = visitor.get(f"/{SUNDAY}").text
    assert f'(next{known} <a href="/nfl/2025-11-30">Sun, Nov 30</a>)' in every


# ---------------------------------------------------------------- weeks, teams, calendars


def test_week_of_a_season_that_nobody_read_is_not_read_and_not_missing(visitor):
    answer = visitor.get("/nfl/weeks/2025/2/5")
    assert answer.status_code == 200
    assert f"{MORE} games: not all days of this season have been read" in answer.text
    assert NOINDEX in answer.text
    mark_read("nfl", date(2025, 4, 1), date(2026, 3, 31))
    assert visitor.get("/nfl/weeks/2025/2/5").status_code == 404


@pytest.mark.parametrize("path", ["/2/26", "/2/0", "/3/9", "/4/1", "/9/1"])
def test_week_that_no_season_has_is_missing_before_anything_was_read(visitor, path):
    assert visitor.get(f"/nfl/weeks/2025{path}").status_code == 404


def test_week_may_have_games_on_any_day_near_its_known_ones(visitor, synced, clock):
    synced("nfl", week_event(SUNDAY, 12), day=SUNDAY)
    mark_read("nfl", SUNDAY - timedelta(days=6), SUNDAY + timedelta(days=5))
    words = f"{MORE} games: not all days of this week have been read"
    clock.shown = datetime.combine(SUNDAY - timedelta(days=1), time(17), UTC)
    for path in ("/nfl/weeks/2025/2/12", "/nfl"):
        page = visitor.get(path).text
        assert 'href="/nfl/games/1"' in page
        assert words in page
    mark_read("nfl", SUNDAY + timedelta(days=6), SUNDAY + timedelta(days=6))
    for path in ("/nfl/weeks/2025/2/12", "/nfl"):
        assert words not in visitor.get(path).text


def test_team_and_its_calendar_tell_a_season_that_was_not_read(visitor, synced):
    synced("nfl", event())
    words = f"{MORE} games: not all days of the running season have been read"
    described = "X-WR-CALDESC:Not all days of the season have been read from the feed."
    assert words in visitor.get("/nfl/teams/ALP").text
    assert described in visitor.get("/nfl/teams/ALP.ics").text
    mark_read("nfl", *season_of(NFL, game_day(utc_now())))
    assert words not in visitor.get("/nfl/teams/ALP").text
    assert "X-WR-CALDESC" not in visitor.get("/nfl/teams/ALP.ics").text


# ---------------------------------------------------------------- the API


def test_api_has_when_the_day_was_read(visitor, synced):
    address = f"/api/v1/games?league=nfl&date={SUNDAY}"
    before = visitor.get(address)
    assert before.status_code == 200
    assert before.json == {"games": [], "next": None, "read_at": None}
    read_at = datetime(2025, 11, 24, 9, 30, tzinfo=UTC)
    synced("nfl", day=SUNDAY, at=read_at)
    after = visitor.get(address, headers={"If-None-Match": before.headers["ETag"]})
    assert after.json == {"games": [], "next": None, "read_at": "2025-11-24T09:30:00Z"}
    synced("nfl", day=SUNDAY)
    again = visitor.get(address)
    assert again.json["read_at"] > after.json["read_at"]
    assert again.headers["ETag"] == after.headers["ETag"]
    known = {"If-None-Match": after.headers["ETag"]}
    assert visitor.get(address, headers=known).status_code == 304


def test_api_has_the_oldest_time_of_all_leagues_and_none_while_one_is_unread(visitor):
    at = datetime(2025, 11, 24, 9, 30, tzinfo=UTC)
    for minutes, slug in enumerate(("nba", "nfl", "mlb")):
        mark_read(slug, SUNDAY, SUNDAY, at + timedelta(minutes=minutes))
    address = f"/api/v1/games?date={SUNDAY}"
    assert visitor.get(address).json["read_at"] is None
    mark_read("nhl", SUNDAY, SUNDAY)
    assert visitor.get(address).json["read_at"] == "2025-11-24T09:30:00Z"


def test_api_without_a_day_has_no_time(visitor, synced):
    synced("nfl", event())
    assert "read_at" not in visitor.get("/api/v1/games?league=nfl").json


# ---------------------------------------------------------------- without a broker


def test_nothing_is_queued_while_the_broker_is_away(visitor):
    for path in (f"/nfl/{SUNDAY}", f"/{SUNDAY}", f"/api/v1/games?league=nfl&date={SUNDAY}"):
        answer = visitor.get(path)
        assert answer.status_code == 200
        assert "is being asked" not in answer.text
    assert query("SELECT id FROM task_runs") == []
