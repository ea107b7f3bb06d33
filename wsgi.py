"""The production door: any WSGI server serves ``wsgi:app``."""

from sportsapp.core.processes import die_with_parent, is_supervised

if is_supervised():  # a web worker first makes sure that it will not be left behind
    die_with_parent()

from app import app

__all__ = ["app"]
