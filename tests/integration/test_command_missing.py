"""``flask sync missing`` and ``flask tasks wait --batch``: gaps are filled by one batch."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, date, datetime

import pytest

from sportsapp.core.leagues import BY_SLUG
from sportsapp.db.engine import db
from sportsapp.db.models import RunState, Trigger
from sportsapp.services import services_of
from sportsapp.sync.context import SyncContext
from sportsapp.sync.failed_days import note_failed
from sportsapp.sync.ranges import Estimate
from sportsapp.tasks import sync_date_range_task
from sportsapp.tasks.batches import start_batch
from tests.panel import add_league, change, runs_of
from tests.stored import mark_read

TASK = "sync_date_range_task"


@pytest.fixture
def missing(runner):
    """Call ``flask sync missing``."""
    return lambda *words, **more: runner.invoke(args=["sync", "missing", *words], **more)


@pytest.fixture
def gaps(app, offline, clock) -> None:
    """The NBA on January 15: December 23 to 25 and January 9 were not read, the 2nd failed."""
    league_id = add_league("nba", season_begins=date(2025, 12, 20))
    after = datetime(2026, 1, 15, 6, tzinfo=UTC)
    for first, last in (("2025-12-20", "2025-12-22"), ("2025-12-26", "2026-01-08")):
        mark_read("nba", date.fromisoformat(first), date.fromisoformat(last), after)
    mark_read("nba", date(2026, 1, 10), date(2026, 1, 14))
    now = datetime(2026, 1, 15, 12, tzinfo=UTC)
    context = SyncContext(services_of(app).feed_client, db.session, now, run_id="bad-run")
    note_failed(context, {(league_id, date(2026, 1, 2)): "the feed answered <503>"})


def queued() -> list[tuple[str, ...]]:
    """The ranges that are queued, in order."""
    db.session.rollback()
    return sorted(tuple(run.args.values()) for run in runs_of(TASK))


def test_missing_days_are_one_batch_and_what_they_take_is_stated(missing, gaps):
    done = missing("NBA")
    (batch_id,) = {run.batch_id for run in runs_of(TASK)}
    assert (done.exit_code, done.stdout) == (0, f"{batch_id}\n")
    assert done.stderr == "this takes 4 days in 4 requests to the feed, about 6 s\n"
    assert queued() == [
        ("NBA", "2025-12-23", "2025-12-25"),
        ("NBA", "2026-01-09", "2026-01-09"),
    ]


def test_failed_days_are_read_again_as_one_run(missing, gaps):
    done = missing("nba", "2025-26", "--failed", "--yes")
    (run,) = runs_of(TASK)
    assert (done.stdout, done.stderr) == (f"{run.id}\n", "")
    assert queued() == [("NBA", "2026-01-02", "2026-01-02")]


def test_every_leagues_running_season_is_meant_without_a_league(missing, gaps, app):
    answer = json.loads(missing("--json").stdout)
    assert len(answer["task_ids"]) == len(runs_of(TASK))
    assert {league for league, *_ in queued()} == {
        BY_SLUG[slug].label for slug in services_of(app).settings.leagues
    }


@pytest.mark.parametrize(("answer", "count"), [("n\n", 0), ("y\n", 2)])
def test_it_asks_on_a_terminal(missing, gaps, monkeypatch, answer, count):
    monkeypatch.setattr("sportsapp.commands.sync.on_terminal", lambda: True)
    done = missing("NBA", input=answer)
    assert "This takes 4 days in 4 requests to the feed, about 6 s. Go on?" in done.stderr
    assert (done.exit_code, len(queued())) == (0 if count else 1, count)


def test_nothing_is_queued_where_nothing_is_missing(missing, gaps):
    done = missing("NFL", "1919-20")
    assert (done.exit_code, done.output) == (0, "there is nothing to read\n")
    assert queued() == []


@pytest.mark.parametrize("words", [["XFL"], ["NBA", "2025"]])
def test_unknown_league_or_season_is_misuse(missing, gaps, words):
    assert missing(*words).exit_code == 2


# ---------------------------------------------------------------- flask tasks wait --batch


@pytest.fixture
def wait(runner):
    """Call ``flask tasks wait``."""
    return lambda *words: runner.invoke(args=["tasks", "wait", *words])


@pytest.fixture
def batch_id(app, offline) -> str:
    """A batch of two runs that wait."""
    tasks = [sync_date_range_task.s(name, "2026-01-01", "2026-01-31") for name in ("NBA", "NFL")]
    return start_batch("January", tasks, Trigger.ADMIN, "maria", Estimate(2, 8, 12))


@pytest.mark.parametrize(("last", "status"), [("SUCCESS", 0), ("FAILURE", 1), ("SKIPPED", 1)])
def test_wait_ends_with_the_last_run_of_a_batch(app, wait, batch_id, last, status):
    runs = [run.id for run in runs_of(TASK)]

    def work() -> None:
        with app.app_context():
            for run_id, state in zip(runs, ("SUCCESS", last), strict=True):
                time.sleep(0.4)
                change(run_id, state=RunState(state))

    worker = threading.Thread(target=work)
    worker.start()
    done = wait("--batch", batch_id, "--timeout", "20")
    worker.join()
    assert (done.exit_code, done.stderr.splitlines()) == (
        status,
        ["January: 1 of 2 done", "January: 2 of 2 done"],
    )
    failed = 1 if last == "FAILURE" else 0
    assert done.stdout == f"January: 2 of 2 runs have ended, {failed} failed, estimate 12 s\n"


def test_wait_for_a_batch_gives_up_when_it_was_told_to(wait, batch_id):
    done = wait("--batch", batch_id, "--timeout", "0", "--json")
    assert (done.exit_code, json.loads(done.stdout)["ended"]) == (1, 0)


def test_wait_is_for_one_run_or_one_batch_that_is_there(wait, batch_id):
    for words in ([], ["--batch", "nothing"], ["", "--batch", ""]):
        assert wait(*words).exit_code == 2
