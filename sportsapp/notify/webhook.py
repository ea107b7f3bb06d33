"""Messages as signed JSON to a web server of one's own, by the Standard Webhooks specification."""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import time
from urllib.parse import urldefrag

from sportsapp.core.errors import TargetError
from sportsapp.notify.message import Message
from sportsapp.notify.posting import post

VERSION = 1
SECONDS = 10
PREFIX = "whsec_"
KEY_BYTES = range(24, 65)


class WebhookTarget:
    """``https://host/path#whsec_KEY``: what is before the ``#`` is the address that is posted to.

    The key that signs is a part of the address, since neither is of any use without the other, and
    an address is stored encrypted and never shown. It is the fragment, which HTTP never sends.
    """

    def __init__(self, url: str) -> None:
        self.url, fragment = urldefrag(url)
        self.key = _key_of(fragment)

    def send(self, message: Message) -> None:
        """POST the message once, within ten seconds. Taken is an answer from 200 to 299."""
        identity = message_id(message)
        body = json.dumps(
            {
                "version": VERSION,
                "id": identity,
                "subscription": message.subscription,
                "title": message.title,
                "body": message.body,
                "events": list(message.events),
            }
        ).encode()
        headers = {"Content-Type": "application/json", **self._signed(identity, body)}
        post("the webhook", self.url, seconds=SECONDS, data=body, headers=headers)

    def _signed(self, identity: str, body: bytes) -> dict[str, str]:
        stamp = str(int(time.time()))
        signed = b".".join((identity.encode(), stamp.encode(), body))
        digest = hmac.digest(self.key, signed, "sha256")
        return {
            "webhook-id": identity,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
        }


def message_id(message: Message) -> str:
    """The same for the same events and subscription, so that a repeat is known; else random."""
    if not message.events:
        return f"msg_{secrets.token_hex(16)}"
    events = " ".join([message.subscription, *(str(event["id"]) for event in message.events)])
    return f"msg_{hashlib.sha256(events.encode()).hexdigest()[:32]}"


def _key_of(fragment: str) -> bytes:
    try:
        key = base64.b64decode(fragment.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not fragment.startswith(PREFIX) or len(key) not in KEY_BYTES:
        raise TargetError(
            f"a webhook's address ends with the key that signs: #{PREFIX} and the Base64 of"
            f" {KEY_BYTES[0]} to {KEY_BYTES[-1]} random bytes, as `openssl rand -base64 32` prints"
        )
    return key
