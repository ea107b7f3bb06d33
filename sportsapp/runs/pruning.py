"""Old runs leave the ledger, their number stays in the totals; so do dead letters, sessions,
activities and score events."""

from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy import Engine, delete, exists, func, select, update

from sportsapp.db.engine import write_connection
from sportsapp.db.models.account import AdminSession
from sportsapp.db.models.activity import Activity
from sportsapp.db.models.game import ScoreEvent
from sportsapp.db.models.run import ENDED_OTHERWISE, FAILED, Batch, DeadLetter, RunLine, RunTotal
from sportsapp.db.upsert import insert_ignoring
from sportsapp.runs.rows import RUNS

PRUNED_AT_ONCE = timedelta(days=1)
SESSIONS_KEPT = timedelta(days=1)
ACTIVITIES_KEPT = timedelta(days=366)
EVENTS_KEPT = timedelta(days=366)
EVENTS_AT_ONCE = 50_000
TOTALS = RunTotal.__table__
LETTERS = DeadLetter.__table__
ACTIVITIES = Activity.__table__
EVENTS = ScoreEvent.__table__


def prune(engine: Engine, retention: timedelta, now: datetime) -> None:
    """Delete runs that ended longer ago than ``retention``, failed ones after twice that time.

    Of each kind at most a day's worth, beginning with the oldest: a clock that is far ahead for a
    while must not take the whole ledger. Open runs stay, whatever their age. The newest slot of
    each task stays too, or a scheduler that starts would claim it again. The lines of a run go with
    it, a batch with the last of its runs. Dead letters go like runs that did not fail, activities
    and score events after a year. A session of the panel is over long before a day has passed.
    """
    newest = select(func.max(RUNS.c.slot)).group_by(RUNS.c.task)
    is_no_newest_slot = RUNS.c.slot.is_(None) | RUNS.c.slot.not_in(newest)
    with write_connection(engine) as connection:
        connection.execute(
            delete(AdminSession).where(AdminSession.created_at < now - SESSIONS_KEPT)
        )
        for states, age in ((ENDED_OTHERWISE, retention), (FAILED, 2 * retention)):
            ended = RUNS.c.state.in_(states), RUNS.c.finished_at.is_not(None), is_no_newest_slot
            oldest = connection.scalar(select(func.min(RUNS.c.finished_at)).where(*ended))
            if oldest is None:
                continue
            before = min(now - age, oldest + PRUNED_AT_ONCE)
            of_runs = select(RUNS.c.id).where(*ended, RUNS.c.finished_at < before)
            connection.execute(delete(RunLine).where(RunLine.run_id.in_(of_runs)))
            pruned = connection.execute(
                delete(RUNS)
                .where(*ended, RUNS.c.finished_at < before)
                .returning(RUNS.c.task, RUNS.c.state)
            )
            for (task, state), count in Counter((row.task, row.state) for row in pruned).items():
                key = {"task": task, "state": state}
                insert_ignoring(connection, TOTALS, [key | {"count": 0}], list(key))
                connection.execute(
                    update(TOTALS)
                    .where(TOTALS.c.task == task, TOTALS.c.state == state)
                    .values(count=TOTALS.c.count + count)
                )
        connection.execute(delete(Batch).where(~exists().where(RUNS.c.batch_id == Batch.id)))
        for at, age in ((LETTERS.c.received_at, retention), (ACTIVITIES.c.at, ACTIVITIES_KEPT)):
            oldest = connection.scalar(select(func.min(at)))
            if oldest is not None:
                before = min(now - age, oldest + PRUNED_AT_ONCE)
                connection.execute(delete(at.table).where(at < before))
        first = connection.execute(select(EVENTS).order_by(EVENTS.c.id).limit(1))
        if event := first.first():  # so many that their times have no index: ids lead to the oldest
            before = min(now - EVENTS_KEPT, event.read_at + PRUNED_AT_ONCE)
            oldest = EVENTS.c.id < event.id + EVENTS_AT_ONCE
            connection.execute(delete(EVENTS).where(oldest, EVENTS.c.read_at < before))
