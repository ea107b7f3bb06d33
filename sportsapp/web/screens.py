"""Scores on other screens: in a frame of another site, on a wall, on electronic paper.

They have no menu, and a style sheet of their own. ``?zone=Europe/Berlin`` is the zone of their
times, ``?theme=`` light, dark or transparent; without it the browser chooses. ``?clock=24``
counts to 24, and ``?scores=hide`` hides scores.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from flask import Blueprint, abort, g, render_template, request
from flask.typing import ResponseReturnValue

from sportsapp.core.clock import game_day, utc_now
from sportsapp.core.records import State
from sportsapp.db import queries
from sportsapp.db.engine import db
from sportsapp.db.queries import AnyGame, GameSummary, Span
from sportsapp.http.headers import allow_frames
from sportsapp.services import services
from sportsapp.web.favourites import has_favourite, rank
from sportsapp.web.lookup import game_or_404, league_or_404, teams_or_404
from sportsapp.web.page import Freshness, answer
from sportsapp.web.preferences import Preferences, preferences, zone_or_400
from sportsapp.web.unread import are_read

blueprint = Blueprint("screens", __name__)

THEMES = ("", "light", "dark", "transparent")
REFRESHES = ("30", "60", "300", "600")
ON_A_WALL, ON_PAPER = 8, 12
"""Games at one time."""


@blueprint.before_request
def _allow_frames() -> None:
    if request.path.startswith("/embed/"):
        allow_frames(services().settings.embed_origins)


@blueprint.get("/embed/<league_name>")
def embed_league(league_name: str) -> ResponseReturnValue:
    """A league's games today, for a frame."""
    league = league_or_404(league_name)
    return _framed(f"{league.label} today", league.slug, lambda: _today([league.slug]))


@blueprint.get("/embed/<league_name>/teams/<address>")
def embed_team(league_name: str, address: str) -> ResponseReturnValue:
    """A team's live game, or its last and its next one, for a frame."""
    league = league_or_404(league_name)
    team = teams_or_404(league, address)[0]

    def games() -> list[GameSummary]:
        now = queries.team_now(db.session, team, game_day(utc_now()))
        return [now.live] if now.live else [game for game in (now.last, now.next) if game]

    return _framed(team.display_name, league.slug, games)


@blueprint.get("/embed/<league_name>/games/<espn_id>")
def embed_game(league_name: str, espn_id: str) -> ResponseReturnValue:
    """One game, for a frame. It shows nothing of the game's summary, so none is asked for."""
    league = league_or_404(league_name)
    row = game_or_404(league, espn_id)
    return _framed(league.label, league.slug, lambda: [row])


@blueprint.get("/tv")
def wall() -> ResponseReturnValue:
    """Live games and those of favourites, or else all of today's, eight at a time."""
    return _on_screen("tv", ON_A_WALL)


@blueprint.get("/eink")
def paper() -> ResponseReturnValue:
    """Today's first twelve games in black and white, without a script, for 800 x 480 pixels.

    A device that does not load it again by itself does with ``?refresh=``, after so many seconds.
    """
    if (refresh := request.args.get("refresh")) and refresh not in REFRESHES:
        abort(400, f"It can be loaded again after {', '.join(REFRESHES)} seconds.")
    return _on_screen("eink", ON_PAPER)


def _on_screen(kind: str, at_once: int) -> ResponseReturnValue:
    """Today's games for a screen of our own: of all leagues, or of ``?league=``."""
    name = request.args.get("league")
    league = league_or_404(name) if name else None
    slugs = [league.slug] if league else services().settings.leagues
    title = f"{league.label} today" if league else "Today"

    def games() -> list[GameSummary]:
        found = _today(slugs)
        if kind == "eink":
            return found[:at_once]
        chosen = [game for game in found if game.state == State.IN or has_favourite(game)]
        return chosen or found

    return _screen(kind, title, slugs, games, at_once)


def _framed(title: str, slug: str, games: Callable[[], Sequence[AnyGame]]) -> ResponseReturnValue:
    """A page for a frame. It depends on no cookies: other sites' visitors have none of ours."""
    g.preferences = Preferences()
    return _screen("embed", title, [slug], games, ON_A_WALL)


def _screen(
    kind: str,
    title: str,
    slugs: Sequence[str],
    games: Callable[[], Sequence[AnyGame]],
    at_once: int,
) -> ResponseReturnValue:
    theme = request.args.get("theme", "")
    if theme not in THEMES:
        abort(400, f"Unknown theme. There are {', '.join(filter(None, THEMES))}.")
    if text := request.args.get("zone"):
        g.preferences = replace(preferences(), zone=zone_or_400(text))
    if request.args.get("clock") == "24":
        g.preferences = replace(preferences(), counts_to_24=True)
    if request.args.get("scores") == "hide":
        g.preferences = replace(preferences(), hides_scores=True)

    def render(fresh: Freshness) -> str:
        shown = games()
        today = game_day(utc_now())
        return render_template(
            "screen.html",
            kind=kind,
            theme=theme,
            title=title,
            games=shown,
            today=today,
            at_once=at_once,
            is_read=bool(shown) or all(are_read([Span(slug, today, today) for slug in slugs])),
            fresh=fresh.watching(shown),
        )

    return answer(slugs, render)


def _today(slugs: Sequence[str]) -> list[GameSummary]:
    """Today's games: favourites first, then live, upcoming, final."""
    found = queries.games_today(db.session, game_day(utc_now()), slugs)
    return sorted(found, key=rank)
