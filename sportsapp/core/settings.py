"""The settings: read once from the environment, checked, frozen.

``load_settings()`` is what the doors call; tests make a ``Settings`` directly or through
``dataclasses.replace``. A malformed value raises SettingsError with one line that names the
setting, what is wrong with it and an example.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from sportsapp.core.errors import SettingsError
from sportsapp.core.leagues import BY_SLUG, DEFAULT_LEAGUES
from sportsapp.core.redis_urls import parse_redis_url

VERSION = "0.1.0"
PROJECT_ROOT = Path(__file__).resolve().parents[2]
PROJECT_URL = "https://github.com/sports-game-tracker/sports-game-tracker"
SOCKET_PATH_BYTES = 107
PASSWORD = re.compile(r"//.*@")  # what stands before the host in a URL, odd signs in it too
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def _setting(
    parse: Callable[[str], Any],
    meaning: str,
    example: str,
    *,
    default: Any = None,
    shown: str = "",
    secret: bool = False,
    may_hold_password: bool = False,
) -> Any:
    """A dataclass field that knows how to read itself; ``shown`` is the default in words."""
    words = shown or str(default)
    metadata = {
        "parse": parse, "meaning": meaning, "example": example, "shown": words, "secret": secret,
    }  # fmt: skip
    return field(default=default, metadata=metadata, repr=not (secret or may_hold_password))


def _text(value: str) -> str:
    return value


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        try:
            number = int(value)
        except ValueError:
            raise ValueError("is not a whole number") from None
        if not low <= number <= high:
            raise ValueError(f"is not between {low} and {high}")
        return number

    return parse


def _choice(*allowed: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        by_lower = {choice.lower(): choice for choice in allowed}
        if value.lower() not in by_lower:
            raise ValueError(f"is not one of {', '.join(allowed)}")
        return by_lower[value.lower()]

    return parse


def _web_url(value: str) -> str:
    if not value.isprintable() or " " in value:
        raise ValueError("has spaces or signs that no URL has")
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:  # its own words may quote a password
        raise ValueError("is not a URL") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("is not an http or https URL")
    return value.rstrip("/")


def _contact_url(value: str) -> str:
    """A web address that can stand in a header as it is."""
    if not re.fullmatch(r"[!-'*-~]+", value):
        raise ValueError("has spaces, brackets or signs that a header cannot carry")
    address = _web_url(value)
    if "@" in address:
        raise ValueError("has an account in it, which the feed would be told")
    return address


def _sqlalchemy_url(value: str) -> str:
    """PostgreSQL's two short forms mean the driver that we bring."""
    if value.startswith(("postgresql://", "postgres://")):
        return f"postgresql+psycopg://{value.partition('://')[2]}"
    return value


def _database_url(value: str) -> str:
    try:
        make_url(_sqlalchemy_url(value)).get_dialect().import_dbapi()
    except (ArgumentError, ValueError):
        raise ValueError("is not a SQLAlchemy URL of a known kind of database") from None
    except ImportError as error:
        raise ValueError(f"needs a driver that is not installed ({error.name})") from None
    return value


def _path(value: str) -> Path:
    try:
        return Path(value).expanduser().resolve()
    except (OSError, RuntimeError) as error:  # an unknown user's home; links in a circle
        raise ValueError(f"is not a path ({error})") from None


def _names(value: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in value.split(",") if name.strip())


def _networks(value: str) -> tuple[str, ...]:
    try:
        return tuple(str(ip_network(name)) for name in _names(value))
    except ValueError:
        raise ValueError("has something that is no address and no network") from None


def _leagues(value: str) -> tuple[str, ...]:
    slugs = tuple(dict.fromkeys(name.lower() for name in _names(value)))
    unknown = [slug for slug in slugs if slug not in BY_SLUG]
    if unknown or not slugs:
        known = ", ".join(slug.upper() for slug in BY_SLUG)
        fault = f"has unknown leagues {', '.join(unknown)}" if unknown else "names no league"
        raise ValueError(f"{fault} (known are {known})")
    return slugs


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting, in the order in which README lists them. Empty means not set."""

    instance_path: Path = _setting(
        _path, "database file, broker socket and data, secrets", "/srv/scores",
        default=PROJECT_ROOT / "instance", shown="`instance/` beside app.py",
    )  # fmt: skip
    database_url: str = _setting(
        _database_url, "any SQLAlchemy URL; SQLite and PostgreSQL are tested",
        "sqlite:////srv/scores/tracker.db", default="", secret=True,
        shown="SQLite file in the instance folder",
    )  # fmt: skip
    redis_url: str = _setting(
        parse_redis_url, "the broker; `flask up` starts an embedded one when this is unset",
        "redis://localhost:6379/0", default="", secret=True,
        shown="the embedded broker's Unix socket in the instance folder",
    )  # fmt: skip
    espn_base_url: str = _setting(
        _web_url, "the feed", "https://site.api.espn.com", default="https://site.api.espn.com",
        may_hold_password=True,
    )  # fmt: skip
    espn_contact_url: str = _setting(
        _contact_url, "goes into our honest User-Agent", "https://example.org/scores",
        default=PROJECT_URL, shown="the project's address",
    )  # fmt: skip
    secret_key: str = _setting(
        _text, "session signing", "a long random text", default="", secret=True,
        shown="made once, kept in the instance folder",
    )  # fmt: skip
    admin_username: str = _setting(
        _text, "the first admin account's name", "admin", default="",
        shown="made and printed once by the first `flask up`",
    )  # fmt: skip
    admin_password: str = _setting(
        _text, "the first admin account's password", "a long pass phrase", default="",
        secret=True, shown="made and printed once by the first `flask up`",
    )  # fmt: skip
    live_sync_seconds: int = _setting(_whole(10, 60), "live tick, 10 to 60", "60", default=60)
    result_ttl_seconds: int = _setting(
        _whole(60, 31_536_000), "results kept in Redis", "86400", default=86_400
    )
    task_run_retention_days: int = _setting(_whole(1, 3650), "ledger rows kept", "30", default=30)
    alert_webhook_url: str = _setting(
        _web_url, "where failures are posted, and their end (Slack or anything that takes JSON)",
        "https://hooks.slack.com/services/your/own/path", default="", secret=True, shown="none",
    )  # fmt: skip
    heartbeat_url: str = _setting(
        _web_url, "pinged after every good live tick (a dead man's switch)",
        "https://hc-ping.com/your-uuid", default="", secret=True, shown="none",
    )  # fmt: skip
    metrics_token: str = _setting(
        _text, "what a scraper of `/metrics` has to send as its bearer token", "a long random text",
        default="", secret=True, shown="none: anyone may read them",
    )  # fmt: skip
    log_level: str = _setting(_choice(*LOG_LEVELS), "how much is logged", "INFO", default="INFO")
    log_format: str = _setting(_choice("plain", "json"), "plain or json", "json", default="plain")
    log_file: Path | None = _setting(
        _path, "a file to log to instead of standard error", "/var/log/scores.log", shown="none"
    )
    host: str = _setting(_text, "web server's address", "127.0.0.1", default="127.0.0.1")
    port: int = _setting(_whole(1, 65535), "web server's port", "5000", default=5000)
    trusted_hosts: tuple[str, ...] = _setting(
        _names, "host names we answer to, with commas", "scores.example.org", default=(),
        shown="any on loopback, none else",
    )  # fmt: skip
    trusted_proxies: tuple[str, ...] = _setting(
        _networks, "proxies whose X-Forwarded-For is believed: addresses and networks, with commas",
        "172.30.61.0/24", default=(), shown="those on this machine",
    )  # fmt: skip
    leagues: tuple[str, ...] = _setting(
        _leagues,
        "leagues that are followed, in the menu's order; "
        "WNBA, NCAAF, NCAAM, NCAAW, MLS and EPL are known, too",
        "NFL,NBA,MLB,NHL,NCAAF",
        default=tuple(league.slug for league in DEFAULT_LEAGUES), shown="NFL,NBA,MLB,NHL",
    )  # fmt: skip
    feed_requests_per_minute: int = _setting(
        _whole(1, 100_000), "ceiling for all processes together", "600", default=600
    )

    api_requests_per_minute: int = _setting(
        _whole(1, 100_000), "what one address may ask of the API", "300", default=300
    )

    @property
    def database(self) -> str:
        """The database's URL, the instance folder's SQLite file when none is set."""
        return (
            _sqlalchemy_url(self.database_url) or f"sqlite:///{self.instance_path / 'tracker.db'}"
        )

    @property
    def broker(self) -> str:
        """The broker's URL, the embedded one's socket when none is set."""
        return self.redis_url or f"unix://{quote(str(self.broker_socket))}"

    @property
    def broker_is_embedded(self) -> bool:
        """Whether `flask up` has to start the broker itself."""
        return not self.redis_url

    @property
    def broker_socket(self) -> Path:
        """The embedded broker's socket; in a short runtime folder when the path is too long."""
        inside = self.instance_path / "broker" / "broker.sock"
        if len(os.fsencode(inside)) <= SOCKET_PATH_BYTES:
            return inside
        digest = hashlib.sha256(os.fsencode(self.instance_path)).hexdigest()[:12]
        return runtime_folder() / f"sgt-{os.getuid()}-{digest}" / "broker.sock"

    @property
    def user_agent(self) -> str:
        """How we introduce ourselves to the feed."""
        return f"SportsGameTracker/{VERSION} (+{self.espn_contact_url})"


def runtime_folder() -> Path:
    """A folder with a short name for sockets."""
    return Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())


def environment_name(setting: str) -> str:
    """The environment variable of a Settings field."""
    return setting.upper()


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of this environment. An empty variable counts as unset.

    Raises SettingsError: one line with the setting, the fault and an example.
    """
    source = os.environ if environ is None else environ
    values = {}
    for each in fields(Settings):
        text = source.get(environment_name(each.name), "").strip()
        if text:
            values[each.name] = _read(each.name, text, each.metadata)
    return Settings(**values)


def _read(name: str, text: str, metadata: Mapping[str, Any]) -> Any:
    try:
        return metadata["parse"](text)
    except ValueError as error:
        shown = "its value" if metadata["secret"] else repr(PASSWORD.sub("//...@", text)[:80])
        raise SettingsError(
            f"{environment_name(name)}: {shown} {error}; for example {metadata['example']}"
        ) from None


def describe_settings(
    settings: Settings, environ: Mapping[str, str] | None = None
) -> list[tuple[str, str, str]]:
    """Name, value and source ("environment" or "default") of every setting, secrets hidden."""
    source = os.environ if environ is None else environ
    rows = []
    for each in fields(Settings):
        name = environment_name(each.name)
        is_set = bool(source.get(name, "").strip())
        value = getattr(settings, each.name)
        rows.append((name, _shown(value, each.metadata), "environment" if is_set else "default"))
    return rows


def _shown(value: Any, metadata: Mapping[str, Any]) -> str:
    if value in ("", None, ()):
        return f"({metadata['shown'].replace('`', '')})"
    if metadata["secret"]:
        return "(hidden)"
    return ",".join(value) if isinstance(value, tuple) else PASSWORD.sub("//...@", str(value))


def make_instance_folder(settings: Settings) -> None:
    """Make the instance folder, for its owner alone. Raises SettingsError if it is unusable."""
    path = settings.instance_path
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise SettingsError(
            f"INSTANCE_PATH: the folder {path} cannot be written ({error.strerror}); "
            "name a folder of your own, for example /srv/scores"
        ) from None


def secret_key_of(settings: Settings) -> str:
    """The session key: the setting, or one made once and kept in the instance folder (600)."""
    if settings.secret_key:
        return settings.secret_key
    make_instance_folder(settings)
    path = settings.instance_path / "secret_key"
    if not path.exists():
        _write_once(path, os.urandom(32).hex())
    return path.read_text().strip()


def _write_once(path: Path, text: str) -> None:
    """Write a private file whole, unless another process was first."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, stat.S_IRUSR | stat.S_IWUSR)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # another process made the key first: its key is the one to use
    finally:
        draft.unlink()
