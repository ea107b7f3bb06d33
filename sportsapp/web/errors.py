"""Error pages, and the API's errors as JSON. Neither contains anything private."""

import logging

from flask import Flask, Response, jsonify, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import (
    HTTPException,
    InternalServerError,
    NotFound,
    SecurityError,
    ServiceUnavailable,
)

from sportsapp.core.outages import DATABASE, reason_of
from sportsapp.db.engine import db
from sportsapp.web.lookup import UnknownNameError, address_without_slash
from sportsapp.web.text import is_wanted, render_page

logger = logging.getLogger(__name__)

API = "/api/"
CODES = {500: "internal_error", 503: "unavailable"}  # where the name of the error is not used
RETRY_SECONDS = 10


def init_app(app: Flask) -> None:
    """Register the error handlers."""
    app.register_error_handler(HTTPException, show_error)
    app.register_error_handler(OperationalError, show_no_database)
    app.after_request(note_database)


def show_no_database(error: OperationalError) -> ResponseReturnValue | HTTPException:
    """503 when the database is away, locked or not migrated. The reason goes to the log only."""
    db.session.rollback()
    text = "%s: the database cannot be used: %s"
    logger.error(text, request.path, reason_of(error), extra=DATABASE.lines)
    message = "Scores are not available at the moment. Try again in a few seconds."
    return show_error(ServiceUnavailable(message, retry_after=RETRY_SECONDS))


def note_database(response: Response) -> Response:
    """A page that was made from the database shows that it is there again."""
    if response.status_code < 500 and db.session.registry.has():
        DATABASE.ended()
    return response


def show_error(error: HTTPException) -> ResponseReturnValue | HTTPException:
    """An error as a page that leads back, or as JSON under the API.

    An address that is a page's but for a slash at its end redirects there.
    """
    status = error.code or 500
    if status < 400:
        return error
    message = error.description or ""
    if request.routing_exception and isinstance(error, NotFound):
        if target := address_without_slash():
            return redirect(target, 308)
        message = "This site has no page at that address."
    if isinstance(error, InternalServerError):
        message = "Something went wrong. The error has been logged."
    if isinstance(error, SecurityError):
        message = "This site does not serve that host name (TRUSTED_HOSTS)."
    # an error's own headers, such as Allow and Retry-After
    headers = {name: value for name, value in error.get_headers() if name != "Content-Type"}
    if request.path.startswith(API):
        code = CODES.get(status, error.name.lower().replace(" ", "_"))
        return jsonify({"error": {"code": code, "message": message}}), status, headers
    if request.blueprint == "screens":  # no room for a page, and nobody there to load it again
        if status >= 500:
            headers["Refresh"] = str(RETRY_SECONDS)
        return Response(message, status, headers, content_type="text/plain; charset=utf-8")
    if isinstance(error, SecurityError):  # a page's links cannot be built for an untrusted host
        return Response(message, status, content_type="text/plain; charset=utf-8")
    meant = error if isinstance(error, UnknownNameError) else None
    text = meant.text if meant else ""
    page = render_page("error", name=error.name, message=message, meant=meant, text=text)
    if is_wanted():
        headers["Content-Type"] = "text/plain; charset=utf-8"
    return page, status, {"Cache-Control": "private, no-cache", **headers}
