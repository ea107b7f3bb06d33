"""A page for each task: its schedule and next slot, what its runs did, run now, pause, resume."""

from datetime import timedelta
from typing import Any

from flask import abort, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_admin import expose

from sportsapp.admin.run_filters import SHELL_TASKS
from sportsapp.admin.view import PanelView, periodic_states
from sportsapp.core.clock import utc_now
from sportsapp.db.engine import db
from sportsapp.runs import reports
from sportsapp.runs.task_stats import task_stats
from sportsapp.services import services

SPANS = {
    "24 hours": timedelta(days=1),
    "7 days": timedelta(days=7),
    "30 days": timedelta(days=30),
}


class TasksView(PanelView):
    """At /admin/tasks/NAME; links lead to it."""

    title, address = "Tasks", "tasks"

    def is_visible(self) -> bool:
        """Not in the menu: the schedule has the tasks."""
        return False

    @expose("/")
    def index(self) -> ResponseReturnValue:
        """The schedule, which links to each task."""
        return redirect(url_for("admin_schedule.index"))

    @expose("/<task>")
    def task(self, task: str) -> str:
        """One task; 404 for a name that no queue has."""
        classes: list[Any] = [queue.task_class(task) for queue in services().queues]
        task_class = next(filter(None, classes), None)
        if task_class is None and task not in SHELL_TASKS:
            abort(404, "There is no such task.")
        now, retries = utc_now(), task_class.default_retries if task_class else 0
        return self.render(
            "admin/task.html",
            name=task,
            task_class=task_class,
            periodic=next((state for state in periodic_states() if state.name == task), None),
            stats={
                span: task_stats(db.session, task, retries, now - length)
                for span, length in SPANS.items()
            },
            hours=reports.hours(db.session, now, task=task),
        )
