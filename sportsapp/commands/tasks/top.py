"""``flask tasks top``: what is wrong, queues, runs and leagues, drawn anew every two seconds."""

import sys
from collections.abc import Iterator
from datetime import datetime

import click

from sportsapp.commands.shell import draw_anew, draws, json_option, print_answer
from sportsapp.commands.tasks.group import tasks_group
from sportsapp.core.clock import duration, iso_utc, utc_now
from sportsapp.core.printable import printable
from sportsapp.db.engine import db
from sportsapp.db.models import TaskRun
from sportsapp.db.queries import recent_runs
from sportsapp.monitoring.checks import run_checks
from sportsapp.runs import reports
from sportsapp.runs.rows import arguments_in_words, run_as_json
from sportsapp.services import services

EVERY_SECONDS = 2.0
NEWEST_RUNS = 10


@tasks_group.command("top")
@click.option("--once", is_flag=True, help="Print it once, as plain text.")
@json_option
def top(once: bool, as_json: bool) -> None:
    """Show queues, runs and leagues, drawn anew every two seconds until Ctrl-C.

    Where nothing can be drawn (a pipe, TERM=dumb, NO_COLOR) it is printed once.
    """
    if once or as_json or not (sys.stdout.isatty() and draws()):
        print_answer(_document(), list(_lines(utc_now())), as_json)
        return
    draw_anew(lambda: [printable(line) for line in _lines(utc_now())], EVERY_SECONDS)


def _document() -> dict[str, object]:
    """What is shown as JSON: the open and the newest runs."""
    return {
        "problems": [
            {"check": result.check.name, "state": finding.state, "says": finding.text}
            for result in run_checks(services().look())
            for finding in result.problems
        ],
        "active": [run_as_json(run) for run in reports.running(db.session)],
        "newest": [run_as_json(run) for run in recent_runs(db.session, NEWEST_RUNS)],
        "leagues": [
            {"league": row.slug.upper(), "read_at": row.polled_at and iso_utc(row.polled_at)}
            for row in reports.leagues(db.session, services().settings.leagues)
        ],
    }


def _lines(now: datetime) -> Iterator[str]:
    session, settings = db.session, services().settings
    alive = reports.consumers(session, now)
    yield f"{settings.instance_name}  {now:%Y-%m-%d %H:%M:%S} UTC"
    for result in run_checks(services().look()):
        for finding in result.problems:
            yield f"{finding.state:<7} {result.check.name}: {finding.text}"
    yield ""
    for state in reports.queue_states(session, services().queues, alive, now):
        oldest = f", the oldest for {duration(now - state.oldest)}" if state.oldest else ""
        paused = ", paused" if state.paused else ""
        yield f"{state.name}: {state.waiting} waiting{oldest}, {state.workers} workers{paused}"
    yield ""
    running = reports.running(session)
    for run in running:
        yield _run_line(run, f"for {duration(now - (run.started_at or now))}")
    for run in recent_runs(session, NEWEST_RUNS):
        if run.id not in {each.id for each in running}:
            outcome = (run.error.splitlines() or [""])[0]
            yield _run_line(run, f"{duration(now - run.queued_at)} ago  {outcome}")
    yield ""
    for row in reports.leagues(session, settings.leagues):
        read = f"read {duration(now - row.polled_at)} ago" if row.polled_at else "not read yet"
        yield f"{row.slug.upper():<7} {read}" + (f"  {row.failure}" if row.failing_since else "")


def _run_line(run: TaskRun, course: str) -> str:
    done = f" {run.progress_done}/{run.progress_total}" if run.progress_total else ""
    words = f"{run.task} {arguments_in_words(run.args)}".rstrip()
    return f"{run.state:<8} {run.id[:8]}  {words}{done}  {course}".rstrip()
