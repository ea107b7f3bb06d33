"""``flask alerts test``: whether a message reaches the receivers of alerts."""

import socket
import sys

from sportsapp.commands.shell import FAILED, OneLineGroup, misuse, print_line, user_name
from sportsapp.core.clock import iso_utc, utc_now
from sportsapp.core.errors import AlertError
from sportsapp.monitoring.webhook import TITLE
from sportsapp.services import services
from sportsapp.tasks.alerts import deliver_alert

alerts_group = OneLineGroup("alerts", help="Messages about what is wrong.")


@alerts_group.command("test")
def send_test() -> None:
    """Send one message to ALERT_WEBHOOK_URL and to each of ALERT_URLS, and print what came back.

    Exit status: 0 all took it, 1 one did not, 2 there is no receiver.
    """
    settings, now = services().settings, utc_now()
    if not settings.alert_receivers:
        example = "https://hooks.slack.com/services/..."
        misuse(f"ALERT_WEBHOOK_URL: is not set, nor is ALERT_URLS; for example {example}")
    text = f"a test, sent by {user_name() or 'nobody known'} on {socket.gethostname()}"
    message = {
        "text": f"{TITLE} ({settings.instance_name}) TEST: {text}",
        "event": "test",
        "instance": settings.instance_name,
        "at": iso_utc(now),
    }
    is_ok = True
    for receiver in settings.alert_receivers:
        try:
            print_line(deliver_alert(settings, message, receiver))
        except AlertError as error:
            is_ok = False
            print_line(str(error), err=True)
    if not is_ok:
        sys.exit(FAILED)
