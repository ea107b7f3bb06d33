"""Subscriptions as people name, add and change them; the panel and the commands are doors to it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from sportsapp.core.clock import utc_now
from sportsapp.core.errors import SubscriptionError
from sportsapp.core.leagues import find_league
from sportsapp.core.sealing import seal
from sportsapp.db import queries
from sportsapp.db.engine import AnySession, writing
from sportsapp.db.models import BROWSER, Subscription
from sportsapp.notify.choices import CHOICES, LONGEST_DELAY, USUAL, quiet_hours
from sportsapp.notify.outbox import newest_event
from sportsapp.notify.targets import kind_of, open_target

LONGEST_NAME = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A subscription as a person writes it. ``teams`` are like ``nfl/KC``, the rest as stored."""

    name: str
    address: str
    leagues: Sequence[str] = ()
    teams: Sequence[str] = ()
    events: Sequence[str] = USUAL
    hides_scores: bool = False
    quiet: str = ""
    zone: str = "UTC"
    delay_seconds: int = 0


def add_subscription(
    session: AnySession, wish: Wish, followed: Sequence[str], secret_key: str
) -> Subscription:
    """Store a subscription, which is told what happens from now on. Commits.

    ``followed`` are the slugs of the leagues that may be named. Raises SubscriptionError,
    TargetError and UnknownLeagueError.
    """
    name = wish.name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise SubscriptionError(f"a name has 1 to {LONGEST_NAME} characters, and no line breaks")
    if not wish.address:
        raise SubscriptionError("no address of a target was given")
    if unknown := [event for event in wish.events if event not in CHOICES]:
        raise SubscriptionError(f"no events are called {unknown[0]!r}; {', '.join(CHOICES)} are")
    if not 0 <= wish.delay_seconds <= LONGEST_DELAY:
        raise SubscriptionError(f"a delay has 0 to {LONGEST_DELAY} seconds")
    try:
        zone = ZoneInfo(wish.zone).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        text = f"{wish.zone!r} is no time zone; for example Europe/Berlin"
        raise SubscriptionError(text) from None
    quiet_from, quiet_to = quiet_hours(wish.quiet)
    open_target(wish.address, allow_private=True)  # complains of an address that is none
    row = Subscription(
        name=name,
        kind=kind_of(wish.address),
        address=seal(wish.address, secret_key),
        leagues=_once(find_league(league, followed).slug for league in wish.leagues),
        teams=_once(_team(session, team, followed) for team in wish.teams),
        events=[choice for choice in CHOICES if choice in (wish.events or USUAL)],
        hides_scores=wish.hides_scores,
        quiet_from=quiet_from,
        quiet_to=quiet_to,
        zone=zone,
        delay_seconds=wish.delay_seconds,
        created_at=utc_now(),
    )
    try:
        with writing(session):
            row.event_id = newest_event(session)
            session.add(row)
    except IntegrityError:
        raise SubscriptionError(f"there is a subscription called {name!r} already") from None
    return row


def _once(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _team(session: AnySession, written: str, followed: Sequence[str]) -> str:
    """``nfl/KC`` as ``nfl-12``."""
    slug, _, address = written.partition("/")
    league = find_league(slug, followed)
    teams = queries.teams_at(session, league.slug, address.strip())
    if not teams:
        raise SubscriptionError(f"no team is called {written!r}; for example nfl/KC")
    return f"{league.slug}-{teams[0].espn_id}"


def all_subscriptions(session: AnySession) -> list[Subscription]:
    """All subscriptions but those of visitors' browsers, by name."""
    made = select(Subscription).where(Subscription.kind != BROWSER)
    return list(session.scalars(made.order_by(Subscription.name)))


def told_of(session: AnySession, row: Subscription) -> str:
    """Whose games a subscription is told of: ``NFL, nba/DEN``, or ``everything``."""
    teams = queries.teams_named(session, row.teams)
    names = [f"{team.league.slug}/{team.address}" for team in teams]
    return ", ".join([*map(str.upper, row.leagues), *names]) or "everything"


def named(session: AnySession, name: str) -> Subscription:
    """The subscription of this name. Raises SubscriptionError."""
    row = session.scalar(select(Subscription).where(Subscription.name == name.strip()))
    if row is None:
        names = ", ".join(one.name for one in all_subscriptions(session)) or "there is none"
        raise SubscriptionError(f"no subscription is called {name!r} (known: {names})")
    return row


def remove(session: AnySession, subscription_id: int) -> None:
    """Delete a subscription, with its address, if there is one of this id still. Commits."""
    with writing(session):
        session.execute(delete(Subscription).where(Subscription.id == subscription_id))


def pause(session: AnySession, row: Subscription, *, paused: bool) -> None:
    """Pause a subscription or resume it; what happened meanwhile is not told. Commits.

    Raises SubscriptionError for a visitor's browser: one without favourites would get everything.
    """
    if row.kind == BROWSER:
        raise SubscriptionError("a visitor's browser gets what the visitor chose, or is removed")
    if row.paused == paused:
        return
    values: dict[str, object] = {"paused": paused}
    if not paused:
        values |= {"failures": 0, "failing_since": None, "again_at": None, "error": ""}
    with writing(session):
        if not paused:
            values["event_id"] = newest_event(session)
        this = update(Subscription).where(Subscription.id == row.id)
        session.execute(this.values(values))


def is_any_active(session: AnySession) -> bool:
    """Whether there is a subscription that is not paused."""
    active = select(Subscription.id).where(Subscription.paused.is_(False)).limit(1)
    return session.scalar(active) is not None
