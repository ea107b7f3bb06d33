"""Secret settings, and how they are kept out of texts that people read."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Any
from urllib.parse import unquote, urlsplit

from sportsapp.core.settings import Settings

HIDDEN = "(hidden)"
SECRET_LENGTH, PASSWORD_LENGTH = 8, 4  # removing shorter ones would remove ordinary words

USER_INFO = re.compile(r"(\b[A-Za-z][\w+.-]*://)\S*@")
SECRET_PARAMETER = re.compile(
    r"([?&][\w.-]*(?:key|token|secret|passw|signature|auth)[\w.-]*=)[^&\s]+", re.IGNORECASE
)


def secrets_of(settings: Settings) -> list[str]:
    """The values of secret settings, and the passwords in their URLs; longest first."""
    secrets: set[str] = set()
    for value in _values(settings):
        if len(value) >= SECRET_LENGTH:
            secrets.add(value)
        try:
            password = urlsplit(value).password or ""
        except ValueError:  # not a URL
            continue
        if len(password) >= PASSWORD_LENGTH:
            secrets |= {password, unquote(password)}
    return sorted(secrets, key=len, reverse=True)


def _values(settings: Settings) -> Iterator[str]:
    for setting in fields(Settings):
        if setting.metadata["secret"]:
            value = getattr(settings, setting.name) or ""
            yield from value if isinstance(value, tuple) else [str(value)]


def scrub(value: Any, secrets: Iterable[str]) -> Any:
    """A copy of a JSON value without these secrets, and without credentials in URLs."""
    if isinstance(value, dict):
        return {key: scrub(part, secrets) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [scrub(part, secrets) for part in value]
    if not isinstance(value, str):
        return value
    for secret in secrets:
        value = value.replace(secret, HIDDEN)
    return SECRET_PARAMETER.sub(rf"\1{HIDDEN}", USER_INFO.sub(rf"\1{HIDDEN}@", value))
