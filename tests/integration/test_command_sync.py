"""``flask sync``: what it prints, what it writes, how it exits."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import func, select, update

from sportsapp.db.engine import db
from sportsapp.db.models import Game, RunState, TaskRun, Trigger
from sportsapp.queue.huey import backfill_huey, huey
from sportsapp.runs.progress import RunCancelled
from sportsapp.tasks.actions import run_now
from tests.integration.events import board, event


@pytest.fixture
def sync(runner):
    """Run ``flask sync ...``."""
    return lambda *words: runner.invoke(args=["sync", *words])


def count(model: type) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def runs() -> list[TaskRun]:
    db.session.rollback()
    return list(db.session.scalars(select(TaskRun)))


def test_bare_sync_brings_today_up_to_date_in_every_league(sync, feed):
    feed.say("nfl", board(event()))
    done = sync()
    assert (done.exit_code, done.stdout) == (0, "1 synced\n")
    assert len(feed.asked()) == 4
    assert count(Game) == 1


@pytest.mark.parametrize("queue", [(), ("--queue",)])
def test_day_that_a_person_asks_for_is_stored_again_although_its_answer_is_the_same(
    sync, feed, offline, queue
):
    feed.say("nba", board(event(home=90)))
    assert sync("day", "NBA", "2026-01-15").exit_code == 0
    db.session.execute(update(Game).values(home_score=88))
    db.session.commit()
    done = sync("day", "NBA", "2026-01-15", *queue)
    if queue:
        backfill_huey.execute(backfill_huey.dequeue())
    db.session.rollback()
    assert (done.exit_code, db.session.scalar(select(Game.home_score))) == (0, 90)


@pytest.mark.parametrize(("trigger", "score"), [(Trigger.ADMIN, 90), (Trigger.SCHEDULE, 88)])
def test_only_a_scheduled_run_takes_an_equal_digest_for_granted(
    sync, feed, offline, trigger, score
):
    feed.say("nba", board(event(home=90)))
    assert sync("schedule").exit_code == 0
    db.session.execute(update(Game).values(home_score=88))
    db.session.commit()
    run_now("sync_daily_schedule", trigger, "maria")
    huey.execute(huey.dequeue())
    db.session.rollback()
    assert db.session.scalar(select(Game.home_score)) == score


def test_json_is_the_only_thing_on_standard_output(sync, feed):
    feed.say("nba", board(event()))
    done = sync("range", "NBA", "2026-01-01", "2026-01-31", "--json")
    assert json.loads(done.stdout) == {"synced": 1, "errors": []}
    assert "1 of 1 done" in done.stderr


def test_sync_that_is_cancelled_prints_what_it_has_and_is_status_one(sync, feed, monkeypatch):
    def cancelled(*_: object) -> None:
        raise RunCancelled({"synced": 3, "errors": []})

    monkeypatch.setattr("sportsapp.commands.sync.report_progress", cancelled)
    done = sync("range", "NBA", "2026-01-01", "2026-03-31")
    assert (done.exit_code, done.stdout) == (1, "3 synced\n")
    assert "the run was cancelled\n" in done.stderr
    assert [run.state for run in runs()] == [RunState.REVOKED]


@pytest.mark.parametrize(
    ("words", "task"),
    [
        (["leagues"], "sync_all_leagues"),
        (["schedule"], "sync_daily_schedule"),
        (["live"], "sync_all_live_games"),
        (["day", "nba", "2026-01-15"], "sync_day"),
        (["range", "nba", "2026-01-15", "2026-01-16"], "sync_date_range_task"),
        ([], "sync_today"),
    ],
)
def test_every_sync_from_a_shell_is_in_the_ledger(sync, feed, words, task):
    for slug in ("nfl", "nba", "mlb", "nhl"):
        feed.say(slug, {"children": []}, kind="standings")
    done = sync(*words)
    assert done.exit_code == 0, done.stderr
    (run,) = runs()
    assert (run.task, run.state, run.trigger) == (task, RunState.SUCCESS, Trigger.COMMAND)
    assert run.asked_by


def test_errors_go_to_standard_error_and_make_the_status_one(sync, feed):
    feed.fail("nhl", 403)
    done = sync("schedule", "--json")
    assert done.exit_code == 1
    assert "NHL" in done.stderr
    assert "403" in done.stderr
    assert len(json.loads(done.stdout)["errors"]) == 3


def test_total_failure_is_status_one_and_a_failed_run(sync, feed):
    feed.fail("nba", 403)
    done = sync("day", "NBA", "2026-01-15", "--json")
    (error,) = json.loads(done.stdout)["errors"]
    assert (done.exit_code, json.loads(done.stdout)["synced"]) == (1, 0)
    assert "refused us with 403" in error
    assert error in done.stderr
    assert runs()[0].state == RunState.FAILURE


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["day", "XFL", "2026-01-15"], "known are NFL, NBA, MLB, NHL"),
        (["day", "NBA", "15.01.2026"], "YYYY-MM-DD"),
        (["day", "NBA", "2026-02-30"], "not a day"),
        (["day", "NBA", "20260115"], "not a day"),
        (["day", "NBA", "1899-12-31"], "too early"),
        (["day", "NBA", "2999-01-01"], "too far ahead"),
        (["range", "NBA", "2026-01-02", "2026-01-01"], "comes after the end"),
        (["range", "XFL", "2026-01-02", "2026-01-03", "--queue"], "known are"),
        (["--json", "day", "NBA", "2026-01-15"], "options last"),
    ],
)
def test_misuse_is_one_line_and_status_two_and_touches_nothing(sync, feed, words, said):
    done = sync(*words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert feed.requests == []
    assert runs() == []


def test_missing_argument_is_status_two(sync):
    assert sync("day", "NBA").exit_code == 2


@pytest.mark.parametrize(
    ("words", "queue", "task"),
    [
        (["--queue"], huey, "sync_daily_schedule"),
        (["live", "--queue"], huey, "sync_all_live_games"),
        (["leagues", "--queue"], huey, "sync_all_leagues"),
        (["teams", "--queue"], huey, "sync_all_teams"),
        (["all", "--queue"], huey, "sync_all_leagues"),
        (["day", "NBA", "2026-01-15", "--queue"], backfill_huey, "sync_date_range_task"),
        (
            ["range", "NBA", "2026-01-15", "2026-01-16", "--queue"],
            backfill_huey,
            "sync_date_range_task",
        ),
    ],
)
def test_queue_hands_over_and_prints_the_id(sync, monkeypatch, feed, words, queue, task):
    monkeypatch.setattr(queue, "storage", queue.get_immediate_storage())
    done = sync(*words)
    (waiting,) = queue.pending()
    assert (done.exit_code, done.stdout.strip(), waiting.name) == (0, waiting.id, task)
    assert feed.requests == []
    (run,) = [run for run in runs() if run.due_at]  # later links of a chain are not due yet
    assert (run.id, run.state) == (waiting.id, RunState.PENDING)


def test_queue_with_json_prints_the_id_as_json(sync, monkeypatch):
    monkeypatch.setattr(huey, "storage", huey.get_immediate_storage())
    done = sync("live", "--queue", "--json")
    assert json.loads(done.stdout) == {"task_id": huey.pending()[0].id}


def test_queue_without_a_broker_says_so(sync):
    done = sync("live", "--queue")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "the broker cannot be reached" in done.stderr
    assert "flask up" in done.stderr


def test_all_runs_leagues_teams_and_schedule(sync, feed):
    done = sync("all", "--json")
    said = json.loads(done.stdout)
    assert said["leagues"]["created"] == 4
    assert "404" in said["teams"]["errors"][0]  # this feed has no lists of teams
    assert said["schedule"]["synced"] == 0
    assert done.exit_code == 1


def test_database_without_tables_is_said_in_one_line(sync):
    with db.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE task_runs")
    done = sync("live")
    assert done.exit_code == 1
    assert "flask db upgrade" in done.stderr
