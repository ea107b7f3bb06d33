"""Nobody who sends us text writes a line of the log, or steers the terminal that shows it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import redis
import requests
from werkzeug.wrappers import Response

from sportsapp.core.settings import PROJECT_ROOT
from tests.acceptance.harm import environ_of, flask, web_on
from tests.panel import TOKEN

pytestmark = pytest.mark.long

AWAY = "postgresql://someone@127.0.0.1:1/scores"
FORGED = "2026-01-15T20:00:00Z INFO    sportsapp.admin.signin: maria signed in from 10.0.0.1"
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ ")
STEERS = "\x1b]0;owned\x07\x1b[2J"
NAME = f"nobody\n{FORGED}"
ENDS = ("%0A", "%0D", "%0D%0A", "%C2%85", "%E2%80%A8", "%E2%80%A9", "%0B", "%0C")


@pytest.fixture
def log(tmp_path, monkeypatch) -> Path:
    """The log file of every process that the test starts."""
    path = tmp_path / "scores.log"
    monkeypatch.setenv("LOG_FILE", str(path))
    return path


def records(log: Path) -> list[str]:
    """The log's lines as a reader of any kind splits them; each has to be a record of ours."""
    text = log.read_bytes().decode()
    assert text.replace("\n", "").isprintable()
    lines = text.splitlines()
    assert [line for line in lines if not STAMP.match(line) and not line.startswith("| ")] == []
    assert [line for line in lines if line.startswith(FORGED)] == []
    return lines


def signs_in(url: str) -> Callable[[str], int]:
    """Sends the sign-in form with a name and a wrong password; the status."""
    browser = requests.Session()
    address = f"{url}/admin/sign-in"

    def send(name: str) -> int:
        token = TOKEN.search(browser.get(address, timeout=10).text)[1]
        form = {"csrf_token": token, "username": name, "password": "wrong"}
        return browser.post(address, form, timeout=10).status_code

    return send


def test_address_writes_one_line_while_the_database_is_away(real_settings, log):
    ends = "".join(ENDS)
    with web_on(replace(real_settings, database_url=AWAY)) as web:
        for _ in range(3):  # an outage is one line a minute
            path = f"/nfl/games/x%1B%5B2J%E2%80%AEgnp{ends}{FORGED.replace(' ', '%20')}"
            assert web.status(path) == 503
    (line,) = [line for line in records(log) if "cannot be used" in line]
    assert r"x\x1b[2J\u202egnp\n\r\r\n\x85\u2028\u2029\x0b\x0c2026" in line


def test_name_of_a_sign_in_writes_no_line_and_is_kept_nowhere(real_settings, broker, log):
    with web_on(real_settings) as web:
        send = signs_in(web.url)
        answers = {send(NAME) for _ in range(12)}
    assert answers == {401, 429}
    lines = records(log)
    assert len([line for line in lines if "sign-in refused" in line]) == 12
    assert "nobody" not in "".join(lines)
    with closing(redis.Redis.from_url(real_settings.broker)) as connection:
        keys = b" ".join(connection.keys("*"))
    assert b"sign" in keys
    assert b"nobody" not in keys


@pytest.fixture
def rude_feed(feed) -> None:
    """A feed whose errors forge a line and steer a terminal."""
    feed.say("nba", Response(f"{STEERS}\u2028{FORGED}\x85{FORGED}\r{FORGED}", 503))


def test_error_of_the_feed_writes_one_line_in_log_and_terminal(real_settings, rude_feed, log):
    done = flask(real_settings, "sync")
    assert done.returncode == 1
    assert [line for line in records(log) if "begins to fail" in line and r"\x1b]0;owned" in line]
    assert_plain(done.stdout + done.stderr)
    assert r"\x1b]0;owned\x07" in done.stderr
    shown = flask(real_settings, "tasks", "runs", "--json")
    (run,) = json.loads(shown.stdout)["runs"]
    for command in (("show", run["id"]), ("runs",), ("wait", run["id"])):
        assert_plain(flask(real_settings, "tasks", *command).stdout)


def assert_plain(text: str) -> None:
    assert text
    assert text.replace("\n", "").isprintable()
    assert [line for line in text.splitlines() if line.startswith(FORGED)] == []


PROGRAM = """
import logging, sys
from app import app
try:
    raise ValueError(sys.stdin.read())
except ValueError as error:
    logging.getLogger("sportsapp").exception("it broke: %s", error)
"""


def test_traceback_keeps_its_lines_and_an_exception_adds_none_of_ours(real_settings, log):
    """An error that nobody expected, with text of the feed in it."""
    subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=f"{STEERS}\n{FORGED}\u2028{FORGED}",
        cwd=PROJECT_ROOT,
        env=environ_of(real_settings),
        check=True,
        text=True,
        timeout=60,
    )
    lines = records(log)
    assert [line for line in lines if line.startswith('|   File "<string>"')]
    assert [line for line in lines if line.startswith(f"| {FORGED}")]
