"""The dashboard: consumers, queues, running and failed runs, age of the data, alarms."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import url_for
from sqlalchemy import insert, update

from sportsapp.admin.dashboard import PAGES
from sportsapp.core.clock import game_day, utc_now
from sportsapp.core.leagues import BY_SLUG
from sportsapp.db.engine import db, write_connection, writing
from sportsapp.db.models import ConsumerProcess, LeagueRow, RunState, ScheduleRow, TaskRun
from sportsapp.monitoring.checks import CHECKS
from sportsapp.queue.huey import huey
from sportsapp.runs import reports
from sportsapp.services import services_of
from sportsapp.sync import scoreboards
from sportsapp.sync.context import SyncContext
from sportsapp.tasks import sync_all_teams
from tests.integration.events import board, event
from tests.panel import (
    add_consumer,
    add_failure,
    add_league,
    add_run,
    begin,
    counted,
    make_well,
    row,
)
from tests.stored import feed_read_at

pytestmark = pytest.mark.slow

PAGE = "/admin/"
LIVE = "/admin/live"
TICK = "sync_all_live_games"


@pytest.fixture
def healthy(panel):
    """An instance that lacks nothing."""
    make_well()


def is_red(page: str) -> bool:
    return "Something is wrong" in page


def section(page: str, name: str) -> str:
    """One section of the page."""
    start = page.index(f'<section id="{name}"')
    return page[start : page.index("</section>", start)]


def test_checks_that_have_a_page_are_linked_to_it(app, panel, healthy):
    assert set(PAGES) <= {check.name for check in CHECKS}
    add_failure()
    page = panel.get(LIVE)
    assert '<a href="/admin/failures/">runs</a>: ' in page
    with app.test_request_context():
        addresses = [url_for(endpoint) for endpoint in set(PAGES.values())]
    for address in addresses:
        assert panel.open(address).status_code == 200


def test_all_is_well(panel, healthy):
    page = panel.get(PAGE)
    assert "data-alarm" not in page
    assert "All is well" in page


def test_consumers_are_shown_with_host_process_queue_role_and_since(panel):
    add_consumer(host="somewhere", pid=4711, role="scheduler")
    text = section(panel.get(PAGE), "consumers")
    now = f"{utc_now():%Y-%m-%d %H:%M}"
    assert all(word in text for word in ("somewhere 4711", "scheduler", "sportsapp", now))


def test_consumer_without_a_beat_is_not_alive(panel):
    add_consumer(host="somewhere", beat_at=utc_now() - timedelta(minutes=2))
    text = section(panel.get(PAGE), "consumers")
    assert "somewhere" not in text
    assert "No consumer is running" in text


def test_queue_depth_and_oldest_wait(panel):
    sync_all_teams()
    add_run(state=RunState.PENDING, ago=timedelta(minutes=10))
    add_run(state=RunState.RETRY, due_at=utc_now() + timedelta(hours=1))
    text = section(panel.get(PAGE), "queues")
    assert "<dt>Messages</dt><dd>1 on the broker</dd>" in text
    assert ">2</a>" in text
    assert "10 min" in text


def test_broker_that_is_away_is_shown_and_the_rest_is_there(app, panel, healthy, monkeypatch):
    monkeypatch.undo()
    add_run(state=RunState.STARTED, task="sync_all_teams")
    page = panel.get(PAGE)
    assert section(page, "queues").count("broker unreachable") == 3
    assert "sync_all_teams" in section(page, "running")
    assert is_red(page)


def test_what_runs_has_a_bar_and_a_clock(panel):
    add_run(
        "sync_date_range_task",
        RunState.STARTED,
        ago=timedelta(seconds=90),
        args={"league": "NBA"},
        progress_done=2,
        progress_total=8,
    )
    text = section(panel.get(PAGE), "running")
    assert '<progress max="8" value="2"' in text
    assert "2 of 8 (25 %)" in text
    assert "1 min 3" in text
    assert "runs/cancel" in text


def test_run_that_is_asked_to_stop_has_no_cancel_button(panel):
    add_run(state=RunState.STARTED, cancel_asked=True)
    text = section(panel.get(PAGE), "running")
    assert "stopping" in text
    assert "runs/cancel" not in text


def test_failures_of_the_last_day(panel):
    add_failure(error="of today")
    add_failure(error="of old", ago=timedelta(hours=25))
    add_run(state=RunState.TIMEOUT, error="too slow")
    text = section(panel.get(PAGE), "failures")
    assert "last 24 hours: 2" in text
    assert "of today" in text
    assert "too slow" in text
    assert "of old" not in text


def test_settled_failures_are_not_counted_and_a_link_shows_them(panel):
    assert "show=all" not in section(panel.get(PAGE), "failures")
    add_failure(error="of today")
    add_failure(error="is over", resolved_at=utc_now())
    add_failure(error="is known", dismissed_at=utc_now())
    text = section(panel.get(PAGE), "failures")
    assert "last 24 hours: 1<" in text
    assert "is over" not in text
    assert "is known" not in text
    assert '<a href="/admin/failures/?show=all">2 more are resolved or dismissed</a>' in text


def test_age_of_data(panel):
    add_league("nba", polled_at=utc_now() - timedelta(minutes=3))
    add_league("nfl", failing_since=utc_now() - timedelta(hours=2), polled_at=None)
    text = section(panel.get(PAGE), "data")
    assert "3 min" in text
    assert "failing for 2 h 0" in text
    assert "never" in text


def test_next_runs_in_order(panel, healthy):
    text = section(panel.get(PAGE), "next")
    assert text.index(TICK) < text.index("sync_daily_schedule") < text.index("sync_all_teams")


# ---------------------------------------------------------------- turning red


def test_overdue_schedule_turns_it_red(panel, healthy):
    begin(TICK, timedelta(minutes=5))
    page = panel.get(LIVE)
    assert is_red(page)
    assert f"{TICK} is overdue" in page
    assert "overdue since" in section(page, "next")


def test_paused_schedule_is_not_overdue_and_is_shown(panel, healthy):
    with writing(db.session):
        since = utc_now() - timedelta(days=1)
        db.session.merge(ScheduleRow(task=TICK, paused=True, since_at=since))
    page = panel.get(LIVE)
    assert not is_red(page)
    assert "Something needs attention" in page
    assert f"{TICK} is paused" in page


def test_league_that_fails_is_shown(panel, healthy):
    with write_connection() as connection:
        failing = {"failing_since": utc_now(), "failure": "the feed answered 503"}
        connection.execute(update(LeagueRow).where(LeagueRow.slug == "nba").values(failing))
    page = panel.get(PAGE)
    assert "Something needs attention" in page
    assert "NBA is failing since" in page
    assert "the feed answered 503" in page


def test_old_data_links_to_the_stored_day_of_games_that_stand_still(app, panel, healthy, feed):
    now = utc_now()
    feed.say("nba", board(event("7", f"{now:%Y-%m-%dT%H:%M}Z", "in")))
    sync = SyncContext(services_of(app).feed_client, db.session, now)
    scoreboards.sync_day(sync, BY_SLUG["nba"], game_day(now))
    feed_read_at(now - timedelta(minutes=6))
    db.session.rollback()
    page = panel.get(LIVE)
    assert "data is 6 min old, with 1 game live or past the start; BET at ALP stands still" in page
    (address,) = re.findall(r'stands still \(<a href="([^"]*)">stored day', page)
    assert "Stored day: NBA" in panel.get(address.replace("&amp;", "&"))


def test_schedule_that_was_claimed_is_not_overdue(panel, healthy):
    begin(TICK, timedelta(minutes=50))
    add_run(TICK, slot=utc_now().replace(second=0, microsecond=0))
    assert not is_red(panel.get(LIVE))


@pytest.mark.parametrize("queue", ["sportsapp", "sportsapp-backfill"])
def test_queue_without_a_worker_turns_it_red(panel, healthy, queue):
    other = {"sportsapp": "sportsapp-backfill", "sportsapp-backfill": "sportsapp"}[queue]
    with write_connection() as connection:
        connection.exec_driver_sql("DELETE FROM consumers")
    add_consumer(other)
    add_consumer(other, "scheduler", pid=42)
    page = panel.get(LIVE)
    assert f"no worker of {queue}<" in page
    assert f"no worker of {other}<" not in page


def test_one_of_two_consumers_that_is_gone_needs_attention(panel, healthy):
    at = utc_now() - timedelta(minutes=17)
    with write_connection() as connection:
        connection.execute(update(ConsumerProcess).values(started_at=at))
    add_consumer(role="scheduler", host="box-2", started_at=at, beat_at=at)
    page = panel.get(LIVE)
    seen = f"it was last seen on box-2 at {at:%FT%TZ}, 17 min ago"
    assert f"a consumer of sportsapp is gone: {seen}" in page
    assert "Something needs attention" in page


def test_nothing_counts_down_without_a_scheduler(panel, healthy):
    assert re.search(r">in \d+ (s|min|h)", section(panel.get(LIVE), "next"))
    with write_connection() as connection:
        gone = update(ConsumerProcess).filter_by(queue="sportsapp", role="scheduler")
        connection.execute(gone.values(beat_at=utc_now() - timedelta(minutes=17)))
    text = section(panel.get(LIVE), "next")
    assert text.count("no scheduler is running") == len(huey.periodic_tasks)
    assert not re.search(r">in \d+ (s|min|h)|<time", text)


def test_no_scheduler_turns_it_red(panel, healthy):
    with write_connection() as connection:
        connection.exec_driver_sql("DELETE FROM consumers WHERE role = 'scheduler'")
    assert "no scheduler of sportsapp" in panel.get(LIVE)


# ---------------------------------------------------------------- refreshing, chart, cost


def test_fragment_is_what_the_page_holds(panel, healthy):
    fragment = panel.get(LIVE)
    assert "<html" not in fragment
    assert 'data-refresh="/admin/live"' in panel.get(PAGE)
    assert "<section" in fragment


@pytest.mark.parametrize("path", [PAGE, "/admin/backfill/"])
def test_forms_of_a_fragment_lead_back_to_its_page(panel, path):
    add_run("sync_date_range_task", RunState.STARTED, args={"league": "NBA"})
    for page in (panel.get(path), panel.get(f"{path}live")):
        assert f'name="back" value="{path}"' in page


def test_chart_counts_runs_and_failures_by_the_hour_they_ended_in(panel):
    now = utc_now().replace(minute=30)
    for hours, state in (
        (0, "SUCCESS"),
        (2, "SUCCESS"),
        (2, "FAILURE"),
        (2, "TIMEOUT"),
        (30, "FAILURE"),
    ):
        add_run(state=state, finished_at=now - timedelta(hours=hours))
    counted_hours = reports.hours(db.session, now)
    assert [(hour.ended, hour.failed) for hour in counted_hours[-3:]] == [(3, 2), (0, 0), (1, 0)]
    assert len(counted_hours) == 24
    assert sum(hour.ended for hour in counted_hours) == 4
    page = panel.get(PAGE)
    assert 'aria-label="4 runs ended in the last 24 hours, 2 of them failed."' in page
    heights = re.findall(r'class="(ran|failed)" .* height="([0-9.]+)"', page)
    assert heights == [("ran", "106.0"), ("failed", "70.7"), ("ran", "35.3")]


def test_dashboard_takes_a_bounded_number_of_queries(panel, healthy):
    panel.get(LIVE)
    counts = []
    for _ in range(2):
        with counted() as statements:
            panel.get(LIVE)
        counts.append(len(statements))
        values = {c.name: getattr(row(add_failure()), c.name) for c in TaskRun.__table__.columns}
        many = [values | {"id": f"{len(counts)}-{n}", "fingerprint": f"f{n}"} for n in range(300)]
        with write_connection() as connection:
            connection.execute(insert(TaskRun), many)
    assert counts[0] <= counts[1] <= 38  # two of them for notifications
    assert counts[1] - counts[0] <= 1  # the newest failures, a query only if there are any
