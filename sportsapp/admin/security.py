"""Headers, session cookie and CSRF tokens of the panel. Public pages have no session, no token.

What every answer is sent with is in ``sportsapp/http/headers.py``.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import timedelta

from flask import Blueprint, Flask, Response, flash, g, redirect, render_template, request, url_for
from flask.sessions import SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException

from sportsapp.http.headers import is_https

PREFIX = "/admin"
SIGNED_IN_FOR = timedelta(hours=12)


def init_app(app: Flask, self_guarded: Iterable[Blueprint]) -> None:
    """Ask for a token with every POST, and send the panel's headers."""
    app.config.update(
        SESSION_COOKIE_NAME="tracker_admin",
        SESSION_COOKIE_PATH=PREFIX,  # score pages never see it
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=SIGNED_IN_FOR,
        SESSION_REFRESH_EACH_REQUEST=False,  # see let_in: a session ends, however it is used
        WTF_CSRF_TIME_LIMIT=None,  # a token lives as long as its session
    )
    app.session_interface = PanelSessions()
    csrf = CSRFProtect(app)
    for blueprint in self_guarded:
        csrf.exempt(blueprint)
    app.register_error_handler(CSRFError, _show_csrf_error)
    app.after_request(_add_headers)


class PanelSessions(SecureCookieSessionInterface):
    """Sessions whose cookie is Secure whenever the visitor came by HTTPS, by a proxy too."""

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 - Flask's signature
        return is_https()


def is_panel(path: str) -> bool:
    """Whether an address belongs to the panel."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")


def nonce() -> str:
    """This answer's nonce, for Flask-Admin's own scripts should a view need one."""
    if "admin_nonce" not in g:
        g.admin_nonce = secrets.token_urlsafe(16)
    value: str = g.admin_nonce
    return value


def _add_headers(response: Response) -> Response:
    if is_panel(request.path):
        response.headers["Content-Security-Policy"] = (
            f"default-src 'none'; script-src 'self' 'nonce-{nonce()}'; style-src 'self'; "
            "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; "
            "base-uri 'none'; frame-ancestors 'none'"
        )
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "same-origin"
    return response


def _show_csrf_error(error: HTTPException) -> ResponseReturnValue | HTTPException:
    """A form without a valid token: of another site, or older than its session."""
    if not is_panel(request.path):
        return error
    if not current_user.is_authenticated:
        return render_template("admin/sign_in.html", problem="This form has expired."), 400
    message = "This form has expired or did not come from this panel, so nothing was changed."
    return render_template("admin/refused.html", message=message), 400


def local(target: str) -> str:
    """A path of the panel; the dashboard for anything else, such as another site's address."""
    path = target.partition("?")[0].partition("#")[0]
    is_plain = is_panel(path) and "\\" not in target and target.isprintable()
    if not is_plain or len(target) > 1000:
        return url_for("admin.index")
    return target


def go_back(message: str, *, went_well: bool = True) -> ResponseReturnValue:
    """Return to where the form was, with a message."""
    flash(message, "success" if went_well else "danger")
    return redirect(local(request.form.get("back", "")), 303)
