"""The map of what was read: which syncs move it, and which answers do not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from sportsapp.core.errors import FeedError
from sportsapp.core.leagues import BY_SLUG, League
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.services import services_of
from sportsapp.sync import store
from sportsapp.sync.backfill import sync_range
from sportsapp.sync.catalogue import sync_leagues
from sportsapp.sync.context import SyncContext
from sportsapp.sync.scoreboards import sync_day, sync_schedule
from tests.integration.events import board, event

NOW = datetime(2026, 3, 10, 18, tzinfo=UTC)
TODAY = date(2026, 3, 10)
NBA, NCAAM = BY_SLUG["nba"], BY_SLUG["ncaam"]
BROKEN = {"id": "7"}


@pytest.fixture
def sync(app, feed) -> SyncContext:
    """A sync on a day in March."""
    for slug in ("nba", "ncaam"):
        feed.say(slug, {"children": []}, kind="standings")
    return SyncContext(services_of(app).feed_client, db.session, NOW)


def later(sync: SyncContext, **time: float) -> SyncContext:
    return replace(sync, now=sync.now + timedelta(**time))


def read_at(sync: SyncContext, day: date, league: League = NBA) -> datetime | None:
    db.session.expire_all()
    return queries.day_read_at(db.session, store.league_ref(sync, league).id, day)


def days_read(sync: SyncContext, month: int, league: League = NBA) -> list[int]:
    """The days of a month that were read."""
    days = [date(2026, month, 1) + timedelta(days=number) for number in range(31)]
    league_id = store.league_ref(sync, league).id
    read = queries.days_read_at(db.session, [league_id], days)
    return sorted(day.day for _, day in read if day.month == month)


@pytest.mark.parametrize("events", [[], [event("1", "2026-03-10T23:00Z", "pre")]])
def test_day_is_read_when_its_answer_was_asked_for(sync, feed, events):
    assert read_at(sync, TODAY) is None
    feed.say("nba", board(*events))
    sync_day(sync, NBA, TODAY)
    assert (read_at(sync, TODAY), read_at(sync, date(2026, 3, 11))) == (NOW, None)
    sync_day(later(sync, minutes=1), NBA, TODAY)  # the same bytes
    assert read_at(sync, TODAY) == NOW + timedelta(minutes=1)
    sync_day(sync, NBA, TODAY)
    feed.say("nba", board(event("2", "2026-03-10T23:00Z", "pre")))
    sync_day(sync, NBA, TODAY)
    assert read_at(sync, TODAY) == NOW + timedelta(minutes=1)  # never back


def test_each_day_of_one_run_is_stamped_whatever_became_of_the_others(sync, feed):
    sync_schedule(sync, [NBA])
    feed.say("nba", b"<html>", dates="20260311")
    sync_schedule(later(sync, minutes=1), [NBA])
    days = [TODAY + timedelta(days=number) for number in (-1, 0, 1)]
    assert [read_at(sync, day) for day in days] == [NOW + timedelta(minutes=1)] * 2 + [NOW]


@pytest.mark.parametrize("answer", [b"<html>", board(event("1", "2026-03-10T23:00Z"), BROKEN)])
def test_day_is_not_read_by_an_answer_that_fails_or_is_broken(sync, feed, answer):
    def ask(context: SyncContext) -> None:
        try:
            sync_day(context, NBA, TODAY)
        except FeedError:
            assert answer == b"<html>"

    feed.say("nba", answer)
    ask(sync)
    assert read_at(sync, TODAY) is None
    feed.say("nba", board())
    ask(sync)
    feed.say("nba", answer)
    ask(later(sync, minutes=1))
    assert read_at(sync, TODAY) == NOW


def test_first_reading_of_a_day_is_news_even_if_it_is_empty(sync, feed):
    def version() -> datetime | None:
        db.session.expire_all()
        return queries.league_rows(db.session, ["nba"])["nba"].changed_at

    sync_day(sync, NBA, TODAY)
    assert version() == NOW
    feed.say("nba", {"events": [], "more": 1})
    sync_day(later(sync, minutes=1), NBA, TODAY)
    assert version() == NOW


def test_months_ahead_are_read_from_tomorrow_on(sync, feed):
    feed.say("nba", board(event("1", "2026-04-02T20:00Z", "pre")), dates="202604")
    sync_leagues(sync, [NBA])
    assert days_read(sync, 3) == list(range(11, 32))
    assert days_read(sync, 4) == list(range(1, 31))
    known = store.known_answers(sync, [store.league_ref(sync, NBA)], [date(2026, 4, 2)])
    assert list(known.values()) == [store.KnownAnswer("", ["1"], NOW)]


@pytest.mark.parametrize(
    "answer",
    [
        board(event("1", "2026-04-02T20:00Z", "pre"), BROKEN),
        board(*(event(f"{number}", "2026-04-02T20:00Z", "pre") for number in range(25))),
        b"<html>",
    ],
    ids=["broken", "cut off", "none"],
)
def test_month_ahead_that_is_not_whole_is_not_read(sync, feed, answer):
    feed.say("nba", answer, dates="202604")
    sync_leagues(sync, [NBA])
    assert days_read(sync, 4) == []


def test_days_are_read_ahead_where_a_month_does_not_fit(sync):
    sync_leagues(sync, [NCAAM])
    assert days_read(sync, 3, NCAAM) == list(range(11, 18))


def test_backfill_reads_its_days_by_month_and_by_day(sync, feed):
    feed.say("nba", board(BROKEN), dates="202602")
    feed.say("nba", b"<html>", dates="20260301")
    clock = iter([NOW + timedelta(minutes=minute) for minute in range(9)])
    moving = replace(sync, clock=lambda: next(clock))
    sync_range(moving, NBA, date(2026, 1, 20), date(2026, 3, 2))
    assert days_read(sync, 1) == list(range(20, 32))
    assert days_read(sync, 2) == []
    assert days_read(sync, 3) == [2]
    assert read_at(sync, date(2026, 1, 31)) == NOW
    assert read_at(sync, date(2026, 3, 2)) == NOW + timedelta(minutes=2)
