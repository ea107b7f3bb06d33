"""Backfills: choose a range, see the estimate, queue, follow the progress."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_admin import expose

from sportsapp.accounts.sessions import current_admin
from sportsapp.admin.view import PanelView
from sportsapp.core.clock import check_range, game_day, parse_day, utc_now
from sportsapp.core.errors import DateRangeError, OverlapError, TrackerError
from sportsapp.core.leagues import League, find_league
from sportsapp.db.engine import db
from sportsapp.db.models import Trigger
from sportsapp.runs import reports
from sportsapp.services import services
from sportsapp.sync.backfill import Estimate, LeagueRange, by_season, estimate, season_of
from sportsapp.sync.table import RANGE
from sportsapp.tasks.backfills import queue_backfills

logger = logging.getLogger(__name__)

ALL = "all"
PRESETS = {
    "week": "This week",
    "month": "This month",
    "season": "This season",
    "last-season": "Last season",
}
FIELDS = ("league", "start", "end", "preset")
LONGEST_FIELD = 40
SHOWN_FOR = timedelta(days=1)


@dataclass(frozen=True)
class Plan:
    """What a form would queue: each league's range, the runs they are split into, the cost."""

    ranges: Sequence[LeagueRange]
    runs: Sequence[LeagueRange]
    estimate: Estimate


class BackfillView(PanelView):
    """At /admin/backfill/."""

    title, address = "Backfill", "backfill"

    @expose("/", methods=("GET", "POST"))
    def index(self) -> ResponseReturnValue:
        """The form, with the estimate once it is filled in; a POST queues the backfill."""
        values = {name: request.values.get(name, "").strip()[:LONGEST_FIELD] for name in FIELDS}
        if not values["league"] and request.method == "GET":
            return self._page(values)
        try:
            plan = make_plan(values, today=game_day(utc_now()))
            if request.method == "GET":
                return self._page(values, plan=plan)
            ids = queue_backfills(plan.ranges, Trigger.ADMIN, current_admin())
        except TrackerError as error:
            overlap = error.run_id if isinstance(error, OverlapError) else ""
            if request.method == "POST":
                logger.info("%s: backfill was not queued: %s", current_admin(), error)
            page = self._page(values, problem=str(error), overlap=overlap)
            return page, 409 if overlap else 422
        logger.info("%s: queued %s backfills: %s", current_admin(), len(ids), ", ".join(ids))
        return redirect(url_for("admin_backfill.index", _anchor="runs"), 303)

    @expose("/live")
    def live(self) -> str:
        """The list of backfills, which the page's script loads every few seconds."""
        return self.render("admin/backfill_live.html", back=url_for(".index"), **_backfills())

    def _page(
        self,
        values: dict[str, str],
        plan: Plan | None = None,
        problem: str = "",
        overlap: str = "",
    ) -> str:
        return self.render(
            "admin/backfill.html",
            values=values,
            plan=plan,
            problem=problem,
            overlap=overlap,
            presets=PRESETS,
            leagues=_followed(),
            **_backfills(),
        )


def make_plan(values: dict[str, str], today: date) -> Plan:
    """The plan of a form with the fields FIELDS; ``today`` is a US Eastern date.

    Raises DateRangeError, UnknownLeagueError.
    """
    slug, preset = values["league"], values["preset"]
    leagues = _followed() if slug == ALL else [find_league(slug, services().settings.leagues)]
    if preset in PRESETS:
        ranges = [(league, *preset_days(preset, league, today)) for league in leagues]
    else:
        for name in ("start", "end"):
            if not values[name]:
                raise DateRangeError(f"choose the {name} of the range, or one of the presets")
        now = utc_now()
        start, end = parse_day(values["start"], now), parse_day(values["end"], now)
        check_range(start, end, now)
        ranges = [(league, start, end) for league in leagues]
    return Plan(ranges, by_season(ranges), estimate(ranges))


def preset_days(preset: str, league: League, today: date) -> tuple[date, date]:
    """First and last day of a preset, both included. Seasons differ from league to league."""
    if preset == "week":
        monday = today - timedelta(days=today.weekday())
        return monday, monday + timedelta(days=6)
    if preset == "month":
        next_month = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
        return today.replace(day=1), next_month - timedelta(days=1)
    season = season_of(league, today)
    if preset == "season":
        return season
    return season_of(league, season[0] - timedelta(days=1))


def _followed() -> list[League]:
    return [find_league(slug) for slug in services().settings.leagues]


def _backfills() -> dict[str, Any]:
    now = utc_now()
    queue = services().queues[1].name
    consumers = reports.consumers(db.session, now)
    return {
        "runs": reports.backfills(db.session, RANGE.name, now - SHOWN_FOR),
        "workers": sum(row.queue == queue and row.role == "worker" for row in consumers),
        "counts_of": reports.counts_of,
    }
