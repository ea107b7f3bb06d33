"""Rows of task runs: written before a run is queued, read, and shown as JSON.

A run's row exists before its message is on the broker, so whatever the broker forgets can be
queued again from the row. Every change is an UPDATE with the expected old state in its WHERE
clause: whoever comes second changes nothing, and sees that in the row count.
"""

import hashlib
import inspect
import json
import os
import socket
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, select

from sportsapp.core.clock import iso_utc
from sportsapp.core.errors import ArgumentsError, RunNotFoundError, TrackerError
from sportsapp.db.engine import db
from sportsapp.db.models.run import RunState, TaskRun, Trigger
from sportsapp.queue.tracker import TrackedTask

RUNS = TaskRun.__table__

LOST_AFTER = timedelta(seconds=60)
"""A started run, or a consumer's process, without a heartbeat for this long is lost."""

# What one row may hold, in characters: of JSON for the arguments and for a result.
ARGUMENTS_LIMIT = 10_000
RESULT_LIMIT = 100_000
NAME_LIMIT = 100
ERROR_LIMIT = 2_000
TRACEBACK_LIMIT = 20_000


# ---------------------------------------------------------------- where runs come from


@dataclass(frozen=True)
class RunOrigin:
    """What triggered a run, which person (empty: none), and the id of its batch."""

    trigger: Trigger = Trigger.COMMAND
    by: str = ""
    batch_id: str | None = None


BY_COMMAND = RunOrigin()
_origin: ContextVar[RunOrigin] = ContextVar("run_origin", default=BY_COMMAND)


def current_origin() -> RunOrigin:
    """What is recorded with a run that is queued here and now."""
    return _origin.get()


@contextmanager
def run_origin(trigger: Trigger, by: str = "", batch_id: str | None = None) -> Iterator[None]:
    """Record everything that is queued in this block with this trigger, person and batch."""
    token = _origin.set(RunOrigin(trigger, by, batch_id))
    try:
        yield
    finally:
        _origin.reset(token)


# ---------------------------------------------------------------- new rows


def new_row(
    run_id: str, task: str, args: dict[str, Any], origin: RunOrigin, now: datetime
) -> dict[str, Any]:
    """The columns of a run that waits and is due now. The table's defaults are the rest.

    Raises ArgumentsError for more than ARGUMENTS_LIMIT: no run starts with a part of its
    arguments.
    """
    if (size := len(json.dumps(args))) > ARGUMENTS_LIMIT:
        text = f"the arguments of {task} take {size:,} characters, at most {ARGUMENTS_LIMIT:,} fit"
        raise ArgumentsError(text)
    return {
        "id": run_id,
        "task": task,
        "queue": "",
        "args": args,
        "state": RunState.PENDING,
        "trigger": origin.trigger,
        "asked_by": origin.by,
        "batch_id": origin.batch_id,
        "queued_at": now,
        "due_at": now,
    }


def queued_row(task: TrackedTask, origin: RunOrigin, now: datetime) -> dict[str, Any]:
    """The columns of a run whose message goes to its task's queue.

    A later link of a chain waits for the one before it.
    """
    row = new_row(task.id, task.name, named_args(task), origin, now) | {
        "queue": task.huey.name,
        "due_at": aware(task.eta) or now,
        "expires_at": aware(task.expires_resolved),
        "attempt": task.attempt,
        "retries_left": task.retries,
        "chain_id": task.chain_id,
        "chain_place": task.chain_place,
    }
    if task.is_later_link:
        row |= {"due_at": None, "expires_at": None, "trigger": Trigger.CHAIN}
    return row


def task_of_row(task_class: type[TrackedTask], run: Any) -> TrackedTask:
    """The task of a waiting run's row, for a new message.

    The delay before the next retry grows with each retry that was used.
    """
    used = task_class.default_retries - run.retries_left
    delay = task_class.default_retry_delay * task_class.default_retry_backoff**used
    task = task_class(kwargs=dict(run.args), id=run.id, retries=run.retries_left, retry_delay=delay)
    task.attempt = run.attempt
    return task


def started_values(now: datetime) -> dict[str, Any]:
    """The columns that say when and where an attempt starts: now, in this process."""
    return {
        "state": RunState.STARTED,
        "started_at": now,
        "heartbeat_at": now,
        "host": socket.gethostname(),
        "pid": os.getpid(),
    }


def seconds_between(start: datetime | None, end: datetime) -> float:
    """How long an attempt took; 0 when the clock was set back meanwhile, or it never started."""
    return max(0.0, (end - start).total_seconds()) if start else 0.0


def bind_arguments(task: TrackedTask) -> dict[str, Any]:
    """A task's arguments by name. Raises TypeError if its function does not take them."""
    return dict(_signature(type(task).function).bind(*task.args, **task.kwargs).arguments)


_signature = cache(inspect.signature)


def named_args(task: TrackedTask) -> dict[str, Any]:
    """A task's arguments by name, as JSON values.

    Arguments that the function does not take keep their position as their name: "0", "1".
    """
    try:
        arguments = bind_arguments(task)
    except TypeError:
        arguments = {str(n): value for n, value in enumerate(task.args)} | task.kwargs
    return {name: as_json(value) for name, value in arguments.items()}


def arguments_in_words(args: Mapping[str, Any]) -> str:
    """A run's arguments on one line: their values, and the names of those that are true."""
    given = {name: value for name, value in args.items() if value is not False}
    return " ".join(name if value is True else str(value) for name, value in given.items())


def as_json(value: Any) -> Any:
    """The value as JSON can hold it: dates and whatever JSON does not have become text."""
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: as_json(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(part) for part in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def stored_result(value: Any) -> Any:
    """The value as JSON can hold it, cut to RESULT_LIMIT characters: a row with more would be read
    by every page that shows runs.
    """
    return _cut(as_json(value), RESULT_LIMIT)


def success_values(value: Any) -> dict[str, Any]:
    """The columns ``result`` and ``error_count`` of a run that returned this value."""
    errors = value.get("errors") if isinstance(value, dict) else None
    count = len(errors) if isinstance(errors, list) else 0
    return {"result": stored_result(value), "error_count": count}


def _cut(value: Any, limit: int) -> Any:
    """A JSON value of at most about ``limit`` characters.

    A text loses its end, and a list or an object its last parts, with their number instead.
    """
    if len(json.dumps(value)) <= limit:
        return value
    if not isinstance(value, (dict, list)):
        return f"{str(value)[:limit]}..."
    kept: dict[str, Any] = {}
    named = value.items() if isinstance(value, dict) else enumerate(value)
    for name, part in ((str(name)[:NAME_LIMIT], part) for name, part in named):
        if limit <= 0:
            kept["..."] = f"and {len(value) - len(kept):,} more"
            break
        kept[name] = _cut(part, limit)
        limit -= len(json.dumps({name: kept[name]}))
    return kept if isinstance(value, dict) else list(kept.values())


def aware(moment: datetime | None) -> datetime | None:
    """Huey's datetimes have no time zone; they are UTC."""
    if moment is None or moment.tzinfo:
        return moment
    return moment.replace(tzinfo=UTC)


# ---------------------------------------------------------------- errors


def error_values(error: BaseException) -> dict[str, Any]:
    """The columns ``error``, ``fingerprint`` and ``traceback`` of an exception, cut to length."""
    text = str(error) or type(error).__name__
    if not isinstance(error, TrackerError) and str(error):
        text = f"{type(error).__name__}: {error}"
    return {
        "error": text[:ERROR_LIMIT],
        "fingerprint": fingerprint(error),
        "traceback": "".join(traceback.format_exception(error))[-TRACEBACK_LIMIT:],
    }


def fingerprint(error: BaseException) -> str:
    """Twelve hexadecimal digits, equal for errors of one class raised in one function."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename}:{frames[-1].name}" if frames else ""
    return hashlib.sha256(f"{type(error).__name__}|{place}".encode()).hexdigest()[:12]


# ---------------------------------------------------------------- reading


def find_run(run_id: str) -> TaskRun:
    """The run with this id, as the database has it now. Raises RunNotFoundError."""
    run = db.session.get(TaskRun, run_id, populate_existing=True)
    if run is None:
        raise RunNotFoundError(f"no task run has the id {run_id!r}")
    return run


def id_begins_with(text: str) -> ColumnElement[bool]:
    """The condition of runs whose id begins with this, on the index of the primary key."""
    after = text + "zzzz"  # later than every id that begins so, in the order of any language
    return TaskRun.id.between(text, after) & TaskRun.id.startswith(text, autoescape=True)


def find_run_by_beginning(beginning: str) -> TaskRun:
    """The run with this id, or the only one whose id begins like this, as the database has it now.

    Raises RunNotFoundError, which names some of the runs when there are several.
    """
    ids = select(TaskRun.id).where(id_begins_with(beginning)).order_by(TaskRun.id).limit(4)
    found = list(db.session.scalars(ids)) if beginning else []
    if len(found) > 1 and beginning not in found:
        text = f"several task runs have ids that begin with {beginning!r}: "
        raise RunNotFoundError(f"{text}{', '.join(found[:3])}{' ...' if found[3:] else ''}")
    return find_run(found[0] if len(found) == 1 else beginning)


def run_as_json(run: TaskRun) -> dict[str, Any]:
    """A run as ``flask tasks`` and the API print it; times are ISO 8601 in UTC, or None."""
    return {
        "id": run.id,
        "task": run.task,
        "state": run.state,
        "trigger": run.trigger,
        "args": run.args,
        "progress": {"done": run.progress_done, "total": run.progress_total},
        "result": run.result,
        "error": run.error or None,
        "attempt": run.attempt,
        "recoveries": run.recoveries,
        "queued_at": iso_utc(run.queued_at),
        "started_at": iso_utc(run.started_at) if run.started_at else None,
        "finished_at": iso_utc(run.finished_at) if run.finished_at else None,
    }
