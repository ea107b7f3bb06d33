"""The panel at /admin/: what every task did, what runs now, and backfills with progress.

Flask-Admin carries it; its stock list, details and forms are replaced by our own templates.
Views read through ``activity`` and act through ``control`` and ``accounts``::

    signin      who may come in: accounts, sessions, limits      security   headers, cookie, CSRF
    view        what all views share                             table      read-only tables
    dashboard, failures, runs, backfill, schedule, data, accounts: the views
    words       moments, spans and states for people             chart      runs an hour as SVG
"""

from __future__ import annotations

from collections.abc import Iterable

from flask import Blueprint, Flask
from flask_admin import Admin
from flask_admin.theme import Bootstrap4Theme

from sportsapp.admin import (
    accounts,
    backfill,
    dashboard,
    data,
    failures,
    runs,
    schedule,
    security,
    signin,
)

NAME = "Sports Game Tracker"


def init_app(app: Flask, self_guarded: Iterable[Blueprint] = ()) -> None:
    """Add the panel. Every POST of the app needs a token, but for the blueprints named."""
    signin.init_app(app)  # first: who is not signed in is turned away before anything else
    security.init_app(app, self_guarded)
    admin = Admin(
        app,
        name=NAME,
        index_view=dashboard.Dashboard(name="Dashboard"),
        theme=Bootstrap4Theme(base_template="admin/panel.html"),
        csp_nonce_generator=security.nonce,
    )
    for view in (
        failures.Failures, runs.Runs, backfill.Backfill, schedule.Schedule,
        data.Leagues, data.Teams, data.Players, data.Games, accounts.Accounts,
    ):  # fmt: skip
        admin.add_view(view())
