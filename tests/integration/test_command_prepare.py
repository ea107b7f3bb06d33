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
    chain = ["sync_all_leagues", "sync_all_teams", "sync_daily_schedule"]
    assert sorted(queued()) == chain
    again = prepare()
    assert (again.exit_code, again.output) == (0, "")
    assert sorted(queued()) == chain
    assert len(accounts.all_accounts()) == 1


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


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"admin_password": "short"}, "a password must have 10 to 200"),
        ({"admin_password": "x" * 201}, "a password must have 10 to 200"),
        ({"admin_password": "Password2024!"}, "a password must not be easy to guess"),
        ({"admin_username": "x" * 61, "admin_password": PASSWORD}, "a name must have 1 to 60"),
        ({"admin_username": "a\x01b"}, "a name must have 1 to 60"),
    ],
)
def test_first_account_follows_the_rules_of_every_account(app, runner, settings, changes, fault):
    replace_services(app, settings=replace(settings, **changes))
    result = runner.invoke(args=["prepare"])
    assert (result.exit_code, accounts.all_accounts()) == (1, [])
    assert f"ADMIN_USERNAME, ADMIN_PASSWORD: {fault}" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_old_password_in_the_settings_does_not_stop_an_upgrade(
    app, runner, offline, settings, caplog
):
    accounts.add_account("jo", PASSWORD)
    replace_services(app, settings=replace(settings, admin_password="short"))
    assert runner.invoke(args=["prepare"]).exit_code == 0
    assert "ADMIN_PASSWORD: a password must have 10 to 200 characters" in caplog.text
    assert [account.username for account in accounts.all_accounts()] == ["jo"]


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
