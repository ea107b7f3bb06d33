"""Moments, spans, states and arguments as people read them. Used by the panel's templates."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from flask import request
from markupsafe import Markup

from sportsapp.admin.security import local as local_path
from sportsapp.core.clock import iso_utc, utc_now
from sportsapp.db.models import RunState, TaskRun

KINDS = {
    RunState.SUCCESS: "good",
    RunState.FAILURE: "bad",
    RunState.TIMEOUT: "bad",
    RunState.STARTED: "busy",
    RunState.PENDING: "wait",
    RunState.RETRY: "wait",
}
MEANINGS = {
    RunState.PENDING: "waits for a worker",
    RunState.STARTED: "runs",
    RunState.RETRY: "failed, will be tried again",
    RunState.SUCCESS: "went well",
    RunState.FAILURE: "failed for good",
    RunState.REVOKED: "was cancelled",
    RunState.EXPIRED: "waited too long to be worth running",
    RunState.TIMEOUT: "took longer than it may",
}
ZONE_COOKIE, USUAL_ZONE = "zone", "America/New_York"
NONE = "-"
SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n")


def moment(at: datetime | None) -> Markup:
    """``2026-11-23 17:48:15`` in UTC, for machines too; a dash for none."""
    if at is None:
        return Markup("-")
    return Markup('<time datetime="{}">{}</time>').format(iso_utc(at), f"{at:%Y-%m-%d %H:%M:%S}")


def local(at: datetime) -> Markup:
    """A moment in the visitor's zone: the one chosen on the site, else the browser's.

    Without a script it is New York, as on the score pages.
    """
    chosen = request.cookies.get(ZONE_COOKIE, "")
    zone = chosen if chosen in available_timezones() else ""
    there = at.astimezone(ZoneInfo(zone or USUAL_ZONE))
    return Markup('<time datetime="{}" data-local="{}">{}</time>').format(
        iso_utc(at), zone or "browser", f"{there:%a %H:%M:%S %Z}"
    )


def ago(at: datetime | None) -> Markup:
    """``3 min ago``, with the moment itself as a title; ``never`` for none."""
    if at is None:
        return Markup("never")
    text = f"{span((utc_now() - at).total_seconds())} ago"
    return Markup('<time datetime="{}" title="{} UTC">{}</time>').format(
        iso_utc(at), f"{at:%Y-%m-%d %H:%M:%S}", text
    )


def since(at: datetime | None) -> str:
    """How long it is since then."""
    return span((utc_now() - at).total_seconds()) if at else NONE


def span(seconds: float) -> str:
    """``0.4 s``, ``12 s``, ``3 min 20 s``, ``2 h 5 min``, ``3 d 4 h``."""
    if 0 < seconds < 10:
        return f"{seconds:.1f} s"
    whole = max(0, round(seconds))
    for size, unit, below, part in ((86_400, "d", 3600, "h"), (3600, "h", 60, "min")):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // below} {part}"
    return f"{whole // 60} min {whole % 60} s" if whole >= 60 else f"{whole} s"


def took(run: TaskRun) -> str:
    """How long a run's last attempt has taken, or takes so far."""
    if run.started_at is None:
        return NONE
    return span(((run.finished_at or utc_now()) - run.started_at).total_seconds())


def state(value: str) -> Markup:
    """A state as a label with its meaning."""
    return Markup('<span class="state {}" title="{}">{}</span>').format(
        kind(value), MEANINGS.get(RunState(value), ""), value
    )


def state_words(value: str) -> str:
    """What a state means."""
    return MEANINGS.get(RunState(value), "")


def kind(value: str) -> str:
    """Good, bad, busy, wait or over: what colour a state has."""
    return KINDS.get(RunState(value), "over")


def arguments(run: TaskRun) -> str:
    """A run's arguments on one line, without their names."""
    return " ".join(str(value) for value in run.args.values())


def progress(run: TaskRun) -> Markup:
    """A bar with what it says in words; nothing for a run that reports no progress."""
    if not run.progress_total:
        return Markup("")
    share = round(100 * run.progress_done / run.progress_total)
    return Markup(
        '<progress max="{total}" value="{done}" aria-label="{name}"></progress> '
        '<span class="share">{done} of {total} ({share} %)</span>'
    ).format(
        total=run.progress_total,
        done=run.progress_done,
        share=share,
        name=f"Progress of {run.task} {arguments(run)}",
    )


def result(run: TaskRun, errors_shown: int = 1) -> str:
    """What came of a run: its counts, or its error's first line."""
    if run.error:
        return run.error.splitlines()[0][:300]
    if not isinstance(run.result, dict):
        return "" if run.result is None else json.dumps(run.result)[:300]
    counts = [f"{value} {name}" for name, value in run.result.items() if name != "errors"]
    errors = list(map(str, run.result.get("errors") or ()))
    if errors:
        counts.append(f"{len(errors)} errors: {'; '.join(errors[:errors_shown])}")
    return ", ".join(counts)[:300]


def timeline(run: TaskRun) -> list[tuple[datetime, str]]:
    """A run's course in order: queued, each attempt and how it ended, what comes next."""
    by = f" by {run.asked_by}" if run.asked_by else ""
    known = [(run.slot, "slot of the schedule"), (run.queued_at, f"queued ({run.trigger}{by})")]
    for one in run.earlier:
        known += _attempt(one)
    if all(one["attempt"] != run.attempt for one in run.earlier):
        began = f"attempt {run.attempt} began on {run.host}, process {run.pid}"
        known.append((run.started_at, began))
    if run.state == RunState.STARTED:
        known.append((run.heartbeat_at, "last sign of life"))
    if run.state == RunState.RETRY:
        known.append((run.due_at, f"attempt {run.attempt + 1} is due"))
    known.append((run.finished_at, f"{run.state}: {MEANINGS.get(RunState(run.state), '')}"))
    return sorted(((at, text) for at, text in known if at is not None), key=lambda one: one[0])


def _attempt(one: dict[str, Any]) -> list[tuple[datetime | None, str]]:
    """The beginning and the end of an earlier attempt."""
    began, ended = (
        datetime.fromisoformat(one[name]) if one[name] else None
        for name in ("started_at", "ended_at")
    )
    name, error = f"attempt {one['attempt']}", f": {one['error']}" if one["error"] else ""
    return [
        (began, f"{name} began on {one['host']}, process {one['pid']}"),
        (ended, f"{name} {one['end']}{error}"),
    ]


def lateness(run: TaskRun | None) -> str:
    """How long after its slot a run began."""
    if run is None or run.slot is None:
        return "on time"
    began = run.started_at or run.queued_at
    return f"on time: begun {span((began - run.slot).total_seconds())} after its slot"


def safe_back() -> str:
    """Where a form came from."""
    return local_path(request.form.get("back", ""))


def block(value: Any) -> Markup:
    """A value as indented JSON."""
    return Markup("<pre>{}</pre>").format(json.dumps(value, indent=2, ensure_ascii=False))


def link(address: str, text: object) -> Markup:
    """A link."""
    return Markup('<a href="{}">{}</a>').format(address, text)


def harmless(value: Any) -> Any:
    """Text that a spreadsheet would take for a formula gets a leading apostrophe."""
    return f"'{value}" if isinstance(value, str) and value.lstrip(" ").startswith(SIGNS) else value
