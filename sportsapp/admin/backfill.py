"""Backfills: choose a range, see the estimate, queue, follow the progress."""

import logging
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_admin import expose

from sportsapp.accounts.sessions import current_admin
from sportsapp.admin.view import PanelView, record_action
from sportsapp.core.clock import check_range, game_day, parse_day, utc_now
from sportsapp.core.errors import DateRangeError, OverlapError, TrackerError
from sportsapp.core.leagues import League, find_league, season_of
from sportsapp.db.engine import db
from sportsapp.db.models import PausedQueue, Trigger
from sportsapp.runs import reports
from sportsapp.runs.batches import recent_batches
from sportsapp.services import services
from sportsapp.sync.games import expected_finals
from sportsapp.sync.ranges import LeagueRange, by_season, estimate, within_seasons
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
FIELDS = ("league", "start", "end", "preset", "games")
LONGEST_FIELD = 40
SHOWN_FOR = timedelta(days=1)


class BackfillView(PanelView):
    """At /admin/backfill/."""

    title, address = "Backfill", "backfill"

    @expose("/", methods=("GET", "POST"))
    def index(self) -> ResponseReturnValue:
        """The form, with the estimate once it is filled in; a POST queues the backfill."""
        values = {name: request.values.get(name, "").strip()[:LONGEST_FIELD] for name in FIELDS}
        is_new = request.method == "GET" and not values["league"]
        try:
            chosen = [] if is_new else ranges_of(values, today=game_day(utc_now()))
            ranges, left_out = within_seasons(chosen)
            if left_out and not ranges:
                raise DateRangeError("; ".join(left_out))
            if request.method == "GET":
                return self._page(values, ranges, left_out)
            games = bool(values["games"])
            ids = queue_backfills(ranges, Trigger.ADMIN, current_admin(), games=games).run_ids
        except TrackerError as error:
            if request.method == "POST":
                logger.info("%s: backfill was not queued: %s", current_admin(), error)
            status = 409 if isinstance(error, OverlapError) else 422
            return self._page(values, problem=error), status
        asked = " ".join(value for value in values.values() if value)
        record_action(self, "/queue", asked, f"queued {len(ids)} backfills: {', '.join(ids)}")
        return redirect(url_for(".index", _anchor="runs"), 303)

    @expose("/live")
    def live(self) -> str:
        """The list of backfills, which the page's script loads every few seconds."""
        return self.render("admin/backfill_live.html", back=url_for(".index"), **_backfills())

    def _page(
        self,
        values: dict[str, str],
        ranges: Sequence[LeagueRange] = (),
        left_out: Sequence[str] = (),
        problem: TrackerError | None = None,
    ) -> str:
        games = expected_finals(db.session, ranges, utc_now()) if values["games"] else 0
        return self.render(
            "admin/backfill.html",
            values=values,
            planned_runs=by_season(ranges),
            left_out=left_out,
            estimate=estimate(ranges, games),
            problem=problem,
            presets=PRESETS,
            leagues=services().leagues,
            **_backfills(),
        )


def ranges_of(values: dict[str, str], today: date) -> list[LeagueRange]:
    """Each league's range, from a form with the fields FIELDS; ``today`` is a US Eastern date.

    Raises DateRangeError, UnknownLeagueError.
    """
    slug, preset, followed = values["league"], values["preset"], services().settings.leagues
    leagues = services().leagues if slug == ALL else [find_league(slug, followed)]
    if preset in PRESETS:
        return [(league, *preset_days(preset, league, today)) for league in leagues]
    for name in ("start", "end"):
        if not values[name]:
            raise DateRangeError(f"choose the {name} of the range, or one of the presets")
    now = utc_now()
    start, end = parse_day(values["start"], now), parse_day(values["end"], now)
    check_range(start, end, now)
    return [(league, start, end) for league in leagues]


def preset_days(preset: str, league: League, today: date) -> tuple[date, date]:
    """First and last day of a preset, both included. Seasons differ from league to league."""
    if preset == "week":
        monday = today - timedelta(days=today.weekday())
        return monday, monday + timedelta(days=6)
    if preset == "month":
        next_month = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
        return today.replace(day=1), next_month - timedelta(days=1)
    season = season_of(league, today)
    return season if preset == "season" else season_of(league, season[0] - timedelta(days=1))


def _backfills() -> dict[str, Any]:
    now = utc_now()
    queue = services().queues[1].name
    consumers = reports.consumers(db.session, now)
    return {
        "batches": recent_batches(db.session, now - SHOWN_FOR),
        "runs": reports.backfills(db.session, RANGE.name, now - SHOWN_FOR),
        "paused": db.session.get(PausedQueue, queue),
        "workers": sum(row.queue == queue and row.role == "worker" for row in consumers),
        "counts_of": reports.counts_of,
    }
