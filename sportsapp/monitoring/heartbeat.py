"""The dead man's switch: a request after each good live tick, whose absence raises an alarm."""

import logging

import requests

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 5


def send_heartbeat(url: str) -> None:
    """Request HEARTBEAT_URL; nothing happens when ``url`` is empty.

    Never raises: a failure is logged, by its kind alone, since the address is a secret.
    """
    if not url:
        return
    try:
        requests.get(url, timeout=TIMEOUT_SECONDS).raise_for_status()
    except requests.RequestException as error:
        logger.warning("the heartbeat could not be sent: %s", type(error).__name__)
