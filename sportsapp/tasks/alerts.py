"""Sends alerts to each receiver through the queue, with retries and growing delays."""

from typing import Any

from sportsapp.core.errors import AlertError, NotifyError, TargetError
from sportsapp.core.settings import Settings
from sportsapp.db.models import Trigger
from sportsapp.monitoring import webhook
from sportsapp.notify.message import Message
from sportsapp.notify.targets import open_service
from sportsapp.queue.huey import huey
from sportsapp.runs.rows import run_origin
from sportsapp.services import services


@huey.task(retries=5, retry_delay=30, retry_backoff=2, timeout=60, priority=90)
def send_alert(message: dict[str, Any], receiver: int = 0) -> None:
    """Send one message to one of ``Settings.alert_receivers``. Raises AlertError."""
    deliver_alert(services().settings, message, receiver)


def deliver_alert(settings: Settings, message: webhook.Message, receiver: int) -> str:
    """Send a message to one of ``Settings.alert_receivers``, if it is there. Returns the outcome.

    Raises AlertError, which has the receiver's number and never its address.
    """
    address = settings.alert_receivers.get(receiver)
    if not address:
        return "there is no such receiver any more"
    if receiver == 0:
        return f"the alert webhook answered {webhook.deliver(address, message)}"
    name = f"ALERT_URLS, address {receiver}"
    title, _, body = message["text"].partition(": ")
    try:
        target = open_service(address, allow_private=settings.notify_private)
        target.send(Message(title, body))
    except (NotifyError, TargetError) as error:
        raise AlertError(f"{name}: {error}", retryable=isinstance(error, NotifyError)) from None
    return f"{name}: the message was taken"


def queue_alert(message: webhook.Message, receiver: int) -> None:
    """Queue a message. While the broker is away it waits in the ledger: recovery queues it."""
    task = send_alert.s(message, receiver)
    with run_origin(Trigger.ALERT):
        huey.tracker.record(task)
    huey.push_or_leave(task)
