"""The weeks to come, read with the leagues, so that pages can name the next game."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from sqlalchemy import select
from werkzeug.wrappers import Response

from sportsapp.core.errors import TrackerError
from sportsapp.core.leagues import BY_SLUG
from sportsapp.core.records import LeagueRecord
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.db.models import Game, LeagueRow
from sportsapp.feed.parse import parse_calendar
from sportsapp.services import services_of
from sportsapp.sync.backfill import sync_range
from sportsapp.sync.catalogue import sync_leagues
from sportsapp.sync.context import SyncContext
from sportsapp.sync.follow import sync_live
from sportsapp.sync.scoreboards import (
    days_ahead,
    live_days,
    months_ahead,
    sync_day,
    sync_schedule,
)
from sportsapp.sync.store import league_refs, store_league
from tests.integration.events import board, event

NOW = datetime(2026, 3, 10, 18, tzinfo=UTC)
NBA = BY_SLUG["nba"]


@pytest.fixture
def sync(app, feed) -> SyncContext:
    """A sync on a day in March."""
    feed.say("nba", {"children": []}, kind="standings")
    return SyncContext(services_of(app).feed_client, db.session, NOW)


@pytest.mark.parametrize(
    ("league", "expected"),
    [
        (
            {"calendar": ["2026-10-04T07:00Z", "2026-10-03T07:00Z"], "calendarIsWhitelist": True},
            (date(2026, 10, 3), date(2026, 10, 4)),
        ),
        (
            {"calendar": ["2026-02-15T08:00Z"], "calendarStartDate": "2026-02-14T08:00Z"},
            (date(2026, 2, 14),),
        ),
        (
            {
                "calendar": [
                    {"label": "Preseason", "entries": [{"startDate": "2026-08-01T07:00Z"}]},
                    {"label": "Off Season"},
                ],
                "calendarIsWhitelist": True,
            },
            (date(2026, 8, 1),),
        ),
        ({"calendar": ["soon"], "calendarIsWhitelist": True}, ()),
        ({}, ()),
    ],
)
def test_calendar_tells_from_when_there_are_games(league, expected):
    assert parse_calendar(msgspec.json.encode({"leagues": [league], "events": []})) == expected


@pytest.mark.parametrize(
    ("today", "season", "months"),
    [
        (date(2026, 3, 10), [], [(2026, 3), (2026, 4)]),
        (date(2026, 12, 31), [date(2026, 12, 1)], [(2026, 12), (2027, 1)]),
        (
            date(2026, 3, 10),
            [date(2026, 3, 9), date(2026, 8, 6)],
            [(2026, 3), (2026, 4), (2026, 8)],
        ),
        (date(2026, 3, 10), [date(2026, 3, 20)], [(2026, 3), (2026, 4)]),
    ],
)
def test_this_month_the_next_and_the_one_in_which_the_season_begins(today, season, months):
    assert [(day.year, day.month) for day in months_ahead(today, season)] == months


@pytest.mark.parametrize(
    ("season", "days"),
    [
        ([], range(11, 18)),
        ([date(2026, 3, 9), date(2026, 3, 12)], range(11, 18)),
        ([date(2026, 3, 25), date(2026, 3, 26)], [*range(11, 18), 25]),
    ],
)
def test_the_week_to_come_and_the_day_on_which_the_season_begins(season, days):
    assert days_ahead(date(2026, 3, 10), season) == [date(2026, 3, day) for day in days]


def test_pages_are_made_anew_when_the_season_begins_on_another_day(sync):
    (league,) = league_refs(sync, [NBA]).values()
    nothing_new = LeagueRecord(name="", season_year=None, season_type=None, season_name="")
    versions = []
    for day in (9, 9, 10):
        store_league(sync, league, nothing_new, [date(2026, 3, day)])
        db.session.rollback()
        versions.append(db.session.scalar(select(LeagueRow.changed_at)))
    assert versions[0] == versions[1] < versions[2]


def test_days_are_read_ahead_where_a_month_does_not_fit_into_an_answer(sync, feed):
    feed.say("ncaam", {"children": []}, kind="standings")
    feed.say("ncaam", board(event("1", "2026-03-14T20:00Z", "pre")), dates="20260314")
    feed.say("ncaam", b"<html>", dates="20260317")
    result = sync_leagues(sync, [BY_SLUG["ncaam"]])
    assert [line.partition(": ")[0] for line in result.errors] == ["NCAAM 2026-03-17"]
    assert list(db.session.scalars(select(Game.espn_id))) == ["1"]
    assert sorted(set(feed.asked())) == [f"ncaam 202603{day}" for day in range(10, 18)]


def test_games_to_come_are_stored_and_the_next_day_is_known(sync, feed):
    feed.say(
        "nba",
        board(event("1", "2026-03-01T20:00Z"), event("2", "2026-03-14T20:00Z", "pre")),
        dates="202603",
    )
    feed.say("nba", board(event("3", "2026-04-02T20:00Z", "pre")), dates="202604")
    assert sync_leagues(sync, [NBA]).errors == []
    assert list(db.session.scalars(select(Game.espn_id).order_by(Game.espn_id))) == ["2", "3"]
    assert queries.next_days(db.session, ["nba"], date(2026, 3, 10))["nba"].day == date(2026, 3, 14)


def test_month_that_fails_is_a_line_and_the_league_is_well(sync, feed):
    feed.say("nba", b"<html>", dates="202604")
    result = sync_leagues(sync, [NBA])
    assert result.created == 1
    (line,) = result.errors
    assert line.startswith("NBA 2026-04: this is not a scoreboard")


def test_reading_ahead_does_not_count_as_having_read_today(sync, feed):
    sync_leagues(sync, [NBA])
    assert live_days(sync, [NBA]) == {NBA: [date(2026, 3, 10)]}


def test_version_of_the_data_moves_even_when_a_long_sync_brings_an_old_time(sync, feed):
    """A backfill of other days began before the tick that changed something after it."""
    feed.say("nba", board(event("1", "2026-03-10T20:00Z")))
    sync_day(replace(sync, now=NOW + timedelta(minutes=5)), NBA, date(2026, 3, 10))
    versions = [league().changed_at]
    for score in (21, 22):
        feed.say("nba", board(event("2", "2026-03-09T20:00Z", home=score)))
        sync_day(sync, NBA, date(2026, 3, 9))
        versions.append(league().changed_at)
    assert versions == sorted(set(versions))


def league() -> LeagueRow:
    db.session.rollback()
    return db.session.scalars(select(LeagueRow).where(LeagueRow.slug == "nba")).one()


def test_long_backfill_sees_the_time_go_on(sync, feed):
    moments = iter([NOW + timedelta(minutes=n) for n in (1, 2)])
    feed.say("nba", board(event("1", "2026-01-15T20:00Z")), dates="202601")
    feed.say("nba", board(event("2", "2026-02-15T20:00Z")), dates="202602")
    ticking = replace(sync, clock=lambda: next(moments))
    sync_range(ticking, NBA, date(2026, 1, 1), date(2026, 2, 28))
    changed = db.session.scalars(select(Game.updated_at).order_by(Game.espn_id)).all()
    assert changed == [NOW + timedelta(minutes=1), NOW + timedelta(minutes=2)]


@pytest.mark.parametrize(("status", "asked"), [(403, 2), (404, 32), (500, 32)])
def test_month_that_fails_is_asked_for_day_by_day_until_the_feed_refuses_us(
    sync, feed, status, asked
):
    feed.fail("nba", status)
    with pytest.raises(TrackerError):
        sync_range(sync, NBA, date(2026, 1, 1), date(2026, 1, 31))
    assert len(set(feed.asked())) == asked


@pytest.mark.parametrize("status", [400, 403, 404])
def test_refused_month_is_read_by_day(sync, feed, status):
    feed.say("nba", Response("no", status), dates="202601")
    feed.say("nba", board(event("1", "2026-01-15T20:00Z")), dates="20260115")
    result = sync_range(sync, NBA, date(2026, 1, 1), date(2026, 1, 31))
    assert result.as_dict() == {"synced": 1, "errors": []}
    assert len(feed.asked()) == 32


def test_months_after_one_whose_days_are_refused_too_are_not_asked_for_by_day(sync, feed):
    feed.fail("nba", 403)
    feed.say("nba", {"events": []}, dates="202603")
    result = sync_range(sync, NBA, date(2026, 1, 1), date(2026, 4, 30))
    assert [line[:15] for line in result.errors] == [
        "NBA 2026-01-01 ", "NBA 2026-02-01 ", "NBA 2026-04-01 ",
    ]  # fmt: skip
    asked = ["202601", "20260101", "202602", "202603", "202604", "20260401"]
    assert feed.asked() == [f"nba {dates}" for dates in asked]


@pytest.mark.parametrize("status", [400, 403, 404])
def test_refused_days_are_read_from_their_month(sync, feed, status):
    games = (event("1", "2026-01-15T20:00Z"), event("2", "2026-01-16T20:00Z"))
    feed.fail("nba", status)
    feed.say("nba", board(*games), dates="202601")
    result = sync_range(sync, NBA, date(2026, 1, 15), date(2026, 1, 15))
    assert result.as_dict() == {"synced": 1, "errors": []}
    assert feed.asked() == ["nba 20260115", "nba 202601"]
    assert queries.day_read_at(db.session, league().id, date(2026, 1, 15)) == NOW


@pytest.mark.parametrize("status", [400, 403, 404])
def test_hourly_sync_reads_refused_days_from_their_month_once(sync, feed, status):
    feed.say("nba", board(event("1", "2026-03-09T20:00Z", "pre")), dates="20260309")
    sync_day(replace(sync, now=NOW - timedelta(days=1)), NBA, date(2026, 3, 9))
    asked = len(feed.asked())
    for day in ("20260309", "20260310", "20260311"):
        feed.say("nba", Response("no", status), dates=day)
    games = event("1", "2026-03-09T20:00Z", home=88), event("2", "2026-03-10T20:00Z", "pre")
    feed.say("nba", board(*games), dates="202603")
    assert sync_schedule(sync, [NBA]).as_dict() == {"synced": 2, "errors": []}
    days = ["nba 20260309", "nba 20260310", "nba 20260311"]
    assert sorted(feed.asked()[asked:]) == ["nba 202603", *days]
    assert db.session.scalar(select(Game.home_score).where(Game.espn_id == "1")) == 88
    assert queries.day_read_at(db.session, league().id, date(2026, 3, 11)) == NOW
    assert league().failing_since is None


def test_day_that_a_person_asks_for_is_read_from_its_month_where_it_is_refused(sync, feed):
    feed.fail("nba", 400)
    games = event("1", "2026-02-10T20:00Z"), event("2", "2026-02-11T20:00Z")
    feed.say("nba", board(*games), dates="202602")
    assert sync_day(sync, NBA, date(2026, 2, 10)).as_dict() == {"synced": 1, "errors": []}
    assert list(db.session.scalars(select(Game.espn_id))) == ["1"]


def test_live_tick_asks_no_month_for_a_refused_day(sync, feed):
    feed.say("nba", Response("no", 400), dates="20260310")
    with pytest.raises(TrackerError):
        sync_live(sync, [NBA])
    assert feed.asked() == ["nba 20260310"]


def test_days_of_a_short_range_that_are_refused_take_one_answer_of_their_month(sync, feed):
    feed.say("nba", board(event("1", "2026-01-15T20:00Z")), dates="20260115")
    for day in ("20260116", "20260117"):
        feed.say("nba", Response("no", 400), dates=day)
    games = event("1", "2026-01-15T20:00Z"), event("2", "2026-01-17T20:00Z")
    feed.say("nba", board(*games), dates="202601")
    result = sync_range(sync, NBA, date(2026, 1, 15), date(2026, 1, 17))
    assert result.as_dict() == {"synced": 2, "errors": []}
    assert feed.asked().count("nba 202601") == 1
    feed.say("nba", Response("no", 400), dates="20260115")
    result = sync_range(sync, NBA, date(2026, 1, 15), date(2026, 1, 17))
    assert result.as_dict() == {"synced": 2, "errors": []}
    assert feed.asked().count("nba 202601") == 2


def test_day_that_is_refused_in_both_forms_keeps_its_error(sync, feed):
    feed.fail("nba", 400)
    with pytest.raises(TrackerError, match="dates=20260115"):
        sync_range(sync, NBA, date(2026, 1, 15), date(2026, 1, 15))
    feed.fail("ncaam", 400)
    with pytest.raises(TrackerError, match="dates=20260115"):
        sync_range(sync, BY_SLUG["ncaam"], date(2026, 1, 15), date(2026, 1, 15))
    assert [each for each in feed.asked() if each.startswith("ncaam")] == ["ncaam 20260115"]


@pytest.mark.parametrize("answer", [Response("no", 400), Response("no", 403), b"<html>"])
def test_week_is_read_ahead_by_day_where_its_month_is_refused(sync, feed, answer):
    for month in ("202603", "202604"):
        feed.say("nba", answer, dates=month)
    feed.say("nba", board(event("1", "2026-03-14T20:00Z", "pre")), dates="20260314")
    lines = [line[:12] for line in sync_leagues(sync, [NBA]).errors]
    assert lines == ["NBA 2026-03:", "NBA 2026-04:"]
    days = [f"nba 202603{day}" for day in range(11, 18)]
    assert sorted(feed.asked()) == sorted(["nba 20260310", "nba 202603", "nba 202604", *days])
    assert queries.next_days(db.session, ["nba"], date(2026, 3, 10))["nba"].day == date(2026, 3, 14)


def test_month_that_cannot_be_had_now_is_not_read_by_day(sync, feed):
    feed.say("nba", Response("no", 500), dates="202603")
    assert len(sync_leagues(sync, [NBA]).errors) == 1
    assert set(feed.asked()) == {"nba 20260310", "nba 202603", "nba 202604"}


def test_failing_day_makes_the_league_fail_whatever_the_order(sync, feed):
    feed.say("nba", b"<html>", dates="20260309")
    sync_schedule(sync, [NBA])
    assert league().failing_since == NOW


def test_quiet_night_asks_nothing_although_an_event_was_broken(sync, feed):
    feed.say("nba", board(event("1", home=99_999)))
    sync_day(sync, NBA, date(2026, 3, 10))
    assert live_days(sync, [NBA]) == {}
