"""Accounts in the panel: add, change the password, deactivate, activate."""

from __future__ import annotations

import logging

import pytest

from sportsapp.accounts import accounts, sessions
from sportsapp.db.engine import db
from sportsapp.db.models import AdminUser
from sportsapp.http import limits
from tests.panel import NAME, PASSWORD, PanelVisitor, signed_in

pytestmark = pytest.mark.slow

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


def test_deactivation_ends_sessions_at_once(panel, ben, caplog):
    caplog.set_level(logging.INFO)
    assert "ben was deactivated" in panel.message_after(f"{PAGE}deactivate", username="ben")
    assert not is_in(ben)
    assert ben.sign_in("ben").status_code == 401
    assert "maria: account ben was deactivated" in caplog.text


def test_activated_account_can_sign_in_again(panel, ben):
    panel.message_after(f"{PAGE}deactivate", username="ben")
    assert "ben was activated" in panel.message_after(f"{PAGE}activate", username="ben")
    assert not is_in(ben)
    assert ben.sign_in("ben").status_code == 303


def test_own_account_cannot_be_deactivated(panel, ben):
    assert "yourself" in panel.message_after(f"{PAGE}deactivate", username=NAME)
    assert names() == {NAME: True, "ben": True}


def test_last_active_account_stays(app, panel):
    with pytest.raises(accounts.AccountError, match="last active"):
        accounts.deactivate(NAME)
    accounts.add_account("ben", OTHER)
    accounts.deactivate("ben")
    with pytest.raises(accounts.AccountError, match="last active"):
        accounts.deactivate(NAME)
    assert db.session.query(AdminUser).filter_by(active=True).count() == 1


@pytest.mark.parametrize("action", ["add", "password", "deactivate", "activate"])
@pytest.mark.parametrize("own", ["", "wrong", OTHER])
def test_no_account_changes_without_ones_own_password(panel, ben, action, own):
    accounts.add_account("shut", OTHER)
    accounts.deactivate("shut")
    name = {"add": "mole", "activate": "shut"}.get(action, "ben")
    message = panel.message_after(
        f"{PAGE}{action}", username=name, password="quite another phrase", your_password=own
    )
    assert "nothing was changed: your password was wrong" in message
    assert names() == {NAME: True, "ben": True, "shut": False}
    assert is_in(ben)


def test_own_password_is_no_door_to_guess_at(app, panel, monkeypatch):
    """Its failures are counted apart: strangers cannot make an admin wait, nor this the sign-in."""
    monkeypatch.setattr(limits, "DELAYS", (60,))
    for n in range(10):
        PanelVisitor(app.test_client()).sign_in(password=f"wrong {n}")
    form = {"username": "anna", "password": OTHER}
    for n in range(6):
        assert "was wrong" in panel.message_after(f"{PAGE}add", **form, your_password=f"wrong {n}")
    assert "try again in 60 s" in panel.message_after(f"{PAGE}add", **form)
    assert names() == {NAME: True}
    panel.post("/admin/sign-out")
    assert panel.sign_in().status_code == 303


def test_sessions_are_listed_and_one_is_ended(app, panel, ben, caplog):
    caplog.set_level(logging.INFO)
    elsewhere = PanelVisitor(app.test_client())
    elsewhere.client.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    elsewhere.client.environ_base["HTTP_USER_AGENT"] = "Other/1.0 <b> " + "x" * 500
    elsewhere.sign_in()
    page = panel.get(PAGE)
    assert page.count(">this one<") == 1
    assert "203.0.113.9" in page
    assert "Other/1.0 &lt;b&gt; xxx" in page
    assert len(sessions.live_sessions()) == 3
    (other,) = [row.id for row in sessions.live_sessions() if row.address == "203.0.113.9"]
    assert "was ended" in panel.message_after(f"{PAGE}end-session", session=other)
    assert [is_in(browser) for browser in (panel, ben, elsewhere)] == [True, True, False]
    assert f"maria: session {other[:8]} was ended" in caplog.text
    assert "has ended already" in panel.message_after(f"{PAGE}end-session", session=other)
