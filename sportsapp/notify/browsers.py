"""Visitors' browsers that are told of their favourites: subscriptions that no operator made.

Anybody may add one. So what a browser sends is checked, and there is a bound for each network and
one for all together.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import delete, func, select

from sportsapp.core.clock import utc_now
from sportsapp.core.errors import SubscriptionError
from sportsapp.core.sealing import digest, push_key, seal
from sportsapp.db.engine import AnySession, lock_until_commit, writing
from sportsapp.db.models import BROWSER, Subscription
from sportsapp.notify.choices import CHOICES
from sportsapp.notify.outbox import newest_event

MOST_OF_NETWORK = 20
LONGEST_ENDPOINT = 1000
ENDPOINT = re.compile(r"https://[a-z0-9.-]+(:\d+)?/[!-~]*", re.IGNORECASE | re.ASCII)
POINT_BYTES, SECRET_BYTES = 65, 16
DEAD_AFTER = timedelta(days=7)
"""A browser that has taken nothing for so long, and does not now, is forgotten."""
NO_SUBSCRIPTION = "That is no browser's subscription to messages."


@cache
def public_key(secret_key: str) -> str:
    """The key that browsers subscribe with (``applicationServerKey``), in Base64 for URLs."""
    key = push_key(secret_key).public_key()
    point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()


def add_browser(
    session: AnySession,
    sent: object,
    events: Sequence[str],
    *,
    network: str,
    most: int,
    secret_key: str,
) -> str:
    """Store a browser, if it is a new one; ``follow`` has it told something. Commits.

    ``sent`` is its PushSubscription, ``network`` where it is, ``most`` the bound for all. Returns
    its name, which only who has its address and keys can know. Raises SubscriptionError.
    """
    subscription = json.dumps(_checked(sent))
    name = f"{BROWSER}-{hashlib.sha256(subscription.encode()).hexdigest()[:32]}"
    network = digest(network, secret_key)
    with writing(session):
        lock_until_commit(session.connection(), Subscription.__tablename__)
        row = find_browser(session, name)
        if row is None:
            _check_bounds(session, network, most)
            row = Subscription(
                name=name,
                kind=BROWSER,
                network=network,
                leagues=[],
                teams=[],
                events=list(events),
                hides_scores=False,
                zone="UTC",
                delay_seconds=0,
                paused=True,
                created_at=utc_now(),
                event_id=newest_event(session),
            )
            session.add(row)
        row.address = seal(subscription, secret_key)
    return name


def find_browser(session: AnySession, name: str) -> Subscription | None:
    """The browser of this name, None once it was forgotten."""
    return session.scalar(select(Subscription).filter_by(name=name, kind=BROWSER))


def follow(session: AnySession, name: str, teams: Sequence[str], *, hides_scores: bool) -> None:
    """Tell a browser of these teams, named like ``nfl-12``; without any, of nothing. Commits."""
    with writing(session):
        if row := find_browser(session, name):
            if row.paused:
                row.event_id = newest_event(session)
            row.teams, row.hides_scores, row.paused = list(teams), hides_scores, not teams


def tell(session: AnySession, name: str, events: Sequence[str]) -> None:
    """Tell a browser these of CHOICES. Commits. Raises SubscriptionError without any."""
    chosen = [choice for choice in CHOICES if choice in events]
    if not chosen:
        raise SubscriptionError("Choose at least one thing that you are told.")
    with writing(session):
        if row := find_browser(session, name):
            row.events = chosen


def count_browsers(session: AnySession) -> tuple[int, int]:
    """How many browsers there are, and how many of them did not take their last message."""
    counts = select(func.count(Subscription.id), func.count(Subscription.failing_since))
    total, failing = session.execute(counts.filter_by(kind=BROWSER)).one()
    return total, failing


def forget_browsers(session: AnySession) -> None:
    """Remove all browsers, with their addresses. Commits."""
    with writing(session):
        session.execute(delete(Subscription).filter_by(kind=BROWSER))


def _check_bounds(session: AnySession, network: str, most: int) -> None:
    same = select(func.count(Subscription.id)).filter_by(kind=BROWSER, network=network)
    if (session.scalar(same) or 0) >= MOST_OF_NETWORK:
        raise SubscriptionError("Too many browsers of your network get messages already.")
    if count_browsers(session)[0] >= most:
        raise SubscriptionError("This site sends messages to no more browsers.")


def _checked(sent: object) -> dict[str, Any]:
    """What is kept of a PushSubscription: ``{"endpoint", "keys": {"p256dh", "auth"}}``.

    Where its address leads is checked with each connection (``core.public_addresses``).
    """
    match sent:
        case {"endpoint": str(endpoint), "keys": {"p256dh": str(public), "auth": str(secret)}}:
            try:
                point = _decoded(public)
                EllipticCurvePublicKey.from_encoded_point(SECP256R1(), point)
                has_keys = (len(point), len(_decoded(secret))) == (POINT_BYTES, SECRET_BYTES)
                has_port = urlsplit(endpoint).port != 0
            except (binascii.Error, ValueError):
                raise SubscriptionError(NO_SUBSCRIPTION) from None
            is_short = len(endpoint) <= LONGEST_ENDPOINT
            if has_keys and has_port and is_short and ENDPOINT.fullmatch(endpoint):
                return {"endpoint": endpoint, "keys": {"p256dh": public, "auth": secret}}
    raise SubscriptionError(NO_SUBSCRIPTION)


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
