"""Many runs at once: marked ones, or all that match; cancel, run again, dismiss."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest

from sportsapp.core.clock import utc_now
from sportsapp.db.models import RunState, Trigger
from sportsapp.queue.huey import backfill_huey, huey
from sportsapp.tasks import bulk
from tests.panel import add_failure, add_run, messages_of, row, runs_of

pytestmark = pytest.mark.slow

LIST = "/admin/runs/"
BULK = f"{LIST}bulk"
BACKFILL = "sync_date_range_task"


def month(number: int, **values: object) -> str:
    days = {"start_date": f"2026-{number:02}-01", "end_date": f"2026-{number:02}-28"}
    return add_run(BACKFILL, args={"league": "NBA", **days}, queue="sportsapp-backfill", **values)


def confirmed(panel, address: str = BULK, **form: object) -> tuple[str, str]:
    """The question, and what was done once its form was sent as it is."""
    asked = panel.post(address, back=LIST, **form)
    assert asked.status_code == 200, asked.headers.get("Location")
    question = unescape(re.search(r"<h1>.*?</h1></div>\s*<p>(.*?)</p>", asked.text, re.S)[1])
    action = unescape(re.search(r'action="(/admin/runs/bulk[^"]*)"', asked.text)[1])
    fields: dict[str, list[str]] = {}
    for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', asked.text):
        if name not in ("csrf_token",):
            fields.setdefault(name, []).append(unescape(value))
    fields.pop("back", None)
    answer = panel.post(action, back=LIST, **fields)
    assert answer.status_code == 303
    return question, messages_of(panel.get(LIST))


def test_marked_runs_are_cancelled_once_that_is_confirmed(panel):
    waiting = [month(1, state=RunState.PENDING), month(2, state=RunState.PENDING)]
    running = month(3, state=RunState.STARTED)
    over, other = month(4), month(5, state=RunState.PENDING)
    question, outcome = confirmed(panel, action="cancel", id=[*waiting, running, over])
    assert question.startswith("Cancel 4 runs? What waits never starts")
    assert outcome == (
        "4 runs: 2 cancelled before they began, 1 will stop after their current chunk, "
        "1 had ended already"
    )
    assert {row(run_id).state for run_id in waiting} == {RunState.REVOKED}
    assert row(running).cancel_asked
    assert row(other).state == RunState.PENDING


def test_nothing_happens_before_it_is_confirmed(panel):
    run_id = month(1, state=RunState.PENDING)
    asked = panel.post(BULK, action="cancel", id=[run_id], back=LIST)
    assert "Cancel 1 run?" in asked.text
    assert row(run_id).state == RunState.PENDING


def test_all_that_match_goes_by_the_address_and_leaves_later_runs(panel):
    ids = [month(1 + n % 12, state=RunState.PENDING, ago=timedelta(minutes=n)) for n in range(60)]
    other = add_run(state=RunState.PENDING)
    page = panel.get(f"{LIST}?task={BACKFILL}")
    assert "all 60 that match" in page
    until = re.search(r'name="until" value="([^"]+)"', page)[1]
    late = month(1, state=RunState.PENDING, ago=-timedelta(minutes=1))
    address = unescape(re.search(r'action="(/admin/runs/bulk[^"]*)"', page)[1])
    question, outcome = confirmed(panel, address, action="cancel", all="yes", until=until)
    assert question.startswith("Cancel 60 runs?")
    assert outcome == "60 runs: 60 cancelled before they began"
    assert {row(run_id).state for run_id in ids} == {RunState.REVOKED}
    assert {row(run_id).state for run_id in (late, other)} == {RunState.PENDING}


def test_runs_again_once_for_each_arguments_in_their_own_queues(panel):
    same = [month(1), month(1, state=RunState.FAILURE)]
    queued = month(2, state=RunState.PENDING)
    again, daily, shell = month(2), add_run(), add_run("sync_day", queue="")
    question, outcome = confirmed(panel, action="again", id=[*same, again, month(3), daily, shell])
    assert question.startswith("Run again 6 runs? Each task with the same arguments is queued")
    assert outcome == (
        "6 runs: 3 queued again, 1 the same as another of them, 1 waiting or running already, "
        "1 only for a shell"
    )
    new = [run for run in runs_of(BACKFILL) if run.trigger == Trigger.ADMIN]
    assert sorted(run.args["start_date"] for run in new) == ["2026-01-01", "2026-03-01"]
    assert len({run.batch_id for run in [*new, runs_of("sync_daily_schedule")[-1]]}) == 1
    assert {run.asked_by for run in new} == {"maria"}
    assert (backfill_huey.pending_count(), huey.pending_count()) == (2, 1)
    assert row(queued).state == RunState.PENDING


def test_dismisses_with_a_word(panel):
    failures = [add_failure(), add_failure(resolved_at=utc_now())]
    question, outcome = confirmed(panel, action="dismiss", id=failures, word=" planned ")
    assert question.startswith("Dismiss 2 runs? The failures among them are hidden")
    assert "\u201cplanned\u201d" in question
    assert outcome == "2 runs: 1 dismissed (planned), 1 not outstanding failures"
    assert (row(failures[0]).dismissed_word, row(failures[0]).dismissed_by) == ("planned", "maria")
    assert "needs a word" in panel.message_after(BULK, action="dismiss", id=failures)


@pytest.mark.parametrize("form", [{}, {"id": ["gone"]}, {"id": ["'; --"]}])
def test_without_a_run_nothing_is_asked(panel, form):
    assert "no run was chosen" in panel.message_after(BULK, action="cancel", **form)


def test_all_of_none_says_so_and_an_odd_time_is_now(panel):
    assert "no run was chosen" in panel.message_after(
        f"{BULK}?state=open", action="cancel", all="yes", until="x"
    )
    month(1, state=RunState.PENDING)
    for until in ("x", "", "9999-12-31T23:59:59-12:00"):
        asked = panel.post(f"{BULK}?state=open", action="cancel", all="yes", until=until)
        assert "Cancel 1 run?" in asked.text


def test_unknown_action_is_refused(panel):
    assert panel.post(BULK, action="delete", id=[month(1)]).status_code == 400


def test_more_than_fits_is_done_in_parts_and_says_so(panel, monkeypatch):
    monkeypatch.setattr("sportsapp.admin.runs.MOST_AT_ONCE", 2)
    ids = [month(n, state=RunState.PENDING, ago=timedelta(hours=n)) for n in (1, 2, 3)]
    question, outcome = confirmed(panel, action="cancel", all="yes", until=utc_now().isoformat())
    assert question.startswith("Cancel 2 runs, the newest of 3 (choose an earlier span of")
    assert "2 cancelled before they began, the newest of 3" in outcome
    assert [row(run_id).state for run_id in ids][-1] == RunState.PENDING
    assert bulk.MOST_AT_ONCE == 1_000


def test_broker_that_is_away_is_said(app, panel, monkeypatch):
    ids = [month(1), month(2)]
    monkeypatch.undo()
    form = {"action": "again", "id": ids, "sure": "yes"}
    assert "the broker cannot be reached" in panel.message_after(BULK, **form)
