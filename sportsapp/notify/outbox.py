"""What each subscription is still to be told, in order.

The score events are the outbox: each was written in the transaction of what it tells, and higher
ids were committed later (docs/decisions/events.md). So a subscription needs no more than the id of
the last one that it was told.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import joinedload

from sportsapp.db.engine import AnySession, writing
from sportsapp.db.models import Game, ScoreEvent, Subscription
from sportsapp.notify.choices import FOLD_AFTER, due_at, is_held, wants
from sportsapp.notify.message import Message
from sportsapp.notify.texts import GameEvent, folded, message_of

AT_ONCE = 100
"""So many events are looked at in one step, and folded into one message at most."""
GIVE_UP_AFTER = timedelta(hours=1)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=5)
ERROR_LIMIT = 300


@dataclass(frozen=True, slots=True)
class Step:
    """The next step through the events, up to the id ``up_to``.

    The ``told`` ones are to be told in one message, ``is_folded`` of many readings; the others, or
    all without any, are left out.
    """

    up_to: int
    told: Sequence[GameEvent] = ()
    is_folded: bool = False

    def message_for(self, subscription: Subscription) -> Message:
        """The message that tells them. There must be some."""
        tell = folded if self.is_folded else message_of
        message = tell(self.told, hides_scores=subscription.hides_scores)
        return replace(message, subscription=subscription.name)


def newest_event(session: AnySession) -> int:
    """The id of the newest score event, 0 while there is none."""
    return session.scalar(select(func.max(ScoreEvent.id))) or 0


def waiting(session: AnySession, now: datetime) -> list[Subscription]:
    """The subscriptions that may be sent something: events have come since their last one.

    Those in whose quiet hours it is now are among them. By their last event.
    """
    may_send = [
        Subscription.paused.is_(False),
        Subscription.event_id < select(func.max(ScoreEvent.id)).scalar_subquery(),
        or_(Subscription.again_at.is_(None), Subscription.again_at <= now),
    ]
    in_order = (Subscription.event_id, Subscription.id)
    return list(session.scalars(select(Subscription).where(*may_send).order_by(*in_order)))


def next_step(session: AnySession, subscription: Subscription, now: datetime) -> Step | None:
    """What is to be done for a subscription now; None while nothing is due."""
    return step_of(subscription, events_after(session, subscription.event_id), now)


def events_after(session: AnySession, event_id: int) -> list[GameEvent]:
    """The next events after this one, by id."""
    events = (
        select(ScoreEvent, Game)
        .join(Game, Game.id == ScoreEvent.game_id)
        .where(ScoreEvent.id > event_id)
        .order_by(ScoreEvent.id)
        .limit(AT_ONCE)
        .options(
            joinedload(Game.league_row),
            joinedload(Game.home_team_row),
            joinedload(Game.away_team_row),
        )
    )
    return [GameEvent(*row) for row in session.execute(events)]


def step_of(subscription: Subscription, events: Iterable[GameEvent], now: datetime) -> Step | None:
    """The step that these events, the next ones by id, ask for. Pure.

    One message tells what one reading of a game showed, or else everything that has had to wait.
    """
    told: list[GameEvent] = []
    up_to, is_late = 0, False
    for one in events:
        event, game = one
        teams = (team.espn_id for team in (game.home_team_row, game.away_team_row) if team)
        if wants(subscription, event.kind, game.league.slug, teams):
            due = due_at(subscription, event.read_at)
            if due > now:
                break
            if not told:
                is_late = is_held(subscription, due, now)
            elif not (is_held(subscription, due, now) if is_late else _same_reading(told[0], one)):
                break
            told.append(one)
        up_to = event.id
    if not told:
        return Step(up_to) if up_to else None
    return Step(up_to, told, is_late)


def _same_reading(first: GameEvent, other: GameEvent) -> bool:
    return (first.game.id, first.event.read_at) == (other.game.id, other.event.read_at)


def advance(session: AnySession, subscription_ids: Sequence[int], up_to: int) -> None:
    """Move on to this event, since those up to it are told or left out. Commits."""
    _write(session, subscription_ids, {"event_id": up_to})


def note_sent(session: AnySession, subscription_id: int, up_to: int, now: datetime) -> None:
    """The same, and that the target took a message. Commits."""
    over = {"failures": 0, "failing_since": None, "again_at": None, "error": ""}
    _write(session, [subscription_id], {"event_id": up_to, "sent_at": now, **over})


def note_failure(
    session: AnySession, subscription: Subscription, error: str, now: datetime
) -> None:
    """Note that a message was not taken: the next attempt comes later each time. Commits.

    Where none was made for long, as in quiet hours, its failing begins anew.
    """
    again_at = subscription.again_at
    goes_on = again_at is not None and now - again_at < FOLD_AFTER
    before = subscription.failures if goes_on else 0
    values = {
        "failures": before + 1,
        "failing_since": subscription.failing_since if goes_on else now,
        "again_at": now + min(FIRST_PAUSE * 2 ** min(before, 10), LONGEST_PAUSE),
        "error": error[:ERROR_LIMIT],
    }
    _write(session, [subscription.id], values)


def give_up(session: AnySession, subscription: Subscription, now: datetime) -> int:
    """Leave out what a failing target was due to get an hour ago, or before. Commits.

    Returns how many events those are; 0 before the target has failed for an hour.
    """
    limit = now - GIVE_UP_AFTER
    if subscription.failing_since is None or subscription.failing_since > limit:
        return 0
    given_up = 0
    while step := next_step(session, subscription, limit):
        given_up += len(step.told)
        advance(session, [subscription.id], step.up_to)
    return given_up


def _write(session: AnySession, subscription_ids: Sequence[int], values: dict[str, object]) -> None:
    these = update(Subscription).where(Subscription.id.in_(subscription_ids))
    if "event_id" in values:  # a run that was thought lost and was not moves nothing back
        these = these.where(Subscription.event_id < values["event_id"])
    with writing(session):
        session.execute(these.values(values))
