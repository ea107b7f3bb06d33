"""A visitor's preferences: zone, clock, favourites, hidden scores. Kept in cookies, no account.

Score pages have no session and no form token, so a form is accepted only when the browser's
headers show that one of our own pages sent it (Sec-Fetch-Site, else Origin).
"""

from dataclasses import dataclass, replace
from functools import cache, cached_property
from zoneinfo import ZoneInfo, available_timezones

from flask import Blueprint, abort, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sportsapp.core.leagues import BY_SLUG
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.db.queries import AnyTeam
from sportsapp.http import cookies
from sportsapp.http.redirects import is_local_path
from sportsapp.notify.browsers import follow
from sportsapp.web import browsers

blueprint = Blueprint("preferences", __name__)

DEFAULT_ZONE = "America/New_York"
MOST_FAVOURITES = 60
ZONE, CLOCK, FAVOURITES, SCORES = COOKIES = ("zone", "clock", "favourites", "scores")


@dataclass(frozen=True)
class Preferences:
    """What a visitor chose. A favourite is a league's slug and the team's feed id: "nfl-12"."""

    zone: str = DEFAULT_ZONE
    favourites: tuple[str, ...] = ()
    hides_scores: bool = False
    counts_to_24: bool = False

    @cached_property
    def tzinfo(self) -> ZoneInfo:
        """The zone in which times are shown."""
        return ZoneInfo(self.zone)

    @property
    def has_default_zone(self) -> bool:
        """Whether times are in the site's own zone, so that the visitor's may be offered."""
        return self.zone == DEFAULT_ZONE

    def has_favourite(self, team: AnyTeam | None, slug: str) -> bool:
        """Whether this team of a league was chosen; not while it is not known who will play."""
        return team is not None and f"{slug}-{team.espn_id}" in self.favourites


def preferences() -> Preferences:
    """The preferences of the visitor who sent this request. Invalid values count as not chosen."""
    chosen: Preferences | None = g.get("preferences")
    if chosen is None:
        zone = request.cookies.get(ZONE, "")
        names = request.cookies.get(FAVOURITES, "").split(".")
        favourites = dict.fromkeys(name for name in names if _is_team(name))
        chosen = g.preferences = Preferences(
            zone=zone if zone in _zones() else DEFAULT_ZONE,
            favourites=tuple(favourites)[:MOST_FAVOURITES],
            hides_scores=request.cookies.get(SCORES) == "hide",
            counts_to_24=request.cookies.get(CLOCK) == "24",
        )
    return chosen


def sends_no_preferences() -> bool:
    """Whether the request has none of these cookies, so that a proxy may share the page."""
    return request.cookies.keys().isdisjoint(COOKIES)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


@cache
def _places() -> tuple[str, ...]:
    """The zones that are named by a place, such as Europe/Berlin, and UTC."""
    zones = (zone for zone in _zones() if "/" in zone and not zone.startswith("Etc/"))
    return (*sorted(zones), "UTC")


def zone_written(text: str) -> str | None:
    """The zone that people write like this: in any case, with spaces, or by its city alone."""
    words = text.strip().replace(" ", "_").casefold()
    named = [zone for zone in _zones() if zone.casefold() == words]
    cities = [zone for zone in _places() if zone.casefold().rpartition("/")[2] == words]
    return min(named or cities, default=None)  # zones of one city are names of one zone


def zone_or_400(text: str) -> str:
    """The zone that people write like this (see ``zone_written``)."""
    zone = zone_written(text)
    if zone is None:
        abort(400, f"Unknown time zone {text[:60]!r}. Use a name such as Europe/Berlin.")
    return zone


def _is_team(name: str) -> bool:
    slug, _, team_id = name.partition("-")
    return slug in BY_SLUG and team_id.isascii() and team_id.isalnum() and len(team_id) <= 40


@blueprint.get("/preferences")
def show() -> ResponseReturnValue:
    """The form."""
    chosen = preferences()
    page = render_template(
        "preferences.html",
        zones=_places(),
        favourites=queries.teams_named(db.session, chosen.favourites),
        browser=browsers.this_browser(),
        events=browsers.EVENTS,
        back=_local_address(request.args.get("next", "")),
    )
    return page, {"Cache-Control": "private, no-cache"}


@blueprint.post("/preferences")
def save() -> ResponseReturnValue:
    """Store the zone, the clock, or whether scores are hidden: what a form does not name stays."""
    check_origin()
    chosen = preferences()
    if (text := request.form.get("zone")) is not None:
        chosen = replace(chosen, zone=zone_or_400(text))
    if (scores := request.form.get("scores")) is not None:
        if scores not in ("hide", "show"):
            abort(400, "Scores can be hidden (hide) or shown (show).")
        chosen = replace(chosen, hides_scores=scores == "hide")
    if (hours := request.form.get("clock")) is not None:
        if hours not in ("12", "24"):
            abort(400, "A clock has 12 or 24 hours.")
        chosen = replace(chosen, counts_to_24=hours == "24")
    return _store(chosen)


@blueprint.post("/preferences/favourites")
def favourite() -> ResponseReturnValue:
    """Add a team to the favourites, remove it, or let it change places with the one before it."""
    check_origin()
    team, action = request.form.get("team", ""), request.form.get("action")
    if not _is_team(team):
        abort(400, "Unknown team.")
    before = preferences().favourites
    favourites = [name for name in before if name != team]
    if action == "add":
        favourites.append(team)
    elif action == "up" and team in before:
        favourites.insert(max(before.index(team) - 1, 0), team)
    if len(favourites) > MOST_FAVOURITES:
        abort(400, f"You can have at most {MOST_FAVOURITES} favourites.")
    return _store(replace(preferences(), favourites=tuple(favourites)))


def check_origin() -> None:
    """Refuse a form that another site's page sent. Every current browser sends one of the two."""
    site = request.headers.get("Sec-Fetch-Site")
    _, _, host = request.headers.get("Origin", "").partition("://")
    is_ours = site == "same-origin" if site else host == request.host
    if not is_ours:
        abort(403, "This form must be sent from this site's own page.")


def _store(chosen: Preferences) -> ResponseReturnValue:
    """Set the cookies, delete those at their default, and go back to the page before the form.

    Where the browser is told of the favourites, it is of the new ones from now on.
    """
    if browser := browsers.this_browser():
        follow(db.session, browser.name, chosen.favourites, hides_scores=chosen.hides_scores)
    answer = make_response(redirect(_local_address(request.form.get("next", "")), 303))
    values = {
        ZONE: "" if chosen.has_default_zone else chosen.zone,
        CLOCK: "24" if chosen.counts_to_24 else "",
        FAVOURITES: ".".join(chosen.favourites),
        SCORES: "hide" if chosen.hides_scores else "",
    }
    for name, value in values.items():
        if value:
            cookies.keep(answer, name, value)
        elif name in request.cookies:
            cookies.drop(answer, name)
    return answer


def _local_address(target: str) -> str:
    """The target if it is a path of this site, else the home page."""
    return target if is_local_path(target) else url_for("scores.home")
