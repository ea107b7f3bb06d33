"""Secrets that the database keeps: sealed with a key made from the instance's secret key."""

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sportsapp.core.errors import SealError


def seal(text: str, secret_key: str) -> str:
    """This text encrypted and signed (Fernet: AES-128-CBC, HMAC-SHA256)."""
    return _fernet(secret_key).encrypt(text.encode()).decode()


def unseal(sealed: str, secret_key: str) -> str:
    """The text that was sealed with this key. Raises SealError."""
    try:
        return _fernet(secret_key).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise SealError("it was sealed with another SECRET_KEY") from None


def _fernet(secret_key: str) -> Fernet:
    key = HKDF(SHA256(), length=32, salt=None, info=b"sealed in the database")
    return Fernet(base64.urlsafe_b64encode(key.derive(secret_key.encode())))
