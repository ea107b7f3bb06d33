"""The pages: server-rendered, working without JavaScript, never calling the feed."""

from __future__ import annotations

from flask import Flask

from sportsapp.web import errors, filters, health, scores


def init_app(app: Flask) -> None:
    """Add pages, template filters and error pages to the app."""
    filters.init_app(app)
    app.register_blueprint(health.blueprint)
    app.register_blueprint(scores.blueprint)
    errors.init_app(app)
