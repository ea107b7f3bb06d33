"""The pages: rendered on the server, complete without JavaScript. They never call the feed."""

from flask import Flask

from sportsapp.http import page_cache
from sportsapp.web import (
    calendars,
    days,
    errors,
    feeds,
    filters,
    games,
    health,
    players,
    preferences,
    push,
    robots,
    scores,
    screens,
    standings,
    static_files,
    summaries,
    teams,
)


def init_app(app: Flask) -> None:
    """Add pages, template filters, error pages and the page cache to the app."""
    filters.init_app(app)
    for module in (
        health,
        robots,
        preferences,
        push,
        days,
        screens,
        scores,
        games,
        summaries,
        teams,
        players,
        standings,
        calendars,
        feeds,
    ):
        app.register_blueprint(module.blueprint)
    errors.init_app(app)
    static_files.init_app(app)
    page_cache.init_app(app)
