"""A message that is posted by HTTP, and in words why it was not taken."""

from collections.abc import Collection
from http import HTTPStatus
from typing import Any

import requests

from sportsapp.core.errors import NotifyError, TargetGoneError
from sportsapp.core.outgoing import OutgoingSession, exchange


def post(
    receiver: str, url: str, *, seconds: float, gone: Collection[int] = (), **body: Any
) -> None:
    """Post a message once, within so many seconds. Taken is an answer from 200 to 299.

    ``body`` is what requests takes: data, headers. Redirects are not followed. Raises NotifyError,
    whose message has the words of ``receiver`` and never the address, and TargetGoneError for a
    status of ``gone``.
    """
    try:
        with OutgoingSession() as session:
            reply = exchange(
                *(session, "POST", url),
                connect=min(5, seconds),
                read=seconds,
                deadline=seconds,
                redirects=0,
                **body,
            )
    except requests.RequestException as error:
        text = f"{receiver} cannot be reached ({type(error).__name__})"
        raise NotifyError(text) from None
    status = reply.status
    if status in gone:
        raise TargetGoneError(f"{receiver} answered {in_words(status)}")
    if not 200 <= status < 300:
        raise NotifyError(f"{receiver} answered {in_words(status)}")


def in_words(status: int) -> str:
    """An HTTP status with its name."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
