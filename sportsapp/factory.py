"""``create_app``: the one place where the parts are joined."""

from __future__ import annotations

import ipaddress

from flask import Flask

from sportsapp import admin, api, commands, security, web
from sportsapp.alerts import Alerts
from sportsapp.database import init_database
from sportsapp.espn.client import FeedClient
from sportsapp.ledger import Ledger
from sportsapp.queue import backfill_huey, huey
from sportsapp.settings import (
    PROJECT_ROOT,
    Settings,
    load_settings,
    make_instance_folder,
    secret_key_of,
)
from sportsapp.sync.watch import FeedWatch
from sportsapp.tasks.alerts import queue_alert
from sportsapp.tasks.sync import configure_tasks
from sportsapp.throttle import Pace, Tally
from sportsapp.web import preferences

LOOPBACK = ["localhost", "127.0.0.1", "[::1]"]
FORM_LIMIT = 256 * 1024


def create_app(settings: Settings | None = None, client: FeedClient | None = None) -> Flask:
    """The application with its database, queues, pages, API and commands.

    ``settings`` default to the environment's; ``client`` to the real feed's. The queues are
    shared by the whole process: the app made last is the one whose ledger they use.
    Raises SettingsError for a malformed setting or an unusable instance folder.
    """
    settings = settings or load_settings()
    make_instance_folder(settings)
    app = Flask(
        "sportsapp",
        instance_path=str(settings.instance_path),
        template_folder=str(PROJECT_ROOT / "templates"),
        static_folder=str(PROJECT_ROOT / "static"),
        root_path=str(PROJECT_ROOT / "sportsapp"),
    )
    app.config.update(
        SECRET_KEY=secret_key_of(settings),
        SQLALCHEMY_DATABASE_URI=settings.database,
        TRUSTED_HOSTS=_trusted_hosts(settings),
        MAX_CONTENT_LENGTH=FORM_LIMIT,
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    app.extensions["settings"] = settings
    app.extensions["feed_tally"] = tally = Tally(settings.broker)
    app.extensions["feed_client"] = client or _feed_client(settings, tally)
    init_database(app)
    _init_queues(app, settings)
    security.init_app(app)
    admin.init_app(app, self_guarded=[preferences.blueprint])
    web.init_app(app)
    api.init_app(app)
    commands.init_app(app)
    return app


def _feed_client(settings: Settings, tally: Tally) -> FeedClient:
    pace = Pace(settings.broker, settings.feed_requests_per_minute)
    return FeedClient(settings.espn_base_url, settings.user_agent, pace=pace, tally=tally)


def _init_queues(app: Flask, settings: Settings) -> None:
    app.extensions["queues"] = (huey, backfill_huey)
    alerts = Alerts(app, settings, huey, queue_alert)
    app.extensions["alerts"] = alerts
    app.extensions["feed_watch"] = FeedWatch(alerts, settings.instance_path / "samples")
    ledger = Ledger(app, settings.task_run_retention_days, alerts)
    for queue in (huey, backfill_huey):
        queue.configure(
            url=settings.broker,
            result_ttl=settings.result_ttl_seconds,
            tick_seconds=settings.live_sync_seconds,
            hooks=ledger,
        )
    configure_tasks(settings)


def _trusted_hosts(settings: Settings) -> list[str] | None:
    """Host names we answer to: the setting's; else any when only this machine can ask."""
    if settings.trusted_hosts:
        return [*settings.trusted_hosts, *LOOPBACK]
    return None if _is_loopback(settings.host) else [settings.host, *LOOPBACK]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
