"""A whole instance: its files are its owner's alone, and its secrets are in none that is a log."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.conftest import wait_for
from tests.acceptance.test_up import Up, up  # noqa: F401 - a fixture, asked for by name

pytestmark = pytest.mark.slow

SECRETS = {
    "SECRET_KEY": "PLANTED-key-0123456789abcdefghijklm",
    "ADMIN_PASSWORD": "PLANTED-password",
    "ALERT_WEBHOOK_URL": "http://127.0.0.1:1/PLANTED-hook",
    "ALERT_URLS": "ntfy://127.0.0.1:1/PLANTED-topic",
    "HEARTBEAT_URL": "http://127.0.0.1:1/PLANTED-beat",
}


@pytest.fixture
def open_umask() -> Iterator[None]:
    """New files are everybody's unless somebody says otherwise."""
    before = os.umask(0)
    yield
    os.umask(before)


def files_of(folder: Path) -> list[Path]:
    return [folder, *folder.rglob("*")]


def test_files_are_their_owners_alone_and_logs_hold_no_secret(open_umask, up: Up):  # noqa: F811
    running = up(LOG_LEVEL="DEBUG", LIVE_SYNC_SECONDS="10", **SECRETS)
    running.page_with("/", "Today")
    wait_for(lambda: any(run["state"] == "SUCCESS" for run in running.runs()), 40, 0.5)
    open_to_others = {
        str(path.relative_to(running.folder)): oct(path.stat().st_mode)
        for path in files_of(running.folder)
        if stat.S_IMODE(path.stat().st_mode) & 0o077
    }
    assert open_to_others == {}
    is_sqlite = not running.environ["DATABASE_URL"]
    names = {path.name for path in files_of(running.folder)}
    assert {"up.lock", "broker.sock", "appendonlydir"} <= names
    assert is_sqlite is ({"tracker.db", "tracker.db-wal"} <= names)
    running.end()
    assert "PLANTED" not in running.said()
    kept = [path for path in files_of(running.folder) if path.is_file()]
    assert [path.name for path in kept if b"PLANTED" in path.read_bytes()] == []
