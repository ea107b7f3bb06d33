"""/robots.txt: what crawlers are kept out of."""

from flask import Blueprint, Response

from sportsapp.core.clock import FIRST_DAY
from sportsapp.services import services

blueprint = Blueprint("robots", __name__)

CLOSED = ("/admin", "/api/", "/search", "/preferences", "/months/", "/?day=")
CENTURIES = range(FIRST_DAY.year // 100, 22)
"""How the addresses of days begin."""


@blueprint.get("/robots.txt")
def robots() -> Response:
    """Open are the pages of now: leagues, their games, teams and standings.

    Each day leads to the next, for a century and more in every league, most of them empty; an
    address does not tell which. Games are reached through their teams' pages.
    """
    leagues = services().settings.leagues
    days = [f"/{century}" for century in CENTURIES]
    closed = [*CLOSED, *days]
    for slug in leagues:
        closed += [f"/{slug}{path}" for path in ("/months/", "?day=", *days)]
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in closed)]
    text = "\n".join(lines) + "\n"
    headers = {"Cache-Control": "public, max-age=3600"}
    return Response(text, content_type="text/plain; charset=utf-8", headers=headers)
