"""Signing in and out, sessions, and limits on attempts."""

from __future__ import annotations

import hashlib
import logging
import time
from dataclasses import replace
from datetime import datetime, tzinfo

import itsdangerous
import pytest

from sportsapp.accounts import accounts
from sportsapp.admin import signin
from sportsapp.db.engine import db
from sportsapp.db.models import AdminUser
from sportsapp.factory import create_app
from sportsapp.http.limits import client_address
from tests.panel import NAME, PASSWORD, TOKEN, PanelVisitor, signed_in

SIGN_IN = "/admin/sign-in"


@pytest.fixture
def visitor(app):
    """A visitor who has an account and is not signed in."""
    accounts.add_account(NAME, PASSWORD)
    return PanelVisitor(app.test_client())


def is_in(visitor: PanelVisitor) -> bool:
    return visitor.open("/admin/").status_code == 200


def test_right_password_opens_the_dashboard(visitor):
    answer = visitor.sign_in()
    assert (answer.status_code, answer.headers["Location"]) == (303, "/admin/")
    assert "Dashboard" in visitor.get("/admin/")
    assert db.session.query(AdminUser).one().signed_in_at


def test_password_is_kept_as_a_hash(visitor):
    assert PASSWORD not in db.session.query(AdminUser).one().password_hash


@pytest.mark.parametrize(
    ("name", "password"),
    [(NAME, "wrong"), ("nobody", PASSWORD), (NAME, ""), ("", PASSWORD), (NAME, "x" * 5000)],
)
def test_wrong_name_or_password_stays_out_with_one_answer(visitor, name, password):
    answer = visitor.sign_in(name, password)
    assert answer.status_code == 401
    assert signin.WRONG in answer.text
    assert not is_in(visitor)


def test_unknown_name_and_wrong_password_cost_the_same(visitor, monkeypatch):
    hashes = []
    real = hashlib.scrypt

    def note(password: bytes, **cost: int | bytes) -> bytes:
        hashes.append((cost["n"], cost["r"], cost["p"]))
        return real(password, **cost)

    monkeypatch.setattr(hashlib, "scrypt", note)
    costs = []
    for name, password in (("nobody", "wrong"), (NAME, "wrong"), (NAME, PASSWORD)):
        hashes.clear()
        accounts.authenticate(name, password)
        costs.append(list(hashes))
    assert costs[0] == costs[1] == costs[2]
    assert len(costs[0]) == 1


@pytest.fixture
def hashes(monkeypatch) -> list[int]:
    """One entry for each password hash that is computed."""
    computed: list[int] = []
    real = hashlib.scrypt

    def note(password: bytes, **cost: int | bytes) -> bytes:
        computed.append(cost["n"])
        return real(password, **cost)

    monkeypatch.setattr(hashlib, "scrypt", note)
    return computed


def test_every_refusal_reads_the_same_and_costs_one_hash(app, visitor, hashes):
    """Unknown name, deactivated account and wrong password get the same response."""
    accounts.add_account("shut", PASSWORD)
    accounts.deactivate("shut")
    hashes.clear()
    seen = set()
    for name, password in ((NAME, "wrong"), ("nobody", PASSWORD), ("shut", PASSWORD)):
        stranger = PanelVisitor(app.test_client())
        answer = stranger.sign_in(name, password)
        text = TOKEN.sub("", answer.text).replace(f'"{name}"', "")
        headers = sorted(set(answer.headers.keys()) - {"Content-Length"})
        seen.add((answer.status_code, text, tuple(headers), len(hashes)))
        hashes.clear()
    ((status, _, _, computed),) = seen
    assert (status, computed) == (401, 1)


def test_attempt_over_the_limit_costs_no_hash_and_reveals_nothing(visitor, hashes):
    for _ in range(10):
        visitor.sign_in(password="wrong")
    hashes.clear()
    answers = [visitor.sign_in(password=password) for password in ("wrong", PASSWORD)]
    assert [answer.status_code for answer in answers] == [429, 429]
    assert hashes == []
    assert len({TOKEN.sub("", answer.text) for answer in answers}) == 1


def test_deactivated_account_stays_out_even_with_its_password(visitor):
    accounts.add_account("other", PASSWORD)
    accounts.deactivate(NAME)
    answer = visitor.sign_in()
    assert (answer.status_code, signin.WRONG in answer.text) == (401, True)


def test_session_is_renewed_at_sign_in(visitor):
    visitor.open(SIGN_IN)
    with visitor.client.session_transaction("/admin/") as session:
        session["planted"] = "by somebody else"
    before = visitor.token()
    visitor.sign_in()
    with visitor.client.session_transaction("/admin/") as session:
        assert "planted" not in session
    assert visitor.token("/admin/") != before


def test_cookie_from_before_the_sign_in_opens_nothing(app, visitor):
    """An attacker who planted a session cookie is not signed in by the victim's sign-in."""
    planter = PanelVisitor(app.test_client())
    planter.open(SIGN_IN)
    (planted,) = planter.client._cookies.values()
    visitor.client.set_cookie("tracker_admin", planted.value, path="/admin")
    visitor.sign_in()
    (renewed,) = visitor.client._cookies.values()
    assert renewed.value != planted.value
    assert (is_in(visitor), is_in(planter)) == (True, False)


def test_sign_out_ends_the_session(visitor):
    visitor.sign_in()
    answer = visitor.post("/admin/sign-out")
    assert (answer.status_code, answer.headers["Location"]) == (303, SIGN_IN)
    assert not is_in(visitor)


def test_sign_out_is_no_link(visitor):
    visitor.sign_in()
    assert visitor.open("/admin/sign-out").status_code in (404, 405)
    assert is_in(visitor)


def test_password_change_ends_every_session_of_the_account(app, visitor):
    visitor.sign_in()
    accounts.set_password(NAME, "another long pass phrase")
    assert not is_in(visitor)


def test_password_change_ends_the_sessions_of_no_other_account(app, visitor):
    accounts.add_account("other", PASSWORD)
    elsewhere, other = PanelVisitor(app.test_client()), PanelVisitor(app.test_client())
    for browser, name in ((visitor, NAME), (elsewhere, NAME), (other, "other")):
        browser.sign_in(name)
    accounts.set_password(NAME, "another long pass phrase")
    assert [is_in(browser) for browser in (visitor, elsewhere, other)] == [False, False, True]
    elsewhere.sign_in(NAME, PASSWORD)
    assert not is_in(elsewhere)
    elsewhere.sign_in(NAME, "another long pass phrase")
    assert is_in(elsewhere)


def test_deactivation_ends_every_session_of_the_account(visitor):
    visitor.sign_in()
    accounts.add_account("other", PASSWORD)
    accounts.deactivate(NAME)
    assert not is_in(visitor)
    accounts.activate(NAME)
    assert not is_in(visitor)


@pytest.mark.parametrize("session_id", ["", "x", "1", "1.2", "99.1", "1.1.1", "-1.1", "²."])
def test_forged_session_is_not_signed_in(visitor, session_id):
    visitor.open(SIGN_IN)
    with visitor.client.session_transaction("/admin/") as session:
        session["_user_id"] = session_id
    assert not is_in(visitor)


@pytest.mark.parametrize(
    ("target", "ends_at"),
    [
        ("/admin/runs/?state=failed", "/admin/runs/?state=failed"),
        ("/admin", "/admin"),
        ("https://evil.example/", "/admin/"),
        ("//evil.example/admin/", "/admin/"),
        ("/\\evil.example", "/admin/"),
        ("/admin/\\evil.example", "/admin/"),
        ("/adminevil", "/admin/"),
        ("javascript:alert(1)", "/admin/"),
        ("/admin/\nx", "/admin/"),
        ("/nba", "/admin/"),
        ("", "/admin/"),
    ],
)
def test_sign_in_leads_only_into_the_panel(visitor, target, ends_at):
    answer = visitor.sign_in(next=target)
    assert answer.headers["Location"] == ends_at


def test_sign_in_page_keeps_the_requested_address(visitor):
    where = visitor.open("/admin/runs/?state=failed&task=x").headers["Location"]
    assert where == "/admin/sign-in?next=/admin/runs/?state%3Dfailed%26task%3Dx"
    assert 'value="/admin/runs/?state=failed&amp;task=x"' in visitor.get(where)


@pytest.mark.parametrize(
    ("base", "headers", "secure"),
    [
        ("http://localhost", {}, False),
        ("https://localhost", {"Referer": "https://localhost/admin/sign-in"}, True),
        ("http://localhost", {"X-Forwarded-Proto": "https"}, True),
        ("http://localhost", {"X-Forwarded-Proto": "http"}, False),
    ],
)
def test_session_cookie_is_secure_behind_https(visitor, base, headers, secure):
    cookie = visitor.open(SIGN_IN, base_url=base, headers=headers).headers["Set-Cookie"]
    assert ("Secure" in cookie) is secure
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_too_many_attempts_on_an_account_wait_whatever_their_address(visitor):
    def attempt(n: int, name: str = NAME) -> int:
        visitor.client.environ_base["REMOTE_ADDR"] = f"10.0.0.{n}"
        return visitor.sign_in(name, "wrong").status_code

    assert [attempt(n) for n in range(10)] == [401] * 10
    assert attempt(77) == 429
    assert attempt(78, NAME.upper()) == 429
    assert attempt(79, "other") == 401


def test_too_many_attempts_from_an_address_wait_whatever_the_account(visitor):
    attempts = [visitor.sign_in(f"name{n}", "wrong").status_code for n in range(21)]
    assert attempts == [401] * 20 + [429]


def test_too_many_attempts_show_how_long_to_wait(visitor, monkeypatch):
    for _ in range(10):
        visitor.sign_in(password="wrong")
    answer = visitor.sign_in()
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "60")
    assert "Try again in a minute" in answer.text
    assert not is_in(visitor)


def test_opening_the_form_is_not_an_attempt(visitor):
    for _ in range(30):
        assert visitor.open(SIGN_IN).status_code == 200


@pytest.mark.parametrize(
    ("remote", "forwarded", "counted_as"),
    [
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "10.9.9.9, 203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "nonsense", "127.0.0.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("::1", "203.0.113.9", "203.0.113.9"),
        ("nonsense", "203.0.113.9", "nonsense"),
        ("127.0.0.1", "10.9.9.9, 203.0.113.9, 127.0.0.1", "203.0.113.9"),
        ("198.51.100.7", "203.0.113.9", "198.51.100.7"),
    ],
)
def test_address_behind_a_proxy_is_what_the_proxy_on_this_machine_sends(
    app, remote, forwarded, counted_as
):
    headers = {"X-Forwarded-For": forwarded}
    environ = {"REMOTE_ADDR": remote}
    with app.test_request_context(SIGN_IN, headers=headers, environ_base=environ):
        assert client_address() == counted_as


@pytest.mark.parametrize(
    ("remote", "forwarded", "counted_as"),
    [
        ("172.30.61.1", "203.0.113.9", "203.0.113.9"),
        ("172.30.61.1", "203.0.113.9, 172.30.61.8", "203.0.113.9"),
        ("172.30.61.1", "10.9.9.9, 203.0.113.9", "203.0.113.9"),
        ("172.30.61.1", "nonsense, 172.30.61.8", "172.30.61.8"),
        ("172.30.62.1", "203.0.113.9", "172.30.62.1"),
        ("fd00::1", "2001:db8::9", "2001:db8::9"),
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("unknown", "203.0.113.9", "unknown"),
    ],
)
def test_address_behind_trusted_proxies_is_what_the_first_of_them_saw(
    settings, remote, forwarded, counted_as
):
    site = create_app(replace(settings, trusted_proxies=("172.30.61.0/24", "fd00::1/128")))
    headers = {"X-Forwarded-For": forwarded}
    with site.test_request_context(headers=headers, environ_base={"REMOTE_ADDR": remote}):
        assert client_address() == counted_as


def test_session_ends_after_its_time_however_it_is_used(visitor, monkeypatch):
    began = time.time()
    monkeypatch.setattr("sportsapp.core.clock.datetime", Later)
    monkeypatch.setattr(itsdangerous.TimestampSigner, "get_timestamp", lambda _: int(Later.at))
    visitor.sign_in()
    for hours in range(1, 12):
        Later.at = began + hours * 3600
        visitor.post("/admin/accounts/nobody/password", password="short")  # a message is kept
        assert is_in(visitor)
    Later.at = began + 12 * 3600
    assert not is_in(visitor)


class Later(datetime):
    """A clock that stands at ``at``."""

    at = time.time()

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:
        return datetime.fromtimestamp(cls.at, tz)


def test_every_attempt_is_in_the_log_without_its_password(visitor, caplog):
    caplog.set_level(logging.INFO)
    visitor.sign_in(password="not this one")
    visitor.sign_in()
    visitor.post("/admin/sign-out")
    assert f"sign-in refused: name {signin.name_digest(NAME)} from 127.0.0.1" in caplog.text
    assert "maria signed in from 127.0.0.1" in caplog.text
    assert "maria signed out" in caplog.text
    assert PASSWORD not in caplog.text
    assert "not this one" not in caplog.text


def test_signed_in_admin_skips_the_sign_in_page(app):
    visitor = signed_in(app)
    assert visitor.open(f"{SIGN_IN}?next=/admin/runs/").headers["Location"] == "/admin/runs/"
