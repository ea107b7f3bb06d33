"""Messages to visitors' browsers by Web Push (RFC 8030): encrypted for each, signed as ours."""

import hashlib
import json
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from py_vapid import Vapid02
from pywebpush import WebPusher

from sportsapp.notify.message import Message
from sportsapp.notify.posting import post

SECONDS = 5
KEEP_SECONDS = 24 * 3600
"""For so long a push service keeps a message for a phone that is switched off."""
LONGEST_TITLE, LONGEST_BODY = 200, 700
"""In characters: a message has at most 3,993 bytes (RFC 8291)."""
GONE = (404, 410)


class PushTarget:
    """A browser's PushSubscription as JSON: where its push service is, and its keys.

    ``key`` signs for this instance; ``contact`` is an address, https: or mailto:, where the
    service's people reach who sends.
    """

    def __init__(self, address: str, key: EllipticCurvePrivateKey, contact: str) -> None:
        self.subscription, self.key, self.contact = json.loads(address), key, contact

    def send(self, message: Message) -> None:
        """Hand the message to the browser's push service, once, within five seconds.

        A later message about the same game takes the place of one that has not been shown yet.
        Raises TargetGoneError when the visitor has switched messages off.
        """
        page = _page_of(message)
        title, text = message.title[:LONGEST_TITLE], message.body[:LONGEST_BODY]
        shown = {"title": title, "body": text, "page": page}  # by static/sw.js
        body = WebPusher(self.subscription).encode(json.dumps(shown, ensure_ascii=False).encode())
        endpoint = self.subscription["endpoint"]
        parts = urlsplit(endpoint)
        claims = {"aud": f"{parts.scheme}://{parts.netloc}", "sub": self.contact}
        headers = {
            **Vapid02(self.key, conf={"no-strict": True}).sign(claims),  # any contact address
            "Content-Encoding": "aes128gcm",
            "TTL": str(KEEP_SECONDS),
            "Urgency": "high",
            "Topic": hashlib.sha256(page.encode()).hexdigest()[:32],  # tells the service nothing
        }
        data = body["body"]
        post("the push service", endpoint, seconds=SECONDS, gone=GONE, data=data, headers=headers)


def _page_of(message: Message) -> str:
    """The page of the game that a message tells of; the home page where it is several games."""
    pages = {f"/{event['league']}/games/{event['game']}" for event in message.events}
    return pages.pop() if len(pages) == 1 else "/"
