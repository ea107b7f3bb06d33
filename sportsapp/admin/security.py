"""Cookies, CSRF tokens and headers of the panel, and where its forms may lead back to.

Public pages have neither session nor token. The headers of every response are in
``sportsapp/http/headers.py``.
"""

from collections.abc import Iterable

from flask import Blueprint, Flask, Response, render_template, request, url_for
from flask.sessions import SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException

from sportsapp.accounts.sessions import SESSION_LIFETIME, is_signed_in
from sportsapp.http.redirects import is_local_path

PREFIX = "/admin"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def init_app(app: Flask, self_guarded: Iterable[Blueprint]) -> None:
    """Require a token with every POST outside of these blueprints; add the panel's headers."""
    app.config.update(
        SESSION_COOKIE_NAME="tracker_admin",
        SESSION_COOKIE_PATH=PREFIX,  # not sent with requests for score pages
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=SESSION_LIFETIME,
        SESSION_REFRESH_EACH_REQUEST=False,  # a session ends at its time, even while it is used
        WTF_CSRF_TIME_LIMIT=None,  # a token is valid as long as its session
        WTF_CSRF_SSL_STRICT=False,  # proxies may drop the port that a Referer would be compared by
    )
    app.session_interface = PanelSessions()
    csrf = CSRFProtect(app)
    for blueprint in self_guarded:
        csrf.exempt(blueprint)
    app.register_error_handler(CSRFError, _show_csrf_error)
    app.after_request(_add_headers)


class PanelSessions(SecureCookieSessionInterface):
    """Flask's sessions; their cookie is Secure if the request came by HTTPS, also by a proxy."""

    def get_cookie_name(self, app: Flask) -> str:
        return cookie_name(super().get_cookie_name(app))

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 - Flask's signature
        return request.is_secure


def cookie_name(name: str) -> str:
    """A cookie of the panel: browsers let nobody without HTTPS plant one that begins like this.

    ``__Host-`` would need the path / and be sent with every page.
    """
    return f"__Secure-{name}" if request.is_secure else name


def is_panel(path: str) -> bool:
    """Whether this path belongs to the panel."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")


def _add_headers(response: Response) -> Response:
    if is_panel(request.path):
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["Cache-Control"] = "no-store"
    return response


def _show_csrf_error(error: HTTPException) -> ResponseReturnValue | HTTPException:
    """The page for a form without a valid token: from another site, or older than the session."""
    if not is_panel(request.path):
        return error
    if not is_signed_in():
        return render_template("admin/sign_in.html", problem="This form has expired."), 400
    return render_template("admin/refused.html"), 400


def panel_path(target: str) -> str:
    """``target`` if it is a path of the panel, else the dashboard's: never another site."""
    path = target.partition("?")[0].partition("#")[0]
    return target if is_local_path(target) and is_panel(path) else url_for("admin.index")
