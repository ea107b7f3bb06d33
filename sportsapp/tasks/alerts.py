"""Carries alerts to their receiver, with patience. Beside the syncs, and no promise."""

from __future__ import annotations

import logging
from typing import Any

from flask import current_app

from sportsapp.alerts import deliver
from sportsapp.errors import BrokerUnavailableError
from sportsapp.ledger import asking
from sportsapp.models import Trigger
from sportsapp.queue import huey
from sportsapp.settings import Settings
from sportsapp.tasks.in_app import in_app

logger = logging.getLogger(__name__)


@huey.task(retries=5, retry_delay=30, retry_backoff=2, timeout=60, priority=90)
@in_app
def send_alert(message: dict[str, Any]) -> None:
    """Post one message to ALERT_WEBHOOK_URL. Raises WebhookError."""
    settings: Settings = current_app.extensions["settings"]
    if settings.alert_webhook_url:
        deliver(settings.alert_webhook_url, message)


def queue_alert(message: dict[str, Any]) -> None:
    """Queue a message. While the broker is away it waits in the ledger: recovery puts it back."""
    task = send_alert.s(message)
    with asking(Trigger.ALERT):
        huey.hooks.record(huey, task)
    try:
        huey.push(task)
    except BrokerUnavailableError as error:
        logger.warning("an alert waits for the broker: %s", error)
