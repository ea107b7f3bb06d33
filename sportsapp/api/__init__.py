"""The read-only JSON API under /api/v1."""

from __future__ import annotations

from flask import Flask

from sportsapp.api.scores import blueprint


def init_app(app: Flask) -> None:
    """Add the API to the app."""
    app.register_blueprint(blueprint)
