"""How each kind of setting is read: functions from the text of a variable to its value.

All raise ValueError for a malformed text. Its message is the fault, to be read after the setting's
name and value: "is not a whole number". It never quotes a URL, which may hold a password.
"""

import re
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from sportsapp.core.leagues import BY_SLUG


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """Reads a whole number from ``low`` to ``high``."""

    def parse(value: str) -> int:
        try:
            number = int(value)
        except ValueError:
            raise ValueError("is not a whole number") from None
        if not low <= number <= high:
            raise ValueError(f"is not between {low} and {high}")
        return number

    return parse


def choice(*allowed: str) -> Callable[[str], str]:
    """Reads one of these words, in upper or lower case."""

    def parse(value: str) -> str:
        by_lower = {word.lower(): word for word in allowed}
        if value.lower() not in by_lower:
            raise ValueError(f"is not one of {', '.join(allowed)}")
        return by_lower[value.lower()]

    return parse


def switch(value: str) -> bool:
    """0 is off and 1 is on."""
    if value not in ("0", "1"):
        raise ValueError("is neither 0 nor 1")
    return value == "1"


def _split_url(value: str) -> SplitResult:
    try:
        parts = urlsplit(value)
        _ = parts.hostname, parts.port
    except ValueError:  # its own message may quote a password
        raise ValueError("is not a URL") from None
    return parts


def web_url(value: str) -> str:
    """An http or https URL, without a slash at its end."""
    if not value.isprintable() or " " in value:
        raise ValueError("has spaces or characters that no URL has")
    parts = _split_url(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is not an http or https URL")
    return value.rstrip("/")


def web_urls(value: str) -> str:
    """Web URLs separated by commas, in order, each once, at least one."""
    return ",".join(dict.fromkeys(web_url(part.strip()) for part in value.split(",")))


def contact_url(value: str) -> str:
    """A web URL that can stand in a header as it is."""
    if not re.fullmatch(r"[!-'*-~]+", value):
        raise ValueError("has spaces, brackets or characters that a header cannot carry")
    address = web_url(value)
    if "@" in address:
        raise ValueError("has a user name or password in it, which would be sent to the feed")
    return address


def redis_url(value: str) -> str:
    """A URL in redis-py's form: ``redis://``, ``rediss://`` (TLS) or ``unix://``."""
    if not value.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("does not begin with redis://, rediss://, unix://")
    parts = _split_url(value)
    if not (parts.path if parts.scheme == "unix" else parts.hostname):
        raise ValueError("names no host or socket")
    return value


def database_url(value: str) -> str:
    """A SQLAlchemy URL whose driver is installed."""
    try:
        make_url(with_driver(value)).get_dialect().import_dbapi()
    except (ArgumentError, ValueError):
        raise ValueError("is not a SQLAlchemy URL of a known kind of database") from None
    except ImportError as error:
        raise ValueError(f"needs a driver that is not installed ({error.name})") from None
    return value


def with_driver(url: str) -> str:
    """The URL with our driver where it is one of PostgreSQL's two short forms."""
    if url.startswith(("postgresql://", "postgres://")):
        return f"postgresql+psycopg://{url.partition('://')[2]}"
    return url


def secret_key(value: str) -> str:
    """A key for signatures that nobody can find by trying."""
    if len(value) < 32 or len(set(value)) < 8:
        raise ValueError("has fewer than 32 characters, or fewer than 8 different ones")
    return value


def path(value: str) -> Path:
    """An absolute path; ``~`` and relative paths are resolved."""
    try:
        return Path(value).expanduser().resolve()
    except (OSError, RuntimeError) as error:  # an unknown user's home; links in a circle
        raise ValueError(f"is not a path ({error})") from None


def names(value: str) -> tuple[str, ...]:
    """Names separated by commas; may be empty."""
    return tuple(name.strip() for name in value.split(",") if name.strip())


def addresses(value: str) -> tuple[str, ...]:
    """Addresses of services separated by blanks, each once: a scheme, ``://`` and more."""
    known = tuple(dict.fromkeys(value.split()))
    if not all(re.fullmatch(r"[a-z]+://.+", one) and one.isprintable() for one in known):
        raise ValueError("has a part that is no address, or characters that no address has")
    return known


def origins(value: str) -> tuple[str, ...]:
    """Web origins separated by commas: scheme, host and perhaps a port, the host with ``*.``."""
    known = names(value)
    for origin in known:
        if not re.fullmatch(r"https?://(\*\.)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:\d{1,5})?", origin):
            raise ValueError("has a part that is no origin: scheme and host, without a path")
    return known


def networks(value: str) -> tuple[str, ...]:
    """IP addresses and networks separated by commas, each as a network."""
    try:
        return tuple(str(ip_network(name)) for name in names(value))
    except ValueError:
        raise ValueError("has a part that is neither an address nor a network") from None


def league_slugs(value: str) -> tuple[str, ...]:
    """League names separated by commas, as slugs, each once, at least one."""
    slugs = tuple(dict.fromkeys(name.lower() for name in names(value)))
    unknown = [slug for slug in slugs if slug not in BY_SLUG]
    if unknown or not slugs:
        known = ", ".join(slug.upper() for slug in BY_SLUG)
        fault = f"has unknown leagues {', '.join(unknown)}" if unknown else "names no league"
        raise ValueError(f"{fault} (known are {known})")
    return slugs
