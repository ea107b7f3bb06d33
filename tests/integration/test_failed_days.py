"""Days whose sync failed are remembered with the run and the reason, until they are read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from sportsapp.core.errors import TrackerError
from sportsapp.core.leagues import BY_SLUG, League
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.db.queries import DayState
from sportsapp.services import services_of
from sportsapp.sync.backfill import sync_range
from sportsapp.sync.catalogue import sync_leagues
from sportsapp.sync.catch_up import sync_schedule_and_catch_up
from sportsapp.sync.context import SyncContext
from sportsapp.sync.follow import sync_live
from sportsapp.sync.scoreboards import sync_day
from sportsapp.sync.seasons import season_maps
from tests.integration.events import board, event
from tests.stored import mark_read, statements, writes

NOW = datetime(2026, 3, 10, 18, tzinfo=UTC)
TODAY, MARCH_1 = date(2026, 3, 10), date(2026, 3, 1)
NBA, NCAAM = BY_SLUG["nba"], BY_SLUG["ncaam"]
BROKEN = {"id": "7"}


@pytest.fixture
def sync(app, feed) -> SyncContext:
    """A sync on a day in March, in a run of this name."""
    return SyncContext(services_of(app).feed_client, db.session, NOW, run_id="run-1")


def later(sync: SyncContext, **time: float) -> SyncContext:
    return replace(sync, now=sync.now + timedelta(**time), run_id="run-2")


def states(sync: SyncContext, first: date, last: date, league: League = NBA) -> dict[int, str]:
    """By day of the month, without days that need not have been read."""
    db.session.rollback()
    known = queries.known_seasons(db.session, [league.slug])
    now = sync.now + timedelta(days=40)
    (season,) = season_maps(db.session, [(league, first, last)], known, now)
    return {day.day: str(state) for day, (_, state) in season.days.items() if state}


def failed(sync: SyncContext, first: date, last: date, league: League = NBA) -> list[int]:
    found = states(sync, first, last, league)
    return [day for day in found if found[day] == DayState.FAILED]


def failure(day: date) -> tuple[datetime, str | None, str]:
    db.session.rollback()
    _, row = queries.stored_day(db.session, "nba", day)
    return row.failed_at, row.run_id, row.error


@pytest.mark.parametrize("sync_one", [sync_day, None], ids=["day", "live"])
def test_failed_day_has_its_run_and_reason_until_it_is_read(sync, feed, sync_one):
    def ask(context: SyncContext) -> None:
        try:
            sync_one(context, NBA, TODAY) if sync_one else sync_live(context, [NBA])
        except TrackerError:
            assert context is sync

    feed.fail("nba", 503)
    ask(sync)
    at, run_id, error = failure(TODAY)
    assert (at, run_id) == (NOW, "run-1")
    assert "503" in error
    assert failed(sync, TODAY, TODAY) == [10]
    feed.say("nba", board(event("1", "2026-03-10T23:00Z", "pre")))
    ask(later(sync, minutes=1))
    assert failed(sync, TODAY, TODAY) == []
    scoreboard, _ = queries.stored_day(db.session, "nba", TODAY)
    assert (scoreboard.read_at, scoreboard.read_by_run) == (NOW + timedelta(minutes=1), "run-2")


def test_live_sync_goes_on_asking_for_a_day_that_failed(sync, feed):
    for minute in range(3):
        feed.fail("nba", 503)
        with pytest.raises(TrackerError):
            sync_live(later(sync, minutes=minute), [NBA])
    assert set(feed.asked()) == {"nba 20260310"}
    assert failure(TODAY)[0] == NOW + timedelta(minutes=2)


def test_same_answer_again_ends_a_failure_and_names_its_run(sync, feed):
    sync_day(sync, NBA, TODAY)
    feed.fail("nba", 503)
    with pytest.raises(TrackerError):
        sync_day(later(sync, minutes=1), NBA, TODAY)
    assert failed(sync, TODAY, TODAY) == [10]
    feed.answers.clear()  # it answers as at first
    sync_day(later(sync, minutes=2), NBA, TODAY)
    assert failed(sync, TODAY, TODAY) == []
    scoreboard, _ = queries.stored_day(db.session, "nba", TODAY)
    assert scoreboard.read_by_run == "run-2"


@pytest.mark.parametrize("dates", ["20260310", "202603"])
def test_day_of_an_answer_with_an_error_failed(sync, feed, dates):
    feed.say("nba", board(event("1", "2026-03-05T23:00Z"), BROKEN), dates=dates)
    start = TODAY if len(dates) == 8 else MARCH_1
    sync_range(sync, NBA, start, TODAY)
    assert failed(sync, MARCH_1, TODAY) == list(range(start.day, 11))
    assert "event" in failure(TODAY)[2]


def test_backfill_marks_the_days_of_a_chunk_that_failed_and_no_others(sync, feed):
    feed.fail("nba", 503)
    feed.say("nba", board(), dates="202602")
    result = sync_range(sync, NBA, date(2026, 2, 20), date(2026, 3, 10))
    assert len(result.errors) == 1
    assert failed(sync, date(2026, 2, 1), TODAY) == list(range(1, 11))
    assert "503" in failure(MARCH_1)[2]


def test_backfill_by_day_marks_the_single_days_that_failed(sync, feed):
    feed.say("ncaam", b"<html>", dates="20260302")
    sync_range(sync, NCAAM, MARCH_1, date(2026, 3, 3))
    assert failed(sync, MARCH_1, TODAY, NCAAM) == [2]


@pytest.mark.parametrize("refused", [[1, 2, 3], [2]])
def test_day_that_is_refused_and_read_from_its_month_did_not_fail(sync, feed, refused):
    feed.say("nba", board(event("1", "2026-03-02T23:00Z")), dates="202603")
    feed.fail("nba", 404)
    refusal = feed.answers.pop(("nba", "scoreboard", ""))
    for day in refused:
        feed.answers["nba", "scoreboard", f"2026030{day}"] = refusal
    sync_range(sync, NBA, MARCH_1, date(2026, 3, 3))
    sync_day(later(sync, minutes=1), NBA, date(2026, 3, 2))
    found = states(sync, MARCH_1, date(2026, 3, 3))
    assert (found[2], set(found.values())) == ("read", {"empty", "read"})
    assert queries.stored_day(db.session, "nba", date(2026, 3, 2))[1] is None


@pytest.mark.parametrize(("status", "days"), [(503, list(range(1, 31))), (404, [])])
def test_month_ahead_is_marked_unless_its_days_are_read_instead(sync, feed, status, days):
    feed.say("nba", {"children": []}, kind="standings")
    feed.fail("nba", status)
    feed.answers["nba", "scoreboard", "202604"] = feed.answers.pop(("nba", "scoreboard", ""))
    sync_leagues(sync, [NBA])
    assert failed(sync, date(2026, 4, 1), date(2026, 4, 30)) == days


def test_missed_days_that_fail_are_marked(sync, feed):
    season = {"calendarStartDate": "2026-02-20T08:00Z", "calendar": []}
    feed.say("nba", {"children": []}, kind="standings")
    feed.say("nba", {"events": [], "leagues": [season]})
    sync_leagues(sync, [NBA])
    feed.fail("nba", 503)
    feed.say("nba", board(), dates="202603")
    for day in (9, 10, 11):
        feed.say("nba", board(), dates=f"202603{day:02}")
    sync_schedule_and_catch_up(later(sync, minutes=1), [NBA])
    assert failed(sync, date(2026, 2, 20), date(2026, 2, 28)) == list(range(20, 29))
    assert failed(sync, MARCH_1, TODAY) == []


def test_answer_that_was_asked_for_later_outlasts_an_older_failure(sync, feed):
    sync_day(later(sync, minutes=5), NBA, TODAY)
    feed.fail("nba", 503)
    with pytest.raises(TrackerError):
        sync_day(sync, NBA, TODAY)
    assert failed(sync, TODAY, TODAY) == []


def test_good_tick_writes_nothing_about_failures(sync, feed):
    sync_day(sync, NBA, TODAY)
    with statements() as count:
        sync_day(later(sync, minutes=1), NBA, TODAY)
    assert writes(count) == 2  # when the day and the league were read


def test_counts_of_the_front_page_are_those_of_the_map(sync, feed):
    begins = date(2026, 2, 20)
    season = {"calendarStartDate": f"{begins}T08:00Z", "calendar": []}
    feed.say("nba", {"children": []}, kind="standings")
    feed.say("nba", {"events": [], "leagues": [season]})
    assert queries.season_gaps(db.session, [NBA], NOW) == {}
    sync_leagues(sync, [NBA])
    mark_read("nba", date(2026, 2, 10), date(2026, 2, 22), NOW)
    feed.fail("nba", 503)
    sync_failing = later(sync, minutes=1)
    for first, last in ((22, 23), (27, 27)):  # one was read before
        with pytest.raises(TrackerError):
            sync_range(sync_failing, NBA, date(2026, 2, first), date(2026, 2, last))
    known = queries.known_seasons(db.session, ["nba"])
    span = date(2025, 7, 1), date(2026, 6, 30)
    (whole,) = season_maps(db.session, [(NBA, *span)], known, NOW + timedelta(minutes=2))
    gaps = queries.season_gaps(db.session, [NBA, NCAAM], NOW + timedelta(minutes=2))
    assert gaps == {"nba": (begins, 13, 3)}
    assert (whole.counts["unread"], whole.counts["failed"]) == (13, 3)
