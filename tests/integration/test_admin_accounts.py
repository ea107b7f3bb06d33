"""Accounts in the panel: add, change the password, deactivate, activate."""

from __future__ import annotations

import logging

import pytest

from sportsapp.accounts import accounts
from sportsapp.db.engine import db
from sportsapp.db.models import AdminUser
from tests.panel import NAME, PASSWORD, PanelVisitor, signed_in

PAGE = "/admin/accounts/"
OTHER = "another long pass phrase"


@pytest.fixture
def ben(app):
    """A second admin, signed in."""
    return signed_in(app, "ben")


def names() -> dict[str, bool]:
    db.session.rollback()
    return {account.username: account.active for account in accounts.all_accounts()}


def is_in(visitor: PanelVisitor) -> bool:
    return visitor.open("/admin/").status_code == 200


def test_accounts_are_listed(panel, ben):
    page = panel.get(PAGE)
    assert "maria" in page
    assert "ben" in page
    assert "scrypt" not in page


def test_added_account_can_sign_in(app, panel, caplog):
    caplog.set_level(logging.INFO)
    assert "account anna was added" in panel.message_after(
        f"{PAGE}add", username=" anna ", password=OTHER
    )
    assert PanelVisitor(app.test_client()).sign_in("anna", OTHER).status_code == 303
    assert "maria: account anna was added" in caplog.text
    assert OTHER not in caplog.text


@pytest.mark.parametrize(
    ("name", "password", "message"),
    [
        (NAME, OTHER, "already"),
        ("", OTHER, "a name must have 1 to 60"),
        ("x" * 61, OTHER, "a name must have 1 to 60"),
        ("a\x01b", OTHER, "a name must have 1 to 60"),
        ("anna", "short", "a password must have 10 to 200"),
        ("anna", "x" * 201, "a password must have 10 to 200"),
    ],
)
def test_bad_account_is_not_added(panel, name, password, message):
    assert message in panel.message_after(f"{PAGE}add", username=name, password=password)
    assert names() == {NAME: True}


def test_new_password_replaces_the_old_and_ends_the_others_sessions(app, panel, ben):
    assert "was changed" in panel.message_after(f"{PAGE}password", username="ben", password=OTHER)
    assert not is_in(ben)
    assert is_in(panel)
    assert PanelVisitor(app.test_client()).sign_in("ben", PASSWORD).status_code == 401
    assert PanelVisitor(app.test_client()).sign_in("ben", OTHER).status_code == 303


def test_own_new_password_ends_all_sessions_but_this_one(app, panel):
    elsewhere = PanelVisitor(app.test_client())
    elsewhere.sign_in()
    stolen = panel.client.get_cookie("tracker_admin", path="/admin").value
    panel.message_after(f"{PAGE}password", username=NAME, password=OTHER)
    assert is_in(panel)
    assert not is_in(elsewhere)
    thief = PanelVisitor(app.test_client())
    thief.client.set_cookie("tracker_admin", stolen, path="/admin")
    assert not is_in(thief)


@pytest.mark.parametrize(
    ("name", "password", "message"),
    [(NAME, "short", "a password must have"), ("nobody", OTHER, "there is no account 'nobody'")],
)
def test_bad_password_change_changes_nothing(panel, name, password, message):
    assert message in panel.message_after(f"{PAGE}password", username=name, password=password)
    assert is_in(panel)


def test_deactivation_is_confirmed_then_ends_sessions_at_once(panel, ben, caplog):
    caplog.set_level(logging.INFO)
    assert "Deactivate ben?" in panel.post(f"{PAGE}deactivate", username="ben").text
    assert is_in(ben)
    assert "ben was deactivated" in panel.message_after(
        f"{PAGE}deactivate", username="ben", sure="yes"
    )
    assert not is_in(ben)
    assert ben.sign_in("ben").status_code == 401
    assert "maria: account ben was deactivated" in caplog.text


def test_activated_account_can_sign_in_again(panel, ben):
    panel.message_after(f"{PAGE}deactivate", username="ben", sure="yes")
    assert "ben was activated" in panel.message_after(f"{PAGE}activate", username="ben")
    assert not is_in(ben)
    assert ben.sign_in("ben").status_code == 303


def test_own_account_cannot_be_deactivated(panel, ben):
    assert "yourself" in panel.message_after(f"{PAGE}deactivate", username=NAME, sure="yes")
    assert names() == {NAME: True, "ben": True}


def test_last_active_account_stays(app, panel):
    with pytest.raises(accounts.AccountError, match="last active"):
        accounts.deactivate(NAME)
    accounts.add_account("ben", OTHER)
    accounts.deactivate("ben")
    with pytest.raises(accounts.AccountError, match="last active"):
        accounts.deactivate(NAME)
    assert db.session.query(AdminUser).filter_by(active=True).count() == 1
