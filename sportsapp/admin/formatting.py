"""Times, durations, states and results of runs as the panel's templates show them."""

import json
from datetime import date, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from flask import request, url_for
from markupsafe import Markup

from sportsapp.core.clock import iso_utc, utc_now
from sportsapp.core.leagues import League
from sportsapp.db.models import Batch, Game, RunState, TaskRun, Team
from sportsapp.db.queries import DayState
from sportsapp.runs.rows import arguments_in_words

STATE_LABELS: dict[str, tuple[str, str]] = {
    RunState.PENDING: ("wait", "waiting for a worker"),
    RunState.STARTED: ("busy", "running"),
    RunState.RETRY: ("wait", "failed, will be tried again"),
    RunState.SUCCESS: ("good", "succeeded"),
    RunState.FAILURE: ("bad", "failed, will not be tried again"),
    RunState.REVOKED: ("over", "cancelled"),
    RunState.EXPIRED: ("over", "dropped: it had waited too long"),
    RunState.TIMEOUT: ("bad", "stopped: it exceeded its time limit"),
    RunState.SKIPPED: ("over", "not done now, for the reason given"),
}
"""For each state the CSS class of its colour, and its meaning."""

WAITING_LINK = "waiting for the run before it in its chain"

DAY_STATES: dict[DayState, tuple[str, str, str]] = {
    DayState.READ: ("good", "\u2713", "read, and it has games"),
    DayState.EMPTY: ("over", "0", "read, and it has no games"),
    DayState.UNREAD: ("wait", "?", "never read to its end"),
    DayState.FAILED: ("bad", "!", "a sync of it failed after it was last read"),
    DayState.STALE: ("busy", "~", "read too early to count"),
}
"""For each state of a day the CSS class of its colour, its mark, and its meaning."""

ZONE_COOKIE = "zone"
LONGEST_LINE = 300
LONGEST_CHOICE = 50
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


# ---------------------------------------------------------------- times


def viewer_zone() -> ZoneInfo | None:
    """The zone that the viewer chose on the score pages; None without one."""
    return zone_named(request.cookies.get(ZONE_COOKIE, ""))


def zone_named(name: str) -> ZoneInfo | None:
    """The zone of this name, such as Europe/Berlin; None for any other text."""
    return ZoneInfo(name) if name in _zones() else None


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def zoned_time(at: datetime | None) -> Markup:
    """``2026-11-23 12:48:15 EST 17:48:15 UTC``: in the viewer's zone, with UTC beside it.

    For a viewer who chose none the panel's script puts the browser's zone in; without the script
    it is UTC alone. ``-`` for None.
    """
    if at is None:
        return Markup("-")
    zone, utc = viewer_zone(), f"{at:%Y-%m-%d %H:%M:%S} UTC"
    text: str = utc
    if zone and (shown := at.astimezone(zone)).utcoffset():
        beside = f"{at:%H:%M:%S} UTC" if shown.date() == at.date() else utc
        text = Markup("{} <small>{}</small>").format(f"{shown:%Y-%m-%d %H:%M:%S %Z}", beside)
    return Markup('<time datetime="{}"{}>{}</time>').format(
        iso_utc(at), "" if zone else Markup(" data-local"), text
    )


def clock_time(at: datetime) -> Markup:
    """``12:48:15``: the time of day in the viewer's zone, with the whole time in UTC as tooltip."""
    zone = viewer_zone()
    return Markup('<time datetime="{}" title="{} UTC"{}>{}</time>').format(
        iso_utc(at),
        f"{at:%Y-%m-%d %H:%M:%S}",
        "" if zone else Markup(' data-local="clock"'),
        f"{at.astimezone(zone) if zone else at:%H:%M:%S}",
    )


def ago(at: datetime | None) -> Markup:
    """``3 min 20 s ago``, with the time itself as tooltip; ``never`` for None."""
    if at is None:
        return Markup("never")
    return Markup('<time datetime="{}" title="{} UTC">{} ago</time>').format(
        iso_utc(at), f"{at:%Y-%m-%d %H:%M:%S}", elapsed(at)
    )


def elapsed(since: datetime | None) -> str:
    """The duration from then to now; ``-`` for None."""
    return duration((utc_now() - since).total_seconds()) if since else "-"


def duration(seconds: float) -> str:
    """``0.4 s``, ``12 s``, ``3 min 20 s``, ``2 h 5 min``, ``3 d 4 h``."""
    if 0 < seconds < 10:
        return f"{seconds:.1f} s"
    whole = max(0, round(seconds))
    for size, unit, below, part in ((86_400, "d", 3600, "h"), (3600, "h", 60, "min")):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // below} {part}"
    return f"{whole // 60} min {whole % 60} s" if whole >= 60 else f"{whole} s"


# ---------------------------------------------------------------- runs


def run_duration(run: TaskRun) -> str:
    """How long a run's last attempt took, or has taken so far; ``-`` before it starts."""
    if run.started_at is None:
        return "-"
    return duration(((run.finished_at or utc_now()) - run.started_at).total_seconds())


def batch_label(batch: Batch) -> str:
    """When a batch was made and its name, cut to fit into a choice."""
    name = batch.name if len(batch.name) <= LONGEST_CHOICE else f"{batch.name[:LONGEST_CHOICE]}..."
    return f"{batch.made_at:%Y-%m-%d %H:%M} {name}"


def arguments(run: TaskRun) -> str:
    """A run's arguments on one line, without their names."""
    return arguments_in_words(run.args)


def meaning(run: TaskRun) -> str:
    """What a run's state means."""
    waits_for_link = run.state == RunState.PENDING and run.due_at is None
    return WAITING_LINK if waits_for_link else STATE_LABELS[run.state][1]


def outcome(run: TaskRun) -> str:
    """A run's result on one line: the first line of its error, or its counts and first error."""
    if run.error:
        return run.error.splitlines()[0][:LONGEST_LINE]
    if meaning(run) == WAITING_LINK:
        return WAITING_LINK
    if not isinstance(run.result, dict):
        return "" if run.result is None else json.dumps(run.result)[:LONGEST_LINE]
    lists = {"errors", "left_out"}
    counts = [f"{value} {name}" for name, value in run.result.items() if name not in lists]
    counts += run.result.get("left_out", [])[:1]
    errors = run.result.get("errors")
    if errors:
        counts.append(f"{len(errors)} {'error' if len(errors) == 1 else 'errors'}: {errors[0]}")
    return ", ".join(counts)[:LONGEST_LINE]


def timeline(run: TaskRun) -> list[tuple[datetime, str]]:
    """A run's events by time: queued, start and end of each attempt, what comes next."""
    by = f" by {run.asked_by}" if run.asked_by else ""
    events = [(run.slot, "scheduled slot"), (run.queued_at, f"queued ({run.trigger}{by})")]
    for attempt in run.earlier:
        number, error = attempt["attempt"], attempt["error"]
        start = f"attempt {number} began on {attempt['host']}, process {attempt['pid']}"
        end = f"attempt {number} {attempt['end']}{f': {error}' if error else ''}"
        events += [(_parsed(attempt["started_at"]), start), (_parsed(attempt["ended_at"]), end)]
    if all(attempt["attempt"] != run.attempt for attempt in run.earlier):
        start = f"attempt {run.attempt} began on {run.host}, process {run.pid}"
        events.append((run.started_at, start))
    if run.state == RunState.STARTED:
        events.append((run.heartbeat_at, "last heartbeat"))
    if run.state == RunState.RETRY:
        events.append((run.due_at, f"attempt {run.attempt + 1} is due"))
    events.append((run.finished_at, f"{run.state}: {meaning(run)}"))
    events.append((run.resolved_at, "resolved: the task has succeeded with the same arguments"))
    dismissed = f"dismissed by {run.dismissed_by}: {run.dismissed_word}"
    events.append((run.dismissed_at, dismissed))
    return sorted(((at, text) for at, text in events if at), key=lambda event: event[0])


def _parsed(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def lateness(run: TaskRun | None) -> str:
    """How long after its slot a scheduled run began."""
    if run is None or run.slot is None:
        return "on time"
    start = run.started_at or run.queued_at
    return f"last run began {duration((start - run.slot).total_seconds())} after its slot"


# ---------------------------------------------------------------- values


def cell(value: Any) -> Any:
    """A column's value as a table shows it."""
    if value is None or isinstance(value, datetime):
        return zoned_time(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return json_block(value) if isinstance(value, (dict, list)) else value


def json_block(value: Any) -> Markup:
    """A value as indented JSON."""
    return Markup("<pre>{}</pre>").format(json.dumps(value, indent=2, ensure_ascii=False))


def link(address: str, text: object) -> Markup:
    """A link."""
    return Markup('<a href="{}">{}</a>').format(address, text)


def game_link(game: Game) -> Markup:
    """A game, linked to its public page."""
    address = url_for("games.game", league_name=game.league.slug, espn_id=game.espn_id)
    away, home = (team.display_name if team else "TBD" for team in (game.away_team, game.home_team))
    return link(address, f"{away} at {home}")


def score(game: Game) -> str:
    """The score as ``17-20``, away first; empty before the start."""
    return "" if game.home_score is None else f"{game.away_score}-{game.home_score}"


def run_link(run_id: str | None) -> Markup:
    """A run by its id, linked to its page; the ledger may have deleted it since."""
    if not run_id:
        return Markup("-")
    address = url_for("admin_runs.details_view", id=run_id)
    return link(address, run_id.partition("@")[0][:20])


def json_value(value: Any) -> Any:
    """A value for JSON: times in UTC, days in ISO format, the name of a team or a league."""
    if isinstance(value, datetime):
        return iso_utc(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Team):
        return value.display_name
    return value.slug if isinstance(value, League) else value


def csv_value(value: Any) -> Any:
    """A JSON value for a spreadsheet. Text that it would run as a formula gets an apostrophe."""
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    is_formula = isinstance(value, str) and value.lstrip(" ").startswith(FORMULA_STARTS)
    return f"'{value}" if is_formula else value
