"""The rules for passwords and keys at every door; a printed password is changed before use."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from sportsapp.accounts import accounts, passwords
from sportsapp.core.errors import AccountError
from sportsapp.core.settings import PROJECT_ROOT
from tests.integration.test_admin_access import panel_rules
from tests.panel import PanelVisitor, messages_of, signed_in
from tests.parts import replace_services

OWN = "/admin/own-password"
NEW = "quite another phrase"
LEAKED = (PROJECT_ROOT / "tests" / "samples" / "leaked_passwords.txt").read_text().split()
SOUND = [
    "a long pass phrase",
    "Tr0ub4dor&3x",
    "blue whales sing at night",
    "8391640275",
    "x7!Kd0q_Zp",
]


@pytest.mark.parametrize("password", LEAKED)
def test_password_of_the_leaked_lists_is_refused(password):
    with pytest.raises(AccountError, match="easy to guess"):
        passwords.check_password(password, "maria")


@pytest.mark.parametrize("password", SOUND)
def test_password_that_is_hard_to_guess_is_accepted(password):
    passwords.check_password(password, "maria")


def test_generated_passwords_are_accepted():
    for _ in range(50):
        passwords.check_password(passwords.generate_password(), "maria")


@pytest.mark.parametrize(
    "password", ["Mariella.Rossi", "mariella.rossi2026", "rossi.mariella.rossi"]
)
def test_name_of_the_account_is_no_password(password):
    passwords.check_password("rossi.mariella.x", "someone-else")
    with pytest.raises(AccountError, match="easy to guess"):
        passwords.check_password(password, "mariella.rossi")


WEAK = ["short", "x" * 201, "password123", "anna-anna-12"]


@pytest.mark.parametrize("password", WEAK, ids=["short", "long", "common", "name"])
def test_every_door_refuses_a_weak_password(app, runner, settings, password):
    """The setting, both commands, both forms of the panel: no account can be signed in to."""
    replace_services(
        app, settings=replace(settings, admin_username="anna", admin_password=password)
    )
    assert runner.invoke(args=["prepare"]).exit_code == 1
    assert runner.invoke(args=["admin", "create", "anna", "--password", password]).exit_code == 1
    panel = signed_in(app)
    refusal = panel.message_after("/admin/accounts/add", username="anna", password=password)
    assert "a password must " in refusal
    assert [account.username for account in accounts.all_accounts()] == ["maria"]
    accounts.add_account("anna", NEW)
    assert runner.invoke(args=["admin", "password", "anna", "--password", password]).exit_code == 1
    refusal = panel.message_after("/admin/accounts/password", username="anna", password=password)
    assert "a password must " in refusal
    assert PanelVisitor(app.test_client()).sign_in("anna", password).status_code == 401
    assert PanelVisitor(app.test_client()).sign_in("anna", NEW).status_code == 303


# ---------------------------------------------------------------- the printed password


@pytest.fixture
def printed(runner, offline) -> str:
    """The password that the first start printed, for a log to keep."""
    return runner.invoke(args=["prepare"]).stdout.split()[-1]


@pytest.fixture
def newcomer(app, printed) -> PanelVisitor:
    visitor = PanelVisitor(app.test_client())
    assert visitor.sign_in("admin", printed).status_code == 303
    return visitor


def test_printed_password_opens_nothing_but_the_form_for_another(app, newcomer):
    tried = 0
    for rule, path in panel_rules(app):
        if rule.endpoint in ("panel.sign_in", "panel.sign_out", "panel.own_password"):
            continue
        method = "GET" if "GET" in rule.methods else "POST"
        form = {"csrf_token": newcomer.token(OWN), "sure": "yes"}
        answer = newcomer.open(path, method, data=form if method == "POST" else None)
        led = answer.status_code == 302 and answer.location.startswith(OWN)
        assert led if method == "GET" else answer.status_code == 403, path
        tried += 1
    assert tried > 30


def test_another_password_replaces_the_printed_one(app, newcomer, printed):
    where = newcomer.open("/admin/runs/?state=failed").location
    assert "Choose another password" in newcomer.get(where)
    stolen = newcomer.client.get_cookie("tracker_admin", path="/admin").value
    form = {"csrf_token": newcomer.token(OWN), "next": "/admin/runs/?state=failed"}
    for password, fault in ((printed, "must not be the old one"), ("admin12345", "easy to guess")):
        refused = newcomer.open(OWN, "POST", data={**form, "password": password})
        assert (refused.status_code, fault in messages_of(refused.text)) == (400, True)
    done = newcomer.open(OWN, "POST", data={**form, "password": NEW})
    assert (done.status_code, done.location) == (303, "/admin/runs/?state=failed")
    assert newcomer.open("/admin/").status_code == 200
    thief = PanelVisitor(app.test_client())
    thief.client.set_cookie("tracker_admin", stolen, path="/admin")
    assert thief.open("/admin/").status_code == 302
    assert thief.sign_in("admin", printed).status_code == 401
    assert thief.sign_in("admin", NEW).status_code == 303
    assert thief.open("/admin/").status_code == 200


def test_form_is_only_for_a_password_that_has_to_be_changed(panel):
    """Else whoever has a session could change the password without the old one."""
    form = {"csrf_token": panel.token("/admin/accounts/"), "password": NEW}
    for method in ("GET", "POST"):
        assert panel.open(OWN, method, data=form).location == "/admin/"
    assert accounts.authenticate("maria", NEW) is None


def test_password_that_the_operator_chose_is_not_asked_for_again(app, runner, offline, settings):
    replace_services(app, settings=replace(settings, admin_password=NEW))
    runner.invoke(args=["prepare"])
    visitor = PanelVisitor(app.test_client())
    visitor.sign_in("admin", NEW)
    assert visitor.open("/admin/").status_code == 200


def test_command_that_changes_the_printed_password_is_enough(app, runner, newcomer):
    assert runner.invoke(args=["admin", "password", "admin", "--password", NEW]).exit_code == 0
    newcomer.sign_in("admin", NEW)
    assert newcomer.open("/admin/").status_code == 200


# ---------------------------------------------------------------- the key


@pytest.mark.long
@pytest.mark.parametrize("door", ["-m flask settings", "-c import~wsgi", "-c import~huey_config"])
def test_no_door_opens_with_a_key_that_can_be_guessed(tmp_path, door):
    environ = {**os.environ, "SECRET_KEY": "x", "INSTANCE_PATH": str(tmp_path)}
    words = [word.replace("~", " ") for word in door.split()]
    done = subprocess.run(
        [sys.executable, *words], cwd=PROJECT_ROOT, env=environ, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert done.stderr.splitlines() == [
        "SECRET_KEY: its value has fewer than 32 characters, or fewer than 8 different ones; "
        "for example the output of openssl rand -hex 32"
    ]
