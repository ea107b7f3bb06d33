"""Chains: runs of which each begins when the one before it has succeeded, whatever dies."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from huey.exceptions import TaskTimeout

from sportsapp.core.clock import utc_now
from sportsapp.core.errors import BrokerUnavailableError, FeedRefusedError, FeedUnavailableError
from sportsapp.db.engine import db
from sportsapp.db.models import RunState, TaskRun, Trigger
from sportsapp.queue.huey import TrackerHuey, backfill_huey, huey
from sportsapp.runs import attempts, recovery, reports
from sportsapp.runs.progress import RunSkipped
from sportsapp.runs.rows import run_origin
from sportsapp.services import services
from sportsapp.sync.table import LIVE
from sportsapp.tasks import (
    actions,
    chain,
    run_of,
    sync_all_leagues,
    sync_all_live_games,
    sync_all_teams,
    sync_daily_schedule,
    sync_date_range_task,
)
from sportsapp.tasks.chains import start_first_sync, sync_everything
from tests.panel import add_run, change, row, runs_of

DAYS = ("NBA", "2026-01-01", "2026-01-31")
LATE = timedelta(minutes=2)


class Killed(BaseException):
    """Stands for kill -9: nothing on the way may handle it."""


@pytest.fixture(autouse=True)
def _unwatched(monkeypatch) -> None:
    """A heartbeat that is old counts when it is first seen."""
    monkeypatch.setattr(recovery, "WATCHED_FOR", timedelta(0))


@pytest.fixture
def live(monkeypatch) -> Callable[[BaseException | None], None]:
    """Make every live sync raise this, or succeed."""

    def ends_with(error: BaseException | None = None) -> None:
        def sync_live(*_: object) -> object:
            if error:
                raise error
            return LIVE.result(7)

        monkeypatch.setattr("sportsapp.tasks.sync.LIVE", replace(LIVE, run=sync_live))

    ends_with()
    return ends_with


def three() -> list[str]:
    """A chain over both queues; the ids of its links."""
    tasks = sync_all_live_games.s(), sync_date_range_task.s(*DAYS), sync_daily_schedule.s()
    with run_origin(Trigger.ADMIN, "maria"):
        return [link.id for link in chain(*tasks)]


def work(queue: TrackerHuey = huey) -> None:
    """Take one message and execute it, as a worker does."""
    queue.execute(queue.dequeue())


def recover() -> None:
    for queue in (huey, backfill_huey):
        queue.tracker.recover(queue)


def states(ids: list[str]) -> list[str]:
    return [row(run_id).state for run_id in ids]


def messages() -> list[str]:
    return [run_id for queue in (huey, backfill_huey) for run_id in queue.message_ids()]


# ---------------------------------------------------------------- going on


def test_every_link_is_a_run_from_the_start_and_the_first_alone_is_due(offline):
    ids = three()
    links = [row(run_id) for run_id in ids]
    assert [link.state for link in links] == [RunState.PENDING] * 3
    assert [link.chain_place for link in links] == [1, 2, 3]
    assert len({link.chain_id for link in links}) == 1
    assert [link.due_at is None for link in links] == [False, True, True]
    assert [link.trigger for link in links] == [Trigger.ADMIN, Trigger.CHAIN, Trigger.CHAIN]
    assert {link.asked_by for link in links} == {"maria"}
    assert messages() == ids[:1]
    assert links[1].args == dict(zip(("league", "start_date", "end_date"), DAYS, strict=True))


def test_next_link_is_due_once_the_one_before_it_has_succeeded(offline, live, feed):
    feed.say("nba", {"events": []})
    ids = three()
    work()
    assert states(ids) == [RunState.SUCCESS, RunState.PENDING, RunState.PENDING]
    assert messages() == [ids[1]]
    assert (row(ids[1]).due_at is None, row(ids[2]).due_at is None) == (False, True)
    work(backfill_huey)
    assert messages() == [ids[2]]
    work()
    assert states(ids)[:2] == [RunState.SUCCESS] * 2
    assert run_of(ids[1]).result == {"synced": 0, "errors": []}  # its own, of its own arguments
    assert messages() == []


def test_waiting_link_is_neither_late_nor_sent_nor_counted(offline):
    ids = three()
    for run_id in ids[1:]:
        change(run_id, queued_at=utc_now() - LATE)
    recover()
    assert messages() == ids[:1]
    queues = reports.queue_states(db.session, services().queues, [], utc_now())
    assert [(queue.waiting, queue.depth) for queue in queues] == [(1, 1), (0, 0), (0, 0)]
    assert queues[1].oldest is None


@pytest.mark.parametrize("beside", ["nothing", "a long run"])
def test_message_for_a_waiting_link_starts_nothing(offline, live, beside):
    *_, last = three()
    if beside == "a long run":
        add_run("sync_all_teams", RunState.STARTED, heartbeat_at=utc_now())
    forged = sync_daily_schedule.s()
    forged.id = last
    huey.storage.flush_all()
    huey.push(forged)
    work()
    run = row(last)
    assert (run.state, run.attempt, run.due_at) == (RunState.PENDING, 0, None)


def test_retry_keeps_the_chain_waiting(offline, live):
    ids = three()
    live(FeedUnavailableError("no answer"))
    work()
    assert states(ids) == [RunState.RETRY, RunState.PENDING, RunState.PENDING]
    live()
    change(ids[0], due_at=utc_now() - LATE)
    huey.storage.flush_all()
    recover()
    work()
    assert states(ids)[0] == RunState.SUCCESS
    assert messages() == [ids[1]]


def test_link_expires_by_the_time_at_which_it_was_due(offline, live):
    ids = [link.id for link in chain(sync_all_live_games.s(), sync_all_live_games.s())]
    assert row(ids[1]).expires_at is None
    work()
    link = row(ids[1])
    assert timedelta(seconds=50) < link.expires_at - link.due_at < timedelta(seconds=60)


# ---------------------------------------------------------------- kill -9


def test_link_whose_message_a_killed_worker_did_not_send_goes_on(offline, live, monkeypatch):
    ids = three()

    def push(_task: object) -> None:
        raise Killed

    with monkeypatch.context() as killing:
        killing.setattr(backfill_huey, "push_or_leave", push)
        with pytest.raises(Killed):
            huey.dequeue().execute()
    assert states(ids) == [RunState.SUCCESS, RunState.PENDING, RunState.PENDING]
    assert messages() == []
    change(ids[1], due_at=row(ids[1]).due_at - LATE)
    recover()
    assert messages() == [ids[1]]


def test_worker_killed_while_it_records_the_success_has_recorded_nothing(
    offline, live, monkeypatch
):
    ids = three()
    original = attempts.make_next_due

    def make_due(*arguments: object) -> None:
        original(*arguments)
        raise Killed

    with monkeypatch.context() as killing:
        killing.setattr(attempts, "make_next_due", make_due)
        with pytest.raises(Killed):
            huey.dequeue().execute()
    assert states(ids) == [RunState.STARTED, RunState.PENDING, RunState.PENDING]
    assert row(ids[1]).due_at is None
    change(ids[0], heartbeat_at=utc_now() - LATE, host="elsewhere")
    recover()
    work()
    assert states(ids)[0] == RunState.SUCCESS
    assert messages() == [ids[1]]


def test_success_that_comes_twice_makes_one_link_due_once(offline, live):
    ids = three()
    message = huey.storage.enqueued_items()[0]
    work()
    huey.storage.enqueue(message)
    work()
    assert messages() == [ids[1]]
    assert row(ids[2]).due_at is None


def test_chain_goes_on_when_the_broker_is_back(offline, live, monkeypatch):
    ids = three()
    with monkeypatch.context() as away:

        def push(_task: object) -> None:
            raise BrokerUnavailableError("away")

        away.setattr(backfill_huey, "push", push)
        work()
    assert states(ids)[:2] == [RunState.SUCCESS, RunState.PENDING]
    change(ids[1], due_at=utc_now() - LATE)
    recover()
    assert messages() == [ids[1]]


# ---------------------------------------------------------------- the end of a chain


def assert_rest_is_revoked(ids: list[str], state: str) -> None:
    """The first of these links has ended the chain, in this state."""
    first, *rest = [row(run_id) for run_id in ids]
    assert first.state == state
    for link in rest:
        assert (link.state, link.attempt) == (RunState.REVOKED, 0)
        assert link.error == f"its chain ended with {first.task}: {state} (run {first.id})"
        assert link.finished_at is not None
        assert huey.is_revoked(link.id)
    recover()
    assert not {link.id for link in rest} & set(messages())


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (FeedRefusedError("no", status=400), RunState.FAILURE),  # not worth a retry
        (TaskTimeout("too long"), RunState.TIMEOUT),
        (ValueError("a bug"), RunState.FAILURE),
    ],
)
def test_link_that_fails_for_good_ends_its_chain(offline, live, error, state):
    ids = three()
    live(error)
    task = huey.dequeue()
    task.retries = 0
    change(ids[0], retries_left=0)
    huey.execute(task)
    assert_rest_is_revoked(ids, state)


def test_link_that_is_skipped_ends_its_chain(offline, live):
    """The next one needs what it should have done."""
    ids = three()
    live(RunSkipped("polling is paused"))
    work()
    assert_rest_is_revoked(ids, RunState.SKIPPED)


def test_link_that_expires_ends_its_chain(offline):
    ids = three()
    task = huey.dequeue()
    task.expires_resolved -= LATE
    change(ids[0], expires_at=utc_now() - LATE)
    huey.execute(task)
    assert_rest_is_revoked(ids, RunState.EXPIRED)


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({"expires_at": utc_now() - LATE}, RunState.EXPIRED),
        ({"task": "sync_moon", "expires_at": None}, RunState.FAILURE),
    ],
)
def test_link_that_recovery_cannot_send_ends_its_chain(offline, values, state):
    ids = three()
    change(ids[0], due_at=utc_now() - LATE, **values)
    huey.storage.flush_all()
    recover()
    assert_rest_is_revoked(ids, state)


@pytest.mark.parametrize(
    ("values", "state"),
    [({"stalls": 3}, RunState.FAILURE), ({"cancel_asked": True}, RunState.REVOKED)],
)
def test_link_whose_lost_worker_ends_it_ends_its_chain(offline, values, state):
    ids = three()
    huey.dequeue()
    lost = {"heartbeat_at": utc_now() - LATE, "started_at": utc_now() - LATE, "host": "elsewhere"}
    change(ids[0], state=RunState.STARTED, attempt=1, **lost, **values)
    recover()
    assert_rest_is_revoked(ids, state)


def test_chain_that_the_broker_does_not_take_runs_not_at_all(offline, monkeypatch):
    def push(_task: object) -> None:
        raise BrokerUnavailableError("away")

    with monkeypatch.context() as away:
        away.setattr(huey, "push", push)
        with pytest.raises(BrokerUnavailableError):
            three()
    first, second = runs_of("sync_all_live_games"), runs_of("sync_daily_schedule")
    assert_rest_is_revoked([first[0].id, second[0].id], RunState.FAILURE)


def test_cancelling_a_waiting_link_cancels_what_follows_it(offline, live):
    ids = [link.id for link in chain(*(sync_all_live_games.s() for _ in range(4)))]
    assert actions.cancel(ids[2]) == "cancelled before it began"
    assert_rest_is_revoked(ids[2:], RunState.REVOKED)
    work()
    work()
    assert states(ids)[:2] == [RunState.SUCCESS] * 2  # what was before it goes on
    assert messages() == []


def test_revoking_the_handle_of_a_link_revokes_it_and_the_rest(offline):
    first, second, third = chain(*(sync_all_live_games.s() for _ in range(3)))
    second.revoke()
    assert [run_of(link).ready for link in (first, second, third)] == [False, True, True]
    assert third.is_revoked()


def test_cancelled_run_takes_its_chain_along_when_it_stops(offline, feed):
    ids = [
        link.id
        for link in chain(
            sync_date_range_task.s("NBA", "2026-01-01", "2026-03-31"), sync_daily_schedule.s()
        )
    ]
    change(ids[0], cancel_asked=True)
    work(backfill_huey)
    assert_rest_is_revoked(ids, RunState.REVOKED)


def test_purge_revokes_waiting_links(offline):
    ids = three()
    assert actions.waiting_count() == 3
    assert actions.purge() == 3
    assert states(ids) == [RunState.REVOKED] * 3


def test_chain_ends_at_a_task_that_is_gone(offline, live):
    """As one of another release may be; the run before it has succeeded all the same."""
    ids = three()
    change(ids[1], task="sync_moon")
    work()
    assert states(ids)[0] == RunState.SUCCESS
    change(ids[1], due_at=row(ids[1]).due_at - LATE)
    recover()
    assert "no task 'sync_moon'" in row(ids[1]).error
    assert_rest_is_revoked(ids[1:], RunState.FAILURE)


# ---------------------------------------------------------------- misuse


@pytest.mark.parametrize(
    ("links", "reason"),
    [
        (list, "a chain is made of tasks"),
        (lambda: [sync_all_leagues, sync_all_teams], "a chain is made of tasks"),
        (lambda: [sync_all_leagues.s()] * 2, "make another with .s()"),
        (lambda: [sync_all_leagues.s(), sync_all_teams.s(delay=5)], "only the first link"),
        (lambda: [sync_all_leagues.s().then(sync_all_teams)], "not supported"),
        (lambda: [sync_all_leagues.s(), sync_date_range_task.s({1}, 2, 3)], "set cannot go into"),
    ],
)
def test_misuse_of_chain_queues_nothing(offline, links, reason):
    with pytest.raises(TypeError, match=reason):
        chain(*links())
    assert db.session.query(TaskRun).count() == 0
    assert messages() == []


def test_first_link_may_have_a_delay(offline):
    first, second = chain(sync_all_leagues.s(delay=60), sync_all_teams.s())
    assert row(first.id).due_at > utc_now() + timedelta(seconds=50)
    assert row(second.id).due_at is None


# ---------------------------------------------------------------- the first start


def test_everything_is_synced_one_after_the_other(offline):
    sync_everything(Trigger.COMMAND, "maria")
    db.session.rollback()
    links = db.session.query(TaskRun).order_by(TaskRun.chain_place).all()
    names = ["sync_all_leagues", "sync_all_teams", "sync_daily_schedule"]
    assert [link.task for link in links] == names
    assert {link.asked_by for link in links} == {"maria"}


def test_first_start_goes_on_after_success_only(immediate, feed):
    start_first_sync()
    db.session.rollback()
    runs = {run.task: run for run in db.session.query(TaskRun)}
    leagues, teams = runs["sync_all_leagues"], runs["sync_all_teams"]
    assert (leagues.state, leagues.trigger) == (RunState.SUCCESS, Trigger.CHAIN)
    assert teams.state == RunState.FAILURE  # the feed has no list of teams
    assert runs["sync_daily_schedule"].state == RunState.REVOKED


def test_first_sync_is_queued_once(offline):
    assert start_first_sync() is not None
    assert start_first_sync() is None


# ---------------------------------------------------------------- seen


def test_page_of_a_run_shows_its_chain(panel, live):
    ids = three()
    huey.execute(huey.dequeue())
    page = panel.get(f"/admin/runs/details/?id={ids[2]}")
    assert "waiting for the run before it in its chain" in page
    places = [page.index(text) for text in (f"id={ids[0]}", f"id={ids[1]}", "<strong aria-current")]
    assert places == sorted(places)
    assert "NBA 2026-01-01 2026-01-31" in page
    alone = panel.get(f"/admin/runs/details/?id={sync_all_teams().id}")
    assert 'id="chain"' not in alone


def test_list_is_filtered_by_chain_and_keeps_it_in_its_form(panel):
    ids = three()
    other = sync_all_teams().id
    chain_id = row(ids[0]).chain_id
    page = panel.get(f"/admin/runs/?chain={chain_id}")
    assert all(f"id={run_id}" in page for run_id in ids)
    assert page.count("waiting for the run before it in its chain") == 2
    assert "link 3 of a chain" in page
    assert f"id={other}" not in page
    assert f'<input type="hidden" name="chain" value="{chain_id}">' in page
    assert f'name="chain" value="{chain_id}"' not in panel.get("/admin/runs/")


def test_commands_show_a_chain_and_what_waits_in_it(offline, live, runner):
    ids = three()
    work()
    db.session.rollback()
    shown = json.loads(runner.invoke(args=["tasks", "show", ids[1], "--json"]).stdout)
    assert shown["chain"] == [
        {"id": ids[0], "task": "sync_all_live_games", "state": "SUCCESS"},
        {"id": ids[1], "task": "sync_date_range_task", "state": "PENDING"},
        {"id": ids[2], "task": "sync_daily_schedule", "state": "PENDING"},
    ]
    rows = json.loads(runner.invoke(args=["tasks", "scheduled", "--json"]).stdout)["scheduled"]
    assert [one["id"] for one in rows if one["id"]] == ids[2:]
    lines = runner.invoke(args=["tasks", "scheduled"]).stdout
    assert f"later in a chain      sync_daily_schedule  PENDING  {ids[2]}" in lines
