"""``flask alerts test``: whether a message reaches ALERT_WEBHOOK_URL."""

import socket

from sportsapp.commands.shell import OneLineGroup, misuse, print_line, user_name
from sportsapp.core.clock import iso_utc, utc_now
from sportsapp.monitoring.webhook import TITLE, deliver
from sportsapp.services import services

alerts_group = OneLineGroup("alerts", help="Messages about what is wrong.")


@alerts_group.command("test")
def send_test() -> None:
    """Send one message to ALERT_WEBHOOK_URL, and print what came back.

    Exit status: 0 it was taken, 1 it was not, 2 there is no ALERT_WEBHOOK_URL.
    """
    settings, now = services().settings, utc_now()
    if not settings.alert_webhook_url:
        misuse("ALERT_WEBHOOK_URL: is not set; for example https://hooks.slack.com/services/...")
    text = f"a test, sent by {user_name() or 'nobody known'} on {socket.gethostname()}"
    message = {
        "text": f"{TITLE} ({settings.instance_name}) TEST: {text}",
        "event": "test",
        "instance": settings.instance_name,
        "at": iso_utc(now),
    }
    print_line(f"the alert webhook answered {deliver(settings.alert_webhook_url, message)}")
