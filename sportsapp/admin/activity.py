"""The activity log: who did what to what, and when."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

from flask import url_for
from sqlalchemy import select

from sportsapp.admin import formatting
from sportsapp.admin.table import Filter, TableView, choice, day_filter
from sportsapp.db.engine import db
from sportsapp.db.models import Activity, Via

DAY = timedelta(days=1)
LONGEST_CHOICE = 200
ON_RUNS = ("runs again", "runs cancel", "tasks cancel", "tasks retry")


def _filter_by(name: str, label: str) -> Filter:
    """A filter by a column's values; the values that it has are offered."""
    column = getattr(Activity, name)

    def values() -> Sequence[tuple[str, str]]:
        stored = select(column).where(column > "").distinct().order_by(column)
        return [(value, value) for value in db.session.scalars(stored.limit(LONGEST_CHOICE))]

    return Filter(name, label, lambda value: column == value, values)


class ActivityView(TableView):
    """The activity log, at /admin/activity/."""

    model, title, address = Activity, "Activity", "activity"
    list_template = "admin/activity.html"
    table_class = "rows"
    columns = ("action", "subject", "who", "at", "detail")
    export_columns = ("at", "who", "action", "subject", "detail", "via", "address")
    labels = {"at": "Time", "via": "From", "address": "Address or host"}
    formatters = {
        "action": lambda row: formatting.link(url_for(".details_view", id=row.id), row.action),
        "who": lambda row: row.who or "somebody unknown",
        "subject": lambda row: (
            formatting.link(url_for("admin_runs.details_view", id=row.subject), row.subject)
            if row.action in ON_RUNS
            else row.subject
        ),
    }
    default_order = (Activity.at.desc(), Activity.id.desc())
    sorts = {name: (getattr(Activity, name), Activity.at) for name in ("who", "action")}
    sorts |= {"at": (Activity.at,)}
    filters = (
        _filter_by("who", "Who"),
        _filter_by("action", "Action"),
        choice("via", "From", {str(via): Activity.via == via for via in Via}),
        day_filter(
            "Day (UTC)",
            lambda day: (
                (Activity.at >= (start := datetime.combine(day, time(), UTC)))
                & (Activity.at < start + DAY)
            ),
        ),
    )
    searched = (Activity.subject, Activity.detail, Activity.address)
    search_label = "Search in subjects and details"
