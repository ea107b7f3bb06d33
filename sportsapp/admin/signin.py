"""Signing in and out; no page of the panel for strangers, and no change of it by viewers.

An account signs in with its password or with a passkey. A wrong password and an unknown name get
the same response after the same time. Failures are counted by network and by account, and each
delays the next attempt. A device on which the account has signed in before has a count of its own
instead, so that no stranger can keep the admin out.
"""

import hashlib
import hmac
import logging
from collections.abc import Callable

from flask import (
    Blueprint,
    Flask,
    abort,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy.exc import OperationalError

from sportsapp.accounts import accounts, passkeys, passwords
from sportsapp.accounts.activity import record_activity
from sportsapp.accounts.sessions import (
    current_admin,
    current_session,
    end_session,
    is_signed_in,
    is_viewer,
    must_change_password,
    record_use,
    sign_in_as,
)
from sportsapp.admin.devices import known_device, remember_device
from sportsapp.admin.security import PREFIX, is_panel, panel_path
from sportsapp.core.errors import AccountError, PasswordsBusyError, TooManyAttemptsError
from sportsapp.core.outages import DATABASE, reason_of
from sportsapp.db.engine import db
from sportsapp.db.models import AdminUser, Via
from sportsapp.http.limits import client_address, client_network
from sportsapp.services import services

logger = logging.getLogger(__name__)

PER_NETWORK, PER_ACCOUNT, PER_DEVICE = 20, 5, 5
"""Failures that delay nothing."""
REFUSALS_A_DAY = 100
"""How many refused sign-ins the activity log takes; the log has them all."""
SIGN_IN, SIGN_OUT, OWN_PASSWORD = "panel.sign_in", "panel.sign_out", "panel.own_password"
OWN_ACCOUNT = "account"
WRONG = "Wrong name or password."
WRONG_PASSKEY = "This passkey opens no account here."
NO_DATABASE = Markup(
    "Nobody can sign in now: the database cannot be read or written. "
    '<a href="/readyz">/readyz</a> says what is wrong with this host; '
    "<code>flask doctor</code> on it says what to do."
)
VIEWERS = "Your account is a viewer's: it sees everything and changes nothing."

blueprint = Blueprint("panel", __name__, url_prefix=PREFIX)


def init_app(app: Flask) -> None:
    """Guard the panel, and add the pages to sign in and out."""
    app.before_request(_guard)
    app.register_blueprint(blueprint)


def _guard() -> ResponseReturnValue | None:
    """Redirect a stranger's GET to the sign-in page, which leads back here; else 403.

    The same for an admin whose password was printed, and the page to choose another one. What a
    viewer sends is refused, unless it is about the own account or the way out. Runs before every
    request, so that it covers unknown paths and comes before the CSRF check.
    """
    if not is_panel(request.path) or request.endpoint == SIGN_IN:
        return None
    if not is_signed_in():
        form, message = SIGN_IN, "Sign in first."
    elif must_change_password() and request.endpoint not in (OWN_PASSWORD, SIGN_OUT):
        form, message = OWN_PASSWORD, "Choose another password first."
    elif is_viewer() and request.method not in ("GET", "HEAD") and not _is_own():
        page = render_template("admin/refused.html", reason=VIEWERS)
        abort(make_response(page, 403))
    else:
        if not (request.endpoint or "").endswith(".live"):  # those the page asks for by itself
            record_use()
        return None
    if request.method not in ("GET", "HEAD"):
        abort(403, message)
    return redirect(url_for(form, next=request.full_path.rstrip("?")))


def _is_own() -> bool:
    """Whether this request is about nothing but the account and session of who sends it."""
    own = (SIGN_OUT, OWN_PASSWORD)
    return request.endpoint in own or request.blueprint == f"admin_{OWN_ACCOUNT}"


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> ResponseReturnValue:
    """The sign-in form; a POST signs in and goes on to ``next``."""
    target = panel_path(request.values.get("next", ""))
    if request.method != "POST":
        return redirect(target) if is_signed_in() else _form()
    is_passkey = "credential" in request.form
    account, username = _by_passkey() if is_passkey else _by_password()
    digest = name_digest(username)
    if account is None or not sign_in_as(account):
        logger.warning("sign-in refused: name %s from %s", digest, client_address())
        name = accounts.name_of(username)
        name = name or ("unknown passkey" if is_passkey else f"unknown name {digest}")
        record_activity("", Via.PANEL, "sign-in refused", name, a_day=REFUSALS_A_DAY)
        return _form(WRONG_PASSKEY if is_passkey else WRONG), 401
    logger.info("%s signed in from %s", account.username, client_address())
    how = "with a passkey" if is_passkey else "with a password"
    record_activity(account.username, Via.PANEL, "sign-in", detail=how)
    return remember_device(redirect(target, 303), digest)


def _by_password() -> tuple[AdminUser | None, str]:
    """The account that name and password sign in, and the name as it was typed."""
    username, password = _username(), request.form.get("password", "")
    allowances = _allowances(username)
    if any(key.startswith("device:") for key in allowances):
        return _authenticate(username, password, allowances), username
    with passwords.place_of_a_stranger():
        return _authenticate(username, password, allowances), username


def _by_passkey() -> tuple[AdminUser | None, str]:
    """The account that a passkey signs in, and the name of the passkey's account, if any.

    Raises AccountError where there are no passkeys, and when the page was too old.
    """
    if reason := passkeys.why_unavailable():
        raise AccountError(reason)
    challenge, answer = passkeys.take_challenge(passkeys.GET), request.form["credential"]
    passkey = passkeys.find_passkey(answer)
    owner = passkey.account.username if passkey else ""
    allowances = _allowances(owner)
    account = _attempt(lambda: passkeys.authenticate(passkey, answer, challenge), allowances)
    return account, owner


def _allowances(username: str) -> dict[str, int]:
    """What the failures of an attempt to sign in count for, each with those that are free."""
    digest = name_digest(username)
    if device := known_device(digest):
        return {f"device:{device}": PER_DEVICE}
    return {f"network:{client_network()}": PER_NETWORK, f"account:{digest}": PER_ACCOUNT}


def check_own_password() -> None:
    """Raise AccountError unless the form's ``your_password`` is the signed-in admin's.

    For what a copied session must not do. Its failures are counted by account, apart from those
    of sign-ins, so that no stranger can make an admin wait.
    """
    own = {f"own:{name_digest(current_admin())}": PER_ACCOUNT}
    if not _authenticate(current_admin(), request.form.get("your_password", ""), own):
        raise AccountError("nothing was changed: your password was wrong")


def _authenticate(username: str, password: str, allowances: dict[str, int]) -> AdminUser | None:
    """The account; None for a failure, which is counted. Raises TooManyAttemptsError."""
    # A hash of megabytes would cost seconds.
    fits_form = len(password) <= passwords.LONGEST_PASSWORD
    return _attempt(
        lambda: accounts.authenticate(username, password) if fits_form else None, allowances
    )


def _attempt(
    authenticate: Callable[[], AdminUser | None], allowances: dict[str, int]
) -> AdminUser | None:
    """What ``authenticate`` returns; None is counted. Raises TooManyAttemptsError before that."""
    delays = services().failure_delays
    delays.admit(allowances)
    account = authenticate()
    if account is None:
        delays.count_failure(allowances)
    return account


@blueprint.route("/own-password", methods=["GET", "POST"])
def own_password() -> ResponseReturnValue:
    """The form for another password, while the present one has to be changed; then ``next``."""
    target, problem = panel_path(request.values.get("next", "")), ""
    if not must_change_password():
        return redirect(target, 303)
    if request.method == "POST":
        try:
            accounts.set_password(current_admin(), request.form.get("password", ""), is_own=True)
            sign_in_as(accounts.find_account(current_admin()))
            logger.info("%s chose another password than the printed one", current_admin())
            record_activity(current_admin(), Via.PANEL, "own-password", current_admin())
            return redirect(target, 303)
        except AccountError as error:
            problem = str(error)
    shown = {"problem": problem, "name": current_admin(), "next": target, "rules": passwords}
    page = render_template("admin/own_password.html", **shown)
    return page, 400 if problem else 200


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End the session, and have the browser forget what it has stored of this site.

    Its cookies stay, for they hold the visitor's preferences; that of the session is empty.
    """
    logger.info("%s signed out", current_admin())
    record_activity(current_admin(), Via.PANEL, "sign-out")
    end_session(current_session())
    session.clear()
    answer = redirect(url_for(SIGN_IN), 303)
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


@blueprint.errorhandler(TooManyAttemptsError)
def _too_often(error: TooManyAttemptsError) -> ResponseReturnValue:
    problem = f"Too many attempts. Try again in {error.wait_seconds} s."
    logger.warning("sign-in refused: too many attempts from %s", client_address())
    return _form(problem), 429, {"Retry-After": str(error.wait_seconds)}


@blueprint.errorhandler(PasswordsBusyError)
def _busy(error: PasswordsBusyError) -> ResponseReturnValue:
    logger.warning("sign-in refused: %s: from %s", error, client_address())
    return _form("Too many people sign in. Try again in a second."), 503, {"Retry-After": "1"}


@blueprint.errorhandler(OperationalError)
def _no_database(error: OperationalError) -> ResponseReturnValue:
    db.session.rollback()
    logger.error("nobody can sign in: %s", reason_of(error), extra=DATABASE.lines)
    return _form(NO_DATABASE), 503, {"Retry-After": "10"}


@blueprint.errorhandler(AccountError)
def _no_passkey(error: AccountError) -> ResponseReturnValue:
    return _form(f"{error}"), 400


def name_digest(username: str) -> str:
    """What stands for a sign-in name in the log and on the broker: a keyed digest, 16 hex digits.

    People type passwords into the wrong field, so no name as it was typed is kept anywhere.
    """
    key = str(current_app.config["SECRET_KEY"]).encode()
    name = username.strip().lower().encode("utf-8", "surrogatepass")
    return hmac.new(key, name, hashlib.sha256).hexdigest()[:16]


def _form(problem: str = "") -> str:
    reason = passkeys.why_unavailable()
    return render_template(
        "admin/sign_in.html",
        problem=problem,
        name=_username(),
        next=request.values.get("next", ""),
        no_passkeys=reason,
        options="" if reason else passkeys.request_options(),
    )


def _username() -> str:
    return request.form.get("username", "").strip()[:200]
