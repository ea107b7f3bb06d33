"""Failures are resolved by a later success, or dismissed with a word; a success may have errors."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sportsapp.core.clock import utc_now
from sportsapp.core.errors import DismissalError, RunNotFoundError
from sportsapp.db.models import RunState, Trigger
from sportsapp.queue.huey import TrackerHuey, backfill_huey, huey
from sportsapp.runs.local import record_local_run
from sportsapp.sync.context import SyncResult
from sportsapp.sync.table import LIVE
from sportsapp.tasks import actions, sync_all_live_games, sync_date_range_task
from tests.integration.events import board
from tests.panel import add_failure, add_run, change, counted, row

RANGE, TICK = "sync_date_range_task", "sync_all_live_games"
JANUARY = {"league": "NBA", "start_date": "2026-01-01", "end_date": "2026-01-02"}


def work(queue: TrackerHuey = huey) -> None:
    """Take one message and execute it, as a worker does."""
    queue.execute(queue.dequeue())


def is_resolved(run_id: str) -> bool:
    return row(run_id).resolved_at is not None


# ---------------------------------------------------------------- resolved


def test_success_resolves_the_failures_of_the_same_task_and_arguments(offline):
    same = add_failure(task=RANGE, args=JANUARY)
    slow = add_run(RANGE, RunState.TIMEOUT, args=JANUARY, fingerprint="slow")
    dismissed = add_failure(task=RANGE, args=JANUARY, dismissed_at=utc_now())
    others = [
        add_failure(task=RANGE, args=JANUARY | {"league": "NFL"}),
        add_failure(task=TICK),
        add_run(RANGE, RunState.REVOKED, args=JANUARY, fingerprint="of its retry"),
        add_run(RANGE, RunState.RETRY, args=JANUARY, fingerprint="of its attempt"),
        add_run(RANGE, args=JANUARY),
    ]
    run_id = sync_date_range_task(**JANUARY).id
    work(backfill_huey)
    assert row(same).resolved_at == row(run_id).finished_at
    assert row(slow).resolved_at == row(dismissed).resolved_at == row(run_id).finished_at
    assert [run_id for run_id in others if is_resolved(run_id)] == []


def test_what_is_resolved_keeps_when_that_was(offline):
    first = utc_now() - timedelta(hours=1)
    failure = add_failure(task=TICK, resolved_at=first)
    sync_all_live_games()
    work()
    assert row(failure).resolved_at == first


def test_failure_resolves_nothing(offline, feed):
    feed.fail("nba", 400)
    failure = add_failure(task=RANGE, args=JANUARY)
    run_id = sync_date_range_task(**JANUARY).id
    work(backfill_huey)
    assert row(run_id).state == RunState.FAILURE
    assert not is_resolved(failure)
    feed.say("nba", board())
    actions.run_again(run_id, Trigger.COMMAND, "maria")
    work(backfill_huey)
    assert (is_resolved(failure), is_resolved(run_id)) == (True, True)


def test_success_with_errors_resolves_nothing(offline, feed):
    failure = add_failure(task=TICK)
    feed.fail("nba", 400)
    run_id = sync_all_live_games().id
    work()
    assert (row(run_id).state, row(run_id).error_count) == (RunState.SUCCESS, 1)
    assert not is_resolved(failure)
    feed.say("nba", board())
    sync_all_live_games()
    work()
    assert is_resolved(failure)


def test_success_of_an_attempt_that_was_taken_over_resolves_nothing(offline, monkeypatch):
    failure = add_failure(task=TICK)
    run_id = sync_all_live_games().id

    def lose(*_: object) -> SyncResult:
        change(run_id, attempt=2)
        return SyncResult()

    monkeypatch.setattr("sportsapp.tasks.sync.LIVE", replace(LIVE, run=lose))
    work()
    assert row(run_id).state == RunState.STARTED
    assert not is_resolved(failure)


def test_sync_in_a_shell_resolves_too(app):
    failure = add_failure(task="sync_all_teams")
    other = add_failure(task="sync_all_leagues")
    with record_local_run("sync_all_teams", {}) as run:
        run.result = {"synced": 0, "errors": []}
    assert (is_resolved(failure), is_resolved(other)) == (True, False)


def test_success_with_nothing_to_resolve_takes_no_more_statements(offline):
    def statements() -> list[str]:
        sync_all_live_games()
        with counted() as sent:
            work()
        return [text for text in sent.texts if "UPDATE task_runs" in text]

    add_failure(task="sync_all_teams")
    add_failure(task=TICK, resolved_at=utc_now())
    assert len(statements()) == 2  # its start and its end
    add_failure(task=TICK)
    assert len(statements()) == 3
    assert len(statements()) == 2


# ---------------------------------------------------------------- dismissed


def test_dismissal_keeps_who_when_and_why(app):
    failure, other = add_failure(), add_failure()
    actions.dismiss(failure, "  maintenance ", "maria")
    run = row(failure)
    assert (run.dismissed_by, run.dismissed_word) == ("maria", "maintenance")
    assert utc_now() - run.dismissed_at < timedelta(seconds=5)
    assert (run.state, run.error) == (RunState.FAILURE, "it broke")
    assert row(other).dismissed_at is None


@pytest.mark.parametrize("word", ["", "   ", "x" * 101, "two\nlines", "\x00"])
def test_dismissal_needs_a_word(app, word):
    failure = add_failure()
    with pytest.raises(DismissalError, match="a dismissal needs a word that says why"):
        actions.dismiss(failure, word, "maria")
    assert row(failure).dismissed_at is None


@pytest.mark.parametrize(
    ("state", "values", "why"),
    [
        (RunState.SUCCESS, {}, r"it has not failed \(SUCCESS\)"),
        (RunState.RETRY, {"fingerprint": "abc"}, r"it has not failed \(RETRY\)"),
        (RunState.SKIPPED, {}, r"it has not failed \(SKIPPED\)"),
        (RunState.FAILURE, {"fingerprint": "abc", "resolved_at": utc_now()}, "it is resolved"),
        (
            RunState.TIMEOUT,
            {
                "fingerprint": "abc",
                "dismissed_at": utc_now(),
                "dismissed_by": "otto",
                "dismissed_word": "known",
            },
            "otto has dismissed it: known",
        ),
    ],
    ids=["success", "retry", "skipped", "resolved", "dismissed"],
)
def test_only_an_outstanding_failure_is_dismissed(app, state, values, why):
    run_id = add_run(state=state, **values)
    with pytest.raises(DismissalError, match=why):
        actions.dismiss(run_id, "late", "maria")
    assert row(run_id).dismissed_word == values.get("dismissed_word", "")


def test_dismissal_of_nothing_is_an_error(app):
    with pytest.raises(RunNotFoundError):
        actions.dismiss("nothing", "late", "maria")


def test_group_is_dismissed_but_for_what_is_settled(app):
    first, second = add_failure("abc"), add_failure("abc")
    resolved = add_failure("abc", resolved_at=utc_now())
    other = add_failure("xyz")
    assert actions.dismiss_group("abc", "known", "maria") == 2
    words = [row(run_id).dismissed_word for run_id in (first, second, resolved, other)]
    assert words == ["known", "known", "", ""]


def test_group_is_run_again_without_what_is_settled(offline):
    add_failure("abc", task=RANGE, args=JANUARY)
    settled = ({"resolved_at": utc_now()}, {"dismissed_at": utc_now()})
    for league, values in zip(("NFL", "MLB"), settled, strict=True):
        add_failure("abc", task=RANGE, args=JANUARY | {"league": league}, **values)
    (new,) = actions.run_group_again("abc", Trigger.COMMAND, "maria")
    assert row(new).args == JANUARY


# ---------------------------------------------------------------- errors of a success


@pytest.mark.parametrize(
    ("result", "count"),
    [
        ({"synced": 5, "errors": []}, 0),
        ({"synced": 5, "errors": ["NBA: no answer", "NFL: no answer"]}, 2),
        ({"synced": 5, "errors": ["x" * 100] * 3_000}, 3_000),  # more than is stored
        ({"synced": 5}, 0),
        ({"errors": "none"}, 0),
        (None, 0),
        ([1, 2], 0),
    ],
)
def test_errors_of_a_success_are_counted(offline, monkeypatch, result, count):
    class Returned(SyncResult):
        def as_dict(self) -> dict:
            return result

    sync = replace(LIVE, run=lambda *_: Returned())
    monkeypatch.setattr("sportsapp.tasks.sync.LIVE", sync)
    run_id = sync_all_live_games().id
    work()
    assert (row(run_id).state, row(run_id).error_count) == (RunState.SUCCESS, count)
    with record_local_run("sync_today", {}) as local:
        local.result = result
    assert row(local.run_id).error_count == count
