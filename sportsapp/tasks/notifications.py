"""Tells subscriptions what happened in games: one message at a time for each, in order.

The scheduler of this queue's consumer looks once a second who is to be told something
(``queue_due``). So neither a sync nor the web server knows of subscriptions, and nothing is lost
with a process that is killed between a score and its message.
"""

import logging
import time
from collections import defaultdict
from contextlib import suppress
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import Any

from flask import current_app
from huey.exceptions import TaskTimeout
from sqlalchemy.exc import SQLAlchemyError

from sportsapp.core.clock import utc_now
from sportsapp.core.errors import (
    NotifyError,
    OverlapError,
    SealError,
    TargetError,
    TargetGoneError,
)
from sportsapp.db.engine import db
from sportsapp.db.models import BROWSER, Subscription, Trigger
from sportsapp.monitoring.checks.work import check_notify
from sportsapp.notify import outbox
from sportsapp.notify.browsers import DEAD_AFTER
from sportsapp.notify.choices import is_quiet
from sportsapp.notify.message import Message
from sportsapp.notify.subscriptions import remove
from sportsapp.notify.targets import target_of
from sportsapp.queue.huey import notify_huey
from sportsapp.runs.rows import run_origin
from sportsapp.services import services
from sportsapp.tasks.repeats import args_under_way, unless_queued

logger = logging.getLogger(__name__)

LIMIT_SECONDS = 60
PRIORITY, PRIORITY_OF_BROWSERS = 50, 40
ENOUGH_SECONDS = 10.0
"""A run begins no further message after so long; another run goes on."""
ALERT = check_notify.kind  # so that the check notices the end, too: of one that is removed
UNEXPECTED = "an error that nobody expected; the log has it"


@notify_huey.task(timeout=LIMIT_SECONDS, priority=PRIORITY)
def deliver_events(subscription: int) -> dict[str, Any]:
    """Send a subscription what is due: ``{"sent", "errors"}``, the messages that were taken.

    A message that was not taken is sent again by a later run, whose time is in the subscription's
    row; of what a target does not take for an hour, nothing is sent.
    """
    ends_at = time.monotonic() + ENOUGH_SECONDS
    sent = 0
    while time.monotonic() < ends_at:
        row = db.session.get(Subscription, subscription, populate_existing=True)
        now = utc_now()
        if row is None or row.paused or is_quiet(row, now):
            break
        step = outbox.next_step(db.session, row, now)
        if step is None:
            break
        if not step.told:
            outbox.advance(db.session, [subscription], step.up_to)
            continue
        name, is_browser = row.name, row.kind == BROWSER
        try:
            error = _attempt(row, step)
        except TargetGoneError as gone:
            logger.info("subscription %s is forgotten: %s", name, gone)
            remove(db.session, subscription)
            break
        if error:
            return {"sent": sent, "errors": [f"{name}: {error}"]}
        outbox.note_sent(db.session, subscription, step.up_to, utc_now())
        services().alerts.report_recovery(name, ALERT, f"{name}: its messages are taken again")
        sent += 1
        if is_browser:  # another run goes on, after those of others
            break
    return {"sent": sent, "errors": []}


def _attempt(row: Subscription, step: outbox.Step) -> str:
    """Send a step's message. Returns the error of one not taken, which the row has then.

    Raises TargetGoneError.
    """
    key, is_browser = row.id, row.kind == BROWSER
    try:
        send(row, step.message_for(row))
    except TargetGoneError:
        raise
    except NotifyError as error:
        return _note_failure(key, str(error))
    except TaskTimeout:
        text = _note_failure(key, f"no answer within {LIMIT_SECONDS} s")
        if is_browser:  # whose failures are no alerts, as those of runs are
            return text
        raise
    except Exception:
        logger.exception("subscription %s: a message cannot be sent", key)
        return _note_failure(key, UNEXPECTED)
    return ""


def _note_failure(key: int, text: str) -> str:
    """Note in a subscription's row why a message was not taken. Returns why."""
    row = db.session.get(Subscription, key, populate_existing=True)
    if row is None:  # it was removed meanwhile
        return text
    name, is_browser, taken_at = row.name, row.kind == BROWSER, row.sent_at or row.created_at
    logger.warning("subscription %s: a message was not taken: %s", name, text)
    outbox.note_failure(db.session, row, text, utc_now())
    if given_up := outbox.give_up(db.session, row, utc_now()):
        events = f"{given_up} {'event was' if given_up == 1 else 'events were'} given up"
        text = f"{events}, which the target did not take for an hour: {text}"
        logger.warning("subscription %s: %s", name, text)
        if not is_browser:
            services().alerts.report_problem(name, ALERT, f"{name}: {text}")
        elif utc_now() - taken_at > DEAD_AFTER:
            remove(db.session, key)
    return text


def send(subscription: Subscription, message: Message) -> None:
    """Send a message to a subscription's target. Raises NotifyError."""
    try:
        target = target_of(subscription, services().settings, str(current_app.secret_key))
    except (SealError, TargetError) as error:
        raise NotifyError(f"its address cannot be used: {error}") from None
    db.session.rollback()  # no reading transaction stays open while the target is waited for
    target.send(message)


def queue_due() -> None:
    """Queue a run for each subscription that is to be told something now.

    While the broker is away such a run waits in the ledger, as all do. One that cannot be told
    anything, whatever the reason, holds up no other. Those of operators are queued first.
    """
    now = utc_now()
    waiting = outbox.waiting(db.session, now)
    runs = args_under_way("deliver_events") if waiting else []
    at_work = {args.get("subscription") for args in runs}
    due: list[tuple[int, int]] = []
    left_out: defaultdict[int, list[int]] = defaultdict(list)
    broken: list[int] = []
    waiting = [row for row in waiting if row.id not in at_work]
    for event_id, rows in groupby(waiting, attrgetter("event_id")):
        events = outbox.events_after(db.session, event_id)
        for row in rows:
            try:
                step = None if is_quiet(row, now) else outbox.step_of(row, events, now)
            except SQLAlchemyError:
                raise
            except Exception:
                logger.exception("subscription %s: what it is to be told cannot be made", row.id)
                broken.append(row.id)
                continue
            if step and step.told:
                due.append((row.id, PRIORITY_OF_BROWSERS if row.kind == BROWSER else PRIORITY))
            elif step:
                left_out[step.up_to].append(row.id)
    for up_to, keys in left_out.items():
        outbox.advance(db.session, keys, up_to)
    for key in broken:
        _note_failure(key, UNEXPECTED)
    db.session.rollback()  # no reading transaction stays open while the broker is waited for
    due.sort(key=itemgetter(1), reverse=True)
    if tasks := [deliver_events.s(key, priority=priority) for key, priority in due]:
        with suppress(OverlapError), run_origin(Trigger.EVENT):  # another host's has queued some
            notify_huey.tracker.record_all(tasks, unless_queued(tasks))
            notify_huey.push_or_leave(*tasks)
