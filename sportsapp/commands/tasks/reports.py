"""``flask tasks runs, active, registered, scheduled, stats, show``: they change nothing."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

import click
from sqlalchemy import func, select

from sportsapp.commands.shell import json_option, print_answer
from sportsapp.commands.tasks.group import batch_line, require_broker, run_argument, tasks_group
from sportsapp.core.clock import iso_utc, utc_now
from sportsapp.core.printable import printable_lines
from sportsapp.db.engine import db
from sportsapp.db.models import ConsumerProcess, DeadLetter, RunState, ScheduleRow, TaskRun
from sportsapp.db.models.run import OUTSTANDING, WAITING, WITH_ERRORS
from sportsapp.db.queries import recent_runs
from sportsapp.queue.broker import broker_errors
from sportsapp.runs import reports
from sportsapp.runs.batches import batch_as_json, find_batch
from sportsapp.runs.chains import IS_LINK, links_of
from sportsapp.runs.rows import arguments_in_words, find_run, run_as_json
from sportsapp.services import services
from sportsapp.tasks.actions import task_of

DAY = timedelta(days=1)
SCHEDULED_LIMIT = 200
STATES = [str(state) for state in RunState]


@tasks_group.command("runs")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option("--task", help="Only this task, such as sync_all_teams.")
@click.option("--state", type=click.Choice(STATES, case_sensitive=False))
@click.option("--outstanding", is_flag=True, help="Only failures not resolved or dismissed.")
@click.option("--errors", is_flag=True, help="Only runs that succeeded, but for some errors.")
@click.option("--batch", "batch_id", metavar="ID", help="Only this batch, and how far it is.")
@json_option
def runs(
    limit: int,
    task: str | None,
    state: str | None,
    outstanding: bool,
    errors: bool,
    batch_id: str | None,
    as_json: bool,
) -> None:
    """List task runs, newest first."""
    batch = find_batch(db.session, batch_id) if batch_id else None
    asked_for = ((outstanding, OUTSTANDING), (errors, WITH_ERRORS))
    conditions = [condition for is_asked, condition in asked_for if is_asked]
    rows = recent_runs(db.session, limit, task, state, batch_id, conditions)
    if task and not recent_runs(db.session, 1, task):
        task_of(task, {})  # raises UnknownTaskError, unless it has just not run yet
    lines = [batch_line(batch)] if batch else []
    for run in rows:
        progress = f" {run.progress_done}/{run.progress_total}" if run.progress_total else ""
        outcome = run.error.splitlines()[0] if run.error else json.dumps(run.result)
        ended = f"{run.state:<8}" + "".join(f" ({note})" for note in _notes(run))
        lines.append(
            f"{run.queued_at:%Y-%m-%d %H:%M:%S}  {ended}{progress}"
            f"  {run.task} {arguments_in_words(run.args)}"
            f" ({run.trigger}, attempt {run.attempt})  {outcome[:160]}  {run.id}"
        )
    document: dict[str, Any] = {"runs": [run_as_json(run) for run in rows]}
    if batch:
        document["batch"] = batch_as_json(batch, utc_now())
    print_answer(document, lines or ["No task has run yet."], as_json)


@tasks_group.command("active")
@json_option
def active(as_json: bool) -> None:
    """List the runs that have started and not ended, and where they run."""
    now = utc_now()
    rows, lines = [], []
    for run in reports.running(db.session):
        elapsed, silent = _seconds(run.started_at, now), _seconds(run.heartbeat_at, now)
        place = {"host": run.host, "pid": run.pid}
        times = {"elapsed_seconds": elapsed, "silent_seconds": silent}
        rows.append(run_as_json(run) | place | times)
        progress = f"  {run.progress_done} of {run.progress_total}" if run.progress_total else ""
        lines.append(
            f"{run.task} {arguments_in_words(run.args)}".rstrip() + f"  for {elapsed} s{progress}"
            f"  on {run.host}, process {run.pid}, last beat {silent} s ago  {run.id}"
        )
    print_answer({"active": rows}, lines or ["Nothing runs now."], as_json)


@tasks_group.command("registered")
@json_option
def registered(as_json: bool) -> None:
    """List all tasks with schedule, retries and time limit."""
    rows = []
    for queue in services().queues:
        for name in queue.task_names():
            task_class: Any = queue.task_class(name)
            periodic = queue.periodic_tasks.get(name)
            rows.append(
                {
                    "task": name,
                    "queue": queue.name,
                    "schedule": periodic.schedule.label if periodic else None,
                    "retries": task_class.default_retries,
                    "retry_delay": task_class.default_retry_delay,
                    "time_limit": task_class.default_timeout,
                    "expires": task_class.default_expires,
                    "priority": task_class.default_priority,
                }
            )
    rows.sort(key=lambda row: (row["schedule"] is None, row["task"]))
    lines = [
        f"{row['task']}  {row['schedule'] or 'on demand'}  {row['retries']} retries, "
        f"limit {row['time_limit']} s  on {row['queue']}"
        for row in rows
    ]
    print_answer({"registered": rows}, lines, as_json)


@dataclass(frozen=True)
class Upcoming:
    """A slot of the schedule, or a run that waits for its time; as JSON under these names."""

    task: str
    due_at: str | None
    schedule: str | None = None
    paused: bool = False
    id: str | None = None
    state: str | None = None
    args: dict[str, Any] = field(default_factory=dict)


@tasks_group.command("scheduled")
@json_option
def scheduled(as_json: bool) -> None:
    """List what comes next: the schedule's next slots, runs that wait for their time, and links of
    chains that wait for the run before them.
    """
    require_broker()
    now = utc_now()
    paused = set(db.session.scalars(select(ScheduleRow.task).where(ScheduleRow.paused)))
    upcoming = []
    for queue in services().queues:
        for name, periodic in queue.periodic_tasks.items():
            slot, label = iso_utc(periodic.schedule.next_slot(now)), periodic.schedule.label
            upcoming.append(Upcoming(name, slot, schedule=label, paused=name in paused))
    delayed = select(TaskRun).where(TaskRun.state.in_(WAITING), TaskRun.due_at > now)
    for run in db.session.scalars(delayed.order_by(TaskRun.due_at).limit(SCHEDULED_LIMIT)):
        due_at = _iso(run.due_at)
        upcoming.append(Upcoming(run.task, due_at, id=run.id, state=run.state, args=run.args))
    is_driven = reports.has_scheduler(db.session, services().queues[0].name, now)
    upcoming.sort(key=lambda row: row.due_at or "")
    links = select(TaskRun).where(IS_LINK).order_by(TaskRun.queued_at, TaskRun.chain_place)
    upcoming += [
        Upcoming(run.task, None, id=run.id, state=run.state, args=run.args)
        for run in db.session.scalars(links.limit(SCHEDULED_LIMIT))
    ]
    lines = [
        f"{row.due_at or 'later in a chain':<20}  {row.task}  {row.schedule or row.state}"
        + ("  paused" if row.paused else "")
        + (f"  {row.id}" if row.id else "")
        for row in upcoming
    ]
    lines += [] if is_driven else ["no scheduler is running: nothing starts on schedule"]
    document = {"has_scheduler": is_driven, "scheduled": [asdict(row) for row in upcoming]}
    print_answer(document, lines, as_json)


@tasks_group.command("stats")
@json_option
def stats(as_json: bool) -> None:
    """Show the queues, the consumers that are alive, and the runs of the last 24 hours."""
    require_broker()
    now = utc_now()
    alive = reports.consumers(db.session, now)
    ended = (
        select(TaskRun.task, TaskRun.state, func.count())
        .where(TaskRun.finished_at >= now - DAY)
        .group_by(TaskRun.task, TaskRun.state)
        .order_by(TaskRun.task, TaskRun.state)
    )
    counts: dict[str, dict[str, int]] = {}
    for task, state, count in db.session.execute(ended):
        counts.setdefault(task, {})[state] = count
    document = {
        "queues": _queue_rows(alive, now),
        "consumers": [
            {
                "queue": process.queue,
                "role": process.role,
                "host": process.host,
                "pid": process.pid,
                "started_at": iso_utc(process.started_at),
                "beat_at": iso_utc(process.beat_at),
                "run": process.run_id,
            }
            for process in alive
        ],
        "paused_tasks": [
            {"task": row.task, "paused_at": _iso(row.paused_at), "paused_by": row.paused_by}
            for row in db.session.scalars(
                select(ScheduleRow).where(ScheduleRow.paused).order_by(ScheduleRow.task)
            )
        ],
        "last_24_hours": counts,
        "dead_letters": db.session.scalar(select(func.count()).select_from(DeadLetter)),
    }
    print_answer(document, _stats_lines(document), as_json)


def _queue_rows(alive: Sequence[ConsumerProcess], now: datetime) -> list[dict[str, Any]]:
    """Each queue as the broker and the ledger have it, as JSON."""
    queues = services().queues
    states = reports.queue_states(db.session, queues, alive, now)
    with broker_errors():
        return [
            {
                "name": state.name,
                "messages": state.depth,
                "scheduled": queue.scheduled_count(),
                "results": queue.result_count(),
                "waiting": state.waiting,
                "oldest_wait_seconds": _seconds(state.oldest, now),
                "workers": state.workers,
                "paused_at": _iso(state.paused.paused_at) if state.paused else None,
                "paused_by": state.paused.paused_by if state.paused else "",
            }
            for queue, state in zip(queues, states, strict=True)
        ]


def _stats_lines(document: dict[str, Any]) -> list[str]:
    lines = [
        f"queue {row['name']}: {row['waiting']} waiting"
        + (f" (the oldest for {row['oldest_wait_seconds']} s)" if row["waiting"] else "")
        + f", {row['messages']} messages, {row['scheduled']} for later,"
        f" {row['results']} results kept, {row['workers']} workers alive"
        + (f", {_paused_since(row)}" if row["paused_at"] else "")
        for row in document["queues"]
    ]
    lines += [f"task {row['task']}: {_paused_since(row)}" for row in document["paused_tasks"]]
    lines += [
        f"{row['role']} of {row['queue']} on {row['host']}, process {row['pid']},"
        f" since {row['started_at']}" + (f", runs {row['run']}" if row["run"] else ", idle")
        for row in document["consumers"]
    ]
    for task, counts in document["last_24_hours"].items():
        ended = ", ".join(f"{count} {state}" for state, count in counts.items())
        lines.append(f"{task} in 24 hours: {ended}")
    if document["dead_letters"]:
        lines.append(f"{document['dead_letters']} dead letters: see /admin/ for them")
    return lines


def _paused_since(row: dict[str, Any]) -> str:
    """Since when what this row is about is paused, and by whom, as far as both are known."""
    since = f" since {row['paused_at']}" if row["paused_at"] else ""
    return f"paused{since}" + (f" by {row['paused_by']}" if row["paused_by"] else "")


@tasks_group.command("show")
@run_argument()
@json_option
def show(run_id: str, as_json: bool) -> None:
    """Show everything that the ledger has about a run."""
    run = find_run(run_id)
    document = run_as_json(run) | {
        "queue": run.queue,
        "slot": _iso(run.slot),
        "asked_by": run.asked_by,
        "due_at": _iso(run.due_at),
        "expires_at": _iso(run.expires_at),
        "heartbeat_at": _iso(run.heartbeat_at),
        "retries_left": run.retries_left,
        "earlier": run.earlier,
        "chain": [
            {"id": link.id, "task": link.task, "state": link.state}
            for link in links_of(db.session, run)
        ],
        "batch_id": run.batch_id,
        "cancel_asked": run.cancel_asked,
        "host": run.host,
        "pid": run.pid,
        "fingerprint": run.fingerprint,
        "traceback": run.traceback or None,
        "error_count": run.error_count,
        "resolved_at": _iso(run.resolved_at),
        "dismissed_at": _iso(run.dismissed_at),
        "dismissed_by": run.dismissed_by,
        "dismissed_word": run.dismissed_word,
    }
    lines = []
    for name, value in document.items():
        if name not in ("earlier", "traceback") and value not in (None, "", [], {}):
            text = value if isinstance(value, str) else json.dumps(value)
            lines.append(f"{name:<13} {text}")
    for attempt in run.earlier:
        label = f"attempt {attempt['attempt']}"
        course = f"{attempt['started_at']}  {attempt['end']} {attempt['ended_at']}"
        lines.append(f"{label:<13} {course}  {attempt['error']}".rstrip())
    if run.traceback:
        lines += ["", *printable_lines(run.traceback)]
    print_answer(document, lines, as_json)


def _notes(run: TaskRun) -> list[str]:
    """What became of a run beside its state: its errors, or what settled its failure."""
    errors = f"{run.error_count} error{'' if run.error_count == 1 else 's'}"
    notes = {errors: run.error_count, "resolved": run.resolved_at}
    notes[f"dismissed: {run.dismissed_word}"] = run.dismissed_at
    return [note for note, applies in notes.items() if applies]


def _seconds(since: datetime | None, now: datetime) -> int | None:
    return max(0, int((now - since).total_seconds())) if since else None


def _iso(moment: datetime | None) -> str | None:
    return iso_utc(moment) if moment else None
