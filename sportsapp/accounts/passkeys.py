"""Passkeys (WebAuthn): a device, once it has verified its user, signs in without a password.

A browser keeps a passkey for one host name and uses it there alone. The server sends a challenge,
which the device signs. The challenge is in the browser's session until it is answered; a passkey
takes only challenges that were sent after the last one it answered, so that no answer, however
copied, is good for a second time. The library is imported where it is used: it costs every
process 14 MB, and consumers need it never.
"""

import base64
import hashlib
import json
import logging
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from flask import request, session
from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.exc import IntegrityError

from sportsapp.core.clock import utc_now
from sportsapp.core.errors import AccountError
from sportsapp.db.engine import db, writing
from sportsapp.db.identity import database_id
from sportsapp.db.models import AdminUser, Passkey

logger = logging.getLogger(__name__)

CHALLENGE_LIFETIME = timedelta(minutes=10)
LONGEST_NAME, MOST_PASSKEYS = 60, 20
LONGEST_ANSWER = 20_000
SITE = "Sports Game Tracker"
CREATE, GET = "passkey to create", "passkey to get"
"""Where the session keeps the challenge of a registration and of a sign-in."""


@dataclass(frozen=True)
class Challenge:
    """What a device has to sign, and when it was sent."""

    value: bytes
    sent_at: datetime


def why_unavailable() -> str:
    """Why browsers use no passkeys at the request's address, in a sentence; empty if they do."""
    name = _host()
    try:
        is_loopback = ip_address(name).is_loopback
    except ValueError:
        if request.is_secure or name == "localhost" or name.endswith(".localhost"):
            return ""
        return "Passkeys need HTTPS, without which this page came."
    if is_loopback:
        port = urlsplit(request.host_url).port
        address = f"{request.scheme}://localhost{f':{port}' if port else ''}/admin/"
        return f"Passkeys belong to a name, not to {name}: open the panel at {address}"
    return f"Passkeys belong to a name, not to {name}: open the panel by its name, with HTTPS."


def creation_options(account: AdminUser, name: str) -> str:
    """What a browser needs to make a passkey of this account, as JSON; starts the registration.

    Raises AccountError if the account may have no more of them, or none of this name.
    """
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers import base64url_to_bytes, structs

    _check_new(account, name)
    known = [base64url_to_bytes(passkey.credential_id) for passkey in passkeys_of(account.username)]
    options = generate_registration_options(
        rp_id=_host(),
        rp_name=SITE,
        user_id=_handle(account.id),
        user_name=account.username,
        challenge=_send_challenge(CREATE),
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.REQUIRED,
            user_verification=structs.UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[structs.PublicKeyCredentialDescriptor(id=each) for each in known],
    )
    return options_to_json(options)


def request_options() -> str:
    """What a browser needs to sign in with any of its passkeys, as JSON; starts the sign-in."""
    challenge = _base64url(_send_challenge(GET))
    # written here, since the library would be imported for everybody who sees the page
    return json.dumps({"rpId": _host(), "challenge": challenge, "userVerification": "required"})


def take_challenge(purpose: str) -> Challenge:
    """The challenge that was sent to this browser for CREATE or GET, once.

    Raises AccountError if there is none, or if it is too old.
    """
    value, sent_at = session.pop(purpose, ("", ""))
    if not value or utc_now() - (sent := datetime.fromisoformat(sent_at)) > CHALLENGE_LIFETIME:
        raise AccountError("This page was too old for a passkey. Try again.")
    return Challenge(bytes.fromhex(value), sent)


def add_passkey(account: AdminUser, name: str, answer: str) -> None:
    """Register the passkey that a device has made. Raises AccountError."""
    from webauthn import verify_registration_response

    challenge = take_challenge(CREATE)
    _check_new(account, name)
    verified = _verified(
        verify_registration_response, answer, challenge, require_user_verification=True
    )
    if verified is None:
        raise AccountError("the passkey was not accepted: try again")
    passkey = Passkey(
        account_id=account.id,
        name=name,
        host=_host(),
        credential_id=_base64url(verified.credential_id),
        public_key=_base64url(verified.credential_public_key),
        sign_count=verified.sign_count,
        created_at=utc_now(),
        challenged_at=challenge.sent_at,
    )
    try:
        with writing(db.session):
            db.session.add(passkey)
    except IntegrityError:
        raise AccountError("this passkey is registered already") from None


def find_passkey(answer: str) -> Passkey | None:
    """The passkey that this answer of a device says it is from; None if we have no such one."""
    try:
        told = json.loads(answer[:LONGEST_ANSWER])
        credential_id, handle = str(told["id"]), told["response"]["userHandle"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    found = db.session.scalar(select(Passkey).where(Passkey.credential_id == credential_id))
    is_theirs = found and _base64url(_handle(found.account_id)) == handle
    return found if is_theirs else None


def authenticate(passkey: Passkey | None, answer: str, challenge: Challenge) -> AdminUser | None:
    """The active account that this answer to the challenge signs in; None for any other answer."""
    from webauthn import verify_authentication_response
    from webauthn.helpers import base64url_to_bytes

    if passkey is None:
        return None
    verified = _verified(
        verify_authentication_response,
        answer,
        challenge,
        credential_public_key=base64url_to_bytes(passkey.public_key),
        credential_current_sign_count=passkey.sign_count,
        require_user_verification=True,
    )
    if verified is None:
        return None
    first_answer = (
        Passkey.id == passkey.id,
        Passkey.sign_count == passkey.sign_count,
        Passkey.challenged_at < challenge.sent_at,
    )
    used = {"sign_count": verified.new_sign_count, "challenged_at": challenge.sent_at}
    account_id = passkey.account_id
    with writing(db.session):
        change = update(Passkey).where(*first_answer).values(last_used_at=utc_now(), **used)
        if not db.session.connection().execute(change).rowcount:
            logger.warning("a passkey's answer came a second time")
            return None
    account = db.session.get(AdminUser, account_id, populate_existing=True)
    return account if account and account.active else None


def passkeys_of(username: str) -> list[Passkey]:
    """An account's passkeys, the oldest first."""
    owned = select(Passkey).where(_is_of(username)).order_by(Passkey.id)
    return list(db.session.scalars(owned))


def remove_passkey(username: str, passkey_id: int) -> str:
    """Remove a passkey of this account; its name. Raises AccountError if it has none of this id."""
    with writing(db.session):
        mine = delete(Passkey).where(_is_of(username), Passkey.id == passkey_id)
        name = db.session.scalar(mine.returning(Passkey.name))
    if name is None:
        raise AccountError("there is no such passkey of yours any more")
    return str(name)


def _verified(verify: Any, answer: str, challenge: Challenge, **more: Any) -> Any:
    """What the library has verified of the answer; None, and a line in the log, if it is wrong."""
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        return verify(
            credential=answer[:LONGEST_ANSWER],
            expected_challenge=challenge.value,
            expected_rp_id=_host(),
            expected_origin=f"{request.scheme}://{request.host.lower()}",
            **more,
        )
    except (WebAuthnException, ValueError, TypeError, KeyError, RecursionError) as error:
        logger.warning("a passkey was refused: %s", error)
        return None


def _send_challenge(purpose: str) -> bytes:
    value = secrets.token_bytes(32)
    session[purpose] = (value.hex(), utc_now().isoformat())
    return value


def _check_new(account: AdminUser, name: str) -> None:
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise AccountError(f"a name must have 1 to {LONGEST_NAME} printable characters")
    if len(passkeys_of(account.username)) >= MOST_PASSKEYS:
        raise AccountError(f"an account has at most {MOST_PASSKEYS} passkeys")


def _host() -> str:
    """The host's name, for which browsers keep passkeys; it is one of ours, or there is a 400."""
    return urlsplit(request.host_url).hostname or ""


def _handle(account_id: int) -> bytes:
    """What stands for the account on devices, and for no account of another instance."""
    return hashlib.sha256(f"{database_id(db.engine)} {account_id}".encode()).digest()


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def _is_of(username: str) -> ColumnElement[bool]:
    return Passkey.account_id.in_(select(AdminUser.id).where(AdminUser.username == username))
