"""Sends alerts to ALERT_WEBHOOK_URL through the queue, with retries and growing delays."""

from typing import Any

from sportsapp.db.models import Trigger
from sportsapp.monitoring.webhook import deliver
from sportsapp.queue.huey import huey
from sportsapp.runs.rows import run_origin
from sportsapp.services import services


@huey.task(retries=5, retry_delay=30, retry_backoff=2, timeout=60, priority=90)
def send_alert(message: dict[str, Any]) -> None:
    """Post one message to ALERT_WEBHOOK_URL. Raises WebhookError."""
    url = services().settings.alert_webhook_url
    if url:
        deliver(url, message)


def queue_alert(message: dict[str, Any]) -> None:
    """Queue a message. While the broker is away it waits in the ledger: recovery queues it."""
    task = send_alert.s(message)
    with run_origin(Trigger.ALERT):
        huey.tracker.record(task)
    huey.push_or_leave(task)
