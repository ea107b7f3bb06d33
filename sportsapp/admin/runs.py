"""Task runs: list, details, run again, cancel, export."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from flask import request, url_for
from flask_admin import expose
from sqlalchemy import Row, Select, Text, cast, func, select
from sqlalchemy.orm import defer

from sportsapp.accounts.sessions import current_admin
from sportsapp.admin import formatting
from sportsapp.admin.table import (
    Condition,
    Filter,
    TableQuery,
    TableView,
    choice,
    day_filter,
    league_filter,
)
from sportsapp.admin.view import form_action
from sportsapp.core.errors import RunNotFoundError
from sportsapp.db.engine import db
from sportsapp.db.models import Batch, RunState, TaskRun, Trigger
from sportsapp.db.models.run import FAILED, FAILURES, OPEN, OUTSTANDING, WITH_ERRORS
from sportsapp.runs.batches import BatchState, find_batch
from sportsapp.runs.chains import links_of
from sportsapp.runs.lines import newest_lines
from sportsapp.services import services
from sportsapp.sync.table import DAY, RANGE, TODAY
from sportsapp.tasks import actions

STATES = {
    "open": TaskRun.state.in_(OPEN),
    "failed": TaskRun.state.in_(FAILED),
    "outstanding": OUTSTANDING,
    "resolved": FAILURES & TaskRun.resolved_at.is_not(None),
    "dismissed": FAILURES & TaskRun.dismissed_at.is_not(None),
    "with errors": WITH_ERRORS,
    **{str(state): TaskRun.state == state for state in RunState},
}
LEAGUE_TASKS = (RANGE.name, DAY.name)
SHELL_TASKS = (DAY.name, TODAY.name)
BATCHES_OFFERED = 20


def _task_options() -> list[tuple[str, str]]:
    queued = [name for queue in services().queues for name in queue.task_names()]
    return [(name, name) for name in sorted({*queued, *SHELL_TASKS})]


def _batch_options() -> list[tuple[str, str]]:
    """The newest batches, and the one that is chosen."""
    chosen = Batch.id == request.args.get("batch", "")
    newest = select(Batch.id).order_by(Batch.made_at.desc()).limit(BATCHES_OFFERED)
    offered = select(Batch).where(Batch.id.in_(newest) | chosen).order_by(Batch.made_at.desc())
    return [(row.id, formatting.batch_label(row)) for row in db.session.scalars(offered)]


def _of_league(slug: str) -> Condition:
    # Only these tasks have a league as argument; naming them spares reading all other rows.
    named = func.lower(TaskRun.args["league"].as_string()) == slug
    return TaskRun.task.in_(LEAGUE_TASKS) & named


def _queued_on(day: date) -> Condition:
    start = datetime.combine(day, time(), UTC)
    return (TaskRun.queued_at >= start) & (TaskRun.queued_at < start + timedelta(days=1))


class RunsView(TableView):
    """The ledger, at /admin/runs/."""

    model, title, address = TaskRun, "Task runs", "runs"
    list_template = "admin/runs.html"
    record_template = "admin/run.html"
    columns = ("queued_at", "task", "state", "trigger", "took", "outcome")
    labels = {"trigger": "Started by"}
    export_columns = (
        *("id", "task", "queue", "state", "trigger", "asked_by", "args", "result", "error"),
        *("attempt", "recoveries", "progress_done", "progress_total"),
        *("queued_at", "started_at", "finished_at", "host", "pid"),
        *("error_count", "resolved_at", "dismissed_at", "dismissed_by", "dismissed_word"),
    )
    default_order = (TaskRun.queued_at.desc(), TaskRun.id.desc())
    sorts = {
        "queued_at": (TaskRun.queued_at,),
        "task": (TaskRun.task, TaskRun.queued_at),
        "state": (TaskRun.state, TaskRun.queued_at),
    }
    filters = (
        Filter("task", "Task", lambda name: TaskRun.task == name, _task_options),
        choice("state", "State", STATES),
        Filter("batch", "Batch", lambda batch: TaskRun.batch_id == batch, _batch_options),
        choice("trigger", "Started by", {name: TaskRun.trigger == name for name in Trigger}),
        league_filter(_of_league),
        day_filter("Day (UTC)", _queued_on),
        Filter("chain", "Chain", lambda chain_id: TaskRun.chain_id == chain_id, hidden=True),
    )
    searched = (cast(TaskRun.args, Text), TaskRun.error)
    search_label = "Search in arguments and errors"
    searched_runs = 10_000
    shown_lines = 500
    loads = (defer(TaskRun.traceback), defer(TaskRun.resume))

    @expose("/details/live")
    def live(self) -> str:
        """The fragment of a run's page that the page's script loads every few seconds."""
        back = url_for(".details_view", id=request.args.get("id", ""))
        page: str = self.details_view(base="admin/fragment.html", back=back)
        return page

    def lines(self, run: TaskRun) -> Sequence[Row[Any]]:
        """The newest log lines of a run, in order."""
        return newest_lines(db.session, run.id, self.shown_lines)

    def search(self, rows: Select[Any], text: str) -> Select[Any]:
        """Only the newest runs are searched: reading every error would block other queries."""
        newest = rows.with_only_columns(TaskRun.id).order_by(*self.default_order)
        within = newest.limit(self.searched_runs).correlate(None)
        return super().search(rows.where(TaskRun.id.in_(within)), text)

    def links(self, run: TaskRun) -> list[TaskRun]:
        """The runs of this run's chain, in order; empty for one without."""
        return links_of(db.session, run)

    def batch(self, query: TableQuery) -> BatchState | None:
        """The batch to which the list is narrowed; the page shows how far it is."""
        with suppress(RunNotFoundError):
            return (
                find_batch(db.session, query.filters["batch"]) if "batch" in query.filters else None
            )
        return None

    @form_action("/again", "id")
    def again(self, run_id: str) -> str:
        """Queue a run's task again with the same arguments."""
        new_id = actions.run_again(run_id, Trigger.ADMIN, current_admin())
        return f"run {run_id} was queued again as {new_id}"

    @form_action("/dismiss", "id")
    def dismiss(self, run_id: str) -> str:
        """Dismiss a failure."""
        word = self.confirm_word("this failure")
        actions.dismiss(run_id, word, current_admin())
        return f"run {run_id} was dismissed: {word}"

    @form_action("/cancel", "id")
    def cancel(self, run_id: str) -> str:
        """Cancel a waiting or running run."""
        self.confirm(
            "Cancel this run? A waiting run never starts, nor does what follows it in its chain. A "
            "running one stops after its current chunk and keeps what it has stored.",
            "Cancel the run",
        )
        return f"run {run_id} {actions.cancel(run_id)}"

    @form_action("/cancel-batch", "id")
    def cancel_batch(self, batch_id: str) -> str:
        """Cancel what is open of a batch."""
        self.confirm(
            "Cancel this batch? Its runs that wait never start. Those that run stop after their "
            "current chunk and keep what they have stored.",
            "Cancel the batch",
        )
        return f"batch {batch_id} {actions.cancel_batch(batch_id)}"
