"""What the factory joined, typed: ``services().queues`` wherever an app context is at hand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, current_app
from prometheus_client import Metric

from sportsapp.core.clock import utc_now
from sportsapp.core.leagues import BY_SLUG, League
from sportsapp.core.settings import Settings
from sportsapp.db.engine import db
from sportsapp.feed.client import FeedClient
from sportsapp.feed.pace import OutcomeCounter
from sportsapp.feed.watched import WatchedGames
from sportsapp.http.kept import KeptAnswer
from sportsapp.http.limits import Allowance, FailureDelays
from sportsapp.monitoring.alerts import Alerts
from sportsapp.monitoring.checks.check import Look, Result
from sportsapp.queue.huey import TrackerHuey
from sportsapp.sync.context import Progress, SyncContext
from sportsapp.sync.watch import FeedWatch

KEY = "sportsapp"


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of one app. ``queues`` are those of ``queue.huey``, in that order.

    ``results`` are what the checks found for /readyz and /metrics last, ``metrics`` what the latter
    answered.
    """

    settings: Settings
    feed_client: FeedClient
    feed_outcomes: OutcomeCounter
    feed_watch: FeedWatch
    alerts: Alerts
    queues: tuple[TrackerHuey, ...]
    failure_delays: FailureDelays
    visitor_syncs: Allowance
    push_visitors: Allowance
    watched_games: WatchedGames
    results: KeptAnswer[list[Result]] = field(default_factory=KeptAnswer)
    metrics: KeptAnswer[list[Metric]] = field(default_factory=KeptAnswer)

    @property
    def leagues(self) -> list[League]:
        """The leagues that are followed, in the order of the LEAGUES setting."""
        return [BY_SLUG[slug] for slug in self.settings.leagues]

    def look(self, *, thorough: bool = False) -> Look:
        """What the checks look at now; needs an app context."""
        now = utc_now()
        return Look(self.settings, self.queues, self.feed_client, db.session, now, thorough)

    def sync_context(
        self,
        run_id: str | None,
        progress: Progress,
        *,
        scheduled: bool = False,
        resume: Mapping[str, Any] | None = None,
    ) -> SyncContext:
        """What a sync that starts now for this run is handed; needs an app context."""
        feed, now = self.feed_client, utc_now()
        watch, thorough = self.feed_watch, not scheduled
        return SyncContext(
            feed, db.session, now, run_id, watch, scheduled, utc_now, progress, thorough, resume
        )


def services_of(app: Flask) -> Services:
    """The services of this app."""
    joined: Services = app.extensions[KEY]
    return joined


def services() -> Services:
    """The services of the current app. Raises RuntimeError outside of an app context."""
    return services_of(current_app)
