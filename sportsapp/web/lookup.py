"""What the parts of a page's address mean; an address that means nothing ends in a 404 page."""

from datetime import date

from flask import abort

from sportsapp.core.clock import parse_day, utc_now
from sportsapp.core.errors import DateRangeError, UnknownLeagueError
from sportsapp.core.leagues import League, find_league
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.db.models import Team
from sportsapp.services import services

LONGEST_ADDRESS = 60


def league_or_404(name: str) -> League:
    """The followed league of this name, in upper or lower case."""
    try:
        return find_league(name, services().settings.leagues)
    except UnknownLeagueError as error:
        abort(404, f"League {name[:40]!r} not found. This site has {', '.join(error.known)}.")


def day_or_404(text: str) -> date:
    """The day written as YYYY-MM-DD."""
    try:
        return parse_day(text[:20], utc_now())
    except DateRangeError as error:
        abort(404, f"{error}.")


def teams_or_404(league: League, address: str) -> list[Team]:
    """The team at this address, then the other teams of its abbreviation."""
    teams = queries.teams_at(db.session, league.slug, address[:LONGEST_ADDRESS])
    if not teams:
        abort(404, f"{league.label} team {address[:20]!r} not found.")
    return teams
