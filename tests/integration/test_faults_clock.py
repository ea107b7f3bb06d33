"""The clock is set forward and back, or shows an odd day: ticks, days and seasons stay right."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from sportsapp.core.clock import iso_utc
from sportsapp.core.leagues import BY_SLUG, season_of
from sportsapp.db.engine import db, write_connection
from sportsapp.db.models import ConsumerProcess, RunState, ScheduleRow, TaskRun
from sportsapp.monitoring.checks.feed import stale_leagues
from sportsapp.monitoring.checks.work import late_slots
from sportsapp.queue.consumer import SlotScheduler
from sportsapp.queue.huey import huey
from sportsapp.runs import reports
from sportsapp.services import services_of
from sportsapp.sync import store
from sportsapp.sync.context import SyncContext
from sportsapp.tasks import sync_all_live_games
from tests.integration.events import event
from tests.panel import add_consumer
from tests.stored import feed_read_at

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LIVE = "sync_all_live_games"


@pytest.fixture
def scheduler(app, offline) -> SlotScheduler:
    """A scheduler of an instance that began a month ago."""
    with write_connection() as connection:
        connection.execute(ScheduleRow.__table__.delete())
        rows = [
            {"task": name, "paused": False, "since_at": NOON - timedelta(days=30)}
            for name in huey.periodic_tasks
        ]
        connection.execute(ScheduleRow.__table__.insert(), rows)
    return SlotScheduler(huey, None, 1, True)


def tick(scheduler: SlotScheduler, start: datetime, minutes: int) -> None:
    """The scheduler looks every ten seconds for so many minutes; what it queues ends at once."""
    for seconds in range(0, minutes * 60, 10):
        scheduler.enqueue_periodic_tasks(start + timedelta(seconds=seconds))
        with write_connection() as connection:
            connection.execute(TaskRun.__table__.update().values(state=RunState.SUCCESS))


def slots(task: str = LIVE) -> list[str]:
    """The slots of a task that were claimed, in order."""
    db.session.rollback()
    found = select(TaskRun.slot).where(TaskRun.task == task).order_by(TaskRun.slot)
    return [iso_utc(slot)[11:16] for slot in db.session.scalars(found)]


def test_ticks_go_on_at_once_when_the_clock_is_set_back_from_a_day_ahead(scheduler):
    tick(scheduler, NOON + timedelta(days=1), 3)
    tick(scheduler, NOON, 3)
    assert slots() == ["12:01", "12:02", "12:00", "12:01", "12:02"]  # and those of the day ahead


def test_minutes_that_come_twice_are_ticked_once_and_then_it_goes_on(scheduler):
    tick(scheduler, NOON, 5)
    tick(scheduler, NOON + timedelta(minutes=2), 5)
    assert slots() == [f"12:0{minute}" for minute in range(7)]


def test_clock_set_forward_leaves_minutes_out_and_catches_up_what_is_worth_it(
    scheduler,
):
    tick(scheduler, NOON, 2)
    tick(scheduler, NOON + timedelta(hours=5, minutes=30), 2)
    assert slots() == ["12:00", "12:01", "17:30", "17:31"]
    assert slots("sync_daily_schedule") == ["12:00", "17:00"]


def test_new_instance_whose_clock_was_ahead_does_not_wait_for_that_day(scheduler):
    with write_connection() as connection:
        ahead = {"since_at": NOON + timedelta(days=400)}
        connection.execute(ScheduleRow.__table__.update().values(ahead))
    tick(scheduler, NOON - timedelta(seconds=20), 2)
    assert slots() == ["12:00", "12:01"]
    assert slots("sync_all_teams") == []


def test_pause_does_not_last_longer_because_the_clock_was_set_back(app):
    watch, nba = services_of(app).feed_watch, BY_SLUG["nba"]
    store.league_refs(SyncContext(services_of(app).feed_client, db.session, NOON), [nba])
    watch.pause(nba, NOON + timedelta(minutes=15))
    assert list(watch.paused([nba], NOON, live=True)) == [nba]
    assert watch.paused([nba], NOON - timedelta(days=1), live=True) == {}


# ---------------------------------------------------------------- a clock that was ahead


AHEAD = timedelta(days=365)


def test_run_that_was_lost_while_the_clock_was_ahead_stops_no_ticks(scheduler, clock):
    clock.shown = NOON
    scheduler.enqueue_periodic_tasks(NOON)
    with write_connection() as connection:
        lost = {"state": RunState.STARTED, "attempt": 1, "host": "elsewhere", "pid": 1}
        connection.execute(TaskRun.__table__.update().values(heartbeat_at=NOON + AHEAD, **lost))
    for seconds in range(0, 180, 10):
        clock.shown = NOON + timedelta(seconds=seconds)
        huey.tracker.recover(huey)
        scheduler.enqueue_periodic_tasks(clock.shown)
    assert "12:02" in slots()


def test_dead_consumer_with_a_heartbeat_from_ahead_is_not_alive(app, offline, clock):
    clock.shown = NOON
    add_consumer("sportsapp", beat_at=NOON + AHEAD)
    assert reports.consumers(db.session, NOON) == []
    for minutes in (0, 2):
        clock.shown = NOON + timedelta(minutes=minutes)
        huey.tracker.recover(huey)
    db.session.rollback()
    assert reports.consumers(db.session, clock.shown) == []
    assert db.session.scalars(select(ConsumerProcess.beat_at)).all() == [NOON]


def test_slots_of_a_clock_that_was_ahead_hide_no_late_scheduler(scheduler):
    tick(scheduler, NOON + AHEAD, 3)
    db.session.rollback()
    assert LIVE in {slot.task for slot in late_slots(db.session, huey, NOON)}


def test_checks_of_alerts_go_on_after_a_clock_was_ahead(app, offline, clock, monkeypatch):
    checks = []
    alerts = services_of(app).alerts
    monkeypatch.setattr(alerts, "check", checks.append)
    for moment in (NOON + AHEAD, NOON, NOON + timedelta(minutes=1), NOON + timedelta(minutes=2)):
        clock.shown = moment
        alerts._next_check = 0
        huey.tracker.recover(huey)
        alerts.check_if_due()
    assert checks == [NOON + timedelta(minutes=1), NOON + timedelta(minutes=2)]


def test_data_that_was_read_while_the_clock_was_ahead_is_late_until_the_next_poll(
    app, visitor, synced, clock
):
    clock.shown = datetime(2026, 1, 15, 21, 0, tzinfo=UTC)
    game = event("88", "2026-01-15T20:00Z", "in")
    synced("nba", game)
    feed_read_at(clock.shown + AHEAD)
    assert (
        "it is unknown when they were last read, so scores may be late" in visitor.get("/nba").text
    )
    assert (
        visitor.get("/readyz")
        .json["checks"]["data"]
        .startswith("NFL was never polled, NBA was polled while the clock was ahead")
    )
    (stale,) = stale_leagues(db.session, ["nba"], clock.shown)
    assert stale.slug == "nba"
    synced("nba", game)
    db.session.rollback()
    assert stale_leagues(db.session, ["nba"], clock.shown) == []
    assert "scores may be late" not in visitor.get("/nba?n=2").text


def test_clock_that_is_a_year_ahead_prunes_a_day_of_runs_and_not_all(app, offline, clock):
    clock.shown = NOON
    for days in range(5):
        run_id = sync_all_live_games().id
        with write_connection() as connection:
            ended = {"state": RunState.SUCCESS, "finished_at": NOON - timedelta(days=days)}
            this = TaskRun.__table__.update().where(TaskRun.id == run_id)
            connection.execute(this.values(ended))
    clock.shown = NOON + AHEAD
    huey.tracker.recover(huey)
    db.session.rollback()
    assert len(db.session.scalars(select(TaskRun)).all()) == 4


# ---------------------------------------------------------------- odd days


@pytest.mark.parametrize(
    ("slug", "day", "first", "last"),
    [
        ("nfl", date(2027, 1, 1), date(2026, 4, 1), date(2027, 3, 31)),
        ("nfl", date(2026, 12, 31), date(2026, 4, 1), date(2027, 3, 31)),
        ("nfl", date(2027, 4, 1), date(2027, 4, 1), date(2028, 3, 31)),
        ("nba", date(2028, 2, 29), date(2027, 7, 1), date(2028, 6, 30)),
        ("nba", date(2026, 6, 30), date(2025, 7, 1), date(2026, 6, 30)),
        ("nhl", date(2027, 1, 1), date(2026, 7, 1), date(2027, 6, 30)),
        ("mlb", date(2026, 12, 31), date(2026, 1, 1), date(2026, 12, 31)),
        ("mlb", date(2027, 1, 1), date(2027, 1, 1), date(2027, 12, 31)),
    ],
)
def test_season_goes_over_new_year_where_its_league_does(slug, day, first, last):
    assert season_of(BY_SLUG[slug], day) == (first, last)


@pytest.mark.parametrize(
    ("start", "day", "before", "after"),
    [
        ("2027-01-01T01:15Z", "2026-12-31", "2026-12-30", "2027-01-01"),
        ("2027-01-01T18:00Z", "2027-01-01", "2026-12-31", "2027-01-02"),
        ("2028-02-29T23:00Z", "2028-02-29", "2028-02-28", "2028-03-01"),
        ("2028-03-01T04:30Z", "2028-02-29", "2028-02-28", "2028-03-01"),
        ("2027-02-28T23:00Z", "2027-02-28", "2027-02-27", "2027-03-01"),
        ("2026-03-08T04:30Z", "2026-03-07", "2026-03-06", "2026-03-08"),  # clocks go forward
        ("2026-03-09T03:30Z", "2026-03-08", "2026-03-07", "2026-03-09"),
        ("2026-11-01T03:30Z", "2026-10-31", "2026-10-30", "2026-11-01"),  # clocks go back
        ("2026-11-02T04:30Z", "2026-11-01", "2026-10-31", "2026-11-02"),
    ],
)
def test_game_is_on_the_page_of_its_eastern_day_and_on_no_other(
    client, synced, start, day, before, after
):
    synced("nba", event("88", start), day=date.fromisoformat(day))
    pages = {one: client.get(f"/nba/{one}").text for one in (before, day, after)}
    assert ["/nba/games/88" in pages[one] for one in pages] == [False, True, False]
    assert f'<a rel="prev" href="/nba/{before}">' in pages[day]
    assert f'<a rel="next" href="/nba/{after}">' in pages[day]


@pytest.mark.parametrize(
    ("now", "day"),
    [
        ("2026-11-01T08:59", "2026-10-31"),  # 03:59 in New York, in the night of 25 hours
        ("2026-11-01T09:00", "2026-11-01"),
        ("2026-03-08T07:59", "2026-03-07"),  # 03:59 there, in the night of 23 hours
        ("2026-03-08T08:00", "2026-03-08"),
        ("2027-01-01T08:59", "2026-12-31"),
        ("2027-01-01T09:00", "2027-01-01"),
        ("2028-02-29T09:00", "2028-02-29"),
        ("2028-03-01T08:59", "2028-02-29"),
    ],
)
def test_todays_page_turns_at_four_in_the_morning(client, synced, clock, now, day):
    clock.shown = datetime.fromisoformat(now).replace(tzinfo=UTC)
    for number in (-1, 0, 1):
        one = date.fromisoformat(day) + timedelta(days=number)
        synced("nba", event(f"9{number + 1}", f"{one}T20:00Z"), day=one, at=clock.shown)
    page = client.get("/nba").text
    assert [f"/nba/games/9{number}" in page for number in (0, 1, 2)] == [False, True, False]


def test_day_that_there_is_not_is_no_page(client):
    pages = ("2027-02-29", "2026-02-30", "2026-13-01", "2026-11-31")
    assert {client.get(f"/nba/{day}").status_code for day in pages} == {404}
