"""A visitor's preferences: zone, favourites, hidden scores. Cookies of ours, no account.

Forms post here. Score pages carry no token and no session, so a post is believed when the
browser says that it comes from our own pages (Sec-Fetch-Site, else Origin).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from flask import Blueprint, abort, current_app, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.wrappers import Response

from sportsapp.core.leagues import BY_SLUG
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.http.headers import is_https

blueprint = Blueprint("preferences", __name__)

DEFAULT_ZONE = "America/New_York"
YEAR = 365 * 24 * 3600
MOST_FAVOURITES = 60
ZONE, FAVOURITES, SCORES = "zone", "favourites", "scores"
USUAL_ZONES = (
    "America/New_York", "America/Chicago", "America/Denver", "America/Phoenix",
    "America/Los_Angeles", "America/Anchorage", "Pacific/Honolulu", "America/Toronto",
    "America/Mexico_City", "America/Sao_Paulo", "Europe/London", "Europe/Berlin",
    "Asia/Tokyo", "Australia/Sydney", "UTC",
)  # fmt: skip


@dataclass(frozen=True)
class Preferences:
    """What a visitor chose; favourites are "slug-teamid"."""

    zone: str = DEFAULT_ZONE
    favourites: tuple[str, ...] = ()
    hides_scores: bool = False

    @property
    def tzinfo(self) -> ZoneInfo:
        """The zone in which times are shown."""
        return ZoneInfo(self.zone)

    @property
    def is_default(self) -> bool:
        """Whether this visitor has chosen nothing, so that pages can be shared."""
        return self == Preferences()

    def has(self, slug: str, team_id: str | None) -> bool:
        """Whether a team is a favourite."""
        return f"{slug}-{team_id}" in self.favourites


def preferences() -> Preferences:
    """The preferences of the visitor who asks; what is not valid counts as not chosen."""
    chosen: Preferences | None = g.get("preferences")
    if chosen is None:
        chosen = g.preferences = _from_cookies(request.cookies)
    return chosen


def _from_cookies(cookies: ImmutableMultiDict[str, str]) -> Preferences:
    zone = cookies.get(ZONE, "")
    named = [name for name in cookies.get(FAVOURITES, "").split(".") if _is_team(name)]
    return Preferences(
        zone=zone if zone in _zones() else DEFAULT_ZONE,
        favourites=tuple(dict.fromkeys(named))[:MOST_FAVOURITES],
        hides_scores=cookies.get(SCORES) == "hide",
    )


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _is_team(name: str) -> bool:
    slug, _, team_id = name.partition("-")
    return slug in BY_SLUG and team_id.isascii() and team_id.isalnum() and len(team_id) <= 40


@blueprint.get("/preferences")
def show() -> ResponseReturnValue:
    """The form."""
    chosen = preferences()
    answer = current_app.make_response(
        render_template(
            "preferences.html",
            usual=list(dict.fromkeys((*USUAL_ZONES, chosen.zone))),
            favourites=queries.teams_named(db.session, chosen.favourites),
            back=_local(request.args.get("next", "")),
        )
    )
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer


@blueprint.post("/preferences")
def save() -> ResponseReturnValue:
    """Zone and hidden scores, both from one form."""
    _check_origin()
    zone = request.form.get("other_zone", "").strip() or request.form.get("zone", "")
    if zone not in _zones():
        abort(400, f"There is no time zone {zone[:60]!r}. Zones are named like Europe/Berlin.")
    chosen = replace(preferences(), zone=zone, hides_scores="hide_scores" in request.form)
    return _keep(chosen)


@blueprint.post("/preferences/favourites")
def favourite() -> ResponseReturnValue:
    """Add a team to the favourites, or take it out."""
    _check_origin()
    name = request.form.get("team", "")
    if not _is_team(name):
        abort(400, "That is not a team.")
    others = [one for one in preferences().favourites if one != name]
    wanted = [*others, name] if request.form.get("action") == "add" else others
    if len(wanted) > MOST_FAVOURITES:
        abort(400, f"There is room for {MOST_FAVOURITES} favourites.")
    return _keep(replace(preferences(), favourites=tuple(wanted)))


def _keep(chosen: Preferences) -> Response:
    answer = redirect(_local(request.form.get("next", "")), 303)
    secure = is_https()
    values = {
        ZONE: "" if chosen.zone == DEFAULT_ZONE else chosen.zone,
        FAVOURITES: ".".join(chosen.favourites),
        SCORES: "hide" if chosen.hides_scores else "",
    }
    for name, value in values.items():
        if value:
            answer.set_cookie(
                name, value, max_age=YEAR, httponly=True, samesite="Lax", secure=secure
            )
        elif name in request.cookies:
            answer.delete_cookie(name, httponly=True, samesite="Lax", secure=secure)
    return answer


def _check_origin() -> None:
    """Refuse a form that another site's page sent. Every browser of today says one or the other."""
    site = request.headers.get("Sec-Fetch-Site")
    _, _, host = request.headers.get("Origin", "").partition("://")
    is_ours = site == "same-origin" if site else host == request.host
    if not is_ours:
        abort(403, "This form has to be sent from our own page.")


def _local(target: str) -> str:
    """A path of this site; the home page for anything else."""
    is_path = target.startswith("/") and not target.startswith("//")
    is_odd = any(ord(sign) <= 32 or sign in "\\\x7f" for sign in target) or len(target) > 500
    return target if is_path and not is_odd else url_for("scores.home")
