"""``flask tasks``: what the tasks did."""

from __future__ import annotations

import json

import click
from flask.cli import AppGroup

from sportsapp.database import db
from sportsapp.ledger import run_as_json
from sportsapp.models import RunState, TaskRun
from sportsapp.queries import recent_runs

tasks_group = AppGroup("tasks", help="What the tasks did and do.")


@tasks_group.command("runs")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option("--task", help="Only this task, such as sync_all_teams.")
@click.option("--state", type=click.Choice([str(s) for s in RunState], case_sensitive=False))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
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
