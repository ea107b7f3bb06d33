"""``flask tasks retry, cancel, dismiss, pause, resume, purge, wait``: actions."""

import json
import math
import sys
import time
from contextlib import closing

import click

from sportsapp.commands.shell import (
    FAILED,
    ProgressBar,
    fail,
    json_option,
    misuse,
    print_answer,
    print_line,
    recorded,
    user_name,
)
from sportsapp.commands.tasks.group import batch_line, require_broker, run_argument, tasks_group
from sportsapp.core.clock import utc_now
from sportsapp.db.engine import db
from sportsapp.db.models import RunState, Trigger
from sportsapp.db.models.run import OPEN
from sportsapp.runs.batches import batch_as_json, find_batch
from sportsapp.runs.rows import find_run, run_as_json
from sportsapp.services import services
from sportsapp.tasks import actions, run_of

POLL_SECONDS = 0.2


@tasks_group.command("retry")
@run_argument()
@json_option
@recorded
def retry(run_id: str, as_json: bool) -> str:
    """Queue a run's task once more with the same arguments; prints the new run's id."""
    run = find_run(run_id)
    if run.state in OPEN:
        misuse(f"run {run_id} has not ended yet ({run.state}): cancel it first")
    new_id = actions.run_again(run_id, Trigger.COMMAND, user_name())
    print_answer({"task_id": new_id, "retry_of": run_id}, [new_id], as_json)
    return f"queued as {new_id}"


@tasks_group.command("cancel")
@run_argument(default="")
@click.option("--batch", "batch_id", metavar="ID", help="All runs of this batch instead.")
@json_option
@recorded
def cancel(run_id: str, batch_id: str | None, as_json: bool) -> str:
    """Cancel a run: one that waits never starts, one that runs stops at its next chunk."""
    if bool(run_id) == bool(batch_id):
        misuse("name one run, or one batch with --batch ID")
    if batch_id:
        outcome = actions.cancel_batch(batch_id)
        print_answer({"id": batch_id, "outcome": outcome}, [f"batch {batch_id} {outcome}"], as_json)
        return f"batch {batch_id} {outcome}"
    outcome = actions.cancel(run_id)
    db.session.rollback()  # the row has changed since it was read
    run = find_run(run_id)
    document = {"id": run_id, "state": run.state, "outcome": outcome}
    print_answer(document, [f"{run.task} {run_id} {outcome}"], as_json)
    if not run.cancel_asked:
        sys.exit(FAILED)
    return f"{run.task} {outcome}"


@tasks_group.command("dismiss")
@run_argument()
@click.argument("word")
@json_option
@recorded
def dismiss(run_id: str, word: str, as_json: bool) -> str:
    """Dismiss a failure with a word that says why: it is hidden, and stays in the ledger."""
    actions.dismiss(run_id, word, user_name())
    run = find_run(run_id)
    document = {"id": run_id, "dismissed_by": run.dismissed_by, "word": run.dismissed_word}
    print_answer(document, [f"{run.task} {run_id} is dismissed: {run.dismissed_word}"], as_json)
    return f"{run.task} dismissed: {run.dismissed_word}"


@tasks_group.command("pause")
@click.argument("name")
@json_option
@recorded
def pause(name: str, as_json: bool) -> None:
    """Pause a periodic task, which can still be run by hand, or a queue without one."""
    actions.set_paused(name, True, user_name())
    print_answer({_kind(name): name, "paused": True}, [f"{name} is paused"], as_json)


@tasks_group.command("resume")
@click.argument("name")
@json_option
@recorded
def resume(name: str, as_json: bool) -> None:
    """Resume a periodic task, whose missed runs are not caught up, or a queue, whose runs wait."""
    actions.set_paused(name, False)
    print_answer({_kind(name): name, "paused": False}, [f"{name} is resumed"], as_json)


def _kind(name: str) -> str:
    return "queue" if name in {queue.name for queue in services().queues} else "task"


@tasks_group.command("purge")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@recorded
def purge(yes: bool, as_json: bool) -> str:
    """Drop everything that waits in the queues; runs that have started continue."""
    require_broker()
    if not yes:
        question = f"Drop what waits in the queues ({_runs(actions.waiting_count())})?"
        click.confirm(question, abort=True, err=True)
    count = actions.purge()
    print_answer({"purged": count}, [f"{_runs(count)} dropped"], as_json)
    return f"{_runs(count)} dropped"


def _runs(count: int) -> str:
    return f"{count} run{'s' if count != 1 else ''}"


@tasks_group.command("wait")
@run_argument(default="")
@click.option("--batch", "batch_id", metavar="ID", help="All runs of this batch instead.")
@click.option("--timeout", type=click.FloatRange(min=0), help="Give up after so many seconds.")
@json_option
def wait(run_id: str, batch_id: str | None, timeout: float | None, as_json: bool) -> None:
    """Wait for a run to end. Exit status: 0 for SUCCESS, 1 for anything else."""
    if bool(run_id) == bool(batch_id):
        misuse("name one run, or one batch with --batch ID")
    deadline = math.inf if timeout is None else time.monotonic() + timeout
    if batch_id:
        _wait_for_batch(batch_id, deadline, as_json)
        return
    run, state = run_of(run_id), ""
    with closing(ProgressBar(run.task)) as bar:
        while True:
            if run.state != state and not bar.on_terminal:
                print_line(f"{run.task}: {run.state}", err=True)
            state = run.state
            bar.show(*run.progress)
            if run.ready or time.monotonic() >= deadline:
                break
            time.sleep(POLL_SECONDS)
            run = run_of(run_id)
    outcome = run.error.splitlines()[0] if run.error else json.dumps(run.result)
    line = f"{run.state} {run.task} {outcome}"
    print_answer(run_as_json(find_run(run_id)), [line], as_json)
    if not run.ready:
        fail(f"run {run_id} has not ended after {timeout:g} s ({run.state})")
    if run.state != RunState.SUCCESS:
        sys.exit(FAILED)


def _wait_for_batch(batch_id: str, deadline: float, as_json: bool) -> None:
    state = find_batch(db.session, batch_id)
    with closing(ProgressBar(state.batch.name)) as bar:
        while not state.is_over and time.monotonic() < deadline:
            bar.show(state.ended, state.batch.runs)
            time.sleep(POLL_SECONDS)
            db.session.rollback()  # the rows are read anew
            state = find_batch(db.session, batch_id)
        bar.show(state.ended, state.batch.runs)
    print_answer(batch_as_json(state, utc_now()), [batch_line(state)], as_json)
    if not state.is_over or state.counts.keys() - {RunState.SUCCESS}:
        sys.exit(FAILED)
