"""A page for each task: schedule, next slot, runs, failures, retries, durations, the last day."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from sportsapp.core.clock import utc_now
from sportsapp.db.engine import db
from sportsapp.queue.huey import QUEUES, huey
from sportsapp.runs.task_stats import TaskStats, task_stats
from tests.panel import add_consumer, add_failure, add_run, counted

pytestmark = pytest.mark.slow

HOURLY, BACKFILL = "sync_daily_schedule", "sync_date_range_task"


def page_of(panel, task: str, status: int = 200) -> str:
    return panel.get(f"/admin/tasks/{task}", status=status)


def row_of(page: str, span: str) -> list[str]:
    """The figures of a span of time."""
    part = page[page.index(f'<th scope="row">{span}</th>') :]
    return re.findall(r"<td>(.*?)</td>", part[: part.index("</tr>")])


def add_timed(*seconds: float, **values) -> None:
    at = utc_now() - timedelta(hours=1)
    for took in seconds:
        add_run(HOURLY, started_at=at, finished_at=at + timedelta(seconds=took), **values)


def test_every_task_has_a_page_and_the_schedule_leads_there(panel):
    names = [name for queue in QUEUES for name in queue.task_names()]
    for name in (*names, "sync_day"):
        assert row_of(page_of(panel, name), "24 hours") == ["0", "0", "0", "-", "-"]
    schedule = panel.get("/admin/schedule/")
    for name in huey.periodic_tasks:
        assert f'<a href="/admin/tasks/{name}">{name}</a>' in schedule
    assert 'href="/admin/tasks/sync_day"' in panel.get("/admin/runs/?task=sync_day")
    assert f'href="/admin/tasks/{HOURLY}"' in panel.get(f"/admin/runs/details/?id={add_run()}")
    assert panel.get("/admin/tasks/") == panel.get("/admin/schedule/")


@pytest.mark.parametrize("name", ["nothing", "%3Cb%3E"])
def test_unknown_task_is_not_found(panel, name):
    assert "There is no such task" in page_of(panel, name, status=404)


def test_figures_are_of_the_tasks_runs_in_each_span(panel):
    add_timed(*range(1, 21))  # p50 is the 10th, p95 the 19th
    add_failure(task=HOURLY, retries_left=0)
    add_timed(400, retries_left=1, ago=timedelta(days=3))
    add_timed(9000, ago=timedelta(days=40))
    add_run("sync_all_teams", started_at=utc_now(), finished_at=utc_now() + timedelta(hours=9))
    page = page_of(panel, HOURLY)
    retries = huey.task_class(HOURLY).default_retries
    per_run = retries * 20 + retries  # rows without their own number have used all
    assert row_of(page, "24 hours") == ["21", "1", f"{per_run}", "10 s", "19 s"]
    assert row_of(page, "7 days") == ["22", "1", f"{per_run + retries - 1}", "11 s", "20 s"]
    assert row_of(page, "30 days") == row_of(page, "7 days")


def test_retries_are_what_was_used_of_a_tasks(panel):
    since = utc_now() - timedelta(days=1)
    for left in (3, 1, 0, 5):
        add_run(HOURLY, retries_left=left)
    add_run(HOURLY, retries_left=0, queue="")  # a shell's has none
    assert task_stats(db.session, HOURLY, 3, since).retries == 5
    assert task_stats(db.session, "other", 3, since) == TaskStats(0, 0, 0, None, None)


def test_next_slot_in_words_and_in_the_viewers_zone(panel):
    add_consumer(role="scheduler")
    panel.client.set_cookie("zone", "Asia/Tokyo")
    page = page_of(panel, HOURLY)
    assert re.search(r"<dt>Next</dt><dd>in \d+ (s|min \d+ s), <time[^>]*>[^<]* JST <small>", page)
    assert "on demand" in page_of(panel, BACKFILL)
    assert "<dt>Next</dt>" not in page_of(panel, BACKFILL)
    panel.message_after("/admin/schedule/pause", task=HOURLY, sure="yes")
    page = page_of(panel, HOURLY)
    assert "<dt>Next</dt><dd>when resumed, <time" in page
    assert re.search(r"<dt>Paused</dt><dd>paused since <time.*?</time> by maria</dd>", page)
    assert "Run now" in page


def test_chart_has_the_runs_of_the_task_alone(panel):
    add_timed(5, 5)
    add_failure(task=HOURLY)
    add_run("sync_all_teams")
    assert "3 runs ended in the last 24 hours, 1 of them failed." in page_of(panel, HOURLY)


def test_page_takes_a_bounded_number_of_queries(panel):
    counts = []
    for _ in range(2):
        add_timed(1)
        with counted() as statements:
            page_of(panel, HOURLY)
        counts.append(len(statements))
        add_timed(*range(60))
    assert counts[0] == counts[1] <= 23


@pytest.mark.only_sqlite("its own plan is read")
def test_figures_are_counted_on_the_index_of_the_task(app):
    with counted() as statements:
        add_timed(1)
        task_stats(db.session, HOURLY, 3, utc_now() - timedelta(days=1))
    texts = [text for text in statements.texts if text.startswith("SELECT")]
    assert len(texts) == 2
    with db.engine.connect() as connection:
        for text in texts:
            marks = ("",) * text.count("?")
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", marks).all()
            assert "ix_task_runs_task_queued_at (task=? AND queued_at>?)" in plan[0].detail
