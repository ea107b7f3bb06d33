"""``create_app``: the one place where the parts are joined."""

from datetime import timedelta

from flask import Flask

from sportsapp import admin, api, commands, web
from sportsapp.core.errors import SettingsError, TargetError
from sportsapp.core.instance import make_instance_folder, secret_key_of
from sportsapp.core.secrets import secrets_of
from sportsapp.core.settings import PROJECT_ROOT, Settings, load_settings
from sportsapp.db.engine import db, init_database
from sportsapp.feed.client import FeedClient
from sportsapp.feed.pace import OutcomeCounter, RateLimiter
from sportsapp.feed.watched import WatchedGames
from sportsapp.http import headers, threads
from sportsapp.http.limits import Allowance, FailureDelays
from sportsapp.monitoring.alerts import Alerts
from sportsapp.monitoring.checks.check import Look
from sportsapp.notify.subscriptions import is_any_active
from sportsapp.notify.targets import open_service
from sportsapp.queue.huey import QUEUES, notify_huey
from sportsapp.runs.ledger import Ledger
from sportsapp.services import KEY, Services
from sportsapp.sync.watch import FeedWatch
from sportsapp.tasks.alerts import deliver_alert, queue_alert
from sportsapp.tasks.notifications import queue_due
from sportsapp.tasks.sync import configure_tasks
from sportsapp.web import preferences, push

LOOPBACK = [".localhost", "127.0.0.1", "[::1]"]  # localhost and all names in it
VISITOR_SYNCS = 6  # a minute, for one address
PUSH_VISITORS = 6  # a minute, for one address
FORM_LIMIT = 256 * 1024  # bytes of a request's body


def create_app(
    settings: Settings | None = None,
    client: FeedClient | None = None,
    *,
    makes_instance: bool = True,
) -> Flask:
    """The application with its database, queues, pages, API, panel and commands.

    Without ``settings`` they are read from their sources; without ``client`` the real feed is
    polled. Without ``makes_instance`` nothing is created (no folder, key or database file) until a
    command does so. The queues are shared by the whole process and use the ledger of the app made
    last.
    Raises SettingsError for a malformed setting or an unusable instance folder.
    """
    settings = settings or load_settings()
    _check_alert_urls(settings)
    app = Flask(
        "sportsapp",
        instance_path=str(settings.instance_path),
        template_folder=str(PROJECT_ROOT / "templates"),
        static_folder=None,
    )
    app.config.update(
        SQLALCHEMY_DATABASE_URI=settings.database,
        SITE_HOSTS=_site_hosts(settings),
        TRUSTED_PROXIES=settings.trusted_proxies,
        MAX_CONTENT_LENGTH=FORM_LIMIT,
        HIDDEN_VALUES=secrets_of(settings),
        MAKES_INSTANCE=makes_instance,
    )
    if makes_instance:
        make_instance_folder(settings)
    app.secret_key = secret_key_of(settings, make=makes_instance)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # typed as a base class without it
    init_database(app)
    app.extensions[KEY] = _make_services(app, settings, client)
    headers.init_app(app)
    admin.init_app(app, self_guarded=[preferences.blueprint, push.blueprint])
    web.init_app(app)
    api.init_app(app)
    commands.init_app(app)
    threads.init_app(app, settings.embed_origins)
    return app


def _site_hosts(settings: Settings) -> frozenset[str]:
    """The hosts that requests may be for: TRUSTED_HOSTS, or else HOST; and loopback's names."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    names = settings.trusted_hosts or (host,)
    labels = [name.lower().split(".") for name in (*names, *LOOPBACK)]
    return frozenset(".".join(part.encode("idna").decode() for part in parts) for parts in labels)


def _check_alert_urls(settings: Settings) -> None:
    for number, address in enumerate(settings.alert_urls, start=1):
        try:
            open_service(address, allow_private=True)
        except TargetError as error:
            example = "for example ntfys://ntfy.example.org/alerts"
            raise SettingsError(f"ALERT_URLS: address {number}: {error}; {example}") from None


def _make_services(app: Flask, settings: Settings, client: FeedClient | None) -> Services:
    outcomes = OutcomeCounter(settings.broker)
    client = client or FeedClient(
        settings.espn_base_url,
        settings.user_agent,
        broker_url=settings.broker,
        rate_limiter=RateLimiter(settings.broker, settings.feed_requests_per_minute),
        count_outcome=outcomes.add,
    )
    alerts = Alerts(
        app,
        settings,
        lambda now: Look(settings, QUEUES, client, db.session, now),
        queue_alert,
        deliver_alert,
    )
    ledger = Ledger(app, QUEUES, settings, alerts)
    for queue in QUEUES:
        queue.configure(
            url=settings.broker,
            owns_broker=settings.broker_is_embedded,
            result_ttl=settings.result_ttl_seconds,
            tick_seconds=settings.live_sync_seconds,
            tracker=ledger,
        )
    configure_tasks(settings)
    notify_huey.each_second = queue_due
    notify_huey.is_needed = is_any_active
    return Services(
        settings=settings,
        feed_client=client,
        feed_outcomes=outcomes,
        feed_watch=FeedWatch(
            alerts,
            settings.instance_path / "samples",
            timedelta(seconds=settings.live_sync_seconds),
        ),
        alerts=alerts,
        queues=QUEUES,
        failure_delays=FailureDelays(settings, "sportsapp-signin"),
        visitor_syncs=Allowance(settings, "sportsapp-visitor", per_minute=VISITOR_SYNCS),
        push_visitors=Allowance(settings, "sportsapp-push", per_minute=PUSH_VISITORS),
        watched_games=WatchedGames(settings.broker),
    )
