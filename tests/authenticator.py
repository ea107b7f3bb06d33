"""A device with passkeys, in software: it signs what a browser would have it sign."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

PRESENT, VERIFIED, ATTESTED = 1, 4, 64


def base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


@dataclass
class Device:
    """One passkey. ``origin`` and ``host`` are the page's, as the browser tells the device.

    ``counts`` says whether it counts its answers; ``flags`` are those of its answers.
    """

    origin: str = "http://localhost"
    host: str = "localhost"
    counts: bool = True
    flags: int = PRESENT | VERIFIED
    count: int = 0
    credential: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: Any = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    handle: str = ""

    def create(self, options: dict[str, Any]) -> str:
        """The answer to what a page wants of ``navigator.credentials.create``."""
        self.handle = options["user"]["id"]
        point = self.key.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (point.x, point.y))
        public_key = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        attested = b"\0" * 16 + len(self.credential).to_bytes(2, "big") + self.credential
        made = {
            "fmt": "none",
            "attStmt": {},
            "authData": self._data(ATTESTED) + attested + public_key,
        }
        client = self._client("webauthn.create", options)
        response = {"clientDataJSON": client, "attestationObject": cbor2.dumps(made)}
        return self._answer(response)

    def get(self, options: dict[str, Any]) -> str:
        """The answer to what a page wants of ``navigator.credentials.get``."""
        client, data = self._client("webauthn.get", options), self._data()
        signed = data + hashlib.sha256(client).digest()
        signature = self.key.sign(signed, ec.ECDSA(hashes.SHA256()))
        response = {"clientDataJSON": client, "authenticatorData": data, "signature": signature}
        return self._answer(response, userHandle=self.handle)

    def _client(self, kind: str, options: dict[str, Any]) -> bytes:
        told = {"type": kind, "challenge": options["challenge"], "origin": self.origin}
        return json.dumps(told).encode()

    def _data(self, more: int = 0) -> bytes:
        self.count += self.counts
        rp_id = hashlib.sha256(self.host.encode()).digest()
        return rp_id + bytes([self.flags | more]) + self.count.to_bytes(4, "big")

    def _answer(self, response: dict[str, bytes], **more: str) -> str:
        encoded = {name: base64url(value) for name, value in response.items()}
        name = base64url(self.credential)
        return json.dumps(
            {"id": name, "rawId": name, "type": "public-key", "response": encoded | more}
        )
