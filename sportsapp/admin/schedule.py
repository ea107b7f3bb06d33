"""Periodic tasks with their last runs and the next one; run now, pause, resume."""

from datetime import timedelta

from flask_admin import expose

from sportsapp.accounts.sessions import current_admin
from sportsapp.admin.view import PanelView, form_action, periodic_states
from sportsapp.core.clock import utc_now
from sportsapp.core.errors import UnknownTaskError
from sportsapp.db.models import Trigger
from sportsapp.runs.slots import with_missed_slots
from sportsapp.services import services
from sportsapp.tasks import actions


class ScheduleView(PanelView):
    """At /admin/schedule/."""

    title, address = "Schedule", "schedule"

    @expose("/")
    def index(self) -> str:
        """Every periodic task, with its last runs and the slots between them that have none."""
        now, periodics = utc_now(), services().queues[0].periodic_tasks
        kept_since = now - timedelta(days=services().settings.task_run_retention_days)
        states = periodic_states()
        courses = {
            state.name: with_missed_slots(
                state.runs, periodics[state.name].schedule, kept_since, now
            )
            for state in states
        }
        return self.render("admin/schedule.html", periodics=states, courses=courses)

    @form_action("/run", "task")
    def run(self, task: str) -> str:
        """Queue a task now, even a paused one."""
        periodics = services().queues[0].periodic_tasks
        if task not in periodics:
            raise UnknownTaskError(task, list(periodics))
        run_id = actions.run_now(task, Trigger.ADMIN, current_admin())
        return f"{task} was queued: run {run_id}"

    @form_action("/pause", "task")
    def pause(self, task: str) -> str:
        """Stop a task from starting on schedule until it is resumed."""
        self.confirm(f"Pause {task}? It does not start on schedule until it is resumed.", "Pause")
        actions.set_paused(task, True, current_admin())
        return f"{task} was paused"

    @form_action("/resume", "task")
    def resume(self, task: str) -> str:
        """Let a task start on schedule again."""
        actions.set_paused(task, False)
        return f"{task} was resumed"
