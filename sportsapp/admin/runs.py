"""Task runs: find them, look into one, run it again, cancel it, take them home."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, time, timedelta
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue
from flask_admin import expose
from sqlalchemy import Select, Text, cast, func, or_, select
from sqlalchemy.orm import defer

from sportsapp.admin.signin import who
from sportsapp.admin.table import Choice, Condition, Table
from sportsapp.admin.view import act, settings
from sportsapp.core.clock import parse_day, utc_now
from sportsapp.core.errors import DateRangeError
from sportsapp.core.leagues import BY_SLUG
from sportsapp.db.models import RunState, TaskRun, Trigger
from sportsapp.db.models.run import FAILED, OPEN
from sportsapp.services import services
from sportsapp.tasks import control

logger = logging.getLogger(__name__)

SEARCHED_RUNS = 10_000
STATES = {"open": OPEN, "failed": FAILED, **{str(state): (state,) for state in RunState}}
LEAGUE_TASKS = (control.BACKFILL, "sync_day")
BY_HAND = ("sync_day", "sync_today")


def _tasks() -> list[tuple[str, str]]:
    queues = services().queues
    names = [name for queue in queues for name in queue.task_names()]
    return [(name, name) for name in sorted({*names, *BY_HAND})]


def _of_task(name: str) -> Condition | None:
    return TaskRun.task == name


def _in_state(name: str) -> Condition | None:
    return TaskRun.state.in_(STATES[name]) if name in STATES else None


def _of_trigger(name: str) -> Condition | None:
    return TaskRun.trigger == name if name in set(Trigger) else None


def _of_league(slug: str) -> Condition | None:
    """Only runs that name a league have one; so the rest need not be looked into."""
    if slug not in BY_SLUG:
        return None
    named = func.lower(TaskRun.args["league"].as_string()) == slug
    return TaskRun.task.in_(LEAGUE_TASKS) & named


def _on_day(text: str) -> Condition | None:
    try:
        day = parse_day(text, utc_now())
    except DateRangeError:
        return None
    start = datetime.combine(day, time(), UTC)
    return (TaskRun.queued_at >= start) & (TaskRun.queued_at < start + timedelta(days=1))


def league_options() -> list[tuple[str, str]]:
    """The followed leagues for a filter."""
    return [(slug, slug.upper()) for slug in settings().leagues]


class Runs(Table):
    """The ledger, at /admin/runs/."""

    of, title, address = TaskRun, "Task runs", "runs"
    list_template = "admin/runs.html"
    details_template = "admin/run.html"
    column_list = ("queued_at", "task", "state", "trigger", "took", "outcome")
    column_labels = {
        "queued_at": "Queued (UTC)", "task": "Task", "state": "State", "trigger": "Asked by",
        "took": "Took", "outcome": "Outcome",
    }  # fmt: skip
    column_export_list = (
        "id", "task", "queue", "state", "trigger", "asked_by", "args", "result", "error",
        "attempt", "recoveries", "progress_done", "progress_total", "queued_at", "started_at",
        "finished_at", "host", "pid",
    )  # fmt: skip
    sorts = {
        "queued_at": TaskRun.queued_at,
        "task": (TaskRun.task, TaskRun.queued_at),
        "state": (TaskRun.state, TaskRun.queued_at),
    }
    newest_first = (TaskRun.queued_at.desc(), TaskRun.id.desc())
    loads = (defer(TaskRun.traceback), defer(TaskRun.resume))
    searched = (cast(TaskRun.args, Text), TaskRun.error)
    search_label = "Search in arguments and errors"
    choices = (
        Choice("task", "Task", _of_task, _tasks),
        Choice("state", "State", _in_state, lambda: [(name, name) for name in STATES]),
        Choice("trigger", "Asked by", _of_trigger, lambda: [(t.value, t.value) for t in Trigger]),
        Choice("league", "League", _of_league, league_options),
        Choice("day", "Day (UTC)", _on_day),
    )

    def search(self, found: Select[Any], text: str) -> Select[Any]:
        """Among the newest runs only: looking into every error ever would hold up the rest."""
        newest = self._filtered().with_only_columns(TaskRun.id).order_by(*self.newest_first)
        within = newest.limit(SEARCHED_RUNS).subquery()
        matches = or_(*(one.icontains(text, autoescape=True) for one in self.searched))
        return found.where(TaskRun.id.in_(select(within.c.id)), matches)

    def render(self, template: str, **kwargs: Any) -> str:
        return super().render(template, searched_runs=SEARCHED_RUNS, OPEN=OPEN, **kwargs)

    @expose("/again", methods=("POST",))
    def again(self) -> ResponseReturnValue:
        """Queue a run once more, with the same arguments."""
        run_id = request.form.get("id", "")

        def do() -> str:
            new_id = control.run_again(run_id, Trigger.ADMIN, who())
            return f"run {run_id} was queued again as {new_id}"

        return act(do)

    @expose("/cancel", methods=("POST",))
    def cancel(self) -> ResponseReturnValue:
        """Cancel a run that waits or runs."""
        run_id = request.form.get("id", "")
        asks = "Cancel this run? One that waits never starts; one that runs stops after its "
        asks += "current chunk and keeps what it has."
        if page := self.question(asks, "Cancel the run"):
            return page
        return act(lambda: f"run {run_id} {control.cancel(run_id)}")
