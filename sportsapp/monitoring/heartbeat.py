"""The dead man's switch: a request after each good live tick, whose absence raises an alarm."""

import logging

import requests

from sportsapp.core.outgoing import OutgoingSession, exchange

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 5


def send_heartbeat(url: str) -> None:
    """Request HEARTBEAT_URL; nothing happens when ``url`` is empty.

    Takes TIMEOUT_SECONDS at most, and reads no body: the next live tick waits for it. Never raises:
    a failure is logged, by its kind or status alone, since the address is a secret.
    """
    if not url:
        return
    limits = {"connect": TIMEOUT_SECONDS, "read": TIMEOUT_SECONDS, "deadline": TIMEOUT_SECONDS}
    try:
        with OutgoingSession() as session:
            status = exchange(session, "GET", url, **limits).status
    except requests.RequestException as error:
        logger.warning("the heartbeat could not be sent: %s", type(error).__name__)
    else:
        if not 200 <= status < 300:
            logger.warning("the heartbeat could not be sent: its receiver answered %s", status)
