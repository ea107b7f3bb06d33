"""Alerts: their text, and their delivery to ALERT_WEBHOOK_URL."""

from typing import Any

import requests

from sportsapp.core.errors import AlertError
from sportsapp.core.outgoing import OutgoingSession, exchange

CONNECT_SECONDS, ANSWER_SECONDS = 5, 10
LIMITS = {"connect": CONNECT_SECONDS, "read": ANSWER_SECONDS, "deadline": ANSWER_SECONDS}
TITLE = "Sports Game Tracker"

Message = dict[str, Any]
"""The JSON object that is posted, before markup in its ``text`` is escaped."""


def readable(name: str, text: str, recovered: bool, suppressed_count: int = 0) -> str:
    """The line for people: which instance, what happened, how often without a message."""
    line = f"{TITLE} ({name}) {'OK' if recovered else 'TROUBLE'}: {text}"
    if suppressed_count:
        times = "time" if suppressed_count == 1 else "times"
        line += f" (noticed {suppressed_count} more {times} meanwhile)"
    return line


def escape_markup(text: str) -> str:
    """Escape Slack's markup characters, so that text from the feed cannot mention anybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def deliver(url: str, message: Message) -> int:
    """Post a message; the HTTP status of the answer, 200 to 299.

    Raises AlertError, whose text never contains the URL: it is a secret.
    The error is retryable unless the answer was a redirect or a 4xx other than 408, 425 and 429.
    """
    try:
        with OutgoingSession() as session:
            body = message | {"text": escape_markup(message["text"])}
            status = exchange(session, "POST", url, json=body, redirects=0, **LIMITS).status
    except requests.RequestException as error:
        text = f"the alert webhook cannot be reached ({type(error).__name__})"
        raise AlertError(text, retryable=True) from None  # the cause names the URL
    if not 200 <= status < 300:
        retryable = status in (408, 425, 429) or status >= 500
        raise AlertError(f"the alert webhook answered {status}", retryable=retryable)
    return status
