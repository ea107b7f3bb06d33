"""Task runs: list, search, filters, details, run again, cancel, export."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest
from flask import url_for
from sqlalchemy import insert

from sportsapp.admin import formatting
from sportsapp.core.clock import utc_now
from sportsapp.db.engine import db, write_connection
from sportsapp.db.models import RunState, TaskRun, Trigger
from sportsapp.queue.huey import backfill_huey, huey
from tests.panel import add_failure, add_run, counted, row, runs_of

pytestmark = pytest.mark.slow

LIST = "/admin/runs/"
BACKFILL = "sync_date_range_task"
JANUARY = {"league": "NBA", "start_date": "2026-01-01", "end_date": "2026-01-31"}


def details(run_id: str) -> str:
    return f"/admin/runs/details/?id={run_id}"


def shown(page: str, **ids: str) -> set[str]:
    """The names of those runs that a list shows."""
    return {name for name, run_id in ids.items() if f"id={run_id}" in page}


@pytest.fixture
def four(panel):
    """Four runs that differ in everything."""
    return {
        "live": add_run("sync_all_live_games"),
        "bad": add_failure(task="sync_all_teams", trigger=Trigger.COMMAND),
        "nba": add_run(BACKFILL, args=JANUARY, trigger=Trigger.ADMIN, asked_by="maria"),
        "old": add_run("sync_daily_schedule", ago=timedelta(days=3), error="odd % of 5_0"),
    }


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", {"live", "bad", "nba", "old"}),
        ("task=sync_all_teams", {"bad"}),
        ("state=FAILURE", {"bad"}),
        ("state=failed", {"bad"}),
        ("state=open", set()),
        ("trigger=admin", {"nba"}),
        ("league=nba", {"nba"}),
        ("league=nfl", set()),
        ("search=2026-01-31", {"nba"}),
        ("search=it+BROKE", {"bad"}),
        ("search=%25+of", {"old"}),
        ("search=5_0", {"old"}),
        ("search=5x0", set()),
        ("search=%25%25", set()),
        ("task=sync_all_teams&search=nothing", set()),
        ("trigger=admin&league=nba&state=SUCCESS&search=NBA", {"nba"}),
    ],
)
def test_filters_and_search(panel, four, query, names):
    assert shown(panel.get(f"{LIST}?{query}"), **four) == names


@pytest.mark.parametrize(
    ("state", "names"),
    [
        ("failed", {"bad", "resolved", "dismissed"}),
        ("outstanding", {"bad"}),
        ("resolved", {"resolved"}),
        ("dismissed", {"dismissed"}),
        ("with+errors", {"partly"}),
        ("SKIPPED", {"skipped"}),
        ("SUCCESS", {"live", "nba", "old", "partly"}),
    ],
)
def test_filters_by_what_became_of_a_run(panel, four, state, names):
    more = {
        "resolved": add_failure(resolved_at=utc_now()),
        "dismissed": add_failure(dismissed_at=utc_now(), dismissed_word="planned"),
        "partly": add_run(error_count=3, result={"synced": 7, "errors": ["a", "b", "c"]}),
        "skipped": add_run(state=RunState.SKIPPED, error="NBA: not polled before 17:15:00 UTC"),
    }
    assert shown(panel.get(f"{LIST}?state={state}"), **four, **more) == names


def test_list_tells_what_became_of_a_run(panel):
    add_failure(resolved_at=utc_now())
    add_failure(dismissed_at=utc_now(), dismissed_word="<planned>")
    add_run(error_count=3)
    add_run(error_count=1)
    add_run(state=RunState.SKIPPED, error="NBA: not polled before 17:15:00 UTC")
    page = panel.get(LIST)
    notes = re.findall(r"<small[^>]*>(resolved|dismissed[^<]*|[^<]* errors?)</small>", page)
    assert notes == ["1 error", "3 errors", "dismissed: &lt;planned&gt;", "resolved"]
    assert "NBA: not polled before 17:15:00 UTC" in page


@pytest.mark.parametrize(
    "junk",
    [
        "state=abc",
        "trigger=abc",
        "league=abc",
        "from=abc",
        "from=2026-99-99T00:00",
        "from=2026-01-01T99:00",
        "to=0001-01-01T00:00&zone=Asia/Tokyo",
        "to=9999-12-31T23:59&zone=America/Denver",
        "from=2026-01-01T00:00&zone=../../etc/passwd",
        "zone=Europe/Berlin",
        "longer=abc",
        "longer=-5",
        "longer=999999 d",
        "longer=9999999",
        "longer=1e9",
        "sort=99",
        "sort=outcome",
        "sort=x&desc=x",
        "page=-5",
        "page=99999999999999999999",
        "page_size=100000",
        "search=" + "x" * 3000,
        "search=%01",
        "endpoint=x",
        "export_type=x",
        "_external=1",
        "_scheme=x",
        "flt0_0=x",
        "flt2_8=abc",
        "task=%27%3B--",
        "values=1",
    ],
)
@pytest.mark.parametrize("path", [LIST, f"{LIST}export/csv/"])
def test_junk_in_the_address_does_no_harm(panel, four, path, junk):
    panel.get(f"{path}?{junk}")


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("sort=queued_at", "old"),
        ("sort=queued_at&desc=1", "new"),
        ("sort=task", "old"),
        ("sort=state", "new"),
        ("sort=took", "old"),
        ("sort=took&desc=1", "new"),
    ],
)
def test_sorting(panel, query, first):
    ids = {
        "old": add_run("a_task", "SUCCESS", ago=timedelta(days=1)),
        "new": add_run("b_task", "FAILURE", finished_at=utc_now()),
    }
    page = panel.get(f"{LIST}?{query}")
    assert min(ids, key=lambda name: page.index(ids[name])) == first
    assert 'aria-sort="' in page


def test_newest_first_without_being_asked(panel):
    old, new = add_run(ago=timedelta(days=1)), add_run()
    page = panel.get(LIST)
    assert page.index(new) < page.index(old)


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("", '" data-local>2026-01-01 23:30:15 UTC</time>'),
        ("UTC", '">2026-01-01 23:30:15 UTC</time>'),
        ("America/Denver", '">2026-01-01 16:30:15 MST <small>23:30:15 UTC</small></time>'),
        ("Asia/Tokyo", '">2026-01-02 08:30:15 JST <small>2026-01-01 23:30:15 UTC</small></time>'),
    ],
)
def test_times_are_in_the_viewers_zone_with_utc_beside_them(panel, zone, shown):
    at = datetime(2026, 1, 1, 23, 30, 15, tzinfo=UTC)
    run_id = add_run(queued_at=at, started_at=at, due_at=at, finished_at=at)
    if zone:
        panel.client.set_cookie("zone", zone)
    for page in (LIST, details(run_id)):
        assert f'<time datetime="2026-01-01T23:30:15Z{shown}' in panel.get(page)


def test_pages_keep_the_filters(panel):
    for _ in range(51):
        add_run()
    page = panel.get(f"{LIST}?task=sync_daily_schedule")
    assert "51 rows, page 1 of 2" in page
    assert 'href="/admin/runs/?page=1&amp;task=sync_daily_schedule"' in page
    assert "page 2 of 2" in panel.get(f"{LIST}?task=sync_daily_schedule&page=1")


def test_list_of_all_runs_counts_them_and_has_pages(panel):
    for n in range(60):
        add_run(ago=timedelta(minutes=n))
    page = panel.get(LIST)
    assert "60 rows" in page
    assert 'href="/admin/runs/?page=1"' in page


def test_details_show_everything(panel):
    run_id = add_failure(task=BACKFILL, args=JANUARY, attempt=3, recoveries=2, asked_by="maria")
    page = panel.get(details(run_id))
    for message in (
        "&#34;league&#34;: &#34;NBA&#34;",
        "it broke",
        "abc123",
        "box, process 7",
        "maria",
        "queued again 2 times",
        "attempt 3 began",
        "FAILURE",
    ):
        assert message in page


def test_timeline_has_every_attempt_in_order(panel):
    earlier = [
        {
            "attempt": n,
            "started_at": f"2026-01-01T0{n}:00:00+00:00",
            "host": "far",
            "pid": n,
            "ended_at": f"2026-01-01T0{n}:30:00+00:00",
            "end": end,
            "error": error,
        }
        for n, end, error in [(1, "failed", "no <answer>"), (2, "lost with its worker", "")]
    ]
    page = panel.get(details(add_failure(attempt=3, earlier=earlier)))
    events = [
        "queued",
        "attempt 1 began on far, process 1",
        "attempt 1 failed: no &lt;answer&gt;",
        "attempt 2 began on far, process 2",
        "attempt 2 lost with its worker",
        "attempt 3 began",
        "FAILURE: failed, will not be tried again",
    ]
    places = [page.find(event) for event in events[1:]]
    assert places == sorted(places)
    assert -1 not in places


def test_traceback_keeps_its_lines(panel):
    page = panel.get(details(add_failure()))
    assert "(most recent call last):\n  File &#34;feed.py&#34;, line 1\nValueError" in page


def test_what_a_run_says_is_text_not_html(panel):
    run_id = add_failure(error="<script>alert(1)</script>", args={"league": "<b>x</b>"})
    for page in (panel.get(details(run_id)), panel.get(LIST), panel.get("/admin/failures/")):
        assert "<script>alert" not in page
        assert "<b>x</b>" not in page
        assert "&lt;script&gt;" in page


def test_result_is_shown(panel):
    run_id = add_run(result={"synced": 12, "errors": ["NFL: no answer"]})
    assert "12 synced, 1 error: NFL: no answer" in panel.get(LIST)
    assert "NFL: no answer" in panel.get(details(run_id))


def test_run_that_is_gone_is_not_found(panel):
    assert "does not exist" in panel.get(details("gone"), status=404)


def test_run_again_queues_the_same_once_more(panel, caplog):
    caplog.set_level(logging.INFO)
    first = add_run(BACKFILL, args=JANUARY)
    message = panel.message_after(f"{LIST}again", id=first)
    new = runs_of(BACKFILL)[-1]
    assert (new.args, new.trigger, new.asked_by) == (JANUARY, Trigger.ADMIN, "maria")
    assert backfill_huey.pending_count() == 1
    assert new.id in message
    assert f"maria: run {first} was queued again as {new.id}" in caplog.text
    for _click in range(3):
        message = panel.message_after(f"{LIST}again", id=first)
        assert "a backfill of the " in message
        assert "already waits" in message
    assert backfill_huey.pending_count() == 1


def test_deleted_run_cannot_be_run_again(panel):
    assert "no task run has the id 'gone'" in panel.message_after(f"{LIST}again", id="gone")


def test_run_again_without_a_broker_is_an_error(app, panel, monkeypatch):
    monkeypatch.undo()
    assert "the broker cannot be reached" in panel.message_after(f"{LIST}again", id=add_run())


def test_cancel_is_confirmed_first(panel):
    run_id = add_run(state=RunState.PENDING)
    page = panel.post(f"{LIST}cancel", id=run_id, back=LIST)
    assert page.status_code == 200
    assert "Cancel this run?" in page.text
    assert row(run_id).state == RunState.PENDING
    for kept in (f'name="id" value="{run_id}"', 'name="sure" value="yes"', f'value="{LIST}"'):
        assert kept in page.text


@pytest.mark.parametrize(
    ("state", "ends_as", "message"),
    [
        (RunState.PENDING, RunState.REVOKED, "cancelled before it began"),
        (RunState.STARTED, RunState.STARTED, "will stop after its current chunk"),
        (RunState.SUCCESS, RunState.SUCCESS, "has ended already"),
    ],
)
def test_cancel(panel, caplog, state, ends_as, message):
    caplog.set_level(logging.INFO)
    run_id = add_run(state=state)
    assert message in panel.message_after(f"{LIST}cancel", id=run_id, sure="yes")
    assert row(run_id).state == ends_as
    assert row(run_id).cancel_asked is (state != RunState.SUCCESS)
    assert f"maria: run {run_id} {message}" in caplog.text


def test_form_leads_back_to_its_page_only_within_the_panel(panel):
    run_id = add_run(state=RunState.PENDING)
    for back, ends_at in (
        (f"{LIST}?state=open", f"{LIST}?state=open"),
        ("https://evil.example/", "/admin/"),
    ):
        answer = panel.post(f"{LIST}cancel", id=run_id, sure="yes", back=back)
        assert answer.headers["Location"] == ends_at


def test_buttons_fit_the_state(panel):
    over, waiting = add_run(), add_run(state=RunState.PENDING)
    assert "Run again" in panel.get(details(over))
    assert "runs/cancel" not in panel.get(details(over))
    assert "runs/cancel" in panel.get(details(waiting))
    assert "Run again" not in panel.get(details(waiting))


# ---------------------------------------------------------------- export


def test_csv_export_has_the_filtered_runs(panel, four):
    answer = panel.open(f"{LIST}export/csv/?league=nba")
    (only,) = csv.DictReader(io.StringIO(answer.text))
    assert json.loads(only["args"]) == JANUARY
    assert (only["id"], only["state"], only["asked_by"]) == (four["nba"], "SUCCESS", "maria")
    assert "attachment" in answer.headers["Content-Disposition"]
    assert answer.mimetype == "text/csv"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "  ="])
def test_csv_export_disarms_formulas(panel, start):
    add_failure(error=f'{start}HYPERLINK("https://evil.example")', asked_by=f"{start}1")
    (only,) = csv.DictReader(io.StringIO(panel.get(f"{LIST}export/csv/"), newline=""))
    assert only["error"].startswith(f"'{start}")
    assert only["asked_by"] == f"'{start}1"
    assert only["attempt"] == "1"


def test_json_export_has_values_as_they_are(panel, four):
    answer = panel.open(f"{LIST}export/json/?trigger=admin")
    (only,) = json.loads(answer.text)
    assert (only["args"], only["attempt"], only["error"]) == (JANUARY, 1, "")
    assert only["queued_at"].endswith("Z")
    assert answer.mimetype == "application/json"


def test_export_of_another_kind_is_refused(panel):
    assert panel.open(f"{LIST}export/xlsx/").status_code == 404


# ---------------------------------------------------------------- cost


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?state=failed",
        "?search=x",
        "?league=nba&from=2026-01-01T00:00",
        "?sort=task&page=3",
        "?longer=1&sort=took",
    ],
)
def test_list_takes_a_bounded_number_of_queries(panel, query):
    panel.get(LIST)
    counts = []
    for _ in range(2):
        with counted() as statements:
            panel.get(f"{LIST}{query}")
        counts.append(len(statements))
        add_many(300)
    assert counts[0] <= counts[1] <= 7


@pytest.mark.long
@pytest.mark.parametrize("kind", ["csv", "json"])
def test_export_has_all_rows_and_memory_holds_some_of_them(panel, kind):
    add_many(9_000)
    panel.open(f"{LIST}export/{kind}/?search=nothing")  # what is loaded once
    tracemalloc.start()
    answer = panel.client.get(f"{LIST}export/{kind}/?sort=took")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert not answer.is_sequence  # a file, which is not in memory
    assert peak < 6_000_000
    text = answer.text
    answer.close()
    assert answer.content_length == len(text.encode()) > 1_000_000
    rows = json.loads(text) if kind == "json" else list(csv.DictReader(io.StringIO(text)))
    assert len({row["id"] for row in rows}) == len(rows) == 9_001


def test_export_is_read_by_few_statements(panel):
    add_many(1_200)
    with counted() as statements:
        panel.open(f"{LIST}export/csv/?task=sync_daily_schedule")
    assert len([text for text in statements.texts if "FROM task_runs" in text]) == 1


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_export_of_nothing_is_whole(panel, kind):
    text = panel.get(f"{LIST}export/{kind}/")
    assert text.startswith("id,task,") if kind == "csv" else json.loads(text) == []


def test_export_that_fails_is_no_short_file(panel, monkeypatch):
    add_many(20)
    shown = iter(["first"])
    monkeypatch.setattr(formatting, "json_value", lambda _value: next(shown))
    panel.client.application.testing = False
    monkeypatch.setitem(panel.client.application.config, "PROPAGATE_EXCEPTIONS", False)
    assert panel.open(f"{LIST}export/csv/").status_code == 500


def add_many(count: int) -> None:
    """Runs that cost little to add."""
    template = row(add_run())
    columns = TaskRun.__table__.columns
    values = {column.name: getattr(template, column.name) for column in columns}
    at = utc_now()
    rows = [
        values | {"id": f"many-{at.timestamp()}-{n}", "queued_at": at - timedelta(minutes=n)}
        for n in range(count)
    ]
    with write_connection() as connection:
        connection.execute(insert(TaskRun), rows)
    db.session.rollback()


@pytest.mark.only_sqlite("its own plan is read")
def test_states_that_wait_are_on_an_index(app):
    statement = "SELECT id FROM task_runs WHERE state = 'FAILURE' ORDER BY queued_at DESC LIMIT 50"
    with db.engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}").all()
    assert "ix_task_runs_state_queued_at" in plan[0].detail
    assert len(plan) == 1, "no sorting on the side"


def test_addresses_are_as_linked(app):
    with app.test_request_context():
        assert url_for("admin_runs.index_view") == LIST
    assert huey.task_names()


# ---------------------------------------------------------------- skipped, resolved, dismissed


def test_page_of_a_skipped_run_has_its_reason(panel):
    page = panel.get(details(add_run(state=RunState.SKIPPED, error="NBA: not polled")))
    assert "SKIPPED</span>" in page
    assert "not done now, for the reason given" in page
    assert '<h2 id="error">Reason</h2>' in page
    assert "<p>NBA: not polled</p>" in page


def test_page_of_a_failure_dismisses_it_after_its_word_is_confirmed(panel):
    run_id = add_failure()
    assert f'action="{LIST}dismiss"' in panel.get(details(run_id))
    question = panel.post(f"{LIST}dismiss", id=run_id, word="planned").text
    assert "Dismiss this failure with the word “planned”?" in question
    assert row(run_id).dismissed_at is None
    message = panel.message_after(f"{LIST}dismiss", id=run_id, word="planned", sure="yes")
    assert f"run {run_id} was dismissed: planned" in message
    page = panel.get(details(run_id))
    assert "dismissed by maria: planned" in page
    assert f'action="{LIST}dismiss"' not in page
    message = panel.message_after(f"{LIST}dismiss", id=run_id, word="again", sure="yes")
    assert "maria has dismissed it: planned" in message


@pytest.mark.parametrize("state", [RunState.SUCCESS, RunState.SKIPPED, RunState.RETRY])
def test_what_has_not_failed_has_no_form_to_dismiss_it(panel, state):
    assert f'action="{LIST}dismiss"' not in panel.get(details(add_run(state=state)))


def test_page_of_a_resolved_failure_says_when(panel):
    page = panel.get(details(add_failure(resolved_at=utc_now())))
    assert "resolved: the task has succeeded with the same arguments" in page
    assert 'href="/admin/failures/?show=all#g-abc123"' in page
    assert f'action="{LIST}dismiss"' not in page
