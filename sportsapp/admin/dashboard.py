"""The dashboard: consumers, queues, running and failed runs, age of the data, next runs."""

from datetime import timedelta
from typing import Any

from flask import url_for
from flask_admin import expose

from sportsapp.accounts.sessions import current_admin
from sportsapp.admin.view import PanelView, form_action, periodic_states
from sportsapp.core.clock import utc_now
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.monitoring.checks import run_checks
from sportsapp.monitoring.checks.check import State
from sportsapp.runs import reports
from sportsapp.services import services
from sportsapp.tasks import actions

PAGES = {
    "scheduler": "admin_schedule.index",
    "paused": "admin_schedule.index",
    "queues": "admin_backfill.index",
    "runs": "admin_failures.index",
    "letters": "admin_failures.index",
    "notify": "admin_notifications.index",
    "feed": "admin_leagues.index_view",
    "leagues": "admin_leagues.index_view",
    "data": "admin_leagues.index_view",
    "audit": "admin_stored.index",
}
"""The page that shows more of what a check looks at, by the check's name."""

DAY = timedelta(days=1)
FAILURES_SHOWN = 8


class DashboardView(PanelView):
    """The panel's first page, at /admin/."""

    address = "dashboard"  # in the names of its actions alone
    pages = PAGES

    @expose("/")
    def index(self) -> str:
        """The page. What changes on it is the fragment below."""
        return self.render("admin/dashboard.html", **_state())

    @expose("/live")
    def live(self) -> str:
        """The fragment that the page's script loads every few seconds."""
        return self.render("admin/dashboard_live.html", back=url_for("admin.index"), **_state())

    @form_action("/pause-queue", "queue")
    def pause_queue(self, queue: str) -> str:
        """Start no run of a queue until it is resumed."""
        self.confirm(
            f"Pause {queue}? Its waiting runs do not start until it is resumed. A running one "
            "stops after its current chunk and goes on then.",
            "Pause",
        )
        actions.set_paused(queue, True, current_admin())
        return f"{queue} was paused"

    @form_action("/resume-queue", "queue")
    def resume_queue(self, queue: str) -> str:
        """Let a queue's runs start again."""
        actions.set_paused(queue, False)
        return f"{queue} was resumed"


def _state() -> dict[str, Any]:
    results = [result for result in run_checks(services().look()) if result.problems]
    now, session = utc_now(), db.session
    consumers = reports.consumers(session, now)
    queues = reports.queue_states(session, services().queues, consumers, now)
    periodics = periodic_states()
    hosts = services().feed_client.hosts
    return {
        "consumers": consumers,
        "queues": queues,
        "periodics": periodics,
        "results": results,
        "is_wrong": any(result.state == State.WRONG for result in results),
        "running": reports.running(session),
        "failures": reports.failures_since(session, now - DAY, FAILURES_SHOWN),
        "leagues": reports.leagues(session, services().settings.leagues),
        "hosts": hosts.urls,
        "moved": hosts.moved(),
        "hours": reports.hours(session, now),
        "gaps": queries.season_gaps(session, services().leagues, now),
    }
