"""``flask tasks logs``: the log lines of a run, also while it is at work."""

import json
import sys
import time
from typing import Any

import click

from sportsapp.commands.shell import FAILED, json_option, print_line
from sportsapp.commands.tasks.group import run_argument, tasks_group
from sportsapp.db.engine import db
from sportsapp.db.models import RunState
from sportsapp.runs.lines import line_as_json, lines_of
from sportsapp.tasks import run_of

POLL_SECONDS = 0.5
AT_ONCE = 1_000


@tasks_group.command("logs")
@run_argument()
@click.option("--follow", is_flag=True, help="Go on until the run has ended.")
@json_option
def logs(run_id: str, follow: bool, as_json: bool) -> None:
    """Print the log lines of a run, by its id or the beginning of it.

    With --json one object a line. Exit status of --follow: 0 for SUCCESS, 1 for anything else.
    """
    last = (0, 0)
    while True:
        run = run_of(run_id)  # before its lines: those of a run that has ended are all there
        while lines := lines_of(db.session, run_id, AT_ONCE, last):
            for line in lines:
                if as_json:
                    click.echo(json.dumps(line_as_json(line)))
                else:
                    _print(line, last)
                last = line.attempt, line.number
        if run.ready or not follow:
            break
        time.sleep(POLL_SECONDS)
    if last == (0, 0):
        print_line(f"{run.task} {run_id} ({run.state}) has no log lines", err=True)
    if follow and run.state != RunState.SUCCESS:
        sys.exit(FAILED)


def _print(line: Any, last: tuple[int, int]) -> None:
    """Print a line, and before it whether another attempt begins or lines are missing."""
    number = last[1] if line.attempt == last[0] else 0
    if line.attempt > max(last[0], 1):
        print_line(f"attempt {line.attempt}:", err=True)
    if missing := line.number - number - 1:
        print_line(f"{missing} older lines of attempt {line.attempt} were dropped", err=True)
    print_line(f"{line.at:%Y-%m-%d %H:%M:%S}  {line.level:<7}  {line.text}")
