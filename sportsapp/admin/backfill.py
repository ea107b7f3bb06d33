"""Backfills: choose, see what it costs, queue, watch."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_admin import expose

from sportsapp.admin.signin import who
from sportsapp.admin.view import PanelView, settings
from sportsapp.core.clock import check_range, game_day, parse_day, utc_now
from sportsapp.core.errors import DateRangeError, OverlapError, TrackerError
from sportsapp.core.leagues import League, find_league
from sportsapp.db.engine import db
from sportsapp.db.models import Trigger
from sportsapp.runs import reports as activity
from sportsapp.services import services
from sportsapp.tasks import control
from sportsapp.tasks.control import Estimate, LeagueRange

logger = logging.getLogger(__name__)

ALL = "all"
PRESETS = {
    "week": "This week",
    "month": "This month",
    "season": "This season",
    "last-season": "Last season",
}
SHOWN_FOR = timedelta(days=1)


@dataclass(frozen=True)
class Plan:
    """What would be queued: each league with its days, the runs it makes, and what it costs."""

    ranges: Sequence[LeagueRange]
    parts: Sequence[LeagueRange]
    estimate: Estimate


class Backfill(PanelView):
    """At /admin/backfill/."""

    def __init__(self) -> None:
        super().__init__(name="Backfill", endpoint="admin_backfill", url="backfill")

    @expose("/", methods=("GET", "POST"))
    def index(self) -> ResponseReturnValue:
        """The form with what it would cost; a POST queues it."""
        if request.method == "POST":
            return self._queue()
        return self._page()

    @expose("/live")
    def live(self) -> str:
        """The runs, for the page to refresh itself."""
        return self.render("admin/backfill_live.html", back=url_for(".index"), **_watched())

    def _page(self, problem: str = "", run_id: str = "", status: int = 200) -> ResponseReturnValue:
        plan = None
        if _is_filled_in() and not problem:
            try:
                plan = make_plan(_values(), today=game_day(utc_now()))
            except TrackerError as error:
                problem, status = str(error), 422
        page = self.render(
            "admin/backfill.html",
            plan=plan, problem=problem, overlap=run_id, values=_values(), presets=PRESETS,
            leagues=_followed(), **_watched(),
        )  # fmt: skip
        return page, status

    def _queue(self) -> ResponseReturnValue:
        try:
            plan = make_plan(_values(), today=game_day(utc_now()))
            ids = control.queue_ranges(plan.ranges, Trigger.ADMIN, who())
        except OverlapError as error:
            logger.info("%s asked for a backfill: %s", who(), error)
            return self._page(str(error), error.run_id, 409)
        except TrackerError as error:
            logger.info("%s asked for a backfill: %s", who(), error)
            return self._page(str(error), status=422)
        logger.info("%s: queued %s backfills: %s", who(), len(ids), ", ".join(ids))
        return redirect(url_for("admin_backfill.index", _anchor="runs"), 303)


def make_plan(values: dict[str, str], today: date) -> Plan:
    """The plan of a filled-in form. Raises DateRangeError, UnknownLeagueError."""
    leagues = _leagues(values["league"])
    preset = values["preset"]
    if preset in PRESETS:
        ranges = [(league, *preset_days(preset, league, today)) for league in leagues]
    else:
        start, end = (_day(values[name], name) for name in ("start", "end"))
        check_range(start, end, utc_now())
        ranges = [(league, start, end) for league in leagues]
    parts = [(one, *part) for one, *days in ranges for part in control.season_parts(one, *days)]
    costs = [control.estimate([one], start, end) for one, start, end in ranges]
    requests = sum(cost.requests for cost in costs)
    return Plan(
        ranges, parts, Estimate(len(parts), requests, sum(cost.seconds for cost in costs))
    )  # fmt: skip


def preset_days(preset: str, league: League, today: date) -> tuple[date, date]:
    """First and last day of a preset; a season is the league's own."""
    if preset == "week":
        monday = today - timedelta(days=today.weekday())
        return monday, monday + timedelta(days=6)
    if preset == "month":
        after = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
        return today.replace(day=1), after - timedelta(days=1)
    this = control.season_of(league, today)
    return this if preset == "season" else control.season_of(league, this[0] - timedelta(days=1))


def _watched() -> dict[str, Any]:
    now = utc_now()
    alive = activity.consumers(db.session, now)
    queue = services().queues[1].name
    return {
        "runs": activity.backfills(db.session, control.BACKFILL, now - SHOWN_FOR),
        "workers": sum(one.queue == queue and one.role == "worker" for one in alive),
        "counts_of": activity.counts_of,
    }


def _values() -> dict[str, str]:
    names = ("league", "start", "end", "preset")
    return {name: request.values.get(name, "").strip()[:40] for name in names}


def _is_filled_in() -> bool:
    return bool(_values()["league"])


def _followed() -> list[League]:
    return [find_league(slug) for slug in settings().leagues]


def _leagues(name: str) -> list[League]:
    return _followed() if name == ALL else [find_league(name, settings().leagues)]


def _day(text: str, name: str) -> date:
    if not text:
        raise DateRangeError(f"choose the {name} of the range, or one of the presets")
    return parse_day(text, utc_now())
