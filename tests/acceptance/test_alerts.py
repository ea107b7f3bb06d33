"""Alerts from real consumers: a run that fails for good, and a scheduler that dies silently."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from sportsapp.core.clock import utc_now
from sportsapp.db.engine import db
from sportsapp.db.models import ConsumerProcess, ScheduleRow, TaskRun
from sportsapp.queue.huey import backfill_huey, huey
from sportsapp.tasks import sync_all_live_games, sync_date_range_task
from tests.acceptance.conftest import wait_for
from tests.receiver import receiving

pytestmark = pytest.mark.long

LEAGUES = ("nfl", "nba", "mlb", "nhl")


@pytest.fixture
def receiver():
    with receiving() as one:
        yield one


def test_failed_run_and_its_recovery_reach_the_receiver(real_app, start_consumer, feed, receiver):
    start_consumer(alert_webhook_url=f"{receiver.url}/hook")
    for slug in LEAGUES:
        feed.fail(slug, 404)
    for _ in range(2):
        result = sync_all_live_games()
        with pytest.raises(Exception, match="all leagues failed"):
            result.get(blocking=True, timeout=10)
    wait_for(lambda: len(receiver.messages) == 1)
    for slug in LEAGUES:
        feed.say(slug, {"events": [], "leagues": []})
    sync_all_live_games().get(blocking=True, timeout=10)
    wait_for(lambda: len(receiver.messages) == 2)
    trouble, recovered = receiver.messages
    assert (trouble["event"], trouble["kind"]) == ("trouble", "failure")
    assert ") TROUBLE: sync_all_live_games failed" in trouble["text"]
    assert (recovered["event"], recovered["swallowed"]) == ("recovered", 1)


def test_refusal_reaches_the_receiver_at_once_and_the_backfill_tells_it_too(
    real_app, start_consumer, feed, receiver
):
    feed.fail("nba", 403)
    hook = f"{receiver.url}/hook"
    start_consumer(alert_webhook_url=hook)
    start_consumer("backfill_huey", alert_webhook_url=hook)
    sync_date_range_task("NBA", "2026-01-01", "2026-01-01")
    wait_for(lambda: len(receiver.messages) == 2)
    kinds = {message["kind"]: message["subject"] for message in receiver.messages}
    assert kinds == {"refused": "NBA", "failure": "sync_date_range_task"}


def test_time_limit_that_was_hit_reaches_the_receiver(real_app, start_consumer, feed, receiver):
    from tests.acceptance.test_consumer import hang

    release = hang(feed)
    start_consumer(alert_webhook_url=receiver.url)
    huey.enqueue(sync_all_live_games.s(timeout=1, retries=0))
    wait_for(lambda: receiver.messages)
    release.set()
    assert receiver.messages[0]["kind"] == "timeout"


def test_backfill_consumer_notices_that_nobody_schedules_any_more(
    real_app, start_consumer, receiver
):
    first = start_consumer()

    def has_scheduled_all() -> bool:
        db.session.rollback()
        return set(db.session.scalars(select(ScheduleRow.task))) == set(huey.periodic_tasks)

    wait_for(has_scheduled_all)
    first.kill_all()
    with db.engine.begin() as connection:
        connection.execute(delete(TaskRun))
        connection.execute(delete(ConsumerProcess))
        connection.execute(update(ScheduleRow).values(since_at=utc_now() - timedelta(minutes=10)))
    start_consumer("backfill_huey", alert_webhook_url=receiver.url)
    wait_for(lambda: any("sync_all_live_games" in text for text in receiver.texts), 90)
    (message,) = [one for one in receiver.messages if one["subject"] == "sync_all_live_games"]
    assert message["kind"] == "overdue"
    assert "sync_all_live_games is overdue" in message["text"]
    assert backfill_huey.pending_count() == huey.pending_count() == 0
