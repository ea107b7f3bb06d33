"""Games that should be moving are as fresh as the answers of their day that have them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from sportsapp.core.errors import TrackerError
from sportsapp.core.leagues import BY_SLUG
from sportsapp.db.engine import db
from sportsapp.db.models import LeagueRow
from sportsapp.monitoring.checks.check import Finding
from sportsapp.monitoring.checks.feed import StaleLeague, check_data, stale_leagues
from sportsapp.services import services, services_of
from sportsapp.sync import backfill, scoreboards
from sportsapp.sync.context import SyncContext
from sportsapp.sync.follow import sync_live
from tests.integration.events import board, event
from tests.stored import all_rows, mark_read, statements, writes

NFL = BY_SLUG["nfl"]
START = datetime(2026, 1, 15, 20, 30, tzinfo=UTC)
LIVE = event("401", "2026-01-15T20:00Z", "in")
OTHER = event("402", "2026-01-15T20:00Z", "in")
SUMMARY = {"header": {"competitions": [{"date": "2026-01-15T20:00Z"}]}}
BROKEN = event("401", "2026-01-15T20:00Z", "in", home=99_999)
PAGES = ("/", "/live", "/nfl", "/nfl/games/401")


@pytest.fixture
def sync(app, clock, feed) -> SyncContext:
    clock.shown = START
    for slug in ("nba", "mlb", "nhl"):
        mark_read(slug, date(2026, 1, 15), date(2026, 1, 15), START)
    feed.say("nfl", SUMMARY, kind="summary")
    return SyncContext(services_of(app).feed_client, db.session, START)


@pytest.fixture
def ticks(sync, feed, clock):
    """Live syncs a minute apart, of which each gets these events."""

    def tick(*events: Any, times: int = 1) -> None:
        feed.say("nfl", board(*events), dates="20260115")
        for _ in range(times):
            clock.shown += timedelta(minutes=1)
            sync_live(replace(sync, now=clock.shown), [NFL])

    return tick


def is_late(visitor, clock, paths=PAGES) -> bool:
    clock.shown += timedelta(seconds=1)  # else the page of this second is sent again
    said = {'id="late"' in visitor.get(path).text for path in paths}
    (answer,) = said
    return answer


def read_at(visitor, path: str = "/nfl") -> str:
    return visitor.get(path).headers["X-Feed-Read"]


def stale(clock) -> list[StaleLeague]:
    db.session.rollback()
    return stale_leagues(db.session, ["nfl"], clock.shown)


def league() -> LeagueRow:
    db.session.expire_all()
    return db.session.scalars(select(LeagueRow).where(LeagueRow.slug == "nfl")).one()


# ---------------------------------------------------------------- answers that lack or break a game


@pytest.mark.parametrize("events", [(), (OTHER,), (OTHER, BROKEN)], ids=["none", "other", "broken"])
def test_live_game_that_answers_lack_makes_its_pages_old(ticks, visitor, clock, events):
    ticks(LIVE, OTHER, times=3)
    assert not is_late(visitor, clock)
    ticks(*events, times=3)
    assert not is_late(visitor, clock)
    assert stale(clock) == []
    ticks(*events, times=4)
    assert is_late(visitor, clock)
    assert read_at(visitor) == "2026-01-15T20:34:01Z"
    (league,) = stale(clock)
    assert f"{league.read_at:%H:%M}" == "20:34"
    page = visitor.get("/nfl").text
    assert "NFL: games are live or should have begun, but some were last read at" in page


def test_score_of_one_side_that_answers_lose_makes_pages_old(ticks, visitor, clock):
    ticks(LIVE, OTHER, times=3)
    lacking = event("401", "2026-01-15T20:00Z", "in", away=24)
    del lacking["competitions"][0]["competitors"][0]["score"]
    ticks(lacking, OTHER, times=12)
    assert is_late(visitor, clock)
    assert read_at(visitor) == "2026-01-15T20:34:00Z"
    game = visitor.get("/api/v1/games/nfl/401").json
    assert (game["home"]["score"], game["away"]["score"]) == (20, 17)


def test_days_later_a_live_game_that_was_never_read_again_is_old(ticks, visitor, clock):
    ticks(LIVE)
    clock.shown += timedelta(days=10)
    assert is_late(visitor, clock, ["/live"])
    assert [one.games for one in stale(clock)] == [1]


def test_answers_that_do_not_change_keep_games_fresh_and_write_their_stamps_alone(
    ticks, visitor, clock
):
    ticks(LIVE, OTHER)
    before = {name: rows for name, rows in all_rows().items() if name in ("games", "game_doubts")}
    with statements() as count:
        ticks(LIVE, OTHER, times=10)
    assert writes(count) <= 20
    after = {name: rows for name, rows in all_rows().items() if name in ("games", "game_doubts")}
    assert after == before
    assert not is_late(visitor, clock)
    assert stale(clock) == []


def test_event_that_never_can_be_read_makes_the_others_no_older(ticks, visitor, clock):
    broken = event("499", "2026-01-15T20:00Z", "in", home=99_999)
    ticks(LIVE, broken, times=10)
    assert not is_late(visitor, clock)
    assert stale(clock) == []


def test_game_that_answers_have_again_is_fresh_at_once(ticks, visitor, clock):
    ticks(LIVE, OTHER)
    ticks(OTHER, times=8)
    assert is_late(visitor, clock)
    ticks(LIVE, OTHER)
    assert not is_late(visitor, clock)


def test_live_game_of_an_old_day_that_the_feed_leaves_so_does_not_move(sync, feed, visitor, clock):
    stuck = event("401", "2026-01-11T20:00Z", "in")
    feed.say("nfl", board(stuck), dates="20260111")
    for day in (date(2026, 1, 11), date(2026, 1, 15)):
        scoreboards.sync_day(sync, NFL, day)
    clock.shown += timedelta(hours=2)
    assert not is_late(visitor, clock, ["/nfl"])
    clock.shown += timedelta(days=1)
    assert is_late(visitor, clock, ["/nfl"])


def test_live_game_that_vanished_is_late_until_it_is_given_up(ticks, visitor, clock, sync, feed):
    feed.fail("nfl", 500, kind="summary")
    ticks(LIVE, OTHER)
    ticks(OTHER, BROKEN, times=8)  # no whole answer: it is not given up
    for hours in (3, 60, 400):
        clock.shown = START + timedelta(hours=hours)
        scoreboards.sync_day(replace(sync, now=clock.shown), NFL, date(2026, 1, 15))
        scoreboards.sync_today(replace(sync, now=clock.shown), [NFL])
        assert is_late(visitor, clock, ["/live"])
        assert [one.slug for one in stale(clock)] == ["nfl"]


# ---------------------------------------------------------------- games past their start


@pytest.mark.parametrize(
    ("minutes", "is_old"), [(-1, False), (2, False), (4, True), (150, True), (40 * 60, True)]
)
def test_game_past_its_start_that_nobody_reads_is_old(sync, feed, visitor, clock, minutes, is_old):
    feed.say("nfl", board(event("401", "2026-01-15T23:30Z", "pre")), dates="20260115")
    scoreboards.sync_today(sync, [NFL])
    clock.shown = datetime(2026, 1, 15, 23, 30, tzinfo=UTC) + timedelta(minutes=minutes)
    assert is_late(visitor, clock) == is_old
    assert ("No game is live now" in visitor.get("/live").text) != is_old
    assert bool(stale(clock)) == (is_old and minutes > 5)


def test_pages_say_for_ever_that_nobody_reads_the_feed(sync, feed, visitor, clock):
    feed.say("nfl", board(event("401", "2026-01-15T23:30Z", "pre")), dates="20260115")
    scoreboards.sync_today(sync, [NFL])
    for days in (2, 3, 40):
        clock.shown = START + timedelta(days=days, hours=4)
        for path in ("/", "/nfl", "/live"):
            page = visitor.get(path).text
            assert 'id="unread"' in page
            assert "NFL: the feed has not been read since <time" in page
        assert "No game is live now" not in visitor.get("/live").text
    etag = visitor.get("/nfl").headers["ETag"]
    scoreboards.sync_today(replace(sync, now=clock.shown), [NFL])
    clock.shown += timedelta(seconds=1)
    page = visitor.get("/nfl", headers={"If-None-Match": etag})
    assert page.status_code == 200
    assert 'id="unread"' not in page.text


def test_data_of_a_failing_league_is_as_old_as_its_own_last_read(sync, feed, visitor, clock):
    nba = BY_SLUG["nba"]
    scoreboards.sync_today(sync, [NFL, nba])
    feed.fail("nfl", 500)
    clock.shown += timedelta(hours=5)
    scoreboards.sync_today(replace(sync, now=clock.shown), [NFL, nba])
    page = visitor.get("/").text
    assert 'since <time datetime="2026-01-16T01:30:00Z">' in page
    assert 'The data shown is from <time datetime="2026-01-15T20:30:00Z">' in page


def test_game_whose_time_is_not_set_is_never_late(sync, feed, visitor, clock):
    game = event("401", "2026-01-15T20:00Z", "pre", timeValid=False)
    feed.say("nfl", board(game), dates="20260115")
    scoreboards.sync_today(sync, [NFL])
    clock.shown += timedelta(hours=3)
    assert not is_late(visitor, clock)


def test_game_that_the_feed_lets_wait_is_current_while_it_is_read(ticks, visitor, clock, sync):
    ticks(event("401", "2026-01-15T20:00Z", "pre"), times=30)
    assert not is_late(visitor, clock)
    clock.shown = datetime(2026, 1, 16, 2, 10, tzinfo=UTC)  # longer than any game lasts
    scoreboards.sync_day(replace(sync, now=clock.shown), NFL, date(2026, 1, 15))
    clock.shown += timedelta(minutes=20)
    assert not is_late(visitor, clock)


def test_readiness_names_games_that_nobody_reads(sync, feed, visitor, clock):
    feed.say("nfl", board(event("401", "2026-01-15T20:30Z", "pre")), dates="20260115")
    scoreboards.sync_today(sync, [BY_SLUG[slug] for slug in ("nfl", "nba", "mlb", "nhl")])
    clock.shown += timedelta(minutes=5)
    assert visitor.get("/readyz").json["checks"]["data"] == "ok"
    clock.shown += timedelta(minutes=7)
    data = visitor.get("/readyz").json["checks"]["data"]
    old = "NFL data is 12 min old, with 1 game live or past the start"
    assert data == f"{old}; BET at ALP stands still"


def between(espn_id: str, away: str, home: str) -> dict[str, Any]:
    """A live game of two teams of its own."""
    game = event(espn_id, "2026-01-15T20:00Z", "in")
    for side, name in zip(game["competitions"][0]["competitors"], (home, away), strict=True):
        team_id = f"{espn_id}{side['team']['id']}"
        side["team"] = {"id": team_id, "displayName": name, "abbreviation": name}
    return game


def test_check_names_two_at_most_of_the_games_that_stand_still(ticks, clock):
    games = [
        between("401", "DAL", "NYG"),
        between("402", "BUF", "MIA"),
        between("403", "GB", "CHI"),
        between("404", "SEA", "SF"),
    ]

    def found() -> list[Finding]:
        db.session.rollback()
        look = replace(services().look(), now=clock.shown)
        return [each for each in check_data.run(look) if each.subject == "NFL"]

    ticks(*games, times=3)
    assert found() == []
    ticks(*games[1:], times=7)  # answers lack the first one
    (one,) = found()
    assert one.text.endswith("with 4 games live or past the start; DAL at NYG stands still")
    assert one.details["day"] == "2026-01-15"
    ticks(*games[2:], times=7)
    assert found()[0].text.endswith("; DAL at NYG and BUF at MIA stand still")
    ticks(games[3], times=7)
    assert found()[0].text.endswith("; DAL at NYG, BUF at MIA and others stand still")


# ---------------------------------------------------------------- reading the past


def read_2019(sync: SyncContext, clock: Any, how: str) -> None:
    context = replace(sync, now=clock.shown)
    if how == "day":
        scoreboards.sync_day(context, NFL, date(2019, 1, 6))
    else:
        backfill.sync_range(context, NFL, date(2019, 1, 1), date(2019, 1, 31))


@pytest.mark.parametrize("how", ["day", "month"])
@pytest.mark.parametrize("times", [1, 2], ids=["new", "same again"])
def test_reading_the_past_leaves_todays_alarm(ticks, sync, feed, clock, how, times):
    ticks(LIVE)
    polled_at = league().polled_at
    feed.say("nfl", board(event("9", "2019-01-06T18:00Z")), dates="20190106")
    feed.say("nfl", board(event("9", "2019-01-06T18:00Z")), dates="201901")
    read_2019(sync, clock, how)
    feed.fail("nfl", 500)
    del feed.answers["nfl", "scoreboard", "20260115"]
    clock.shown += timedelta(minutes=1)
    with pytest.raises(TrackerError):
        sync_live(replace(sync, now=clock.shown), [NFL])
    since = league().failing_since
    assert since == clock.shown
    for _ in range(times):
        clock.shown += timedelta(minutes=1)
        read_2019(sync, clock, how)
    assert (league().failing_since, league().polled_at) == (since, polled_at)
    clock.shown += timedelta(minutes=1)
    with pytest.raises(TrackerError):
        sync_live(replace(sync, now=clock.shown), [NFL])
    assert league().failing_since == since


def test_today_that_fails_beside_days_that_do_not_has_failed_since_then(ticks, sync, feed, clock):
    ticks(LIVE)
    feed.fail("nfl", 500)
    del feed.answers["nfl", "scoreboard", "20260115"]
    times = []
    for score in (20, 21, 22):
        clock.shown += timedelta(minutes=1)
        times.append(clock.shown)
        for day in (14, 16):
            game = event(str(day), f"2026-01-{day}T20:00Z", home=score)
            feed.say("nfl", board(game), dates=f"202601{day}")
        scoreboards.sync_schedule(replace(sync, now=clock.shown), [NFL])
        assert league().failing_since == times[0]
