"""What the parts of a page's address mean; an address that means nothing ends in a 404 page."""

from collections.abc import Sequence
from datetime import date
from urllib.parse import quote

from flask import abort, current_app, request
from werkzeug.exceptions import NotFound

from sportsapp.core.clock import parse_day, utc_now
from sportsapp.core.errors import DateRangeError, UnknownLeagueError
from sportsapp.core.leagues import League, find_league
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.db.models import Game, Team
from sportsapp.db.queries import KnownPlayer
from sportsapp.http.redirects import is_local_path
from sportsapp.services import services

LONGEST_ADDRESS = 60
MOST_MEANT = 3


class UnknownNameError(NotFound):
    """A 404 page for a name that nothing has: ``text``, and ``teams`` whose names are like it.

    Addresses such as ``/favicon.ico`` are nobody's name: they are not looked up, ``text`` is "".
    """

    def __init__(self, message: str, text: str, slugs: Sequence[str] = ()) -> None:
        super().__init__(message)
        is_name = 1 < len(text) < LONGEST_ADDRESS and "." not in text
        self.text = text if is_name else ""
        followed = slugs or services().settings.leagues
        found, _ = queries.search_teams(db.session, followed, self.text)
        self.teams = found[:MOST_MEANT]


def league_or_404(name: str) -> League:
    """The followed league of this name, in upper or lower case."""
    try:
        return find_league(name, services().settings.leagues)
    except UnknownLeagueError as error:
        known = ", ".join(error.known)
        message = f"League {name[:40]!r} not found. This site has {known}."
        raise UnknownNameError(message, name) from None


def game_or_404(league: League, espn_id: str) -> Game:
    """The game of this id in the feed, with its league and teams."""
    game = queries.find_game(db.session, league.slug, espn_id[:LONGEST_ADDRESS])
    if game is None:
        abort(404, f"{league.label} game {espn_id[:40]!r} not found.")
    return game


def player_or_404(league: League, espn_id: str) -> KnownPlayer:
    """The player of this id in the feed, whom a roster or a box score has."""
    is_id = espn_id.isascii() and espn_id.isalnum() and len(espn_id) < LONGEST_ADDRESS
    player = queries.find_player(db.session, league.slug, espn_id) if is_id else None
    if player is None:
        abort(404, f"{league.label} player {espn_id[:40]!r} not found.")
    return player


def day_or_404(text: str) -> date:
    """The day written as YYYY-MM-DD."""
    try:
        return parse_day(text[:20], utc_now())
    except DateRangeError as error:
        abort(404, f"{error}.")


def teams_or_404(league: League, address: str) -> list[Team]:
    """The team at this address or of this name, then the other teams of its abbreviation."""
    teams = queries.teams_at(db.session, league.slug, address[:LONGEST_ADDRESS])
    if not teams:
        message = f"{league.label} team {address[:20]!r} not found."
        raise UnknownNameError(message, address, [league.slug])
    return teams


def address_without_slash() -> str | None:
    """Where this request would be a page's but for slashes at its end: that page's address."""
    path = request.path.rstrip("/")
    address = quote(path)
    pages = current_app.url_map.bind("")
    if path == request.path or not is_local_path(address) or not pages.test(path, request.method):
        return None
    _, values = pages.match(path, request.method)
    name = values.get("league_name", "").lower()
    if name and name not in services().settings.leagues and not name[0].isdigit():
        return None
    return f"{address}?{request.query_string.decode()}" if request.query_string else address
