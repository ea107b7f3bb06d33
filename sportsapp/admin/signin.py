"""Signing in and out; and no page of the panel for anybody who is not signed in.

A wrong password and an unknown name get the same response after the same time. Attempts are
counted per address and per account, on the broker, or in memory while the broker is away.
"""

import hashlib
import hmac
import logging

from flask import (
    Blueprint,
    Flask,
    abort,
    current_app,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_limiter import RateLimitExceeded

from sportsapp.accounts import accounts, passwords
from sportsapp.accounts.sessions import (
    current_admin,
    is_signed_in,
    must_change_password,
    sign_in_as,
)
from sportsapp.admin.security import PREFIX, is_panel, panel_path
from sportsapp.core.errors import AccountError, PasswordsBusyError
from sportsapp.http.limits import client_address, make_limiter
from sportsapp.services import services_of

logger = logging.getLogger(__name__)

PER_ADDRESS = "20 per minute; 100 per hour"
PER_ACCOUNT = "10 per minute; 60 per hour"
SIGN_IN, SIGN_OUT, OWN_PASSWORD = "panel.sign_in", "panel.sign_out", "panel.own_password"
WRONG = "Wrong name or password."

blueprint = Blueprint("panel", __name__, url_prefix=PREFIX)


def init_app(app: Flask) -> None:
    """Guard the panel, and add the pages to sign in and out."""
    app.before_request(_guard)
    limiter = make_limiter(
        services_of(app).settings, "sportsapp-signin", lambda: request.endpoint == SIGN_IN
    )
    limiter.init_app(app)
    app.register_blueprint(blueprint)
    by_address = limiter.limit(PER_ADDRESS, methods=["POST"])
    by_account = limiter.limit(
        PER_ACCOUNT, key_func=lambda: f"account:{name_digest(_username())}", methods=["POST"]
    )
    app.view_functions[SIGN_IN] = by_address(by_account(sign_in))


def _guard() -> ResponseReturnValue | None:
    """Redirect a stranger's GET to the sign-in page, which leads back here; else 403.

    The same for an admin whose password was printed, and the page to choose another one. Runs
    before every request, so that it covers unknown paths and comes before the CSRF check.
    """
    if not is_panel(request.path) or request.endpoint == SIGN_IN:
        return None
    if not is_signed_in():
        form, message = SIGN_IN, "Sign in first."
    elif must_change_password() and request.endpoint not in (OWN_PASSWORD, SIGN_OUT):
        form, message = OWN_PASSWORD, "Choose another password first."
    else:
        return None
    if request.method not in ("GET", "HEAD"):
        abort(403, message)
    return redirect(url_for(form, next=request.full_path.rstrip("?")))


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> ResponseReturnValue:
    """The sign-in form; a POST signs in and goes on to ``next``."""
    target = panel_path(request.values.get("next", ""))
    if request.method == "GET":
        return redirect(target) if is_signed_in() else _form()
    username, password = _username(), request.form.get("password", "")
    # A hash of megabytes would cost seconds.
    fits_form = len(password) <= passwords.LONGEST_PASSWORD
    account = accounts.authenticate(username, password) if fits_form else None
    if account is None:
        logger.warning("sign-in refused: name %s from %s", name_digest(username), client_address())
        return _form(WRONG), 401
    accounts.record_sign_in(account.id)
    sign_in_as(account)
    logger.info("%s signed in from %s", account.username, client_address())
    return redirect(target, 303)


@blueprint.route("/own-password", methods=["GET", "POST"])
def own_password() -> ResponseReturnValue:
    """The form for another password, while the present one has to be changed; then ``next``."""
    target, problem = panel_path(request.values.get("next", "")), ""
    if not must_change_password():
        return redirect(target, 303)
    if request.method == "POST":
        try:
            accounts.set_password(current_admin(), request.form.get("password", ""))
            sign_in_as(accounts.find_account(current_admin()))
            logger.info("%s chose another password than the printed one", current_admin())
            return redirect(target, 303)
        except AccountError as error:
            problem = str(error)
    shown = {"problem": problem, "name": current_admin(), "next": target, "rules": passwords}
    page = render_template("admin/own_password.html", **shown)
    return page, 400 if problem else 200


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End the session."""
    logger.info("%s signed out", current_admin())
    session.clear()
    return redirect(url_for(SIGN_IN), 303)


@blueprint.errorhandler(RateLimitExceeded)
def _too_often(error: RateLimitExceeded) -> ResponseReturnValue:
    wait = error.limit.limit.get_expiry() if error.limit else 60
    problem = f"Too many attempts. Try again in {'a minute' if wait <= 60 else 'an hour'}."
    logger.warning("sign-in refused: too many attempts from %s", client_address())
    return _form(problem), 429, {"Retry-After": str(wait)}


@blueprint.errorhandler(PasswordsBusyError)
def _busy(error: PasswordsBusyError) -> ResponseReturnValue:
    logger.warning("sign-in refused: %s: from %s", error, client_address())
    return _form("Too many people sign in. Try again in a second."), 503, {"Retry-After": "1"}


def name_digest(username: str) -> str:
    """What stands for a sign-in name in the log and on the broker: a keyed digest, 16 hex digits.

    People type passwords into the wrong field, so no name as it was typed is kept anywhere.
    """
    key = str(current_app.config["SECRET_KEY"]).encode()
    name = username.strip().lower().encode("utf-8", "surrogatepass")
    return hmac.new(key, name, hashlib.sha256).hexdigest()[:16]


def _form(problem: str = "") -> str:
    return render_template(
        "admin/sign_in.html", problem=problem, name=_username(), next=request.values.get("next", "")
    )


def _username() -> str:
    return request.form.get("username", "").strip()[:200]
