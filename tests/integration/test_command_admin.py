"""``flask admin``: accounts from a shell."""

from __future__ import annotations

import json

import pytest

from sportsapp.accounts import accounts

LONG = "a long pass phrase"


@pytest.fixture
def admin(runner):
    """Runs ``flask admin``; the result."""
    return lambda *words, **more: runner.invoke(args=["admin", *words], **more)


def test_create_asks_for_the_password_twice(admin):
    assert admin("create", "maria", input=f"{LONG}\n{LONG}\n").exit_code == 0
    assert accounts.authenticate("maria", LONG)


def test_create_makes_a_password_up_and_prints_it_once(admin):
    said = admin("create", "maria", "--generate").output
    assert accounts.authenticate("maria", said.strip().rpartition(" ")[2])


def test_given_password_is_not_printed(admin):
    assert LONG not in admin("create", "maria", "--password", LONG).output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("create", "maria", "--password", "short"), "a password must have 10 to 200"),
        (("create", "", "--password", LONG), "a name must have 1 to 60"),
        (("password", "nobody", "--password", LONG), "there is no account 'nobody'"),
        (("deactivate", "nobody"), "there is no account 'nobody'"),
        (("activate", "nobody"), "there is no account 'nobody'"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(admin, words, said):
    result = admin(*words)
    assert (result.exit_code, said in result.stderr) == (1, True)
    assert len(result.stderr.splitlines()) == 1


def test_taken_name_is_refused(admin):
    admin("create", "maria", "--password", LONG)
    assert "already" in admin("create", "maria", "--password", LONG).stderr


def test_list(admin):
    assert "no account yet" in admin("list").output
    admin("create", "maria", "--password", LONG)
    admin("create", "ben", "--password", LONG)
    admin("deactivate", "ben")
    assert admin("list").output.splitlines() == [
        "maria, signed in: never",
        "ben (deactivated), signed in: never",
    ]
    shown = json.loads(admin("list", "--json").output)["accounts"]
    assert [(one["username"], one["active"]) for one in shown] == [("maria", True), ("ben", False)]
    assert shown[0]["signed_in_at"] is None


def test_password_change(admin):
    admin("create", "maria", "--password", LONG)
    assert admin("password", "maria", "--password", "quite another one").exit_code == 0
    assert accounts.authenticate("maria", LONG) is None
    assert accounts.authenticate("maria", "quite another one").generation == 2


def test_last_account_is_not_deactivated(admin):
    admin("create", "maria", "--password", LONG)
    assert "last active admin" in admin("deactivate", "maria").stderr


def test_activated_again(admin):
    for name in ("maria", "ben"):
        admin("create", name, "--password", LONG)
    admin("deactivate", "ben")
    assert accounts.authenticate("ben", LONG) is None
    admin("activate", "ben")
    assert accounts.authenticate("ben", LONG)
