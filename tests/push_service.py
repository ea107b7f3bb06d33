"""A push service on loopback, and browsers that decrypt what it has (RFC 8030, 8291, 8292)."""

from __future__ import annotations

import base64
import hmac
import json
import os
import re
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import trustme
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    ECDSA,
    SECP256R1,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from werkzeug.wrappers import Request, Response

from tests.loopback import serving


class FakeBrowser:
    """Who has the keys of a subscription."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._key, self._secret = generate_private_key(SECP256R1()), os.urandom(16)
        self.point = point(self._key.public_key())
        keys = {"p256dh": encoded(self.point), "auth": encoded(self._secret)}
        self.subscription = {"endpoint": endpoint, "expirationTime": None, "keys": keys}

    def decrypt(self, body: bytes) -> Any:
        """What a body says."""
        salt, id_length = body[:16], body[20]
        sender, sealed = body[21 : 21 + id_length], body[21 + id_length :]
        public = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), sender)
        shared = self._key.exchange(ECDH(), public)
        info = b"WebPush: info\0" + self.point + sender
        key = _expanded(self._secret, shared, info, 32)
        content_key = _expanded(salt, key, b"Content-Encoding: aes128gcm\0", 16)
        nonce = _expanded(salt, key, b"Content-Encoding: nonce\0", 12)
        plain = AESGCM(content_key).decrypt(nonce, sealed, None).rstrip(b"\0")
        assert plain[-1] == 2, "the last record"
        return json.loads(plain[:-1])


@dataclass
class PushService:
    """Keeps what it is sent, and answers with ``status``."""

    url: str = ""
    status: int = 201
    requests: list[Request] = field(default_factory=list)
    browsers: dict[str, FakeBrowser] = field(default_factory=dict)

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        request.get_data()
        self.requests.append(request)
        return Response("", self.status)(environ, start_response)

    def browser(self) -> FakeBrowser:
        """One more."""
        made = FakeBrowser(f"{self.url}/push/{len(self.browsers)}")
        self.browsers[urlsplit(made.endpoint).path] = made
        return made

    def shown(self) -> list[Any]:
        """What the browsers have decrypted, oldest first."""
        return [self.browsers[one.path].decrypt(one.get_data()) for one in self.requests]

    def sender(self) -> tuple[dict[str, Any], bytes]:
        """The claims of the last request, and the public key that has signed them."""
        header = self.requests[-1].headers["Authorization"]
        token, key = re.fullmatch(r"vapid t=([\w.-]+),\s*k=([\w-]+)", header).groups()
        signed, _, signature = token.rpartition(".")
        numbers = decoded(signature)
        halves = (int.from_bytes(half) for half in (numbers[:32], numbers[32:]))
        public = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), decoded(key))
        public.verify(encode_dss_signature(*halves), signed.encode(), ECDSA(SHA256()))
        claims = json.loads(decoded(signed.partition(".")[2]))
        assert time.time() < claims["exp"] <= time.time() + 24 * 3600
        return claims, decoded(key)


@contextmanager
def push_service(folder: Path) -> Iterator[tuple[PushService, Path]]:
    """A push service, and the file of the authority that vouches for it."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(folder / "authority.pem")
    service = PushService()
    with serving(service, tls=context) as url:
        service.url = url
        yield service, folder / "authority.pem"


def encoded(data: bytes) -> str:
    """Base64 for URLs, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """The bytes of that."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def point(key: EllipticCurvePublicKey) -> bytes:
    """A public key as its uncompressed point."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _expanded(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    """HKDF with SHA-256, for one block (RFC 5869)."""
    return hmac.digest(hmac.digest(salt, secret, "sha256"), info + b"\1", "sha256")[:length]
