"""``flask prepare``: what the parts need before they start, once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from sportsapp.accounts import accounts
from sportsapp.db.engine import db
from sportsapp.db.models import TaskRun
from sportsapp.factory import create_app
from tests.conftest import NO_BROKER
from tests.parts import replace_services

PASSWORD = "a long pass phrase"


@pytest.fixture
def prepare(runner):
    """Runs ``flask prepare``; the result."""
    return lambda: runner.invoke(args=["prepare"])


def queued() -> list[str]:
    db.session.rollback()  # the ledger writes on a connection of its own
    return list(db.session.scalars(select(TaskRun.task)))


def test_first_account_and_first_sync_are_made_once(prepare, offline):
    first = prepare()
    assert first.exit_code == 0
    name, _, password = (
        first.stdout.strip().removeprefix("Admin account, shown this once: ").split()
    )
    assert accounts.authenticate(name, password)
    assert queued() == ["sync_all_leagues"]
    again = prepare()
    assert (again.exit_code, again.output) == (0, "")
    assert len(accounts.all_accounts()) == len(queued()) == 1


def test_tables_are_made_in_an_empty_database(tmp_path, settings):
    empty = replace(
        settings, instance_path=tmp_path / "empty", database_url="", admin_password=PASSWORD
    )
    site = create_app(empty)
    result = site.test_cli_runner().invoke(args=["prepare"])
    assert "Admin account, shown this once: admin / as set in ADMIN_PASSWORD" in result.stdout
    with site.app_context():
        assert accounts.authenticate("admin", PASSWORD)
        db.engine.dispose()


def test_password_that_was_set_is_not_printed(app, runner, offline, settings):
    known = replace(settings, admin_username="jo", admin_password=PASSWORD)
    replace_services(app, settings=known)
    assert PASSWORD not in runner.invoke(args=["prepare"]).output
    assert accounts.authenticate("jo", PASSWORD)


def test_password_that_could_not_be_typed_is_refused(app, runner, settings):
    known = replace(settings, admin_password="x" * 201)
    replace_services(app, settings=known)
    result = runner.invoke(args=["prepare"])
    assert (result.exit_code, accounts.all_accounts()) == (1, [])
    assert "ADMIN_PASSWORD must have at most 200 characters" in result.stderr


def test_broker_that_is_away_is_one_line_and_fails(prepare, settings):
    assert settings.redis_url == NO_BROKER
    result = prepare()
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert "broker" in result.stderr.lower()


def test_database_that_is_away_is_one_line_and_fails(settings):
    away = replace(settings, database_url="postgresql://u:hush@127.0.0.1:1/none")
    result = create_app(away).test_cli_runner().invoke(args=["prepare"])
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert "DATABASE_URL: the database does not work" in result.stderr
    assert "hush" not in result.output
