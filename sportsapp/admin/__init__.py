"""The admin panel at /admin/: what every task did, what runs now, and backfills with progress.

Built on Flask-Admin's views, menu and URLs; templates and tables are our own. Views read through
``runs.reports`` and act through ``tasks.actions`` and ``accounts``. Each imports only from the
lines below it::

    dashboard, failures, runs, tasks, backfill, stored, schedule, data,
    account, accounts, activity    the views
    run_filters  how runs are found
    table        read-only tables           exports    their rows as a file
    view         what all views share
    signin       the sign-in page, the guard       formatting   times and states for templates
    devices      where an account has signed in
    security     cookies, CSRF, headers
"""

from collections.abc import Iterable

from flask import Blueprint, Flask
from flask_admin import Admin
from flask_admin.theme import Bootstrap4Theme

from sportsapp.accounts import sessions
from sportsapp.admin import security, signin
from sportsapp.admin.account import AccountView
from sportsapp.admin.accounts import AccountsView
from sportsapp.admin.activity import ActivityView
from sportsapp.admin.backfill import BackfillView
from sportsapp.admin.dashboard import DashboardView
from sportsapp.admin.data import GamesView, LeaguesView, PlayersView, TeamsView
from sportsapp.admin.failures import FailuresView
from sportsapp.admin.notifications import NotificationsView
from sportsapp.admin.runs import RunsView
from sportsapp.admin.schedule import ScheduleView
from sportsapp.admin.stored import StoredView
from sportsapp.admin.tasks import TasksView
from sportsapp.services import services

MENU = (
    *(FailuresView, RunsView, BackfillView, StoredView, ScheduleView, TasksView),
    *(NotificationsView, ActivityView),
    *(LeaguesView, TeamsView, PlayersView, GamesView, AccountsView, AccountView),
)


def init_app(app: Flask, self_guarded: Iterable[Blueprint] = ()) -> None:
    """Add the panel.

    Every POST of the whole app then needs a CSRF token, except at the ``self_guarded``
    blueprints, which check by themselves that a form comes from this site.
    """
    sessions.init_app(app)
    app.add_template_global(lambda: services().settings.instance_name, "instance_name")
    signin.init_app(app)  # before the CSRF check, so that strangers get the sign-in page first
    security.init_app(app, self_guarded)
    admin = Admin(
        app,
        index_view=DashboardView("Dashboard", endpoint="admin", url="/admin"),
        theme=Bootstrap4Theme(base_template="admin/panel.html"),
    )
    for view in MENU:
        endpoint = f"admin_{view.address}"
        admin.add_view(view(view.title, view.group, endpoint=endpoint, url=view.address))
