"""Periodic tasks with their last runs and the next one; run now, pause, resume."""

from flask import request
from flask_admin import expose

from sportsapp.accounts.sessions import current_admin
from sportsapp.admin.view import PanelView, form_action, periodic_states
from sportsapp.core.errors import UnknownTaskError
from sportsapp.db.models import Trigger
from sportsapp.services import services
from sportsapp.tasks import actions


class ScheduleView(PanelView):
    """At /admin/schedule/."""

    def __init__(self) -> None:
        super().__init__(name="Schedule", endpoint="admin_schedule", url="schedule")

    @expose("/")
    def index(self) -> str:
        """Every periodic task."""
        return self.render("admin/schedule.html", periodics=periodic_states())

    @expose("/run", methods=("POST",))
    @form_action
    def run(self) -> str:
        """Queue a task now, even a paused one."""
        task = _task()
        periodics = services().queues[0].periodic_tasks
        if task not in periodics:
            raise UnknownTaskError(task, list(periodics))
        run_id = actions.run_now(task, Trigger.ADMIN, current_admin())
        return f"{task} was queued: run {run_id}"

    @expose("/pause", methods=("POST",))
    @form_action
    def pause(self) -> str:
        """Stop a task from starting on schedule until it is resumed."""
        task = _task()
        self.confirm(f"Pause {task}? It does not start on schedule until it is resumed.", "Pause")
        actions.set_paused(task, True)
        return f"{task} was paused"

    @expose("/resume", methods=("POST",))
    @form_action
    def resume(self) -> str:
        """Let a task start on schedule again."""
        task = _task()
        actions.set_paused(task, False)
        return f"{task} was resumed"


def _task() -> str:
    return request.form.get("task", "")
