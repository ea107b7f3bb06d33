"""The production door: any WSGI server serves ``wsgi:app``."""

from sportsapp.core.processes import die_with_parent, process_name

if process_name():  # started by `flask up`: a web worker must not outlive its master
    die_with_parent()

from app import app

__all__ = ["app"]
