"""Who may come in: signing in and out, and turning everybody else away.

A wrong password and an unknown name get the same answer after the same time. A session holds
the account's generation, which moves with its password, so that a change ends every session.
Attempts are counted per address and per account on the broker, in memory while it is away.
"""

from __future__ import annotations

import logging
from urllib.parse import quote

from flask import Blueprint, Flask, abort, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_limiter import RateLimitExceeded
from flask_login import LoginManager, UserMixin, current_user, login_user
from werkzeug.wrappers import Response

from sportsapp.accounts.accounts import LONGEST, account_behind, note_sign_in
from sportsapp.admin.security import PREFIX, SIGNED_IN_FOR, is_panel, local
from sportsapp.core.clock import utc_now
from sportsapp.db.engine import db
from sportsapp.db.models import AdminUser
from sportsapp.http.limits import client_address, make_limiter
from sportsapp.services import services_of

logger = logging.getLogger(__name__)

PER_ADDRESS = "20 per minute; 100 per hour"
PER_ACCOUNT = "10 per minute; 60 per hour"
SIGN_IN = "panel.sign_in"
BEGAN = "began"
WRONG = "Name or password is wrong."

blueprint = Blueprint("panel", __name__, url_prefix=PREFIX)


class SignedIn(UserMixin):  # type: ignore[misc]  # Flask-Login has no types
    """The account behind a session, as it was when the session began."""

    def __init__(self, account: AdminUser) -> None:
        self.account_id = account.id
        self.username = account.username
        self.generation = account.generation

    def get_id(self) -> str:
        return f"{self.account_id}.{self.generation}"


class PanelLogin(LoginManager):  # type: ignore[misc]  # Flask-Login has no types
    """Flask-Login without its "remember me", which would read the session on every page."""

    def _update_remember_cookie(self, response: Response) -> Response:
        return response


def init_app(app: Flask) -> None:
    """Guard the panel, and add the pages to sign in and out."""
    login = PanelLogin(app)
    login.user_loader(_load)
    app.before_request(_guard)
    limiter = make_limiter(
        services_of(app).settings, "sportsapp-signin", lambda: request.endpoint == SIGN_IN
    )
    limiter.init_app(app)
    app.register_blueprint(blueprint)
    by_address = limiter.limit(PER_ADDRESS, key_func=client_address, methods=["POST"])
    by_account = limiter.limit(PER_ACCOUNT, key_func=_account, methods=["POST"])
    app.view_functions[SIGN_IN] = by_address(by_account(sign_in))


def who() -> str:
    """The name of the admin who asks."""
    name: str = current_user.username
    return name


def is_signed_in() -> bool:
    """Whether the visitor is a signed-in admin."""
    return bool(current_user.is_authenticated)


def turn_away() -> ResponseReturnValue:
    """To the sign-in page with who reads; 403 for anything else."""
    if request.method not in ("GET", "HEAD"):
        abort(403, "Sign in first.")
    asked = request.full_path.rstrip("?")
    return redirect(f"{url_for(SIGN_IN)}?next={quote(asked, safe='')}")


def let_in(account: AdminUser) -> None:
    """Begin a new session for this account; nothing of the old one is kept."""
    session.clear()
    session.permanent = True
    session[BEGAN] = utc_now().timestamp()
    login_user(SignedIn(account))


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> ResponseReturnValue:
    """The form, and what it sends."""
    target = local(request.values.get("next", ""))
    if request.method == "GET":
        return redirect(target) if is_signed_in() else _form()
    name, password = _name(), request.form.get("password", "")
    account = account_behind(name, password) if len(password) <= LONGEST else None
    if account is None:
        logger.warning("sign-in refused: name %r from %s", name, client_address())
        return _form(WRONG), 401
    note_sign_in(account.id)
    let_in(account)
    logger.info("%s signed in from %s", account.username, client_address())
    return redirect(target, 303)


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """Sign the admin out."""
    logger.info("%s signed out", who())
    session.clear()
    return redirect(url_for(SIGN_IN), 303)


@blueprint.errorhandler(RateLimitExceeded)
def _too_often(error: RateLimitExceeded) -> ResponseReturnValue:
    wait = error.limit.limit.get_expiry() if error.limit else 60
    words = "a minute" if wait <= 60 else "an hour"
    problem = f"There were too many attempts. Try again in {words}."
    logger.warning("sign-in refused: too many attempts from %s", client_address())
    return _form(problem), 429, {"Retry-After": str(wait)}


def _form(problem: str = "") -> str:
    return render_template(
        "admin/sign_in.html", problem=problem, name=_name(), next=request.values.get("next", "")
    )


def _guard() -> ResponseReturnValue | None:
    """Before any view, known or not, and before a token is looked at."""
    if not is_panel(request.path) or request.endpoint == SIGN_IN or is_signed_in():
        return None
    return turn_away()


def _load(session_id: str) -> SignedIn | None:
    account_id, _, generation = session_id.partition(".")
    if not account_id.isdecimal():
        return None
    account = db.session.get(AdminUser, int(account_id), populate_existing=True)
    if account is None or not account.active or str(account.generation) != generation:
        return None
    return None if _is_over() else SignedIn(account)


def _is_over() -> bool:
    """Whether the session began too long ago; its cookie is signed anew with every message."""
    began: float = session.get(BEGAN, 0)
    return utc_now().timestamp() - began >= SIGNED_IN_FOR.total_seconds()


def _name() -> str:
    return request.form.get("username", "").strip()[:200]


def _account() -> str:
    return f"account:{_name().lower()}"
