"""Secret settings appear in no output; an instance's files are readable by their owner only."""

from __future__ import annotations

import base64
import logging
import os
import stat
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from sportsapp.core.clock import utc_now
from sportsapp.core.leagues import DEFAULT_LEAGUES
from sportsapp.core.settings import Settings
from sportsapp.db.engine import db
from sportsapp.factory import create_app
from sportsapp.feed.client import FeedClient
from sportsapp.queue.huey import QUEUES
from sportsapp.services import services_of
from sportsapp.sync.context import SyncContext
from sportsapp.sync.scoreboards import sync_today
from sportsapp.tasks import sync_all_live_games, sync_daily_schedule
from tests.conftest import QUICK
from tests.integration.test_admin_access import panel_rules
from tests.panel import add_run, signed_in

MARK = "PLANTED"
SECRETS = {
    "SECRET_KEY": f"{MARK}-key-0123456789abcdefghijklm",
    "ADMIN_PASSWORD": f"{MARK}-admin-password",
    "METRICS_TOKEN": f"{MARK}-metrics-token",
    "REDIS_URL": f"redis://someone:{MARK}-broker@127.0.0.1:1/0",
    "DATABASE_URL": f"postgresql://someone:{MARK}-database@127.0.0.1:1/scores",
    "ALERT_WEBHOOK_URL": f"http://127.0.0.1:1/{MARK}-hook",
    "ALERT_URLS": f"ntfy://someone:{MARK}-pass@127.0.0.1:1/{MARK}-topic gotify://127.0.0.1:1/{MARK}",
    "HEARTBEAT_URL": f"http://someone:{MARK}-beat@127.0.0.1:1/{MARK}-ping",
    "ESPN_BASE_URL": f"http://someone:{MARK}-feed@127.0.0.1:1",
}
COMMANDS = (
    ["settings"],
    ["doctor"],
    ["doctor", "--json"],
    ["tasks", "runs", "--json"],
    ["tasks", "stats"],
    ["tasks", "active"],
    ["tasks", "scheduled"],
    ["tasks", "registered"],
    ["sync"],
    ["sync", "live"],
    ["sync", "--json"],
    ["sync", "--queue"],
    ["admin", "list"],
    ["alerts", "test"],
    ["sync", "range", "NBA", "2026-01-01", "2026-01-02"],
    ["db", "current"],
    ["db", "upgrade"],
)


def test_every_secret_setting_is_planted():
    secret = {each.name.upper() for each in fields(Settings) if each.metadata["secret"]}
    assert secret <= set(SECRETS)


@pytest.fixture(params=["", "DATABASE_URL"], ids=["well", "no database"])
def planted(request, settings, monkeypatch, immediate) -> Iterator[Flask]:
    """A site with every secret set, none of them valid; with and without a database."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    values: dict[str, Any] = {name.lower(): value for name, value in SECRETS.items()}
    values["alert_urls"] = tuple(SECRETS["ALERT_URLS"].split())
    if request.param != "DATABASE_URL":
        values["database_url"] = settings.database_url
    chosen = replace(settings, **values)
    client = FeedClient(chosen.espn_base_url, chosen.user_agent, retry_policy=QUICK)
    site = create_app(chosen, client)
    for queue in QUEUES:
        queue.immediate = True
    with site.app_context():
        yield site
        db.session.remove()
        db.engine.dispose()
    client.close()


def all_output(site: Flask, caplog: pytest.LogCaptureFixture) -> Iterator[tuple[str, str]]:
    """The output of each command, task and page, and the log: its source and text."""
    site.testing = False
    runner = site.test_cli_runner()
    for command in COMMANDS:
        done = runner.invoke(args=command)
        yield f"flask {' '.join(command)}", done.output + repr(done.exception)
    for task in (sync_all_live_games, sync_daily_schedule):
        try:
            task()
        except Exception as error:  # noqa: BLE001 - whatever a broken instance raises
            yield "a task", repr(error) + str(error.__cause__)
    client = site.test_client(use_cookies=False)
    for path in (
        "/",
        "/nfl",
        "/api/v1/games",
        "/healthz",
        "/readyz",
        "/metrics",
        "/preferences",
        "/admin/",
        "/nothing",
    ):
        yield path, client.get(path).text
    settings = services_of(site).settings
    yield "the settings", repr(settings) + str(settings)
    # Apprise's own log goes nowhere, except to pytest
    logged = [caplog.handler.format(one) for one in caplog.records if one.name != "apprise"]
    yield "the log", "\n".join(logged)


def test_no_secret_is_in_any_output(planted, caplog):
    caplog.set_level(logging.DEBUG)
    leaks = [where for where, text in all_output(planted, caplog) if MARK in text]
    assert leaks == []


def test_no_secret_is_in_the_ledger_or_the_panel(planted, caplog, request):
    if "no database" in request.node.name:
        with pytest.raises(Exception, match="connection failed") as caught:
            db.session.execute(text("SELECT 1"))
        assert MARK not in str(caught.value)
        return
    caplog.set_level(logging.DEBUG)
    list(all_output(planted, caplog))
    db.session.rollback()
    rows = db.session.execute(text("SELECT * FROM task_runs")).all()
    assert len(rows) > 3
    assert "127.0.0.1:1" in repr(rows)  # the feed that cannot be reached is named
    assert [row for row in rows if MARK in repr(row)] == []
    panel = signed_in(planted)
    for rule, path in panel_rules(planted):
        if "GET" in rule.methods:
            assert MARK not in panel.open(path, follow_redirects=True).text, path
    for run_id in db.session.execute(text("SELECT id FROM task_runs")).scalars():
        assert MARK not in panel.open(f"/admin/runs/details/?id={run_id}").text


def test_feed_is_given_the_name_and_password_of_its_url(feed, app):
    url = feed.url.replace("//", "//some%40one:pass%2Fword@")
    client = FeedClient(url, "tests", retry_policy=QUICK)
    sync_today(SyncContext(client, db.session, utc_now()), DEFAULT_LEAGUES[:1])
    client.close()
    sent = feed.requests[0].headers["Authorization"].removeprefix("Basic ")
    assert base64.b64decode(sent) == b"some@one:pass/word"
    assert client.hosts.urls == (feed.url,)


# ---------------------------------------------------------------- files


def modes(folder: Path) -> dict[str, int]:
    """The permissions of everything below a folder."""
    return {
        str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode)
        for path in [folder, *folder.rglob("*")]
    }


@pytest.fixture
def open_umask() -> Iterator[None]:
    """A umask that leaves new files readable and writable by everybody."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_instance_files_are_readable_by_their_owner_only(tmp_path, open_umask):
    folder = tmp_path / "new" / "instance"
    site = create_app(Settings(instance_path=folder, redis_url="redis://127.0.0.1:1/0"))
    with site.app_context():
        site.test_cli_runner().invoke(args=["db", "upgrade"])
        add_run()
        found = modes(folder)
        db.engine.dispose()
    assert found.pop(".") == 0o700
    assert {"tracker.db", "tracker.db-wal", "tracker.db-shm", "secret_key"} <= set(found)
    assert {name: oct(mode) for name, mode in found.items() if mode & 0o077} == {}


def test_database_file_loses_the_permissions_of_others(tmp_path):
    folder = tmp_path / "instance"
    folder.mkdir()
    for path in (folder / "tracker.db", tmp_path / "elsewhere.db"):
        path.touch()
        path.chmod(0o664)
    create_app(Settings(instance_path=folder))
    elsewhere = f"sqlite:///{tmp_path / 'elsewhere.db'}"
    create_app(Settings(instance_path=folder, database_url=elsewhere))
    assert stat.S_IMODE((folder / "tracker.db").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "elsewhere.db").stat().st_mode) == 0o664
