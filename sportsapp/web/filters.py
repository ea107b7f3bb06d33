"""What templates need to show games in words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Flask

from sportsapp.clock import EASTERN, iso_utc
from sportsapp.leagues import BY_SLUG
from sportsapp.models import Game
from sportsapp.records import State, Status

CALLED_OFF = {Status.POSTPONED, Status.CANCELLED, Status.SUSPENDED, Status.FORFEIT}


def init_app(app: Flask) -> None:
    """Register the filters."""
    app.jinja_env.filters.update(
        iso=iso_utc,
        start_time=start_time,
        day_and_time=day_and_time,
        state_words=state_words,
        periods=periods,
        period_label=period_label,
    )


def start_time(game: Game) -> str:
    """A game's start as ``7:30 PM``, US Eastern; "Time not set" while the feed has none."""
    if not game.time_set:
        return "Time not set"
    return _clock(game.start_at)


def _clock(moment: datetime) -> str:
    return moment.astimezone(EASTERN).strftime("%I:%M %p").lstrip("0")


def day_and_time(moment: datetime) -> str:
    """A moment as ``Sun, Sep 11, 1:00 PM ET``."""
    local = moment.astimezone(EASTERN)
    return f"{local:%a, %b} {local.day}, {_clock(moment)} ET"


def state_words(game: Game) -> str:
    """How a game stands: the start before it, else the feed's own words."""
    if game.state == State.PRE and game.status == Status.SCHEDULED:
        return start_time(game)
    if game.status in CALLED_OFF and game.status not in game.detail.lower():
        return (
            f"{game.status.capitalize()} ({game.detail})"
            if game.detail
            else game.status.capitalize()
        )
    return game.detail or game.status.capitalize()


def periods(game: Game) -> range:
    """The periods a line score shows: all of regulation, and more as they are played."""
    played = max(len(game.home_linescores), len(game.away_linescores))
    return range(1, max(BY_SLUG[game.league.slug].periods, played) + 1)


def period_label(game: Game, period: int) -> str:
    """The heading of a period: its number, OT, 2OT, or SO where the game ended in one."""
    league = BY_SLUG[game.league.slug]
    if period <= league.periods or not league.overtime_name:
        return str(period)
    extra = period - league.periods
    if extra > 1 and _went_to_shootout(game):
        return "SO"
    return league.overtime_name if extra == 1 else f"{extra}{league.overtime_name}"


def _went_to_shootout(game: Any) -> bool:
    words = game.detail.upper().replace("/", " ").split()
    return "SO" in words or "SHOOTOUT" in words
