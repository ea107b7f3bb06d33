"""Failures grouped by error, a group run again; dead letters shown, put back, discarded."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from sportsapp.core.clock import utc_now
from sportsapp.db.engine import db, writing
from sportsapp.db.models import DeadLetter, RunState, Trigger
from sportsapp.queue.huey import huey
from tests.panel import add_failure, add_run, change, counted, row, runs_of

pytestmark = pytest.mark.slow

PAGE = "/admin/failures/"
TASK = "sync_date_range_task"


@pytest.fixture
def letter(panel):
    """A dead letter's id."""
    return add_letter('{"raw": "<message>"}')


def add_letter(message: str, **values: object) -> int:
    row = DeadLetter(
        **{
            "queue": "sportsapp",
            "message": message,
            "size": len(message.encode()),
            "reason": "KeyError: 'task'",
            "received_at": utc_now(),
            **values,
        }
    )
    with writing(db.session):
        db.session.add(row)
    return row.id


def letters() -> int:
    db.session.rollback()
    return db.session.query(DeadLetter).count()


def test_failures_are_grouped_with_count_first_last_and_newest_example(panel):
    first = add_failure("abc", "old words", ago=timedelta(days=2))
    last = add_failure("abc", "new words", ago=timedelta(hours=1))
    add_failure("xyz", "other")
    page = panel.get(PAGE)
    group = page[page.index("g-abc") :]
    assert "<strong>2</strong>" in group
    assert "new words" in group
    assert f"id={last}" in group
    assert first not in page
    assert "old words" not in page
    days = [(utc_now() - ago).date().isoformat() for ago in (timedelta(days=2), timedelta(hours=1))]
    assert group.index(days[0]) < group.index(days[1])


def test_kind_that_failed_last_comes_first(panel):
    add_failure("early", ago=timedelta(hours=5))
    add_failure("late", ago=timedelta(hours=1))
    page = panel.get(PAGE)
    assert page.index("g-late") < page.index("g-early")


def test_timeouts_are_failures_and_retries_are_not(panel):
    add_run(state=RunState.TIMEOUT, error="too slow", fingerprint="slow")
    add_run(state=RunState.RETRY, error="again", fingerprint="again")
    add_run(state=RunState.SUCCESS)
    page = panel.get(PAGE)
    assert "too slow" in page
    assert "g-again" not in page


def test_group_is_run_again_whole_with_each_arguments_once(panel, caplog):
    caplog.set_level(logging.INFO)
    for start in ("2026-01-01", "2026-01-01", "2026-02-01"):
        args = {"league": "NBA", "start_date": start, "end_date": "2026-02-03"}
        add_failure("abc", task=TASK, args=args)
    add_failure("xyz", task=TASK, args={"league": "NFL"})
    message = panel.message_after(f"{PAGE}again", fingerprint="abc", sure="yes")
    assert "2 runs of failure abc were queued again" in message
    new = [run for run in runs_of(TASK) if run.state == RunState.PENDING]
    assert {run.args["start_date"] for run in new} == {"2026-01-01", "2026-02-01"}
    assert {(run.trigger, run.asked_by) for run in new} == {(Trigger.ADMIN, "maria")}
    assert "maria: 2 runs of failure abc" in caplog.text


def test_group_whose_work_is_under_way_says_so(panel):
    args = {"league": "NBA", "start_date": "2026-01-01", "end_date": "2026-01-31"}
    add_failure("abc", task=TASK, args=args)
    add_run(TASK, RunState.STARTED, args=args | {"end_date": "2026-01-30"}, queue="sportsapp")
    message = panel.message_after(f"{PAGE}again", fingerprint="abc", sure="yes")
    assert "0 runs of failure abc were queued again: what is resolved, or waits or runs" in message
    assert len(runs_of(TASK)) == 2


def test_group_is_not_run_again_before_it_is_confirmed(panel):
    add_failure("abc", task=TASK, args={"league": "NBA"})
    page = panel.post(f"{PAGE}again", fingerprint="abc")
    assert "Run the whole group again?" in page.text
    assert len(runs_of(TASK)) == 1


# ---------------------------------------------------------------- resolved and dismissed


def settle(run_id: str, how: str) -> None:
    by_hand = {"dismissed_at": utc_now(), "dismissed_by": "otto", "dismissed_word": "planned"}
    change(run_id, **({"resolved_at": utc_now()} if how == "resolved" else by_hand))


@pytest.mark.parametrize("how", ["resolved", "dismissed"])
def test_what_is_settled_is_hidden_and_a_link_shows_it(panel, how):
    settle(add_failure("abc", "of the night"), how)
    add_failure("xyz", "of today")
    page = panel.get(PAGE)
    assert "of today" in page
    assert "of the night" not in page
    assert f'href="{PAGE}?show=all"' in page
    assert "Show the 1 that is resolved or dismissed, too" in page
    page = panel.get(f"{PAGE}?show=all")
    group = page[page.index("g-abc") :]
    assert "of the night" in group
    assert "<strong>1</strong>, 0 outstanding" in group
    assert {"resolved": "<small>resolved", "dismissed": "<small>dismissed: planned"}[how] in group
    assert f'href="{PAGE}"' in page


def test_page_on_which_all_is_settled_says_so(panel):
    settle(add_failure("abc"), "resolved")
    page = panel.get(PAGE)
    assert "No outstanding failures." in page
    assert "No failed runs." not in page
    assert "Run the group again" not in panel.get(f"{PAGE}?show=all")


def test_group_counts_what_is_outstanding(panel):
    for how in ("resolved", "dismissed"):
        settle(add_failure("abc"), how)
    add_failure("abc", "newest")
    page = panel.get(PAGE)
    assert "<strong>1</strong></dd>" in page
    assert "newest" in page
    assert "<strong>3</strong>, 1 outstanding" in panel.get(f"{PAGE}?show=all")


def test_group_is_dismissed_after_its_word_is_confirmed(panel):
    run_ids = [add_failure("abc"), add_failure("abc")]
    question = panel.post(f"{PAGE}dismiss", fingerprint="abc", word=" <planned> ").text
    assert (
        "Dismiss all outstanding failures of this error with the word “&lt;planned&gt;”?"
    ) in question
    assert 'name="word" value=" &lt;planned&gt; "' in question
    assert row(run_ids[0]).dismissed_at is None
    form = {"fingerprint": "abc", "word": " <planned> ", "sure": "yes"}
    message = panel.message_after(f"{PAGE}dismiss", **form)
    assert "2 runs of failure abc were dismissed: <planned>" in message
    for run_id in run_ids:
        run = row(run_id)
        assert (run.dismissed_by, run.dismissed_word) == ("maria", "<planned>")


def test_group_is_not_dismissed_without_a_word(panel):
    run_id = add_failure("abc")
    message = panel.message_after(f"{PAGE}dismiss", fingerprint="abc", word=" ", sure="yes")
    assert "a dismissal needs a word that says why" in message
    assert row(run_id).dismissed_at is None


def test_hundreds_of_failures_cost_as_many_queries_as_one(panel):
    add_failure("one")
    counts = []
    for _ in range(2):
        with counted() as statements:
            panel.get(PAGE)
        counts.append(len(statements))
        for n in range(60):
            add_failure(f"kind{n}")
    assert counts[0] == counts[1] <= 7
    assert "61 different errors; the 50 newest are shown" in panel.get(PAGE)


def test_dead_letter_is_shown_raw_and_as_text(panel, letter):
    page = panel.get(PAGE)
    assert "KeyError: &#39;task&#39;" in page
    assert "{&#34;raw&#34;: &#34;&lt;message&gt;&#34;}" in page


def test_dead_letter_is_put_back_on_its_queue(panel, letter, caplog):
    caplog.set_level(logging.INFO)
    assert "put back" in panel.message_after(f"{PAGE}letters/put-back", id=letter)
    assert huey.storage.enqueued_items() == [b'{"raw": "<message>"}']
    assert letters() == 0
    assert f"maria: dead letter {letter} was put back" in caplog.text


def test_dead_letter_that_was_cut_cannot_be_put_back(panel):
    letter = add_letter("{}", size=99_999)
    assert "not kept whole" in panel.message_after(f"{PAGE}letters/put-back", id=letter)
    assert letters() == 1


def test_dead_letter_is_discarded_after_the_question(panel, letter, caplog):
    caplog.set_level(logging.INFO)
    assert "cannot be undone" in panel.post(f"{PAGE}letters/discard", id=letter).text
    assert letters() == 1
    assert "discarded" in panel.message_after(f"{PAGE}letters/discard", id=letter, sure="yes")
    assert letters() == 0
    assert f"maria: dead letter {letter} was discarded" in caplog.text


@pytest.mark.parametrize("number", ["", "x", "999", "-1", "9" * 20])
def test_unknown_letter_is_an_error(panel, number):
    assert "there is no dead letter" in panel.message_after(f"{PAGE}letters/put-back", id=number)


def test_page_without_failures_says_so(panel):
    assert "No failed runs." in panel.get(PAGE)
