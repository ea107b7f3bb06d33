"""Settings: defaults, what each value may be, and the one line that names a fault."""

from __future__ import annotations

import os
import re
import socket
import stat
from dataclasses import FrozenInstanceError, fields, replace
from pathlib import Path

import pytest
import redis

from sportsapp.core.errors import SettingsError
from sportsapp.core.instance import make_instance_folder, secret_key_of
from sportsapp.core.leagues import ALL_LEAGUES
from sportsapp.core.settings import (
    PROJECT_ROOT,
    SOCKET_PATH_BYTES,
    VERSION,
    Settings,
    describe_settings,
    environment_name,
    load_settings,
)

SECRETS = {
    "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ADMIN_PASSWORD", "HEARTBEAT_URL",
    "ALERT_WEBHOOK_URL", "ALERT_URLS",
}  # fmt: skip


def test_empty_environment_gives_the_defaults():
    settings = load_settings({})
    assert settings == Settings()
    assert settings.instance_path == PROJECT_ROOT / "instance"
    assert settings.leagues == ("nfl", "nba", "mlb", "nhl")
    assert (settings.live_sync_seconds, settings.result_ttl_seconds) == (60, 86_400)
    assert (settings.host, settings.port, settings.trusted_hosts) == ("127.0.0.1", 5000, ())
    assert settings.espn_base_url == "https://site.api.espn.com,https://site.web.api.espn.com"
    assert (settings.task_run_retention_days, settings.feed_requests_per_minute) == (30, 600)
    assert (settings.log_level, settings.log_format, settings.log_file) == ("INFO", "plain", None)


KEY = "0123456789abcdef" * 2


@pytest.mark.parametrize("each", fields(Settings), ids=lambda each: each.name)
def test_blank_variable_counts_as_unset(each):
    assert load_settings({environment_name(each.name): "  "}) == Settings()


def test_settings_come_from_the_environment_of_the_process(monkeypatch):
    monkeypatch.setenv("PORT", "8123")
    assert load_settings().port == 8123
    assert ("PORT", "8123", "environment") in describe_settings(load_settings())


def test_settings_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        Settings().port = 1


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("INSTANCE_PATH", "/srv/../srv/scores", Path("/srv/scores")),
        ("DATABASE_URL", "sqlite:////tmp/x.db", "sqlite:////tmp/x.db"),
        ("REDIS_URL", "redis://:pass@h:1/2", "redis://:pass@h:1/2"),
        ("REDIS_URL", "rediss://h", "rediss://h"),
        ("REDIS_URL", "unix:///run/b.sock?db=1", "unix:///run/b.sock?db=1"),
        ("ESPN_BASE_URL", "http://127.0.0.1:8001/", "http://127.0.0.1:8001"),
        ("ESPN_BASE_URL", "http://[::1]:8001", "http://[::1]:8001"),
        ("ESPN_BASE_URL", "http://a/, http://b,http://a", "http://a,http://b"),
        ("ESPN_CONTACT_URL", " https://example.org/a~b ", "https://example.org/a~b"),
        ("SECRET_KEY", KEY, KEY),
        ("ADMIN_USERNAME", "jo", "jo"),
        ("ADMIN_PASSWORD", "a b", "a b"),
        ("LIVE_SYNC_SECONDS", "10", 10),
        ("LIVE_SYNC_SECONDS", "60", 60),
        ("LIVE_READ_SECONDS", "5", 5),
        ("RESULT_TTL_SECONDS", "60", 60),
        ("TASK_RUN_RETENTION_DAYS", "1", 1),
        ("HEARTBEAT_URL", "https://example.org/ping?x=1", "https://example.org/ping?x=1"),
        ("LOG_LEVEL", "debug", "DEBUG"),
        ("LOG_FORMAT", "JSON", "json"),
        ("LOG_FILE", "/var/log/x.log", Path("/var/log/x.log")),
        ("HOST", "0.0.0.0", "0.0.0.0"),
        ("PORT", "65535", 65535),
        ("TRUSTED_HOSTS", "a.org, b.org,,", ("a.org", "b.org")),
        ("TRUSTED_PROXIES", "10.1.2.3, fd00::/8,", ("10.1.2.3/32", "fd00::/8")),
        ("LEAGUES", "NHL, nba,nhl", ("nhl", "nba")),
        ("API_REQUESTS_PER_MINUTE", "1", 1),
        ("FEED_REQUESTS_PER_MINUTE", "1", 1),
    ],
)
def test_sound_value_is_read(name, text, value):
    assert getattr(load_settings({name: text}), name.lower()) == value


MALFORMED = [
    ("INSTANCE_PATH", "~nobody-of-this-name/x", "is not a path"),
    ("LOG_FILE", "~nobody-of-this-name/x", "is not a path"),
    ("DATABASE_URL", "scores.db", "is not a SQLAlchemy URL"),
    ("DATABASE_URL", "nosuch://host/db", "is not a SQLAlchemy URL of a known kind"),
    ("DATABASE_URL", "postgresql://u:hush@h:hush/db", "is not a SQLAlchemy URL"),
    ("DATABASE_URL", "oracle://h/db", r"needs a driver that is not installed \(oracledb\)"),
    ("REDIS_URL", "localhost:6379", "does not begin with redis://"),
    ("REDIS_URL", "http://h", "does not begin with redis://"),
    ("REDIS_URL", "redis://", "names no host or socket"),
    ("REDIS_URL", "unix://", "names no host or socket"),
    ("TRUSTED_PROXIES", "proxy.example.org", "has a part that is neither an address nor a network"),
    ("TRUSTED_PROXIES", "10.0.0.1/8", "has a part that is neither an address nor a network"),
    ("PUSH_BROWSERS", "-1", "is not between"),
    ("NOTIFY_PRIVATE", "yes", "is neither 0 nor 1"),
    ("EMBED_ORIGINS", "club.example.org", "has a part that is no origin"),
    ("REDIS_URL", "redis://h:hush", "is not a URL"),
    ("REDIS_URL", "redis://[::1", "is not a URL"),
    ("ESPN_BASE_URL", "site.api.espn.com", "is not an http or https URL"),
    ("ESPN_BASE_URL", "ftp://h", "is not an http or https URL"),
    ("ESPN_BASE_URL", "http://a,", "is not an http or https URL"),
    ("ESPN_BASE_URL", "https://", "is not an http or https URL"),
    ("ESPN_BASE_URL", "http://h:port", "is not a URL"),
    ("ESPN_BASE_URL", "http://[::1", "is not a URL"),
    ("ESPN_BASE_URL", "http://a b.org", "has spaces or characters that no URL has"),
    ("ESPN_BASE_URL", "http://a.org\x07", "has spaces or characters that no URL has"),
    ("ESPN_CONTACT_URL", "https://a.org/x(y)", "that a header cannot carry"),
    ("ESPN_CONTACT_URL", "https://a.org/\r\nX: y", "that a header cannot carry"),
    ("ESPN_CONTACT_URL", "https://\u00e9.org", "that a header cannot carry"),
    ("ESPN_CONTACT_URL", "mailto:x@a.org", "is not an http or https URL"),
    ("LIVE_SYNC_SECONDS", "9", "is not between 10 and 60"),
    ("LIVE_SYNC_SECONDS", "61", "is not between 10 and 60"),
    ("LIVE_SYNC_SECONDS", "60.0", "is not a whole number"),
    ("LIVE_SYNC_SECONDS", "a minute", "is not a whole number"),
    ("LIVE_READ_SECONDS", "4", "is not between 5 and 60"),
    ("LIVE_READ_SECONDS", "61", "is not between 5 and 60"),
    ("RESULT_TTL_SECONDS", "59", "is not between"),
    ("RESULT_TTL_SECONDS", "31536001", "is not between"),
    ("TASK_RUN_RETENTION_DAYS", "0", "is not between"),
    ("TASK_RUN_RETENTION_DAYS", "3651", "is not between"),
    ("HEARTBEAT_URL", "hush", "is not an http or https URL"),
    ("ALERT_WEBHOOK_URL", "hush", "is not an http or https URL"),
    ("ALERT_URLS", "hush", "has a part that is no address"),
    ("ALERT_URLS", "ntfy://a.test/x,y mailto:hush@a.test", "has a part that is no address"),
    ("ALERT_URLS", "ntfy://a.test/hush\x07", "or characters that no address has"),
    ("SITE_URL", "scores.example.org", "is not an http or https URL"),
    ("LOG_LEVEL", "LOUD", "is not one of DEBUG, INFO, WARNING, ERROR, CRITICAL"),
    ("LOG_FORMAT", "xml", "is not one of plain, json"),
    ("PORT", "0", "is not between 1 and 65535"),
    ("PORT", "-1", "is not between"),
    ("PORT", "65536", "is not between"),
    ("PORT", "9" * 5000, "is not a whole number"),
    ("LEAGUES", "NFL,XFL", r"has unknown leagues xfl \(known are NFL, NBA, MLB, NHL, .*EPL.*\)"),
    ("LEAGUES", ",", "names no league"),
    ("SECRET_KEY", "hush", "has fewer than 32 characters"),
    ("SECRET_KEY", KEY[:31], "has fewer than 32 characters"),
    ("SECRET_KEY", "x" * 64, "or fewer than 8 different ones"),
    ("API_REQUESTS_PER_MINUTE", "0", "is not between"),
    ("FEED_REQUESTS_PER_MINUTE", "0", "is not between"),
    ("FEED_REQUESTS_PER_MINUTE", "100001", "is not between"),
]


@pytest.mark.parametrize(("name", "text", "fault"), MALFORMED)
def test_malformed_value_names_itself_in_one_line(name, text, fault):
    with pytest.raises(SettingsError, match=fault) as caught:
        load_settings({name: text})
    line = str(caught.value)
    assert line.startswith(f"{name}: ")
    assert "; for example " in line
    assert "\n" not in line
    assert len(line) < 300


def test_every_setting_that_can_be_malformed_is_tried_above():
    free_text = {"ADMIN_USERNAME", "ADMIN_PASSWORD", "METRICS_TOKEN", "HOST", "TRUSTED_HOSTS"}
    names = {environment_name(each.name) for each in fields(Settings)}
    assert {name for name, _, _ in MALFORMED} == names - free_text


@pytest.mark.parametrize("each", fields(Settings), ids=lambda each: each.name)
def test_the_example_of_each_setting_is_sound(each):
    assert load_settings({environment_name(each.name): each.metadata["example"]})


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_secret_is_not_shown(name):
    sound = {"DATABASE_URL": "sqlite:///hush", "REDIS_URL": "redis://hush"}
    sound["SECRET_KEY"] = f"hush{KEY}"
    text = sound.get(name, "https://hush.example.org")
    settings = load_settings({name: text})
    assert (name, "(hidden)", "environment") in describe_settings(settings, {name: text})
    assert "hush" not in repr(settings)


def test_secret_is_not_in_the_line_about_its_fault():
    for name, text, _ in MALFORMED:
        if name in SECRETS and "hush" in text:
            with pytest.raises(SettingsError) as caught:
                load_settings({name: text})
            assert "hush" not in str(caught.value)


ODD_PASSWORDS = [f"hush{sign}hush" for sign in ("/", "@", "?", "#", ":", " ", "\u2100", "x" * 90)]
URLS = {
    "ESPN_BASE_URL": "https", "ESPN_CONTACT_URL": "https", "ALERT_WEBHOOK_URL": "https",
    "ALERT_URLS": "ntfys", "HEARTBEAT_URL": "https", "REDIS_URL": "redis",
    "DATABASE_URL": "postgresql",
}  # fmt: skip


@pytest.mark.parametrize("password", ODD_PASSWORDS)
@pytest.mark.parametrize("host", ["host.example.org", "host:port", "[::1", "one:port,two/scores"])
@pytest.mark.parametrize("name", URLS)
def test_password_in_a_url_is_not_shown_whatever_signs_it_has(name, host, password):
    schemes = (URLS[name], "redis+sentinel") if name == "REDIS_URL" else (URLS[name],)
    for scheme in schemes:
        try:
            settings = load_settings({name: f"{scheme}://someone:{password}@{host}/x"})
            shown = f"{describe_settings(settings)} {settings!r}"
        except SettingsError as error:
            shown = str(error)
        assert "hush" not in shown


def test_every_league_there_is_is_named_with_the_setting():
    (leagues,) = [each for each in fields(Settings) if each.name == "leagues"]
    words = re.findall("[A-Z]+", leagues.metadata["shown"] + " " + leagues.metadata["meaning"])
    assert words == [league.label for league in ALL_LEAGUES]


def test_description_has_every_setting_with_its_source():
    rows = describe_settings(load_settings({"PORT": "81", "LEAGUES": "nba,nhl"}), {"PORT": "81"})
    assert [name for name, _, _ in rows] == [environment_name(e.name) for e in fields(Settings)]
    shown = {name: (value, source) for name, value, source in rows}
    assert shown["PORT"] == ("81", "environment")
    assert shown["LEAGUES"] == ("nba,nhl", "default")
    assert shown["LOG_FILE"] == ("(none)", "default")
    assert shown["SECRET_KEY"] == ("(made once, kept in the instance folder)", "default")


def test_user_agent_introduces_us_with_a_link():
    settings = Settings(espn_contact_url="https://example.org/me")
    assert settings.user_agent == f"SportsGameTracker/{VERSION} (+https://example.org/me)"


# ---------------------------------------------------------------- database, broker, socket


def test_database_is_a_file_in_the_instance_folder_unless_named(tmp_path):
    assert Settings(instance_path=tmp_path).database == f"sqlite:///{tmp_path}/tracker.db"
    assert Settings(database_url="sqlite://").database == "sqlite://"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_goes_through_the_driver_we_bring(scheme):
    settings = load_settings({"DATABASE_URL": f"{scheme}://u@h:5433/db?sslmode=require"})
    assert settings.database == "postgresql+psycopg://u@h:5433/db?sslmode=require"


@pytest.mark.parametrize("name", ["plain", "with space", "50%", "a?b#c", "\u00e9"])
def test_embedded_broker_is_reached_through_its_socket(tmp_path, name):
    settings = Settings(instance_path=tmp_path / name)
    client = redis.Redis.from_url(settings.broker)
    assert client.connection_pool.connection_kwargs["path"] == str(settings.broker_socket)
    assert settings.broker_is_embedded
    assert settings.broker_socket == tmp_path / name / "broker" / "broker.sock"


def test_broker_that_is_named_is_not_embedded():
    settings = Settings(redis_url="redis://h")
    assert (settings.broker, settings.broker_is_embedded) == ("redis://h", False)


def folder_of_length(total: int) -> Path:
    """An instance folder whose socket's path has this many bytes."""
    tail = len("/broker/broker.sock")
    return Path("/" + "x" * (total - tail - 1))


def test_socket_moves_to_a_short_folder_when_its_path_is_too_long(monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/me")
    fits = Settings(instance_path=folder_of_length(SOCKET_PATH_BYTES))
    assert fits.broker_socket.is_relative_to(fits.instance_path)
    long = Settings(instance_path=folder_of_length(SOCKET_PATH_BYTES + 1))
    assert long.broker_socket.is_relative_to("/run/me")
    assert len(os.fsencode(long.broker_socket)) <= SOCKET_PATH_BYTES
    other = replace(long, instance_path=folder_of_length(SOCKET_PATH_BYTES + 2))
    assert other.broker_socket != long.broker_socket


def test_longest_socket_path_is_the_longest_that_the_system_takes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as longest, socket.socket(socket.AF_UNIX) as longer:
        longest.bind("x" * SOCKET_PATH_BYTES)
        with pytest.raises(OSError, match="too long"):
            longer.bind("x" * (SOCKET_PATH_BYTES + 1))


def test_length_of_the_socket_path_is_counted_in_bytes(monkeypatch):
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    settings = Settings(instance_path=Path("/" + "\u00e9" * 60))
    assert not settings.broker_socket.is_relative_to(settings.instance_path)


# ---------------------------------------------------------------- instance folder, secret key


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_instance_folder_is_its_owners_alone(tmp_path):
    settings = Settings(instance_path=tmp_path / "deep" / "instance")
    make_instance_folder(settings)
    make_instance_folder(settings)
    assert mode_of(settings.instance_path) == 0o700
    assert list(settings.instance_path.iterdir()) == []


def test_unusable_instance_folder_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "inside"):
        with pytest.raises(SettingsError, match=r"^INSTANCE_PATH: the folder .* cannot be written"):
            make_instance_folder(Settings(instance_path=path))


def test_secret_key_is_made_once_and_kept_private(tmp_path):
    settings = Settings(instance_path=tmp_path / "instance")
    key = secret_key_of(settings)
    assert len(key) == 64
    assert secret_key_of(settings) == key
    assert mode_of(settings.instance_path / "secret_key") == 0o600
    assert [path.name for path in settings.instance_path.iterdir()] == ["secret_key"]


def test_secret_key_of_the_setting_leaves_no_file(tmp_path):
    settings = Settings(instance_path=tmp_path, secret_key="mine")
    assert secret_key_of(settings) == "mine"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kept", ["", "\n", KEY[:31], "0" * 64])
def test_kept_key_that_is_easy_to_guess_is_refused(tmp_path, kept):
    """A full disk or a lost power supply leaves an empty file; a restore may leave any."""
    (tmp_path / "secret_key").write_text(kept)
    with pytest.raises(
        SettingsError, match=r"SECRET_KEY: the key in .*; delete the file"
    ) as caught:
        secret_key_of(Settings(instance_path=tmp_path))
    assert not kept.strip() or kept not in str(caught.value)


def test_process_that_comes_second_takes_the_first_ones_key(tmp_path, monkeypatch):
    settings = Settings(instance_path=tmp_path)
    path = tmp_path / "secret_key"

    def late(self: Path) -> bool:
        path.write_text(f"{KEY}\n")
        return False

    monkeypatch.setattr(Path, "exists", late)
    assert secret_key_of(settings) == KEY
    assert [each.name for each in tmp_path.iterdir()] == ["secret_key"]
