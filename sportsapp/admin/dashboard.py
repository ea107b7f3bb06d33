"""The dashboard: what is alive, what waits, what runs, what failed, how old the data is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import url_for
from flask_admin import AdminIndexView, expose

from sportsapp.admin import chart
from sportsapp.admin.view import Panel, periodic_states, settings
from sportsapp.core.clock import utc_now
from sportsapp.db.engine import db
from sportsapp.runs import reports as activity
from sportsapp.services import services

DAY = timedelta(days=1)
FAILURES_SHOWN = 8


class Dashboard(Panel, AdminIndexView):  # type: ignore[misc]  # Flask-Admin has no types
    """The first page, at /admin/."""

    @expose("/")
    def index(self) -> str:
        """The page; what changes is a fragment of it."""
        return self.render("admin/dashboard.html", **_state())

    @expose("/live")
    def live(self) -> str:
        """The fragment, for the page to refresh itself."""
        return self.render("admin/dashboard_live.html", back=url_for("admin.index"), **_state())


def _state() -> dict[str, Any]:
    now, session = utc_now(), db.session
    queues = services().queues
    alive = activity.consumers(session, now)
    states = activity.queue_states(session, queues, alive, now)
    periodics = periodic_states()
    failed, failures = activity.failures_since(session, now - DAY, FAILURES_SHOWN)
    return {
        "consumers": alive,
        "queues": states,
        "periodics": periodics,
        "alarms": _alarms(alive, states, periodics),
        "running": activity.running(session),
        "failed": failed,
        "failures": failures,
        "leagues": activity.leagues(session, settings().leagues),
        "chart": chart.draw(activity.hours(session, now)),
    }


def _alarms(
    alive: list[Any],
    queues: list[activity.QueueState],
    periodics: list[activity.PeriodicState],
) -> list[str]:
    """What turns the dashboard red, in words; empty when all is well."""
    said = []
    if any(queue.depth is None for queue in queues):
        said.append("The broker cannot be reached: nothing new is started.")
    said += [
        f"No consumer works on the queue {queue.name}: start the app with `flask up`."
        for queue in queues
        if not queue.workers
    ]
    if alive and not any(one.role == "scheduler" for one in alive):
        said.append("No scheduler is alive: nothing is started on schedule.")
    said += [
        f"{one.name} is overdue: it was due at {one.overdue_since:%Y-%m-%d %H:%M} UTC."
        for one in periodics
        if one.overdue_since
    ]
    return said
