"""What the factory joined, typed: ``services().queues`` wherever an app context is at hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from flask import Flask, current_app

if TYPE_CHECKING:
    from sportsapp.core.settings import Settings
    from sportsapp.feed.client import FeedClient
    from sportsapp.feed.pace import OutcomeCounter
    from sportsapp.monitoring.alerts import Alerts
    from sportsapp.queue.huey import TrackerHuey
    from sportsapp.sync.watch import FeedWatch

KEY = "sportsapp"


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of one app. ``queues`` are the scheduled and on-demand one, and the backfills'."""

    settings: Settings
    feed_client: FeedClient
    feed_outcomes: OutcomeCounter
    feed_watch: FeedWatch
    alerts: Alerts
    queues: tuple[TrackerHuey, ...]


def services_of(app: Flask) -> Services:
    """The services of this app."""
    return cast("Services", app.extensions[KEY])


def services() -> Services:
    """The services of the current app. Raises RuntimeError outside of an app context."""
    return services_of(current_app)
