"""Error pages that lead back; the API's errors as JSON; nothing private in either."""

from __future__ import annotations

import logging

from flask import Flask, Response, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import (
    HTTPException,
    InternalServerError,
    SecurityError,
    ServiceUnavailable,
)

from sportsapp.db.engine import db

logger = logging.getLogger(__name__)

API = "/api/"
CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed"}
CODES |= {429: "too_many_requests", 500: "internal_error", 503: "unavailable"}
RETRY_SECONDS = 10


def init_app(app: Flask) -> None:
    """Register the error handlers."""
    app.register_error_handler(HTTPException, show_error)
    app.register_error_handler(OperationalError, show_no_database)


def show_no_database(error: OperationalError) -> ResponseReturnValue | HTTPException:
    """A database that is away, locked or not migrated: try again; the reason is in the log."""
    db.session.rollback()
    reason = " ".join(str(error.orig).split())
    logger.error("%s: the database cannot be used: %s", request.path, reason)
    message = "The scores cannot be read at the moment. Try again in a few seconds."
    return show_error(ServiceUnavailable(message, retry_after=RETRY_SECONDS))


def show_error(error: HTTPException) -> ResponseReturnValue | HTTPException:
    """An error as the visitor can read it: JSON under the API, else a page."""
    status = error.code or 500
    if status < 400:
        return error
    message = error.description or ""
    if isinstance(error, InternalServerError):
        message = "Something went wrong here. It has been logged."
    if isinstance(error, SecurityError):
        message = "This site does not answer to that name (TRUSTED_HOSTS)."
    if request.path.startswith(API):
        code = CODES.get(status, error.name.lower().replace(" ", "_"))
        return jsonify({"error": {"code": code, "message": message}}), status, _kept(error)
    if isinstance(error, SecurityError):  # no page can be built for a host that is not ours
        return Response(message, status, content_type="text/plain; charset=utf-8")
    page = render_template("error.html", status=status, name=error.name, message=message)
    return page, status, {"Cache-Control": "private, no-cache", **_kept(error)}


def _kept(error: HTTPException) -> dict[str, str]:
    """What an error's own headers tell programs, such as the methods that are allowed."""
    return {name: value for name, value in error.get_headers() if name != "Content-Type"}
