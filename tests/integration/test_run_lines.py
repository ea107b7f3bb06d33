"""The log lines of a run: kept with it, shown in the panel and by ``flask tasks logs``."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy import event as engine_event
from sqlalchemy.exc import OperationalError
from werkzeug.wrappers import Response

from sportsapp.core.clock import game_day, utc_now
from sportsapp.core.errors import FeedUnavailableError
from sportsapp.core.leagues import BY_SLUG
from sportsapp.db.engine import db
from sportsapp.db.models import RunLine, RunState, Trigger
from sportsapp.queue.huey import huey
from sportsapp.runs import lines
from sportsapp.runs.local import record_local_run
from sportsapp.runs.pruning import prune
from sportsapp.runs.rows import run_origin
from sportsapp.services import services_of
from sportsapp.sync import store
from sportsapp.sync.context import SyncContext
from sportsapp.sync.failing import mark_failed
from sportsapp.sync.table import LIVE, TODAY
from sportsapp.tasks import (
    sync_all_live_games,
    sync_all_teams,
    sync_daily_schedule,
    sync_date_range_task,
)
from tests.integration.events import board, event
from tests.panel import add_lines, add_run, change, row
from tests.parts import replace_services

logger = logging.getLogger("sportsapp.test")


@pytest.fixture(autouse=True)
def level(caplog):
    """Lines from INFO on, as programs log."""
    caplog.set_level(logging.INFO)


@pytest.fixture
def body(monkeypatch, immediate):
    """Runs a function as the body of a task; the run's id. What it raises does not matter."""

    def run(function):
        def sync_live(context, *_):
            function()
            return LIVE.result()

        monkeypatch.setattr("sportsapp.tasks.sync.LIVE", replace(LIVE, run=sync_live))
        return sync_all_live_games().id

    return run


def kept(run_id: str) -> list[RunLine]:
    db.session.rollback()
    mine = select(RunLine).where(RunLine.run_id == run_id)
    return list(db.session.scalars(mine.order_by(RunLine.attempt, RunLine.number)))


def texts(run_id: str) -> list[str]:
    return [line.text for line in kept(run_id)]


@contextmanager
def statements() -> Iterator[list[str]]:
    """The statements that the database gets in the block."""
    seen: list[str] = []

    def note(_connection, _cursor, statement, *_):
        seen.append(statement)

    engine_event.listen(Engine, "before_cursor_execute", note)
    yield seen
    engine_event.remove(Engine, "before_cursor_execute", note)


def test_lines_of_a_run_are_kept_in_order_with_level_and_time(body):
    def log():
        logger.info("%s games read", 16)
        logger.warning("one is odd")

    before = utc_now()
    run_id = body(log)
    first, second = kept(run_id)
    assert [(one.attempt, one.number) for one in (first, second)] == [(1, 1), (1, 2)]
    assert (first.level, first.text) == ("INFO", "16 games read")
    assert (second.level, second.text) == ("WARNING", "one is odd")
    assert before - timedelta(seconds=1) < first.at <= second.at <= utc_now()


def test_run_that_logs_nothing_costs_no_statement(body):
    with statements() as with_lines:
        body(lambda: None)
    assert [one for one in with_lines if "run_lines" in one] == []


def test_lines_of_one_attempt_are_written_with_one_statement(body):
    with statements() as seen:
        body(lambda: [logger.info("line %s", number) for number in range(50)])
    assert len([one for one in seen if "run_lines" in one]) == 1


def test_newest_lines_of_an_attempt_stay(body):
    def log():
        for number in range(1, lines.KEPT + 31):
            logger.info("line %s", number)

    newest = kept(body(log))
    assert len(newest) == lines.KEPT
    assert (newest[0].number, newest[0].text) == (31, "line 31")
    assert newest[-1].text == f"line {lines.KEPT + 30}"


def test_what_was_written_before_is_dropped_as_well(body, monkeypatch):
    monkeypatch.setattr(lines, "EVERY_SECONDS", 0.01)

    def log():
        for number in range(1, lines.KEPT + 31):
            logger.info("line %s", number)
            if number % 100 == 0:
                time.sleep(0.2)

    assert [one.number for one in kept(body(log))] == list(range(31, lines.KEPT + 31))


def test_lines_are_there_while_the_run_is_at_work_a_second_later(body, monkeypatch):
    monkeypatch.setattr(lines, "EVERY_SECONDS", 0.05)
    seen = []

    def log():
        logger.info("the first")
        deadline = time.monotonic() + 5
        while not seen and time.monotonic() < deadline:
            time.sleep(0.01)
            with db.engine.connect() as connection:
                seen.extend(connection.scalars(select(RunLine.text)))
        logger.info("the second")

    run_id = body(log)
    assert seen == ["the first"]
    assert texts(run_id) == ["the first", "the second"]


def test_many_lines_in_a_second_are_written_at_most_twice(body):
    def log():
        for _ in range(10):
            logger.info("a line")
            time.sleep(0.05)

    with statements() as seen:
        body(log)
    assert len([one for one in seen if "run_lines" in one]) <= 2


def test_lines_of_the_feeds_threads_are_the_runs_and_others_are_not(app, immediate, feed):
    feed.fail("nba", 500)
    stranger = threading.Thread(target=lambda: logger.info("of no run"))
    stranger.start()
    stranger.join()
    run_id = sync_all_live_games().id
    assert [one for one in texts(run_id) if one.startswith("NBA: asked again in")]
    assert "of no run" not in texts(run_id)


def test_run_of_a_shell_keeps_its_lines(app):
    with record_local_run("sync_today", {}) as run:
        logger.info("from a shell")
    assert texts(run.run_id) == ["from a shell"]


def test_each_attempt_has_lines_of_its_own(offline, monkeypatch):
    def fail(*_):
        logger.info("it began")
        raise OSError("no luck")

    monkeypatch.setattr("sportsapp.tasks.sync.LIVE", replace(LIVE, run=fail))
    run_id = sync_all_live_games().id
    huey.execute(huey.dequeue())
    (task,) = huey.scheduled()
    task.eta = None  # its time has come
    huey.execute(task)
    numbers = [(line.attempt, line.number, line.text) for line in kept(run_id)]
    assert numbers == [(1, 1, "it began"), (2, 1, "it began")]
    assert row(run_id).state == RunState.RETRY


def test_secrets_and_steering_characters_are_in_no_line(app, body):
    app.config["HIDDEN_VALUES"] = ["very-secret-value"]

    def log():
        logger.info("a\n\x1b[2Jb very-secret-value http://me:word@host/x?token=abc")
        logger.info("long " + "x" * 5_000)

    first, second = texts(body(log))
    assert first == r"a\n\x1b[2Jb (hidden) http://(hidden)@host/x?token=(hidden)"
    assert len(second) == lines.TEXT_LIMIT


def test_error_is_named_without_its_traceback(body):
    def log():
        try:
            raise ValueError("seven")
        except ValueError:
            logger.exception("it broke")

    assert texts(body(log)) == ["it broke ValueError: seven"]


def test_malformed_line_fails_no_run(body, monkeypatch):
    monkeypatch.setattr(logging, "raiseExceptions", False)
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    run_id = body(lambda: logger.info("%s and %s", 1))
    assert row(run_id).state == RunState.SUCCESS


def test_database_that_refuses_loses_the_lines_with_one_line_in_the_log(body, caplog, monkeypatch):
    def refuse(*_):
        raise OperationalError("INSERT", {}, Exception("disk full"))

    monkeypatch.setattr(lines, "write_connection", refuse)
    monkeypatch.setattr(lines, "EVERY_SECONDS", 0.01)

    def log():
        for _ in range(3):
            logger.info("a line")
            time.sleep(0.1)

    run_id = body(log)
    assert row(run_id).state == RunState.SUCCESS
    lost = [one.getMessage() for one in caplog.records if "are lost" in one.getMessage()]
    assert lost == [f"run {run_id}: lines of its log are lost: disk full"]


def test_statements_that_are_logged_end(body, caplog):
    """With SQLAlchemy's own log on, writing lines logs lines."""
    caplog.set_level(logging.DEBUG, "sqlalchemy")
    run_id = body(lambda: logger.info("a line"))
    assert texts(run_id).count("a line") == 1
    assert len(kept(run_id)) < 20


def test_handler_is_gone_after_the_run(body):
    before = list(logging.getLogger().handlers)
    body(lambda: logger.info("a line"))
    assert logging.getLogger().handlers == before


def test_lines_are_pruned_with_their_run(app):
    old, new = add_run(ago=timedelta(days=40)), add_run()
    for run_id in (old, new):
        add_lines(run_id, "a line")
    prune(db.engine, timedelta(days=30), utc_now())
    assert (texts(old), texts(new)) == ([], ["a line"])


# ---------------------------------------------------------------- in the panel


def page_of(run_id: str, part: str = "") -> str:
    return f"/admin/runs/details/{part}?id={run_id}"


def test_page_of_a_run_shows_its_lines_by_attempt(panel):
    run_id = add_run(attempt=2)
    add_lines(run_id, "NBA: asked again in 4 s (503)", "<b>bold</b>", first=31)
    add_lines(run_id, "NFL: 16 games read, 2 changed", attempt=2)
    page = panel.get(page_of(run_id))
    for words in (
        "30 older lines are not here: the newest 2 of this attempt are",
        "NBA: asked again in 4 s (503)",
        "&lt;b&gt;bold&lt;/b&gt;",
        "<h3>Attempt 2</h3>",
        "NFL: 16 games read, 2 changed",
    ):
        assert words in page
    assert "data-refresh" not in page  # it has ended


def test_page_of_an_open_run_refreshes_itself_by_a_fragment(panel):
    run_id = add_run(state=RunState.STARTED, progress_done=3, progress_total=8)
    page = panel.get(page_of(run_id))
    assert f'data-refresh="{page_of(run_id, "live")}"' in page
    assert "Nothing was logged yet." in page
    add_lines(run_id, "NFL: 16 games read, 2 changed")
    fragment = panel.get(page_of(run_id, "live"))
    assert "NFL: 16 games read, 2 changed" in fragment
    assert "3 of 8" in fragment
    assert "<html" not in fragment
    assert f'name="back" value="{page_of(run_id)}"' in fragment  # Cancel leads back to the page
    assert page.count('id="') - fragment.count('id="') == page.partition('id="state"')[0].count(
        'id="'
    )


def test_page_of_many_lines_shows_the_newest(panel):
    run_id = add_run(attempt=4)
    for attempt in (1, 2, 3, 4):
        add_lines(run_id, *(f"line {attempt}-{number}." for number in range(200)), attempt=attempt)
    page = panel.get(page_of(run_id))
    assert page.count("<li data-k") == 500
    assert "line 4-199." in page
    assert "line 2-100." in page
    assert "line 2-99." not in page
    assert f"flask tasks logs {run_id}" in page


def test_fragment_of_a_run_that_is_gone_is_missing(panel):
    panel.get(page_of("nothing", "live"), 404)


# ---------------------------------------------------------------- in a shell


def test_logs_prints_the_lines_of_a_run(runner):
    run_id = add_run()
    add_lines(run_id, "one", "two")
    done = runner.invoke(args=["tasks", "logs", run_id])
    assert done.exit_code == 0
    assert [line.split()[2:] for line in done.stdout.splitlines()] == [
        ["INFO", "one"],
        ["INFO", "two"],
    ]


def test_logs_as_json_has_an_object_a_line(runner):
    run_id = add_run()
    add_lines(run_id, "one", "two")
    done = runner.invoke(args=["tasks", "logs", run_id, "--json"])
    first, second = map(json.loads, done.stdout.splitlines())
    assert list(first) == ["attempt", "number", "at", "level", "text"]
    assert (first["attempt"], second["number"], second["text"]) == (1, 2, "two")
    assert first["at"].endswith("Z")


def test_logs_says_where_lines_are_missing_and_attempts_begin(runner):
    run_id = add_run(attempt=2)
    add_lines(run_id, "one", first=4)
    add_lines(run_id, "two", attempt=2)
    done = runner.invoke(args=["tasks", "logs", run_id])
    assert done.stderr.splitlines() == ["3 older lines of attempt 1 were dropped", "attempt 2:"]


def test_beginning_of_an_id_is_enough_when_it_is_one_runs(runner):
    ids = [add_run(id="abc1"), add_run(id="abd2"), add_run(id="ab")]
    for run_id in ids:
        add_lines(run_id, f"of {run_id}")
    assert "of abd2" in runner.invoke(args=["tasks", "logs", "abd"]).stdout
    assert "of ab\n" in runner.invoke(args=["tasks", "logs", "ab"]).stdout
    for wrong, words in (("a", "several"), ("x", "no task run"), ("a%", "no task run")):
        done = runner.invoke(args=["tasks", "logs", wrong])
        assert (done.exit_code, words in done.stderr) == (2, True)
    assert runner.invoke(args=["tasks", "logs", ""]).exit_code == 2


def test_run_without_lines_says_so(runner):
    done = runner.invoke(args=["tasks", "logs", add_run()])
    assert (done.exit_code, done.stdout) == (0, "")
    assert "has no log lines" in done.stderr


@pytest.mark.parametrize(
    ("state", "status"), [(RunState.SUCCESS, 0), (RunState.FAILURE, 1), (RunState.REVOKED, 1)]
)
def test_logs_follows_until_the_run_has_ended(app, runner, monkeypatch, state, status):
    monkeypatch.setattr("sportsapp.commands.tasks.logs.POLL_SECONDS", 0.02)
    run_id = add_run(state=RunState.STARTED)
    add_lines(run_id, "one")

    def go_on():
        with app.app_context():
            time.sleep(0.2)
            add_lines(run_id, "two", first=2)
            time.sleep(0.1)
            add_lines(run_id, "three", first=3)
            change(run_id, state=state, finished_at=utc_now())

    worker = threading.Thread(target=go_on)
    worker.start()
    done = runner.invoke(args=["tasks", "logs", run_id, "--follow"])
    worker.join()
    assert done.exit_code == status
    assert [line.split()[-1] for line in done.stdout.splitlines()] == ["one", "two", "three"]


# ---------------------------------------------------------------- a run's story


@pytest.fixture
def tick(app, immediate, clock):
    """A scheduled tick of the NFL and the NBA, a minute after the last; its lines with levels."""

    def run() -> list[str]:
        clock.shown += timedelta(minutes=1)
        with run_origin(Trigger.SCHEDULE):
            run_id = sync_all_live_games().id
        return [f"{line.level} {line.text}" for line in kept(run_id)]

    chosen = replace(services_of(app).settings, leagues=("nfl", "nba"))
    replace_services(app, settings=chosen)
    return run


def live(number: str, **more: int) -> dict[str, Any]:
    """A game that is live, so that the next tick asks again."""
    return event(number, state="in", **more)


def test_tick_says_what_it_read_and_changed_and_nothing_when_nothing_changed(tick, feed):
    feed.say("nfl", board(live("1"), live("2")))
    assert tick() == ["INFO NFL: 2 games read, 2 changed"]
    assert tick() == []


def test_league_that_fails_is_one_warning_until_it_is_well_which_is_another(tick, feed):
    feed.say("nba", board(live("1")))
    tick()
    feed.fail("nba", 503)
    began, *more = [line for line in tick() if "WARNING" in line]
    assert began.startswith("WARNING NBA begins to fail: the feed answered 503")
    assert more == []
    assert [line for line in tick() if "WARNING" in line] == []
    feed.say("nba", board(live("1", home=7)))
    well = [line for line in tick() if "WARNING" in line]
    assert [line.partition(" it had")[0] for line in well] == ["WARNING NBA is well again:"]
    assert [line for line in tick() if "WARNING" in line] == []


def test_failure_that_goes_on_on_another_day_is_neither_over_nor_new(app, feed, immediate, clock):
    """Today is read and tomorrow is not: the row is marked well, and failing again, each time."""
    feed.say("nba", board())
    feed.say("nba", Response("no", 503), dates="20260116")
    told = []
    for _ in range(3):
        clock.shown += timedelta(minutes=20)
        run_id = sync_daily_schedule().id
        told.append([line.text[:20] for line in kept(run_id) if line.level == "WARNING"])
    assert told == [["NBA begins to fail: "], [], []]


def test_two_processes_that_see_a_league_fail_log_it_once(app, caplog):
    """Both have read the league's row before either wrote it."""
    contexts = [SyncContext(services_of(app).feed_client, db.session, utc_now()) for _ in "ab"]
    refs = [store.league_ref(context, BY_SLUG["nba"]) for context in contexts]
    for context, ref in zip(contexts, refs, strict=True):
        mark_failed(context, ref, FeedUnavailableError("no answer"))
    assert caplog.text.count("NBA begins to fail: no answer") == 1


def test_two_processes_that_see_a_league_well_log_it_once(app, caplog, feed):
    feed.say("nba", board())
    nba = BY_SLUG["nba"]

    def context() -> SyncContext:
        return SyncContext(services_of(app).feed_client, db.session, utc_now(), scheduled=True)

    TODAY(context(), [nba])
    first, second = context(), context()
    ref = store.league_ref(first, nba)
    mark_failed(first, ref, FeedUnavailableError("no answer"))
    ref = store.league_ref(first, nba)
    day = game_day(utc_now())
    (known,) = store.known_answers(first, [ref], [day]).values()
    for process in (first, second):  # with the row as it was when both began
        store.confirm_answers(process, {(ref, day): known})
        process.tally.log(is_quiet=True)
    assert caplog.text.count("NBA is well again") == 1


def test_each_month_of_a_backfill_is_a_line(app, immediate, feed):
    feed.say("nba", board(event("1", "2025-11-10T20:00Z")), dates="202511")
    feed.say("nba", board(event("2", "2025-12-10T20:00Z")), dates="202512")
    run_id = sync_date_range_task("nba", "2025-11-01", "2025-12-31").id
    assert texts(run_id) == [
        "NBA 2025-11-01 to 2025-11-30: 1 game read, 1 changed",
        "NBA 2025-12-01 to 2025-12-31: 1 game read, 1 changed",
    ]


def test_league_that_is_asked_again_is_one_line_however_often_it_is(app, immediate, feed):
    feed.fail("nba", 500)
    run_id = sync_date_range_task("nba", "2026-01-01", "2026-01-03").id  # three days, each twice
    assert len([text for text in texts(run_id) if "asked again" in text]) == 1


def test_teams_and_standings_are_counted_by_kind(app, immediate, feed):
    team = {"team": {"id": "1", "displayName": "A Team", "abbreviation": "A"}}
    for slug in ("nfl", "nba", "mlb", "nhl"):
        feed.say(slug, {"sports": [{"leagues": [{"teams": [team]}]}]}, kind="teams")
        feed.say(slug, {"athletes": []}, kind="roster")
    assert "NFL: 1 team read, 1 changed" in texts(sync_all_teams().id)
