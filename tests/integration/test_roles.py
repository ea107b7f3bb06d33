"""Roles: a viewer sees all of the panel and changes nothing but the own account."""

from __future__ import annotations

import re
import threading
import time

import pytest

from sportsapp.accounts import accounts, sessions
from sportsapp.core.clock import utc_now
from sportsapp.core.errors import AccountError
from sportsapp.db.engine import db
from sportsapp.db.models import Activity, DeadLetter, RunState
from tests.integration.test_admin_access import panel_rules
from tests.integration.test_admin_data import add
from tests.panel import (
    NAME,
    PASSWORD,
    PanelVisitor,
    add_failure,
    add_league,
    add_run,
    messages_of,
    signed_in,
)

pytestmark = pytest.mark.slow

OWN = "/admin/account/"
OTHER = "another long pass phrase"
OWN_FORMS = ("/admin/account/", "/admin/sign-out", "/admin/sign-in", "/admin/own-password")


@pytest.fixture
def viewer(app, panel):
    """A viewer, signed in, beside the admin maria; something to act on is on every view."""
    accounts.add_account("vera", PASSWORD, "viewer")
    add_league()
    add_failure(id="failed")
    add_run("sync_date_range_task", RunState.STARTED, id="running", progress_total=3)
    letter = {"message": "{}", "size": 2, "reason": "?", "queue": "sportsapp"}
    add(DeadLetter(**letter, received_at=utc_now()))
    visitor = PanelVisitor(app.test_client())
    assert visitor.sign_in("vera").status_code == 303
    return visitor


def test_every_form_that_a_viewer_sends_is_refused(app, viewer):
    form = {"csrf_token": viewer.token("/admin/accounts/"), "sure": "yes"}
    refused = 0
    for rule, path in panel_rules(app):
        if "POST" in rule.methods and not path.startswith(OWN_FORMS):
            answer = viewer.open(path, "POST", data=form)
            assert answer.status_code == 403, path
            assert "it sees everything and changes nothing" in answer.text
            refused += 1
    assert refused >= 15


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_is_left_that_a_viewer_could_call(viewer, method):
    for path in ("/admin/", "/admin/nothing", "/admin/accountx", "/admin/runs/cancel"):
        assert viewer.open(path, method).status_code == 403


def pages(app) -> list[str]:
    known = [path for rule, path in panel_rules(app) if "GET" in rule.methods]
    return [
        *known,
        "/admin/runs/details/?id=running",
        "/admin/runs/details/?id=failed",
        "/admin/backfill/?league=nba&start=2026-01-01&end=2026-01-02",
    ]


def forms(page: str) -> set[str]:
    """Where the forms of a page that change something are sent."""
    return set(re.findall(r'<form[^>]*method="post"[^>]*action="([^"]+)"', page)) | set(
        re.findall(r'<form[^>]*action="([^"]+)"[^>]*method="post"', page)
    )


def test_viewer_sees_every_page_and_no_button_that_would_be_refused(app, panel, viewer):
    seen = set()
    for path in pages(app):
        answers = [visitor.open(path) for visitor in (viewer, panel)]
        assert answers[0].status_code == answers[1].status_code, path
        offered = forms(answers[0].text)
        assert all(target.startswith(OWN_FORMS) for target in offered), (path, offered)
        seen |= forms(answers[1].text)
    assert {"/admin/runs/cancel", "/admin/accounts/add", "/admin/schedule/run"} <= seen
    assert "/admin/backfill/" in seen
    assert "running" in viewer.get("/admin/runs/")


def test_viewer_changes_the_own_password_alone(app, viewer):
    refused = viewer.post(f"{OWN}password", username=NAME, password=OTHER)
    assert refused.status_code == 303
    assert "for your own password" in messages_of(viewer.get(OWN))
    assert accounts.authenticate(NAME, PASSWORD)
    elsewhere = PanelVisitor(app.test_client())
    elsewhere.sign_in("vera")
    wrong = {"username": "vera", "password": OTHER, "your_password": "wrong"}
    viewer.post(f"{OWN}password", **wrong)
    assert accounts.authenticate("vera", PASSWORD)
    viewer.post(f"{OWN}password", username="vera", password=OTHER)
    assert "your password was changed" in messages_of(viewer.get(OWN))
    db.session.rollback()
    assert accounts.authenticate("vera", OTHER)
    assert elsewhere.open("/admin/").status_code == 302


def test_viewer_ends_own_sessions_alone(app, panel, viewer):
    elsewhere = PanelVisitor(app.test_client())
    elsewhere.sign_in("vera")
    db.session.rollback()
    by_name = {row.account_id: row.id for row in sessions.live_sessions()[::-1]}
    theirs = by_name[accounts.find_account(NAME).id]
    viewer.post(f"{OWN}end-session", session=theirs)
    assert "has ended already" in messages_of(viewer.get(OWN))
    assert panel.open("/admin/").status_code == 200
    mine = [row.id for row in sessions.live_sessions() if row.id != theirs]
    page = viewer.get(OWN)
    assert all(row[:8] in page for row in mine)
    assert theirs[:8] not in page
    (this_one,) = re.findall(r"(\w{8}) <span[^>]*>this one", page)
    (other,) = [row for row in mine if not row.startswith(this_one)]
    viewer.post(f"{OWN}end-session", session=other)
    assert elsewhere.open("/admin/").status_code == 302
    assert viewer.open("/admin/").status_code == 200


def test_viewer_can_sign_out(viewer):
    assert viewer.post("/admin/sign-out").status_code == 303
    assert viewer.open("/admin/").status_code == 302


def test_role_changes_at_once(panel, viewer):
    message = panel.message_after("/admin/accounts/role", username="vera", role="admin")
    assert "account vera has the role admin now" in message
    assert (
        viewer.post("/admin/schedule/pause", task="sync_all_teams", sure="yes").status_code == 303
    )
    panel.message_after("/admin/accounts/role", username="vera", role="viewer")
    answer = viewer.post("/admin/schedule/resume", task="sync_all_teams")
    assert answer.status_code == 403
    assert "viewer" in panel.get("/admin/accounts/")


def test_role_needs_ones_own_password_and_is_never_ones_own(app, panel):
    signed_in(app, "ben")
    for form, fault in (
        ({"username": "ben", "role": "viewer", "your_password": "wrong"}, "password was wrong"),
        ({"username": NAME, "role": "viewer"}, "your own role"),
        ({"username": "ben", "role": "owner"}, "there is no role 'owner': known are admin, viewer"),
        ({"username": "ben"}, "there is no role ''"),
    ):
        assert fault in panel.message_after("/admin/accounts/role", **form)
    assert {account.role for account in accounts.all_accounts()} == {"admin"}


def test_account_is_added_with_its_role(app, panel):
    form = {"username": "vera", "password": OTHER, "role": "viewer"}
    assert "was added, as viewer" in panel.message_after("/admin/accounts/add", **form)
    assert accounts.find_account("vera").role == "viewer"


def test_last_admin_stays_an_active_admin(app):
    accounts.add_account("maria", PASSWORD)
    accounts.add_account("vera", PASSWORD, "viewer")
    for act in (lambda: accounts.set_role("maria", "viewer"), lambda: accounts.deactivate("maria")):
        with pytest.raises(AccountError, match="maria is the last active admin"):
            act()
    accounts.deactivate("vera")
    accounts.activate("vera")
    accounts.set_role("vera", "admin")
    accounts.set_role("maria", "viewer")
    accounts.deactivate("maria")


def test_two_admins_cannot_demote_each_other_at_once(app, monkeypatch):
    """Each transaction sees the other admin, unless the second one waits for the first."""
    accounts.add_account("maria", PASSWORD)
    accounts.add_account("ben", PASSWORD)
    start = threading.Barrier(2)
    known_role = accounts._known_role

    def slowly(role: str) -> str:  # between the check for another admin and the change
        time.sleep(0.3)
        return known_role(role)

    monkeypatch.setattr(accounts, "_known_role", slowly)
    refused = []

    def demote(name: str) -> None:
        with app.app_context():
            start.wait(5)
            try:
                accounts.set_role(name, "viewer")
            except AccountError as error:
                refused.append(str(error))

    threads = [threading.Thread(target=demote, args=(name,)) for name in ("maria", "ben")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()
    assert len(refused) == 1
    assert [row.role for row in accounts.all_accounts()].count("admin") == 1


def test_command_gives_and_changes_roles(runner):
    def admin(*words: str):
        return runner.invoke(args=["admin", *words])

    admin("create", "maria", "--password", PASSWORD)
    assert admin("create", "vera", "--password", PASSWORD, "--role", "viewer").exit_code == 0
    assert admin("list").output.splitlines()[1] == "vera (viewer), signed in: never"
    assert '"role": "viewer"' in admin("list", "--json").output
    assert admin("role", "vera", "admin").output == "Account vera has the role admin now.\n"
    assert admin("role", "maria", "viewer").exit_code == 0
    refused = admin("role", "vera", "viewer")
    assert (refused.exit_code, "last active admin" in refused.stderr) == (1, True)
    for words in (("role", "vera", "owner"), ("create", "x", "--role", "owner")):
        assert admin(*words).exit_code == 2
    assert "no account 'nobody'" in admin("role", "nobody", "viewer").stderr
    actions = db.session.query(Activity.action, Activity.subject, Activity.detail).all()
    assert ("admin create", "vera", "as viewer") in [tuple(row) for row in actions]
    assert ("admin role", "vera admin", "") in [tuple(row) for row in actions]
