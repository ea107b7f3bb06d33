"""Runs that a shell executes itself, without a queue: ``flask sync`` without ``--queue``."""

import logging
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, insert, update
from sqlalchemy.exc import SQLAlchemyError

from sportsapp.core.clock import utc_now
from sportsapp.core.outages import WRITES, reason_of
from sportsapp.db.engine import db, write_connection
from sportsapp.db.models.run import RunState, Trigger
from sportsapp.runs.attempts import finish
from sportsapp.runs.failures import HAS_UNRESOLVED
from sportsapp.runs.lines import keep_lines
from sportsapp.runs.progress import CurrentRun, RunCancelled, executing
from sportsapp.runs.rows import (
    RUNS,
    RunOrigin,
    new_row,
    started_values,
    stored_result,
    success_values,
)

logger = logging.getLogger(__name__)

BEAT_SECONDS = 10


@dataclass
class LocalRun:
    """A run in this process: its id, and the result that the block sets."""

    run_id: str
    result: Any = None


@contextmanager
def record_local_run(task_name: str, args: dict[str, Any], by: str = "") -> Iterator[LocalRun]:
    """Record the block as a run of its own, started by the person ``by``. Needs an app context.

    The block sets ``result`` of the LocalRun that it gets. What it raises is recorded and raised
    again: an interruption and RunCancelled as REVOKED, any other exception as FAILURE. Raises
    SQLAlchemyError when the database does not take the row.
    """
    engine, now = db.engine, utc_now()
    values = new_row(str(uuid.uuid4()), task_name, args, RunOrigin(Trigger.COMMAND, by), now)
    values |= started_values(now) | {"attempt": 1}
    with write_connection(engine) as connection:
        row = connection.execute(insert(RUNS).returning(RUNS, HAS_UNRESOLVED), values).one()
    run, local = CurrentRun(row, None, lambda: False), LocalRun(row.id)
    ended = threading.Event()
    threading.Thread(target=_beat_until, args=(ended, engine, row.id), daemon=True).start()
    try:
        with executing(run), keep_lines(engine, run):
            yield local
    except RunCancelled as cancelled:
        db.session.rollback()
        finish(engine, run, RunState.REVOKED, result=stored_result(cancelled.result))
        raise
    except BaseException as error:
        db.session.rollback()
        state = RunState.FAILURE if isinstance(error, Exception) else RunState.REVOKED
        finish(engine, run, state, error)
        raise
    else:
        finish(engine, run, RunState.SUCCESS, **success_values(local.result))
    finally:
        ended.set()


def _beat_until(ended: threading.Event, engine: Engine, run_id: str) -> None:
    """Record a heartbeat every ten seconds until the run has ended."""
    this = (RUNS.c.id == run_id) & (RUNS.c.state == RunState.STARTED)
    while not ended.wait(BEAT_SECONDS):
        try:
            with write_connection(engine) as connection:
                connection.execute(update(RUNS).where(this).values(heartbeat_at=utc_now()))
        except SQLAlchemyError as error:  # the next heartbeat may be taken
            text = "run %s: no heartbeat: %s"
            logger.warning(text, run_id, reason_of(error), extra=WRITES.lines)
