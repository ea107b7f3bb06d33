"""The dashboard: consumers, queues, running and failed runs, age of the data, next runs."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from flask import url_for
from flask_admin import expose

from sportsapp.admin.view import PanelView, periodic_states
from sportsapp.core.clock import utc_now
from sportsapp.db.engine import db
from sportsapp.db.models import ConsumerProcess
from sportsapp.monitoring.alerts import Kind, active_texts
from sportsapp.runs import reports
from sportsapp.runs.reports import PeriodicState, QueueState
from sportsapp.services import services

DAY = timedelta(days=1)
FAILURES_SHOWN = 8


class DashboardView(PanelView):
    """The panel's first page, at /admin/."""

    @expose("/")
    def index(self) -> str:
        """The page. What changes on it is the fragment below."""
        return self.render("admin/dashboard.html", **_state())

    @expose("/live")
    def live(self) -> str:
        """The fragment that the page's script loads every few seconds."""
        return self.render("admin/dashboard_live.html", back=url_for("admin.index"), **_state())


def _state() -> dict[str, Any]:
    now, session = utc_now(), db.session
    consumers = reports.consumers(session, now)
    queues = reports.queue_states(session, services().queues, consumers, now)
    periodics = periodic_states()
    failure_count, failures = reports.failures_since(session, now - DAY, FAILURES_SHOWN)
    hosts = services().feed_client.hosts
    return {
        "consumers": consumers,
        "queues": queues,
        "periodics": periodics,
        "alarms": _alarms(consumers, queues, periodics),
        "running": reports.running(session),
        "failure_count": failure_count,
        "failures": failures,
        "leagues": reports.leagues(session, services().settings.leagues),
        "hosts": hosts.urls,
        "moved": hosts.moved(),
        "hours": reports.hours(session, now),
    }


def _alarms(
    consumers: Sequence[ConsumerProcess],
    queues: Sequence[QueueState],
    periodics: Sequence[PeriodicState],
) -> list[str]:
    """The faults that turn the dashboard red, a sentence each; empty when there are none."""
    alarms = []
    if any(queue.depth is None for queue in queues):
        alarms.append("The broker cannot be reached: no new runs start.")
    alarms += [
        f"No consumer is running for the queue {queue.name}: start one with `flask up`."
        for queue in queues
        if not queue.workers
    ]
    if consumers and not any(process.role == "scheduler" for process in consumers):
        alarms.append("No scheduler is running: no run starts on schedule.")
    alarms += [
        f"{task.name} is overdue: it was due at {task.overdue_since:%Y-%m-%d %H:%M} UTC."
        for task in periodics
        if task.overdue_since
    ]
    texts = active_texts(db.session, Kind.DRIFT, Kind.BREACH)
    return alarms + [f"{text}." for text in texts]
