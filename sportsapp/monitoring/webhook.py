"""Messages to ALERT_WEBHOOK_URL: their text, what is removed from them, and their delivery."""

import re
from collections.abc import Iterable
from dataclasses import fields
from typing import Any
from urllib.parse import unquote, urlsplit

import requests

from sportsapp.core.errors import WebhookError
from sportsapp.core.outgoing import OutgoingSession, exchange
from sportsapp.core.settings import Settings

CONNECT_SECONDS, ANSWER_SECONDS = 5, 10
LIMITS = {"connect": CONNECT_SECONDS, "read": ANSWER_SECONDS, "deadline": ANSWER_SECONDS}
TITLE = "Sports Game Tracker"
HIDDEN = "(hidden)"
SECRET_LENGTH, PASSWORD_LENGTH = 8, 4  # removing shorter ones would remove ordinary words

USER_INFO = re.compile(r"(\b[A-Za-z][\w+.-]*://)\S*@")
SECRET_PARAMETER = re.compile(
    r"([?&][\w.-]*(?:key|token|secret|passw|signature|auth)[\w.-]*=)[^&\s]+", re.IGNORECASE
)

Message = dict[str, Any]
"""The JSON object that is posted."""


def readable(text: str, recovered: bool, suppressed_count: int) -> str:
    """The line for people: what happened, and how often it was noticed without a message."""
    line = f"{TITLE} {'OK' if recovered else 'TROUBLE'}: {text}"
    if suppressed_count:
        times = "time" if suppressed_count == 1 else "times"
        line += f" (noticed {suppressed_count} more {times} meanwhile)"
    return line


def escape_markup(text: str) -> str:
    """Escape Slack's markup characters, so that text from the feed cannot mention anybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def deliver(url: str, message: Message) -> None:
    """Post a message. Raises WebhookError, whose text never contains the URL: it is a secret.

    The error is retryable unless the answer was a redirect or a 4xx other than 408, 425 and 429.
    """
    try:
        with OutgoingSession() as session:
            status = exchange(session, "POST", url, json=message, redirects=0, **LIMITS).status
    except requests.RequestException as error:
        text = f"the alert webhook cannot be reached ({type(error).__name__})"
        raise WebhookError(text, retryable=True) from None  # the cause names the URL
    if not 200 <= status < 300:
        retryable = status in (408, 425, 429) or status >= 500
        raise WebhookError(f"the alert webhook answered {status}", retryable=retryable)


def secrets_of(settings: Settings) -> list[str]:
    """The values of secret settings, and the passwords in their URLs; longest first."""
    secrets: set[str] = set()
    for setting in fields(Settings):
        value = str(getattr(settings, setting.name) or "") if setting.metadata["secret"] else ""
        if len(value) >= SECRET_LENGTH:
            secrets.add(value)
        try:
            password = urlsplit(value).password or ""
        except ValueError:  # not a URL
            continue
        if len(password) >= PASSWORD_LENGTH:
            secrets |= {password, unquote(password)}
    return sorted(secrets, key=len, reverse=True)


def scrub(value: Any, secrets: Iterable[str]) -> Any:
    """A copy of a JSON value without these secrets, and without credentials in URLs."""
    if isinstance(value, dict):
        return {key: scrub(part, secrets) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [scrub(part, secrets) for part in value]
    if not isinstance(value, str):
        return value
    for secret in secrets:
        value = value.replace(secret, HIDDEN)
    return SECRET_PARAMETER.sub(rf"\1{HIDDEN}", USER_INFO.sub(rf"\1{HIDDEN}@", value))
