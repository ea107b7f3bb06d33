"""``flask tasks``: looking into runs and acting on them, with the broker and without."""

from __future__ import annotations

import json
import threading
import time
from datetime import timedelta

import pytest
from sqlalchemy import select

from sportsapp.commands.shell import user_name
from sportsapp.core.clock import iso_utc, utc_now
from sportsapp.core.errors import RunNotFoundError
from sportsapp.db.engine import db, write_connection
from sportsapp.db.models import Activity, RunState, ScheduleRow, TaskRun
from sportsapp.queue.huey import QUEUES, backfill_huey, huey
from sportsapp.runs.local import record_local_run
from sportsapp.tasks import run_of, sync_all_leagues, sync_all_live_games, sync_date_range_task
from tests.panel import add_failure, add_run, change, row

TICK = "sync_all_live_games"
UNKNOWN = "no task run has the id 'nothing'\n"
BACKFILL = ("NBA", "2026-01-01", "2026-03-31")


def started(run_id: str) -> str:
    began = utc_now() - timedelta(seconds=90)
    values = {"started_at": began, "heartbeat_at": began + timedelta(seconds=85)}
    change(run_id, state=RunState.STARTED, attempt=1, host="here", pid=7, **values)
    return run_id


@pytest.fixture
def tasks(runner):
    """Call ``flask tasks``; with ``--json`` the answer is decoded."""

    def call(*words: str, **options: object):
        db.session.rollback()
        return runner.invoke(args=["tasks", *words], **options)

    return call


def said(done) -> dict:
    return json.loads(done.stdout)


# ---------------------------------------------------------------- reading


def test_active_shows_what_runs_where_and_how_far(offline, tasks):
    run_id = started(sync_date_range_task(*BACKFILL).id)
    change(run_id, progress_done=1, progress_total=3)
    sync_all_live_games()
    (run,) = said(tasks("active", "--json"))["active"]
    assert (run["id"], run["host"], run["pid"]) == (run_id, "here", 7)
    assert run["progress"] == {"done": 1, "total": 3}
    assert 90 <= run["elapsed_seconds"] < 95
    assert 5 <= run["silent_seconds"] < 10
    line = tasks("active").output
    assert all(part in line for part in ("NBA 2026-01-01", "1 of 3", "process 7", run_id))


def test_nothing_active_is_said_in_words(app, tasks):
    assert tasks("active").output == "Nothing runs now.\n"
    assert said(tasks("active", "--json")) == {"active": []}


def test_registered_lists_every_task_with_its_schedule(app, tasks):
    rows = {row["task"]: row for row in said(tasks("registered", "--json"))["registered"]}
    assert rows["sync_all_live_games"]["schedule"] == "every 60 s"
    assert rows["sync_date_range_task"]["schedule"] is None
    assert rows["sync_date_range_task"]["queue"] == "sportsapp-backfill"
    assert rows["sync_all_teams"]["time_limit"] == 3600
    assert "sync_all_leagues  daily at 03:00 UTC" in tasks("registered").output


def test_scheduled_lists_next_slots_pauses_and_what_waits_for_its_time(offline, tasks):
    tasks("pause", "sync_all_teams")
    later = utc_now() + timedelta(minutes=3)
    run_id = sync_all_live_games().id
    change(run_id, state=RunState.RETRY, due_at=later)
    rows = said(tasks("scheduled", "--json"))["scheduled"]
    assert [row["due_at"] for row in rows] == sorted(row["due_at"] for row in rows)
    by_task = {row["task"]: row for row in rows if row["id"] is None}
    assert set(by_task) == set(huey.periodic_tasks)
    assert by_task["sync_all_teams"]["paused"]
    assert by_task["sync_all_teams"]["due_at"].endswith("T04:00:00Z")
    (waiting,) = [row for row in rows if row["id"]]
    assert (waiting["id"], waiting["state"]) == (run_id, "RETRY")
    assert waiting["due_at"] == iso_utc(later)
    assert "sync_all_teams  Mondays at 04:00 UTC  paused" in tasks("scheduled").output


def test_scheduled_says_when_no_scheduler_is_running(offline, tasks):
    none = "no scheduler is running: nothing starts on schedule"
    assert tasks("scheduled").output.splitlines()[-1] == none
    assert said(tasks("scheduled", "--json"))["has_scheduler"] is False
    huey.tracker.beat("sportsapp", "scheduler")
    assert none not in tasks("scheduled").output
    assert said(tasks("scheduled", "--json"))["has_scheduler"] is True


def test_stats_count_queues_consumers_and_the_last_day(offline, tasks):
    huey.tracker.beat("sportsapp", "worker")
    for _ in range(2):
        sync_all_live_games()
    sync_date_range_task(*BACKFILL)
    huey.execute(huey.dequeue())
    old = sync_all_leagues().id
    change(old, state=RunState.FAILURE, finished_at=utc_now() - timedelta(hours=25))
    document = said(tasks("stats", "--json"))
    first, second, third = document["queues"]
    assert (first["name"], first["waiting"], first["workers"]) == ("sportsapp", 1, 1)
    assert (second["waiting"], second["messages"], second["workers"]) == (1, 1, 0)
    assert (third["name"], third["waiting"]) == ("sportsapp-notify", 0)
    assert first["oldest_wait_seconds"] < 5
    assert document["consumers"][0]["role"] == "worker"
    assert document["last_24_hours"] == {"sync_all_live_games": {"SUCCESS": 1}}
    assert document["dead_letters"] == 0
    assert "queue sportsapp: 1 waiting" in tasks("stats").output


def test_show_has_everything_with_the_traceback(offline, tasks, feed):
    feed.fail("nba", 400)
    run_id = sync_date_range_task("NBA", "2026-01-01", "2026-01-01").id
    backfill_huey.execute(backfill_huey.dequeue())
    run = said(tasks("show", run_id, "--json"))
    assert (run["state"], run["queue"], run["attempt"]) == ("FAILURE", "sportsapp-backfill", 1)
    assert "FeedRefusedError" in run["traceback"]
    text = tasks("show", run_id).output
    assert "error         the feed refused us with 400" in text
    assert "Traceback (most recent call last)" in text


def test_show_lists_the_attempts_before_the_last(offline, tasks, feed):
    feed.fail("nba", 500)
    run_id = sync_date_range_task("NBA", "2026-01-01", "2026-01-01").id
    backfill_huey.execute(backfill_huey.dequeue())
    (attempt,) = said(tasks("show", run_id, "--json"))["earlier"]
    assert (attempt["attempt"], attempt["end"]) == (1, "failed")
    assert f"attempt 1     {attempt['started_at']}  failed" in tasks("show", run_id).output


# ---------------------------------------------------------------- acting


def test_retry_queues_the_same_again(offline, tasks):
    first = sync_date_range_task(*BACKFILL).id
    change(first, state=RunState.FAILURE)
    again = said(tasks("retry", first, "--json"))
    assert again["retry_of"] == first
    run = row(again["task_id"])
    assert (run.args, run.state, run.trigger) == (row(first).args, "PENDING", "command")
    assert run.asked_by != ""


@pytest.mark.parametrize("state", [RunState.PENDING, RunState.STARTED, RunState.RETRY])
def test_run_that_has_not_ended_is_not_retried(offline, tasks, state):
    run_id = sync_all_live_games().id
    change(run_id, state=state)
    done = tasks("retry", run_id)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "has not ended yet" in done.stderr
    assert huey.pending_count() == 1


def test_retry_of_what_only_a_shell_can_do_is_misuse(app, tasks):
    with record_local_run("sync_today", {}) as outcome:
        pass
    done = tasks("retry", outcome.run_id)
    assert done.exit_code == 2
    assert done.stderr.startswith("unknown task 'sync_today': known are")


def test_cancelled_run_never_begins(offline, tasks, feed):
    run_id = sync_all_live_games().id
    done = said(tasks("cancel", run_id, "--json"))
    assert done == {"id": run_id, "state": "REVOKED", "outcome": "cancelled before it began"}
    huey.execute(huey.dequeue())
    assert feed.requests == []


def test_running_run_is_asked_to_stop_and_ended_one_cannot_be(offline, tasks):
    running = started(sync_date_range_task(*BACKFILL).id)
    assert "after its current chunk" in tasks("cancel", running).output
    assert row(running).cancel_asked
    ended = sync_all_live_games().id
    change(ended, state=RunState.SUCCESS)
    done = tasks("cancel", ended)
    assert (done.exit_code, "has ended already (SUCCESS)" in done.output) == (1, True)


def test_pause_and_resume_by_name(offline, tasks):
    name = "sync_all_leagues"
    assert said(tasks("pause", name, "--json")) == {"task": name, "paused": True}
    db.session.rollback()
    schedule = db.session.get_one(ScheduleRow, name)
    assert (schedule.paused, schedule.paused_by) == (True, user_name())
    at = iso_utc(schedule.paused_at)
    by = f" by {user_name()}" if user_name() else ""
    assert f"task {name}: paused since {at}{by}" in tasks("stats").output.splitlines()
    paused = {"task": name, "paused_at": at, "paused_by": user_name()}
    assert said(tasks("stats", "--json"))["paused_tasks"] == [paused]
    assert tasks("resume", name).output == f"{name} is resumed\n"
    db.session.rollback()
    assert not db.session.get(ScheduleRow, name).paused
    assert said(tasks("stats", "--json"))["paused_tasks"] == []


def test_purge_drops_what_waits_and_nothing_else(offline, tasks, feed):
    waiting = [sync_all_live_games().id, sync_date_range_task(*BACKFILL).id]
    retrying = sync_all_leagues().id
    change(retrying, state=RunState.RETRY, due_at=utc_now() + timedelta(minutes=5))
    huey.add_schedule(sync_all_leagues.s(delay=300))
    running = started(sync_date_range_task("NFL", "2026-01-01", "2026-01-01").id)
    assert said(tasks("purge", "--yes", "--json")) == {"purged": 3}
    assert {row(one).state for one in (*waiting, retrying)} == {RunState.REVOKED}
    assert row(running).state == RunState.STARTED
    for queue in QUEUES:
        assert (queue.pending_count(), queue.scheduled_count()) == (0, 0)


def test_message_that_was_taken_before_the_purge_does_nothing(offline, tasks, feed):
    sync_all_live_games()
    taken = huey.dequeue()
    tasks("purge", "--yes")
    huey.execute(taken)
    assert feed.requests == []


def test_purge_asks_first(offline, tasks):
    run_id = sync_all_live_games().id
    done = tasks("purge", input="n\n")
    assert (done.exit_code, row(run_id).state) == (1, RunState.PENDING)
    assert "(1 run)" in done.stderr
    assert tasks("purge").exit_code == 1  # nobody there to answer
    assert row(run_id).state == RunState.PENDING
    assert tasks("purge", input="y\n").output.endswith("1 run dropped\n")


# ---------------------------------------------------------------- waiting


def test_the_beginning_of_an_id_is_enough_where_no_other_begins_so(offline, tasks):
    for end in ("aaaa", "aabb", "bbbb"):
        add_run(id=f"12345678-{end}")
    for beginning in ("12345678-b", "12345678-aaa", "12345678-aabb"):
        for command in ("show", "wait"):
            run_id = said(tasks(command, beginning, "--json"))["id"]
            assert run_id.startswith(beginning)
    several = (
        "several task runs have ids that begin with '12345678-a': 12345678-aaaa, 12345678-aabb\n"
    )
    for command in ("show", "wait", "retry", "cancel"):
        done = tasks(command, "12345678-a")
        assert (done.exit_code, done.stderr) == (2, several)
        assert tasks(command, "").exit_code == 2
    answer = said(tasks("retry", "12345678-b", "--json"))
    assert answer["retry_of"] == "12345678-bbbb"
    done = said(tasks("cancel", answer["task_id"][:8], "--json"))
    assert (done["id"], done["state"]) == (answer["task_id"], "REVOKED")
    db.session.rollback()
    recorded = db.session.scalars(select(Activity.subject).order_by(Activity.id)).all()
    assert recorded == ["12345678-bbbb", answer["task_id"]]


def test_an_id_that_others_begin_with_is_found(offline, tasks):
    for run_id in ("12345678", "12345678-a", "1234%678"):
        add_run(id=run_id)
        assert said(tasks("show", run_id, "--json"))["id"] == run_id
    assert tasks("show", "1234_").exit_code == 2


def test_wait_tells_the_outcome_by_its_status(immediate, tasks, feed):
    good = sync_all_live_games().id
    done = tasks("wait", good)
    assert (done.exit_code, done.stdout[:29]) == (0, "SUCCESS sync_all_live_games {")
    assert '"synced": 0' in done.stdout
    feed.fail("nba", 400)
    bad = sync_date_range_task("NBA", "2026-01-01", "2026-01-01").id
    done = tasks("wait", bad, "--json")
    assert (done.exit_code, said(done)["state"]) == (1, "FAILURE")


def test_wait_shows_progress_while_the_run_goes_on(app, offline, tasks):
    run_id = started(sync_date_range_task(*BACKFILL).id)

    def work() -> None:
        with app.app_context():
            for done in (1, 2):
                time.sleep(0.5)
                change(run_id, progress_done=done, progress_total=2)
            time.sleep(0.5)
            change(run_id, state=RunState.SUCCESS, result={"synced": 4, "errors": []})

    worker = threading.Thread(target=work)
    worker.start()
    done = tasks("wait", run_id, "--timeout", "20")
    worker.join()
    assert done.exit_code == 0
    assert done.stderr.splitlines() == [
        "sync_date_range_task: STARTED",
        "sync_date_range_task: 1 of 2 done",
        "sync_date_range_task: 2 of 2 done",
        "sync_date_range_task: SUCCESS",
    ]


def test_wait_gives_up_when_it_was_told_to(offline, tasks):
    run_id = sync_all_live_games().id
    began = time.monotonic()
    done = tasks("wait", run_id, "--timeout", "0.5")
    assert time.monotonic() - began < 5
    assert done.exit_code == 1
    assert "has not ended after 0.5 s (PENDING)" in done.stderr


# ---------------------------------------------------------------- unknown, and without a broker


@pytest.mark.parametrize("command", ["show", "retry", "cancel", "wait"])
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_unknown_id_is_one_line_and_misuse(app, tasks, command, form):
    done = tasks(command, "nothing", *form)
    assert (done.exit_code, done.stdout, done.stderr) == (2, "", UNKNOWN)


@pytest.mark.parametrize("command", ["pause", "resume"])
@pytest.mark.parametrize("name", ["sync_moon", "sync_date_range_task"])
def test_unknown_name_is_one_line_and_misuse(app, tasks, command, name):
    done = tasks(command, name)
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "known are sync_all_live_games" in done.stderr


def test_ledger_answers_while_the_broker_is_away(app, tasks):
    with record_local_run("sync_today", {}) as outcome:
        pass
    for words in (["active"], ["runs"], ["show", outcome.run_id]):
        assert tasks(*words).exit_code == 0


@pytest.mark.parametrize("words", [["scheduled"], ["stats"], ["purge", "--yes"], ["retry"]])
def test_what_needs_the_broker_says_in_one_line_that_it_is_away(app, tasks, words):
    with pytest.raises(Exception, match="broker"):
        sync_all_live_games()
    run = db.session.query(TaskRun).one()
    done = tasks(*words, *([run.id] if words == ["retry"] else []))
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "the broker cannot be reached" in done.stderr


def test_purge_without_a_broker_drops_nothing(app, offline, tasks, monkeypatch):
    run_id = sync_all_live_games().id
    monkeypatch.undo()
    assert tasks("purge", "--yes").exit_code == 1
    assert row(run_id).state == RunState.PENDING


def test_database_without_tables_is_one_line(app, tasks):
    with write_connection() as connection:
        connection.exec_driver_sql("DROP TABLE task_runs")
    done = tasks("runs")
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert "flask db upgrade" in done.stderr


# ---------------------------------------------------------------- from Python


def test_run_of_a_handle_or_an_id_is_the_ledgers_word(offline, feed):
    result = sync_date_range_task(*BACKFILL)
    waiting = run_of(result)
    assert (waiting.state, waiting.ready, waiting.failed) == ("PENDING", False, False)
    backfill_huey.execute(backfill_huey.dequeue())
    done = run_of(result.id)
    assert (done.state, done.ready, done.failed) == ("SUCCESS", True, False)
    assert done.result == {"synced": 0, "errors": []}
    assert done.progress == (3, 3)
    assert done.progress.total == 3


@pytest.mark.parametrize(
    ("state", "ready", "failed"),
    [
        ("PENDING", False, False),
        ("STARTED", False, False),
        ("RETRY", False, False),
        ("SUCCESS", True, False),
        ("FAILURE", True, True),
        ("TIMEOUT", True, True),
        ("REVOKED", True, False),
        ("EXPIRED", True, False),
        ("SKIPPED", True, False),
    ],
)
def test_every_state_is_ready_or_not_and_failed_or_not(offline, state, ready, failed):
    run_id = sync_all_live_games().id
    change(run_id, state=state)
    assert (run_of(run_id).ready, run_of(run_id).failed) == (ready, failed)


def test_run_of_nothing_is_said(app):
    with pytest.raises(RunNotFoundError):
        run_of("nothing")


# ---------------------------------------------------------------- skipped, resolved, dismissed


def test_wait_for_a_skipped_run_ends_with_1_and_its_reason(offline, tasks):
    run_id = add_run(TICK, RunState.SKIPPED, error="NBA: not polled before 17:15:00 UTC")
    done = tasks("wait", run_id)
    assert done.exit_code == 1
    assert f"SKIPPED {TICK} NBA: not polled before 17:15:00 UTC" in done.output
    assert said(tasks("wait", run_id, "--json"))["state"] == "SKIPPED"


def test_dismiss_keeps_the_word_and_the_user(app, tasks):
    run_id = add_failure(task=TICK)
    done = tasks("dismiss", run_id, "maintenance")
    assert (done.exit_code, done.output) == (0, f"{TICK} {run_id} is dismissed: maintenance\n")
    run = said(tasks("show", run_id, "--json"))
    assert (run["dismissed_by"], run["dismissed_word"]) == (user_name(), "maintenance")
    assert run["dismissed_at"]
    other = add_failure(task=TICK)
    document = {"id": other, "dismissed_by": user_name(), "word": "planned"}
    assert said(tasks("dismiss", other, "planned", "--json")) == document


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nothing", "planned"], UNKNOWN),
        (["ID", ""], "a dismissal needs a word that says why: 1 to 100 letters\n"),
        (["DONE", "planned"], "run DONE cannot be dismissed: it has not failed (SUCCESS)\n"),
    ],
)
def test_dismissing_what_cannot_be_is_misuse(app, tasks, words, says):
    add_failure(id="ID")
    add_run(id="DONE")
    done = tasks("dismiss", *words)
    assert (done.exit_code, done.stderr) == (2, says)


def test_runs_are_listed_by_what_became_of_them(app, tasks):
    bad, over = add_failure(), add_failure(resolved_at=utc_now())
    known = add_failure(dismissed_at=utc_now(), dismissed_word="planned")
    partly = add_run(error_count=2, result={"synced": 1, "errors": ["a", "b"]})
    skipped = add_run(state=RunState.SKIPPED, error="NBA: not polled")
    add_run()

    def listed(*options: str) -> list[str]:
        return [run["id"] for run in said(tasks("runs", "--json", *options))["runs"]]

    assert listed("--outstanding") == [bad]
    assert listed("--errors") == [partly]
    assert listed("--errors", "--outstanding") == []
    assert listed("--state", "skipped") == [skipped]
    assert set(listed("--state", "failure")) == {bad, over, known}
    lines = {line.split()[-1]: line for line in tasks("runs").output.splitlines()}
    assert "FAILURE  (resolved)" in lines[over]
    assert "FAILURE  (dismissed: planned)" in lines[known]
    assert "SUCCESS  (2 errors)" in lines[partly]
    assert "(" not in lines[bad].partition("(schedule")[0]


def test_json_of_a_run_has_the_fields_that_it_had(app, tasks):
    add_failure(resolved_at=utc_now())
    (run,) = said(tasks("runs", "--json"))["runs"]
    assert set(run) == {
        *("id", "task", "state", "trigger", "args", "progress", "result", "error", "attempt"),
        *("recoveries", "queued_at", "started_at", "finished_at"),
    }
