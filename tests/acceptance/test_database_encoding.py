"""A PostgreSQL database that cannot hold every name: whatever starts first says so in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from sportsapp.core.settings import PROJECT_ROOT, Settings
from sportsapp.db.engine import db
from sportsapp.factory import create_app
from tests.conftest import NO_BROKER
from tests.databases import PostgresServer

SAYS = "its encoding is {}, not UTF8"
COMMANDS = ("db upgrade", "db current", "prepare", "tasks runs", "sync leagues", "admin list")


@pytest.fixture(scope="module", params=["SQL_ASCII", "LATIN1"])
def encoded(request: pytest.FixtureRequest, postgres: PostgresServer) -> Iterator[tuple[str, str]]:
    """An encoding, and the address of a database that has it."""
    with postgres.database_encoded(request.param) as url:
        yield request.param, url


@pytest.fixture
def site(encoded: tuple[str, str], tmp_path: Path) -> Iterator[Flask]:
    """An app on such a database."""
    site = create_app(
        Settings(instance_path=tmp_path, redis_url=NO_BROKER, database_url=encoded[1])
    )
    yield site
    with site.app_context():
        db.engine.dispose()


@pytest.mark.parametrize("command", COMMANDS)
def test_command_ends_with_one_line_that_says_so(site, encoded, command):
    done = site.test_cli_runner().invoke(args=command.split())
    assert done.exit_code == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert SAYS.format(encoded[0]) in done.stderr
    assert "ENCODING 'UTF8'" in done.stderr


def test_doctor_says_so_and_goes_on(site, encoded):
    done = site.test_cli_runner().invoke(args=["doctor"])
    (line,) = [one for one in done.output.splitlines() if one.split()[1] == "database"]
    assert line.startswith("WRONG")
    assert SAYS.format(encoded[0]) in line
    assert "disk" in done.output


def test_copy_into_it_says_so(encoded, runner):
    done = runner.invoke(args=["db-copy", encoded[1]])
    assert (done.exit_code, len(done.stderr.splitlines())) == (1, 1)
    assert done.stderr.startswith("nothing was copied: URL: ")
    assert SAYS.format(encoded[0]) in done.stderr


def test_page_asks_to_try_again_and_the_log_says_so(site, encoded, caplog):
    assert site.test_client().get("/").status_code == 503
    assert SAYS.format(encoded[0]) in caplog.text
    assert "Traceback" not in caplog.text


def test_flask_up_does_not_start_and_says_so(encoded, tmp_path):
    environ = os.environ | {
        "INSTANCE_PATH": str(tmp_path), "DATABASE_URL": encoded[1], "PORT": "5917",
    }  # fmt: skip
    done = subprocess.run(
        [Path(sys.executable).with_name("flask"), "up"],
        cwd=PROJECT_ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert SAYS.format(encoded[0]) in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_database_that_can_hold_every_name_is_used(postgres, tmp_path):
    with postgres.database_encoded("UTF8") as url:
        site = create_app(Settings(instance_path=tmp_path, redis_url=NO_BROKER, database_url=url))
        assert site.test_cli_runner().invoke(args=["db", "upgrade"]).exit_code == 0
        with site.app_context():
            db.engine.dispose()
