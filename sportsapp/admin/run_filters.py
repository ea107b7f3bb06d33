"""How runs are found: by task, state, league, span of time and duration; and by a search.

Every condition is on an index of the ledger, or reads at most SEARCHED runs.
"""

import re
from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from flask import request
from sqlalchemy import Select, Text, and_, cast, func, or_, select, true

from sportsapp.admin import formatting
from sportsapp.admin.table import Condition, Filter, choice, league_filter
from sportsapp.core.clock import parse_day, utc_now
from sportsapp.core.errors import DateRangeError
from sportsapp.db.engine import db
from sportsapp.db.models import Batch, RunState, TaskRun, Trigger
from sportsapp.db.models.run import FAILED, FAILURES, HAS_TEXT, OPEN, OUTSTANDING, WITH_ERRORS
from sportsapp.runs.rows import id_begins_with
from sportsapp.services import services
from sportsapp.sync.table import DAY, TODAY

STATES = {
    "open": TaskRun.state.in_(OPEN),
    "failed": TaskRun.state.in_(FAILED),
    "outstanding": OUTSTANDING,
    "resolved": FAILURES & TaskRun.resolved_at.is_not(None),
    "dismissed": FAILURES & TaskRun.dismissed_at.is_not(None),
    "with errors": WITH_ERRORS,
    **{str(state): TaskRun.state == state for state in RunState},
}
SHELL_TASKS = (DAY.name, TODAY.name)
BATCHES_OFFERED = 20
SEARCHED = 50_000
SHORTEST_ID, MOST_WORDS = 4, 8
TEXT = TaskRun.task + " " + cast(TaskRun.args, Text) + " " + TaskRun.asked_by + " " + TaskRun.error
LONGEST = 1e8  # three years, which nothing takes
SECONDS = {"": 1, "s": 1, "min": 60, "h": 3600, "d": 86_400}


def _task_options() -> list[tuple[str, str]]:
    queued = [name for queue in services().queues for name in queue.task_names()]
    return [(name, name) for name in sorted({*queued, *SHELL_TASKS})]


def _batch_options() -> list[tuple[str, str]]:
    """The newest batches, and the one that is chosen."""
    chosen = Batch.id == request.args.get("batch", "")
    newest = select(Batch.id).order_by(Batch.made_at.desc()).limit(BATCHES_OFFERED)
    offered = select(Batch).where(Batch.id.in_(newest) | chosen).order_by(Batch.made_at.desc())
    return [(row.id, formatting.batch_label(row)) for row in db.session.scalars(offered)]


def _of_league(slug: str) -> Condition:
    # only a run with arguments has a league: the index of those spares reading all other rows
    return and_(HAS_TEXT, func.lower(TaskRun.args["league"].as_string()) == slug)


# ---------------------------------------------------------------- a span of time


def asked_zone() -> ZoneInfo:
    """The zone of the times in the address; without one the viewer's, or UTC."""
    return formatting.zone_named(request.args.get("zone", "")) or (
        formatting.viewer_zone() or ZoneInfo("UTC")
    )


def parse_moment(text: str) -> datetime | None:
    """A time such as 2026-01-31T20:00 in the address's zone; None for anything else."""
    day_text, _, clock_text = text.replace(" ", "T").partition("T")
    try:
        day, clock = parse_day(day_text, utc_now()), time.fromisoformat(clock_text)
    except (DateRangeError, ValueError):
        return None
    return datetime.combine(day, clock.replace(tzinfo=asked_zone())).astimezone(UTC)


def _queued_from(text: str) -> Condition | None:
    start = parse_moment(text)
    return TaskRun.queued_at >= start if start else None


def _queued_before(text: str) -> Condition | None:
    end = parse_moment(text)
    return TaskRun.queued_at < end if end else None


def _zone_options() -> list[tuple[str, str]]:
    names = dict.fromkeys((asked_zone().key, (formatting.viewer_zone() or asked_zone()).key, "UTC"))
    return [(name, name) for name in names]


def _in_zone(name: str) -> Condition | None:
    """The zone narrows nothing by itself, and stays in the address beside a time."""
    has_time = request.args.get("from") or request.args.get("to")
    return true() if has_time and formatting.zone_named(name) else None


# ---------------------------------------------------------------- duration, search


def parse_duration(text: str) -> float | None:
    """Seconds of a duration such as ``90``, ``90 s``, ``1.5 min`` or ``2 h``; None for others."""
    parts = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,3})?) ?(s|min|h|d|)", text)
    seconds = float(parts[1]) * SECONDS[parts[2]] if parts else LONGEST
    return seconds if seconds < LONGEST else None


def _longer_than(text: str) -> Condition | None:
    """Runs that took longer, or have been running for longer."""
    seconds = parse_duration(text)
    if seconds is None:
        return None
    since = datetime.fromtimestamp(utc_now().timestamp() - seconds, UTC)
    runs_on = and_(TaskRun.state == RunState.STARTED, TaskRun.started_at < since)
    return or_(TaskRun.took_seconds > seconds, runs_on)


def search_limit() -> datetime | None:
    """Runs up to this time are not searched: so many newer ones have text. None: all are."""
    newest = select(TaskRun.queued_at).where(HAS_TEXT).order_by(TaskRun.queued_at.desc())
    return db.session.scalar(newest.offset(SEARCHED).limit(1))


def search_runs(rows: Select[Any], text: str) -> Select[Any]:
    """The runs whose id begins with this text, and those that show every word of it."""
    limit = search_limit()
    words = [TEXT.icontains(word, autoescape=True) for word in text.split()[:MOST_WORDS]]
    is_new = true() if limit is None else TaskRun.queued_at > limit
    shows_words = and_(HAS_TEXT, is_new, *words)
    is_id = len(text) >= SHORTEST_ID and " " not in text
    return rows.where(or_(id_begins_with(text), shows_words) if is_id else shows_words)


FILTERS = (
    Filter("task", "Task", lambda name: TaskRun.task == name, _task_options),
    choice("state", "State", STATES),
    Filter("batch", "Batch", lambda batch: TaskRun.batch_id == batch, _batch_options),
    choice("trigger", "Started by", {name: TaskRun.trigger == name for name in Trigger}),
    league_filter(_of_league),
    Filter("from", "Queued from", _queued_from, kind="datetime-local"),
    Filter("to", "to", _queued_before, kind="datetime-local"),
    Filter("zone", "in the zone", _in_zone, _zone_options, blank=""),
    Filter("longer", "Longer than", _longer_than, kind="text", example="10 min"),
    Filter("chain", "Chain", lambda chain_id: TaskRun.chain_id == chain_id, hidden=True),
)
