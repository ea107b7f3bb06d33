"""The score pages: all leagues today, one league's day, one game."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sportsapp import queries
from sportsapp.clock import game_day, parse_day, utc_now
from sportsapp.database import db
from sportsapp.errors import DateRangeError, UnknownLeagueError
from sportsapp.leagues import League, find_league
from sportsapp.models import Game
from sportsapp.models import League as LeagueRow
from sportsapp.records import State
from sportsapp.settings import Settings

blueprint = Blueprint("scores", __name__)

ORDER = {State.IN: 0, State.PRE: 1, State.POST: 2}


@dataclass(frozen=True)
class Section:
    """One league's part of a page: its row (None before the first read) and its games."""

    league: League
    row: LeagueRow | None
    games: Sequence[Game]


@blueprint.get("/")
def home() -> ResponseReturnValue:
    """Every league's games today: live, then upcoming, then final."""
    return _page("All scores", game_day(utc_now()), _settings().leagues)


@blueprint.get("/<league_name>")
def league(league_name: str) -> ResponseReturnValue:
    """One league today."""
    found = _league(league_name)
    if league_name != found.slug:
        return redirect(url_for("scores.league", league_name=found.slug), 301)
    return _page(found.label, game_day(utc_now()), [found.slug])


@blueprint.get("/<league_name>/<day_text>")
def league_day(league_name: str, day_text: str) -> ResponseReturnValue:
    """One league on any day."""
    found = _league(league_name)
    if not day_text[:1].isdigit():
        abort(404, f"There is no page {day_text!r} for the {found.label}.")
    try:
        day = parse_day(day_text, utc_now())
    except DateRangeError as error:
        abort(404, f"{error}.")
    if league_name != found.slug:
        target = url_for("scores.league_day", league_name=found.slug, day_text=day_text)
        return redirect(target, 301)
    return _page(found.label, day, [found.slug])


@blueprint.get("/<league_name>/games/<espn_id>")
def game(league_name: str, espn_id: str) -> ResponseReturnValue:
    """One game with its line score."""
    found = _league(league_name)
    if league_name != found.slug:
        target = url_for("scores.game", league_name=found.slug, espn_id=espn_id)
        return redirect(target, 301)
    row = queries.find_game(db.session, found.slug, espn_id)
    if row is None:
        abort(404, f"There is no {found.label} game {espn_id[:40]}.")
    return render_template("game.html", game=row, league=found)


def _page(title: str, day: date, slugs: Sequence[str]) -> str:
    rows = queries.leagues_by_slug(db.session, slugs)
    games = queries.games_on(db.session, day, slugs)
    sections = [
        Section(find_league(slug), rows.get(slug), _in_order(games, slug)) for slug in slugs
    ]
    return render_template(
        "scores.html",
        title=title,
        day=day,
        today=game_day(utc_now()),
        sections=sections,
        single=sections[0] if request.endpoint != "scores.home" else None,
        previous=day - timedelta(days=1),
        following=day + timedelta(days=1),
    )


def _in_order(games: Sequence[Game], slug: str) -> list[Game]:
    mine = [game for game in games if game.league.slug == slug]
    return sorted(mine, key=lambda game: ORDER[State(game.state)])


def _league(name: str) -> League:
    try:
        return find_league(name, _settings().leagues)
    except UnknownLeagueError as error:
        abort(404, f"There is no league {name[:40]!r} here. Known are {', '.join(error.known)}.")


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


@blueprint.app_context_processor
def leagues_for_menu() -> dict[str, list[League]]:
    """The followed leagues, for the menu of every page."""
    return {"menu": [find_league(slug) for slug in _settings().leagues]}
