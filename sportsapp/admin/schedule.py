"""The schedule: each periodic task with its last runs and the next; run now, pause, resume."""

from __future__ import annotations

from flask import request
from flask.typing import ResponseReturnValue
from flask_admin import expose

from sportsapp.admin.signin import who
from sportsapp.admin.view import PanelView, act, periodic_states
from sportsapp.core.errors import UnknownTaskError
from sportsapp.db.models import Trigger
from sportsapp.services import services
from sportsapp.tasks import control


class Schedule(PanelView):
    """At /admin/schedule/."""

    def __init__(self) -> None:
        super().__init__(name="Schedule", endpoint="admin_schedule", url="schedule")

    @expose("/")
    def index(self) -> str:
        """Every periodic task."""
        return self.render("admin/schedule.html", periodics=periodic_states())

    @expose("/run", methods=("POST",))
    def run(self) -> ResponseReturnValue:
        """Queue a task now, paused or not."""
        name = _task()

        def do() -> str:
            known = services().queues[0].periodic_tasks
            if name not in known:
                raise UnknownTaskError(name, list(known))
            return f"{name} was queued: run {control.run_now(name, Trigger.ADMIN, who())}"

        return act(do)

    @expose("/pause", methods=("POST",))
    def pause(self) -> ResponseReturnValue:
        """Start a task on schedule no more, until it is resumed."""
        name = _task()
        asks = f"Pause {name}? It is not started on schedule until somebody resumes it."
        if page := self.question(asks, "Pause it"):
            return page
        return act(lambda: _set(name, True))

    @expose("/resume", methods=("POST",))
    def resume(self) -> ResponseReturnValue:
        """Start a task on schedule again."""
        name = _task()
        return act(lambda: _set(name, False))


def _set(name: str, paused: bool) -> str:
    control.set_paused(name, paused)
    return f"{name} was {'paused' if paused else 'resumed'}"


def _task() -> str:
    return request.form.get("task", "")
