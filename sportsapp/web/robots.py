"""/robots.txt: what crawlers are kept out of."""

from flask import Blueprint, Response

from sportsapp.core.clock import FIRST_DAY
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.services import services

blueprint = Blueprint("robots", __name__)

CLOSED = ("/admin", "/api/", "/search?q=", "/preferences?next=")
OPEN = ("/api/v1/$",)
"""The page about the API; a crawler that does not know `$` stays out."""
CENTURIES = range(FIRST_DAY.year // 100, 22)
"""How the addresses of days begin."""


@blueprint.get("/robots.txt")
def robots() -> Response:
    """Open are leagues, their games, teams and standings, and the days of months with games.

    Each day leads to the next, for a century and more in every league, most of them empty. The
    page of an empty day in an open month is marked noindex.
    """
    leagues = services().settings.leagues
    closed, allowed = list(CLOSED), list(OPEN)
    for prefix in ("", *(f"/{slug}" for slug in leagues)):
        days = [f"{prefix}/{century}" for century in CENTURIES]
        closed += [f"{prefix}/months/", f"{prefix or '/'}?day=", *days]
    for slug, month in queries.months_with_games(db.session, leagues):
        for prefix in ("", f"/{slug}"):
            allowed += [f"{prefix}/months/{month}", f"{prefix}/{month}"]
    # The longest rule counts; some crawlers take the first that fits.
    allow = [f"Allow: {path}" for path in dict.fromkeys(allowed)]
    lines = ["User-agent: *", *allow, *(f"Disallow: {path}" for path in closed)]
    headers = {"Cache-Control": "public, max-age=3600"}
    text = "\n".join([*lines, ""])
    return Response(text, content_type="text/plain; charset=utf-8", headers=headers)
