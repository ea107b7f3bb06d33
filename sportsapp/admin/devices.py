"""Known devices: browsers on which an account has signed in before, by a signed cookie.

Wrong passwords that others send must not keep an admin out, so attempts from a known device are
counted apart. The cookie is bound to one account and signs nobody in.
"""

import secrets
from datetime import timedelta

from flask import current_app, request
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from sportsapp.admin.security import PREFIX, cookie_name

COOKIE = "tracker_device"
LIFETIME = timedelta(days=180)


def known_device(account: str) -> str:
    """The id of this device if the account (any text that stands for it) has signed in on it.

    Else an empty text.
    """
    sent = request.cookies.get(cookie_name(COOKIE), "")
    try:
        device, owner = _signer().loads(sent, max_age=int(LIFETIME.total_seconds()))
    except BadSignature:
        return ""
    return str(device) if owner == account else ""


def remember_device(response: Response, account: str) -> Response:
    """Make this device known for the account, or for longer, and no longer for another one."""
    device = known_device(account) or secrets.token_hex(16)
    response.set_cookie(
        cookie_name(COOKIE),
        _signer().dumps([device, account]),
        max_age=LIFETIME,
        path=PREFIX,
        httponly=True,
        samesite="Strict",
        secure=request.is_secure,
    )
    return response


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="known device")
