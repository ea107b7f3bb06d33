"""``flask tasks``: what the tasks did, do and will do, and what to do about it.

Standard output is the answer, as JSON with ``--json``; what else there is to say goes to standard
error. `active`, `runs` and `show` read the ledger alone, so they answer while the broker is away.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import click
from sqlalchemy import func, select

from sportsapp.commands.shell import FAILED, Bar, OneLineGroup, fail, misuse, person
from sportsapp.core.clock import iso_utc, utc_now
from sportsapp.db.engine import db
from sportsapp.db.models import ConsumerProcess, DeadLetter, RunState, ScheduleRow, TaskRun, Trigger
from sportsapp.db.models.run import OPEN, WAITING
from sportsapp.db.queries import recent_runs
from sportsapp.queue.broker import broker_errors
from sportsapp.queue.huey import TrackerHuey
from sportsapp.runs import reports as activity
from sportsapp.runs.rows import find_run, run_as_json
from sportsapp.services import services
from sportsapp.tasks import RunView, actions, run_of

LOOK_SECONDS = 0.2
DAY = timedelta(days=1)
SCHEDULED_LIMIT = 200

tasks_group = OneLineGroup("tasks", help="What the tasks did, do and will do.")


def _json(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def _print(document: dict[str, Any], lines: Sequence[str], as_json: bool) -> None:
    click.echo(json.dumps(document) if as_json else "\n".join(lines))


def _queues() -> tuple[TrackerHuey, ...]:
    queues: tuple[TrackerHuey, ...] = services().queues
    return queues


def _ask_broker() -> None:
    """Raises BrokerUnavailableError when the broker does not answer."""
    with broker_errors():
        _queues()[0].pending_count()


# ---------------------------------------------------------------- reading


@tasks_group.command("runs")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option("--task", help="Only this task, such as sync_all_teams.")
@click.option("--state", type=click.Choice([str(s) for s in RunState], case_sensitive=False))
@_json
def runs(limit: int, task: str | None, state: str | None, as_json: bool) -> None:
    """List task runs, newest first."""
    rows = recent_runs(db.session, limit, task, state)
    if as_json:
        click.echo(json.dumps({"runs": [run_as_json(row) for row in rows]}))
        return
    if not rows:
        click.echo("No task has run yet.")
    for row in rows:
        click.echo(_line(row))


def _line(run: TaskRun) -> str:
    progress = f" {run.progress_done}/{run.progress_total}" if run.progress_total else ""
    outcome = run.error.splitlines()[0] if run.error else json.dumps(run.result)
    args = " ".join(str(value) for value in run.args.values())
    return (
        f"{run.queued_at:%Y-%m-%d %H:%M:%S}  {run.state:<8}{progress}  {run.task} {args}"
        f" ({run.trigger}, attempt {run.attempt})  {outcome[:160]}  {run.id}"
    )


@tasks_group.command("active")
@_json
def active(as_json: bool) -> None:
    """What runs now, and where."""
    now = utc_now()
    rows = [_active(run, now) for run in activity.running(db.session)]
    lines = [_active_line(row) for row in rows] or ["Nothing runs now."]
    _print({"active": rows}, lines, as_json)


def _active(run: TaskRun, now: datetime) -> dict[str, Any]:
    return run_as_json(run) | {
        "host": run.host,
        "pid": run.pid,
        "elapsed_seconds": _seconds(now - run.started_at) if run.started_at else None,
        "silent_seconds": _seconds(now - run.heartbeat_at) if run.heartbeat_at else None,
    }


def _active_line(row: dict[str, Any]) -> str:
    done, total = row["progress"].values()
    progress = f"  {done} of {total}" if total else ""
    args = " ".join(str(value) for value in row["args"].values())
    return (
        f"{row['task']} {args}".rstrip() + f"  for {row['elapsed_seconds']} s{progress}"
        f"  on {row['host']}, process {row['pid']}, last beat {row['silent_seconds']} s ago"
        f"  {row['id']}"
    )


@tasks_group.command("registered")
@_json
def registered(as_json: bool) -> None:
    """The tasks there are, with schedule, retries and time limit."""
    rows = [_registered(queue, name) for queue in _queues() for name in queue.task_names()]
    rows.sort(key=lambda row: (row["schedule"] is None, row["task"]))
    lines = [
        f"{row['task']}  {row['schedule'] or 'on demand'}  {row['retries']} retries, "
        f"limit {row['time_limit']} s  on {row['queue']}"
        for row in rows
    ]
    _print({"registered": rows}, lines, as_json)


def _registered(queue: TrackerHuey, name: str) -> dict[str, Any]:
    task_class: Any = queue.task_class(name)
    periodic = queue.periodic_tasks.get(name)
    return {
        "task": name,
        "queue": queue.name,
        "schedule": periodic.schedule.label if periodic else None,
        "retries": task_class.default_retries,
        "retry_delay": task_class.default_retry_delay,
        "time_limit": task_class.default_timeout,
        "expires": task_class.default_expires,
        "priority": task_class.default_priority,
    }


@tasks_group.command("scheduled")
@_json
def scheduled(as_json: bool) -> None:
    """What comes next: the slots of the schedule, and runs that wait for their time."""
    _ask_broker()
    now = utc_now()
    rows = sorted(_next_slots(now) + _delayed(now), key=lambda row: str(row["due_at"]))
    lines = [
        f"{row['due_at']}  {row['task']}  {row['schedule'] or row['state']}"
        + ("  paused" if row["paused"] else "")
        + (f"  {row['id']}" if row["id"] else "")
        for row in rows
    ]
    _print({"scheduled": rows}, lines, as_json)


def _next_slots(now: datetime) -> list[dict[str, Any]]:
    paused = set(db.session.scalars(select(ScheduleRow.task).where(ScheduleRow.paused)))
    return [
        {
            "task": one.name,
            "due_at": iso_utc(one.schedule.next_slot(now)),
            "schedule": one.schedule.label,
            "paused": one.name in paused,
            "id": None,
            "state": None,
            "args": {},
        }
        for queue in _queues()
        for one in queue.periodic_tasks.values()
    ]


def _delayed(now: datetime) -> list[dict[str, Any]]:
    found = select(TaskRun).where(TaskRun.state.in_(WAITING), TaskRun.due_at > now)
    rows = db.session.scalars(found.order_by(TaskRun.due_at).limit(SCHEDULED_LIMIT))
    return [
        {
            "task": run.task,
            "due_at": iso_utc(run.due_at) if run.due_at else None,
            "schedule": None,
            "paused": False,
            "id": run.id,
            "state": run.state,
            "args": run.args,
        }
        for run in rows
    ]


@tasks_group.command("stats")
@_json
def stats(as_json: bool) -> None:
    """Queues, the consumers that are alive, and what the last 24 hours brought."""
    _ask_broker()
    now = utc_now()
    alive = activity.consumers(db.session, now)
    document = {
        "queues": _queue_rows(alive, now),
        "consumers": [_consumer(one) for one in alive],
        "last_24_hours": _counts(now - DAY),
        "dead_letters": db.session.scalar(select(func.count()).select_from(DeadLetter)),
    }
    _print(document, _stats_lines(document), as_json)


def _queue_rows(alive: Sequence[ConsumerProcess], now: datetime) -> list[dict[str, Any]]:
    rows = []
    states = activity.queue_states(db.session, _queues(), alive, now)
    for queue, state in zip(_queues(), states, strict=True):
        with broker_errors():
            delayed, results = queue.scheduled_count(), queue.result_count()
        rows.append(
            {
                "name": state.name,
                "messages": state.depth,
                "scheduled": delayed,
                "results": results,
                "waiting": state.waiting,
                "oldest_wait_seconds": _seconds(now - state.oldest) if state.oldest else None,
                "workers": state.workers,
            }
        )
    return rows


def _consumer(one: ConsumerProcess) -> dict[str, Any]:
    return {
        "queue": one.queue,
        "role": one.role,
        "host": one.host,
        "pid": one.pid,
        "started_at": iso_utc(one.started_at),
        "beat_at": iso_utc(one.beat_at),
        "run": one.run_id,
    }


def _counts(since: datetime) -> dict[str, dict[str, int]]:
    """How many runs of each task ended in which state."""
    found = (
        select(TaskRun.task, TaskRun.state, func.count())
        .where(TaskRun.finished_at >= since)
        .group_by(TaskRun.task, TaskRun.state)
        .order_by(TaskRun.task, TaskRun.state)
    )
    counts: dict[str, dict[str, int]] = {}
    for task, state, count in db.session.execute(found):
        counts.setdefault(task, {})[state] = count
    return counts


def _stats_lines(document: dict[str, Any]) -> list[str]:
    lines = [
        f"queue {row['name']}: {row['waiting']} waiting"
        + (f" (the oldest for {row['oldest_wait_seconds']} s)" if row["waiting"] else "")
        + f", {row['messages']} messages, {row['scheduled']} for later,"
        f" {row['results']} results kept, {row['workers']} workers alive"
        for row in document["queues"]
    ]
    lines += [
        f"{row['role']} of {row['queue']} on {row['host']}, process {row['pid']},"
        f" since {row['started_at']}" + (f", runs {row['run']}" if row["run"] else ", idle")
        for row in document["consumers"]
    ]
    for task, counts in document["last_24_hours"].items():
        words = ", ".join(f"{count} {state}" for state, count in counts.items())
        lines.append(f"{task} in 24 hours: {words}")
    if document["dead_letters"]:
        lines.append(f"{document['dead_letters']} dead letters: see /admin/ for them")
    return lines


@tasks_group.command("show")
@click.argument("run_id", metavar="ID")
@_json
def show(run_id: str, as_json: bool) -> None:
    """Everything the ledger knows of a run."""
    run = find_run(run_id)
    document = run_as_json(run) | {
        "queue": run.queue,
        "slot": _moment(run.slot),
        "asked_by": run.asked_by,
        "due_at": _moment(run.due_at),
        "expires_at": _moment(run.expires_at),
        "heartbeat_at": _moment(run.heartbeat_at),
        "retries_left": run.retries_left,
        "earlier": run.earlier,
        "chain": run.chain,
        "cancel_asked": run.cancel_asked,
        "host": run.host,
        "pid": run.pid,
        "fingerprint": run.fingerprint,
        "traceback": run.traceback or None,
    }
    _print(document, _show_lines(document), as_json)


def _show_lines(document: dict[str, Any]) -> list[str]:
    lines = []
    for name, value in document.items():
        if name not in ("earlier", "traceback") and value not in (None, "", [], {}):
            text = value if isinstance(value, str) else json.dumps(value)
            lines.append(f"{name:<13} {text}")
    for one in document["earlier"]:
        course = f"{one['started_at']}  {one['end']} {one['ended_at']}  {one['error']}"
        lines.append(f"{'attempt ' + str(one['attempt']):<13} {course.rstrip()}")
    return lines + (["", document["traceback"].rstrip()] if document["traceback"] else [])


# ---------------------------------------------------------------- acting


@tasks_group.command("retry")
@click.argument("run_id", metavar="ID")
@_json
def retry(run_id: str, as_json: bool) -> None:
    """Queue a run's task once more with the same arguments; prints the new run's id."""
    run = find_run(run_id)
    if run.state in OPEN:
        misuse(f"run {run_id} has not ended yet ({run.state}): cancel it first")
    new_id = actions.run_again(run_id, Trigger.COMMAND, person())
    _print({"task_id": new_id, "retry_of": run_id}, [new_id], as_json)


@tasks_group.command("cancel")
@click.argument("run_id", metavar="ID")
@_json
def cancel(run_id: str, as_json: bool) -> None:
    """Cancel a run: one that waits never begins, one that runs stops at its next chunk."""
    find_run(run_id)
    outcome = actions.cancel(run_id)
    db.session.rollback()  # what was read before is old now
    run = find_run(run_id)
    _print(
        {"id": run_id, "state": run.state, "outcome": outcome},
        [f"{run.task} {run_id} {outcome}"],
        as_json,
    )
    if not run.cancel_asked:
        sys.exit(FAILED)


@tasks_group.command("pause")
@click.argument("name")
@_json
def pause(name: str, as_json: bool) -> None:
    """Pause a periodic task; it can still be run by hand."""
    _set_paused(name, True, as_json)


@tasks_group.command("resume")
@click.argument("name")
@_json
def resume(name: str, as_json: bool) -> None:
    """Resume a periodic task; what it missed is not caught up."""
    _set_paused(name, False, as_json)


def _set_paused(name: str, paused: bool, as_json: bool) -> None:
    actions.set_paused(name, paused)
    words = f"{name} {'is paused' if paused else 'goes on'}"
    _print({"task": name, "paused": paused}, [words], as_json)


@tasks_group.command("purge")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_json
def purge(yes: bool, as_json: bool) -> None:
    """Drop everything that waits in the queues; what runs goes on."""
    _ask_broker()
    if not yes:
        count = actions.waiting_count()
        question = f"Drop what waits in the queues ({count} run{'s' if count != 1 else ''})?"
        click.confirm(question, abort=True, err=True)
    count = actions.purge()
    _print({"purged": count}, [f"{count} run{'s' if count != 1 else ''} dropped"], as_json)


@tasks_group.command("wait")
@click.argument("run_id", metavar="ID")
@click.option("--timeout", type=click.FloatRange(min=0), help="Give up after so many seconds.")
@_json
def wait(run_id: str, timeout: float | None, as_json: bool) -> None:
    """Wait for a run to end. Exit status: 0 for SUCCESS, 1 for anything else."""
    run = _watch(run_id, timeout)
    row = find_run(run_id)
    _print(run_as_json(row), [_outcome(run)], as_json)
    if not run.ready:
        fail(f"run {run_id} has not ended after {timeout:g} s ({run.state})")
    if run.state != RunState.SUCCESS:
        sys.exit(FAILED)


def _watch(run_id: str, timeout: float | None) -> RunView:
    """Show how a run goes on until it has ended, or the time is over."""
    deadline = None if timeout is None else time.monotonic() + timeout
    run = run_of(run_id)
    bar, state = Bar(run.task), ""
    while True:
        if run.state != state and not bar.on_terminal:
            click.echo(f"{run.task}: {run.state}", err=True)
        state = run.state
        bar.show(*run.progress)
        if run.ready or (deadline is not None and time.monotonic() >= deadline):
            bar.close()
            return run
        time.sleep(LOOK_SECONDS)
        run = run_of(run_id)


def _outcome(run: RunView) -> str:
    said = run.error.splitlines()[0] if run.error else json.dumps(run.result)
    return f"{run.state} {run.task} {said}"


def _seconds(span: timedelta) -> int:
    return max(0, int(span.total_seconds()))


def _moment(moment: datetime | None) -> str | None:
    return iso_utc(moment) if moment else None
