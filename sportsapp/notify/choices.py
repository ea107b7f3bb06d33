"""What a subscription may choose, and what of that it is told. Pure."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from sportsapp.core.errors import SubscriptionError
from sportsapp.core.records import EventKind
from sportsapp.db.models import Subscription

CHOICES = MappingProxyType(
    {
        "start": {EventKind.START},
        "score": {EventKind.SCORE, EventKind.TAKEN_BACK},
        "lead": {EventKind.LEAD},
        "close": {EventKind.CLOSE, EventKind.OVERTIME},
        "period": {EventKind.PERIOD_END, EventKind.OVERTIME},
        "final": {EventKind.FINAL},
        "postponed": {
            *(EventKind.POSTPONED, EventKind.CANCELLED, EventKind.RESCHEDULED),
            *(EventKind.DELAYED, EventKind.SUSPENDED, EventKind.RESUMED),
        },
    }
)
"""What a person may choose, and the kinds of events that each stands for."""
USUAL = ("start", "score", "final", "postponed")
LONGEST_DELAY = 600
FOLD_AFTER = timedelta(minutes=10)
"""What could not be sent for so long is folded into one message."""
TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


def wants(subscription: Subscription, kind: str, league: str, teams: Iterable[str | None]) -> bool:
    """Whether an event of this kind is told: of a game in this league, of these teams' ids."""
    if not any(kind in CHOICES[chosen] for chosen in subscription.events):
        return False
    if not (subscription.leagues or subscription.teams):
        return True
    names = {f"{league}-{team}" for team in teams if team}
    return league in subscription.leagues or not names.isdisjoint(subscription.teams)


def due_at(subscription: Subscription, read_at: datetime) -> datetime:
    """When an event that was read then may be told, outside of quiet hours."""
    return read_at + timedelta(seconds=subscription.delay_seconds)


def is_held(subscription: Subscription, due: datetime, now: datetime) -> bool:
    """Whether what was due then has had to wait: for long, or since it was quiet then."""
    return now - due > FOLD_AFTER or is_quiet(subscription, due)


def is_quiet(subscription: Subscription, now: datetime) -> bool:
    """Whether nothing is sent now. Hours may go over midnight, and both may be the same: never."""
    first, last = subscription.quiet_from, subscription.quiet_to
    if first is None or last is None:
        return False
    clock = now.astimezone(ZoneInfo(subscription.zone)).strftime("%H:%M")
    return first <= clock < last if first <= last else clock >= first or clock < last


def quiet_hours(text: str) -> tuple[str, str] | tuple[None, None]:
    """``22:00-07:00`` as its two times; None twice for an empty text. Raises SubscriptionError."""
    if not text:
        return None, None
    first, _, last = text.replace(" ", "").partition("-")
    if not (TIME.fullmatch(first) and TIME.fullmatch(last)):
        raise SubscriptionError(f"{text!r} are no quiet hours; for example 22:00-07:00")
    return first, last
