"""The settings: read once from the environment and its like (``sources``), checked, frozen.

``factory.create_app`` calls ``load_settings()``, hands values to the parts that it makes, and keeps
the whole as ``services().settings``; ``app.py`` sets up logging with it. Each field of
``Settings`` is read from its variable with the field's ``parse``, for most a function
of ``setting_values``. Tests make a ``Settings`` directly or through ``dataclasses.replace``. A
malformed value raises SettingsError with one line that names the setting, what is wrong with it
and an example.
"""

import hashlib
import os
import re
import socket
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from sportsapp.core import setting_values as read
from sportsapp.core.errors import SettingsError
from sportsapp.core.leagues import DEFAULT_LEAGUES
from sportsapp.core.sources import ENVIRONMENT, setting_sources, variable

VERSION = "0.1.0"
PROJECT_ROOT = Path(__file__).resolve().parents[2]
PROJECT_URL = "https://github.com/sports-game-tracker/sports-game-tracker"
SOCKET_PATH_BYTES = 107
PASSWORD = re.compile(r"//.*@")  # what stands before a URL's host, whatever characters it has
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def _setting(
    parse: Callable[[str], Any],
    meaning: str,
    default: Any = "",
    *,
    example: str = "",
    shown: str = "",
    secret: bool = False,
) -> Any:
    """A field of Settings with the function that reads it and what people are shown of it.

    ``meaning`` and ``shown``, the default in words, are columns of the table of settings in
    docs/reference.md; a test compares them. ``example`` and ``shown`` are the default itself when
    left out.
    """
    example, shown = example or str(default), shown or str(default)
    metadata = {"parse": parse, "meaning": meaning, "example": example, "shown": shown}
    return field(default=default, metadata={**metadata, "secret": secret})


# Without a repr, so that no log line and no traceback shows a secret or a password in a URL.
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Settings:
    """Every setting, in the order of docs/reference.md. Empty means not set."""

    instance_path: Path = _setting(
        read.path,
        "database file, broker socket and data, secrets",
        PROJECT_ROOT / "instance",
        example="/srv/scores",
        shown="`instance/` beside app.py",
    )
    database_url: str = _setting(
        read.database_url,
        "any SQLAlchemy URL; SQLite and PostgreSQL are tested",
        example="sqlite:////srv/scores/tracker.db",
        shown="SQLite file in the instance folder",
        secret=True,
    )
    redis_url: str = _setting(
        read.redis_url,
        "the broker; `flask up` starts an embedded one when this is unset",
        example="redis://localhost:6379/0",
        shown="the embedded broker's Unix socket in the instance folder",
        secret=True,
    )
    espn_base_url: str = _setting(
        read.web_urls,
        "the feed's hosts, with commas: the first that answers a kind of request is used; "
        "one alone has no substitute",
        "https://site.api.espn.com,https://site.web.api.espn.com",
    )
    espn_contact_url: str = _setting(
        read.contact_url,
        "address in our User-Agent, under which ESPN can reach you",
        PROJECT_URL,
        example="https://example.org/scores",
        shown="the project's address",
    )
    secret_key: str = _setting(
        read.secret_key,
        "signs sessions; at least 32 characters",
        example="the output of openssl rand -hex 32",
        shown="made once, kept in the instance folder",
        secret=True,
    )
    admin_username: str = _setting(
        str,
        "the first admin account's name",
        example="admin",
        shown="admin",
    )
    admin_password: str = _setting(
        str,
        "the first admin account's password; 10 to 200 characters, not easy to guess",
        example="a long pass phrase",
        shown="made and printed once by the first `flask up`, changed at the first sign-in",
        secret=True,
    )
    live_sync_seconds: int = _setting(
        read.whole_number(10, 60), "seconds between live ticks, 10 to 60", 60
    )
    live_read_seconds: int = _setting(
        read.whole_number(5, 60),
        "seconds after which a tick reads the leagues with a live game again, 5 to 60; "
        "from LIVE_SYNC_SECONDS on it reads once",
        10,
    )
    result_ttl_seconds: int = _setting(
        read.whole_number(60, 31_536_000), "for how many seconds results are kept in Redis", 86_400
    )
    task_run_retention_days: int = _setting(
        read.whole_number(1, 3650), "for how many days the ledger keeps runs", 30
    )
    alert_webhook_url: str = _setting(
        read.web_url,
        "where failures, and their end, are posted (Slack or anything that takes JSON)",
        example="https://hooks.slack.com/services/your/own/path",
        shown="none",
        secret=True,
    )
    alert_urls: tuple[str, ...] = _setting(
        read.addresses,
        "services that get the same as texts, such as ntfy and mail: addresses as notifications "
        "have them, separated by blanks",
        (),
        example="ntfys://ntfy.example.org/alerts tgram://bot_token/chat_id",
        shown="none",
        secret=True,
    )
    heartbeat_url: str = _setting(
        read.web_url,
        "pinged after every good live tick (a dead man's switch)",
        example="https://hc-ping.com/your-uuid",
        shown="none",
        secret=True,
    )
    metrics_token: str = _setting(
        str,
        "the bearer token that a scraper of `/metrics` has to send",
        example="a long random text",
        shown="none: anyone may read them",
        secret=True,
    )
    log_level: str = _setting(read.choice(*LOG_LEVELS), "how much is logged", "INFO")
    log_format: str = _setting(
        read.choice("plain", "json"), "plain or json", "plain", example="json"
    )
    log_file: Path | None = _setting(
        read.path,
        "a file to log to instead of standard error",
        None,
        example="/var/log/scores.log",
        shown="none",
    )
    host: str = _setting(str, "web server's address", "127.0.0.1")
    port: int = _setting(read.whole_number(1, 65535), "web server's port", 5000)
    site_url: str = _setting(
        read.web_url,
        "this site's public address, which alerts name and link to",
        example="https://scores.example.org",
        shown="none: alerts name the first of TRUSTED_HOSTS, or this machine and PORT",
    )
    trusted_hosts: tuple[str, ...] = _setting(
        read.names,
        "host names of this site, with commas; requests for others are refused: behind a proxy, "
        "set it",
        (),
        example="scores.example.org",
        shown="HOST, localhost, *.localhost, 127.0.0.1 and ::1",
    )
    trusted_proxies: tuple[str, ...] = _setting(
        read.networks,
        "proxies whose X-Forwarded-For is trusted: addresses and networks, with commas",
        (),
        example="172.30.61.0/24",
        shown="those on this machine",
    )
    embed_origins: tuple[str, ...] = _setting(
        read.origins,
        "sites whose pages may show `/embed/...` in a frame: origins, with commas",
        (),
        example="https://club.example.org,https://*.example.com",
        shown="none",
    )
    notify_private: bool = _setting(
        read.switch,
        "1 lets notifications go to private addresses, too: those of this machine and its network",
        False,
        example="1",
        shown="0",
    )
    push_browsers: int = _setting(
        read.whole_number(0, 100_000),
        "visitors' browsers that may be told of games, at most; 0 offers it to nobody",
        500,
        example="50",
    )
    leagues: tuple[str, ...] = _setting(
        read.league_slugs,
        "leagues that are followed, in the menu's order; "
        "WNBA, NCAAF, NCAAM, NCAAW, MLS and EPL are known, too",
        tuple(league.slug for league in DEFAULT_LEAGUES),
        example="NFL,NBA,MLB,NHL,NCAAF",
        shown="NFL,NBA,MLB,NHL",
    )
    feed_requests_per_minute: int = _setting(
        read.whole_number(1, 100_000),
        "limit of requests to the feed, for all processes together; "
        "a quarter of it is kept for ticks",
        600,
    )
    api_requests_per_minute: int = _setting(
        read.whole_number(1, 100_000), "limit of requests to the API from one address", 300
    )

    @property
    def database(self) -> str:
        """The database's URL, the instance folder's SQLite file when none is set."""
        default = f"sqlite:///{self.instance_path / 'tracker.db'}"
        return read.with_driver(self.database_url) or default

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
        runtime_folder = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
        digest = hashlib.sha256(os.fsencode(self.instance_path)).hexdigest()[:12]
        return runtime_folder / f"sgt-{os.getuid()}-{digest}" / "broker.sock"

    @property
    def alert_receivers(self) -> dict[int, str]:
        """The addresses of alerts by number: 0 for ALERT_WEBHOOK_URL, 1 and more for ALERT_URLS."""
        addresses = enumerate((self.alert_webhook_url, *self.alert_urls))
        return {number: address for number, address in addresses if address}

    @property
    def instance_name(self) -> str:
        """The name by which people tell this instance from others."""
        hosts = [urlsplit(self.site_url).netloc.rpartition("@")[2], *self.trusted_hosts]
        return next(filter(None, hosts), f"{socket.gethostname()}:{self.port}")

    @property
    def user_agent(self) -> str:
        """The User-Agent that we send to the feed."""
        return f"SportsGameTracker/{VERSION} (+{self.espn_contact_url})"


def environment_name(setting: str) -> str:
    """The environment variable of a Settings field."""
    return setting.upper()


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of this environment, or of all sources without ``environ``.

    An empty variable counts as unset. Raises SettingsError: one line with the setting, the fault
    and an example.
    """
    sources = setting_sources(PROJECT_ROOT, environ)
    given: dict[str, Any] = {}
    for setting in fields(Settings):
        name, metadata = environment_name(setting.name), setting.metadata
        text, source = variable(name, sources)
        if text:
            try:
                given[setting.name] = metadata["parse"](text)
            except ValueError as error:
                shown = "its value" if metadata["secret"] else repr(_without_password(text)[:80])
                place = "" if source == ENVIRONMENT else f" (from {source})"
                message = f"{name}{place}: {shown} {error}; for example {metadata['example']}"
                raise SettingsError(message) from None
    return Settings(**given)


def describe_settings(
    settings: Settings, environ: Mapping[str, str] | None = None
) -> list[tuple[str, str, str]]:
    """Name, value and source of every setting, secrets hidden.

    The source is "environment", "flask up", ".env" or "default".
    """
    sources = setting_sources(PROJECT_ROOT, environ)
    rows = []
    for setting in fields(Settings):
        name, value = environment_name(setting.name), getattr(settings, setting.name)
        if value in ("", None, ()):
            shown = f"({setting.metadata['shown'].replace('`', '')})"
        elif setting.metadata["secret"]:
            shown = "(hidden)"
        else:
            shown = ",".join(value) if isinstance(value, tuple) else _without_password(str(value))
        rows.append((name, shown, variable(name, sources)[1] or "default"))
    return rows


def _without_password(text: str) -> str:
    return PASSWORD.sub("//...@", text)


def public_url(url: str) -> str:
    """A URL for people to read: without user name, password and query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
