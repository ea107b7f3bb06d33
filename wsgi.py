"""The production door: any WSGI server serves ``wsgi:app``."""

from sportsapp.processes import die_with_parent, is_supervised

if is_supervised():
    die_with_parent()

from app import app  # noqa: E402 - a web worker first makes sure that it will not be left behind

__all__ = ["app"]
