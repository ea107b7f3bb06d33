"""Keys made from the instance's secret key: for secrets in the database, and for Web Push."""

import base64
import hmac

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sportsapp.core.errors import SealError

P256_ORDER = 0xFFFFFFFF_00000000_FFFFFFFF_FFFFFFFF_BCE6FAAD_A7179E84_F3B9CAC2_FC632551


def seal(text: str, secret_key: str) -> str:
    """This text encrypted and signed (Fernet: AES-128-CBC, HMAC-SHA256)."""
    return _fernet(secret_key).encrypt(text.encode()).decode()


def unseal(sealed: str, secret_key: str) -> str:
    """The text that was sealed with this key. Raises SealError."""
    try:
        return _fernet(secret_key).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise SealError("it was sealed with another SECRET_KEY") from None


def push_key(secret_key: str) -> EllipticCurvePrivateKey:
    """The key by which push services know this instance (VAPID, RFC 8292)."""
    number = int.from_bytes(_derived(secret_key, b"web push", 48))
    return derive_private_key(number % (P256_ORDER - 1) + 1, SECP256R1())


def digest(text: str, secret_key: str) -> str:
    """What says whether two texts are the same, and with no other key what they are: 32 letters."""
    return hmac.digest(_derived(secret_key, b"digests", 32), text.encode(), "sha256").hex()[:32]


def _fernet(secret_key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(_derived(secret_key, b"sealed in the database", 32)))


def _derived(secret_key: str, purpose: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt=None, info=purpose).derive(secret_key.encode())
