"""Task runs: list, details, run again, cancel, export."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from flask import abort, request, url_for
from flask_admin import expose
from sqlalchemy import Row, Select, select
from sqlalchemy.orm import defer

from sportsapp.accounts.sessions import current_admin
from sportsapp.admin import run_filters
from sportsapp.admin.table import TableQuery, TableView, counted
from sportsapp.admin.view import form_action
from sportsapp.core.clock import utc_now
from sportsapp.core.errors import RunNotFoundError
from sportsapp.db.engine import db
from sportsapp.db.models import TaskRun, Trigger
from sportsapp.runs.batches import BatchState, find_batch
from sportsapp.runs.chains import links_of
from sportsapp.runs.failures import checked_word
from sportsapp.runs.lines import newest_lines
from sportsapp.tasks import actions
from sportsapp.tasks.bulk import MOST_AT_ONCE, cancel_each, dismiss_each, run_each_again

ENDS = ("from", "to")
BULK = {
    "cancel": (
        "What waits never starts, nor does what follows it in its chain. What runs stops after its "
        "current chunk and keeps what it has stored.",
        "Cancel",
    ),
    "again": ("Each task with the same arguments is queued once.", "Run again"),
    "dismiss": (
        "The failures among them are hidden in Failures, with the word \u201c{word}\u201d and your "
        "name, and stay in the ledger.",
        "Dismiss",
    ),
}
"""What can be done with many runs: what follows from it, and the word on the button."""


def _form_shown_at() -> datetime:
    """When the page with the form was made; now for a form that does not have it."""
    try:
        return datetime.fromisoformat(request.form.get("until", "")).astimezone(UTC)
    except (ValueError, OverflowError):
        return utc_now()


class RunsView(TableView):
    """The ledger, at /admin/runs/."""

    model, title, address = TaskRun, "Task runs", "runs"
    list_template = "admin/runs.html"
    record_template = "admin/run.html"
    table_class, quick_filters = "rows", ("state", "batch", "task")
    columns = ("task", "state", "queued_at", "outcome", "took", "trigger")
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
        "took": (TaskRun.took_seconds,),
    }
    filters = run_filters.FILTERS
    search_label = "Search: an id, or words such as NBA 1990"
    searched_runs = run_filters.SEARCHED
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
        """Runs with this id, or with these words in what their row shows."""
        return run_filters.search_runs(rows, text)

    def search_limit(self) -> datetime | None:
        """Runs up to this time are not searched; None: all are."""
        return run_filters.search_limit()

    def span(self, query: TableQuery) -> list[tuple[str, datetime]]:
        """The ends of the span of time to which the list is narrowed, with their names."""
        ends = ((name, run_filters.parse_moment(query.filters.get(name, ""))) for name in ENDS)
        return [(name, at) for name, at in ends if at]

    def links(self, run: TaskRun) -> list[TaskRun]:
        """The runs of this run's chain, in order; empty for one without."""
        return links_of(db.session, run)

    def batch(self, query: TableQuery) -> BatchState | None:
        """The batch to which the list is narrowed; the page shows how far it is."""
        batch_id = query.filters.get("batch")
        with suppress(RunNotFoundError):
            return find_batch(db.session, batch_id) if batch_id else None
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

    @form_action("/bulk", "action")
    def bulk(self, action: str) -> str:
        """Cancel, run again or dismiss the chosen runs, or all that match the address."""
        if action not in BULK:
            abort(400, "There is no such action.")
        count, ids = self._chosen()
        word = checked_word(request.form.get("word", "")) if action == "dismiss" else ""
        question, yes = BULK[action]
        runs = f"{len(ids):,} {'run' if len(ids) == 1 else 'runs'}"
        others = "choose an earlier span of time for the others"
        newest = f", the newest of {count:,} ({others})" if count > len(ids) else ""
        self.confirm(f"{yes} {runs}{newest}? {question}".format(word=word), f"{yes} {runs}")
        if action == "cancel":
            return f"{cancel_each(ids)}{newest}"
        if action == "again":
            return f"{run_each_again(ids, Trigger.ADMIN, current_admin())}{newest}"
        return f"{dismiss_each(ids, word, current_admin())}{newest}"

    def _chosen(self) -> tuple[int, list[str]]:
        """How many runs are chosen, and the ids of as many as can be done at once, newest first.

        All that match are those that were queued before the form was shown.
        """
        if "all" not in request.form:
            ids = request.form.getlist("id")[:MOST_AT_ONCE]
            chosen = select(TaskRun).where(TaskRun.id.in_(ids))
        else:
            chosen = self.matching(self.query()).where(TaskRun.queued_at <= _form_shown_at())
        count = db.session.scalar(counted(chosen)) or 0
        if not count:
            raise RunNotFoundError("no run was chosen: mark some, or all that match")
        newest = chosen.with_only_columns(TaskRun.id).order_by(*self.default_order)
        return count, list(db.session.scalars(newest.limit(MOST_AT_ONCE)))

    @form_action("/cancel-batch", "id")
    def cancel_batch(self, batch_id: str) -> str:
        """Cancel what is open of a batch."""
        self.confirm(
            "Cancel this batch? Its runs that wait never start. Those that run stop after their "
            "current chunk and keep what they have stored.",
            "Cancel the batch",
        )
        return f"batch {batch_id} {actions.cancel_batch(batch_id)}"
