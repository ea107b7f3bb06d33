"""Signing in and out, sessions, and limits on attempts."""

from __future__ import annotations

import hashlib
import logging
import re
import time
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from types import SimpleNamespace
from typing import Any

import itsdangerous
import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from werkzeug.security import generate_password_hash

from sportsapp.accounts import accounts, passwords
from sportsapp.admin import devices, signin
from sportsapp.core.clock import utc_now
from sportsapp.db.engine import db, writing
from sportsapp.db.models import AdminSession, AdminUser
from sportsapp.factory import create_app
from sportsapp.http import limits
from sportsapp.http.limits import client_address
from tests.panel import NAME, PASSWORD, TOKEN, PanelVisitor, counted, signed_in

pytestmark = pytest.mark.slow

SIGN_IN = "/admin/sign-in"
READ_ONLY = "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"
CHALLENGE = re.compile("challenge&#34;: &#34;[^&]+")


@pytest.fixture
def visitor(app):
    """A visitor who has an account and is not signed in."""
    accounts.add_account(NAME, PASSWORD)
    return PanelVisitor(app.test_client())


@pytest.fixture
def read_only(app):
    """Lets every connection to the database read alone, once it is called."""

    def forbid(connection: Any, _record: object) -> None:
        is_sqlite = db.engine.dialect.name == "sqlite"
        statement = "PRAGMA query_only = ON" if is_sqlite else READ_ONLY
        with closing(connection.cursor()) as cursor:
            cursor.execute(statement)

    def make_it() -> None:
        event.listen(db.engine, "connect", forbid)
        db.session.remove()
        db.engine.dispose()

    return make_it


@pytest.fixture
def long_delays(monkeypatch):
    """The first delay is as long as the last, so that a test can be slow."""
    monkeypatch.setattr(limits, "DELAYS", (60,))


def without_random(page: str) -> str:
    """The page without what is another one each time: its token and its challenge."""
    return CHALLENGE.sub("", TOKEN.sub("", page))


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


def test_unknown_name_and_wrong_password_cost_the_same(app, monkeypatch):
    """With the hashes that a server computes; other tests have cheap ones."""
    monkeypatch.setattr(passwords, "generate_password_hash", generate_password_hash)
    accounts.add_account(NAME, PASSWORD)
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
    assert costs == [[(2**15, 8, 1)]] * 3


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
        text = without_random(answer.text).replace(f'"{name}"', "")
        headers = sorted(set(answer.headers.keys()) - {"Content-Length"})
        seen.add((answer.status_code, text, tuple(headers), len(hashes)))
        hashes.clear()
    ((status, _, _, computed),) = seen
    assert (status, computed) == (401, 1)


def test_attempt_over_the_limit_costs_no_hash_and_reveals_nothing(visitor, hashes, long_delays):
    for _ in range(10):
        visitor.sign_in(password="wrong")
    hashes.clear()
    answers = [visitor.sign_in(password=password) for password in ("wrong", PASSWORD)]
    assert [answer.status_code for answer in answers] == [429, 429]
    assert hashes == []
    assert len({without_random(answer.text) for answer in answers}) == 1


def test_deactivated_account_stays_out_even_with_its_password(visitor):
    accounts.add_account("other", PASSWORD)
    accounts.deactivate(NAME)
    answer = visitor.sign_in()
    assert (answer.status_code, signin.WRONG in answer.text) == (401, True)


def test_sign_in_while_nothing_can_be_written_says_where_to_look(visitor, read_only):
    token = visitor.token()
    read_only()
    form = {"username": NAME, "password": PASSWORD, "csrf_token": token}
    answer = visitor.open(SIGN_IN, "POST", data=form)
    assert answer.status_code == 503
    assert "Nobody can sign in now" in answer.text
    assert '<a href="/readyz">' in answer.text
    assert f'value="{NAME}"' in answer.text


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
    planted = planter.client.get_cookie("tracker_admin", path="/admin")
    visitor.client.set_cookie("tracker_admin", planted.value, path="/admin")
    visitor.sign_in()
    renewed = visitor.client.get_cookie("tracker_admin", path="/admin")
    assert renewed.value != planted.value
    assert (is_in(visitor), is_in(planter)) == (True, False)


def test_sign_out_ends_the_session(visitor):
    visitor.sign_in()
    answer = visitor.post("/admin/sign-out")
    assert (answer.status_code, answer.headers["Location"]) == (303, SIGN_IN)
    assert not is_in(visitor)


def test_sign_in_during_a_change_of_password_stays_out(visitor, monkeypatch):
    """The old password was right when it was checked, and is not when the session would start."""
    real = accounts.authenticate

    def overtaken(username: str, password: str) -> AdminUser | None:
        account = real(username, password)
        db.session.expunge(account)  # as another thread's session has it
        accounts.set_password(NAME, "another long pass phrase")
        return account

    monkeypatch.setattr(accounts, "authenticate", overtaken)
    assert visitor.sign_in().status_code == 401
    assert not is_in(visitor)
    assert db.session.query(AdminSession).count() == 0


def test_second_sign_in_of_a_browser_replaces_its_session(visitor):
    visitor.sign_in()
    visitor.sign_in()
    assert db.session.query(AdminSession).count() == 1


def test_session_is_stored_without_what_opens_it(visitor):
    visitor.sign_in()
    with visitor.client.session_transaction("/admin/") as session:
        token = session["_user_id"]
    row = db.session.query(AdminSession).one()
    assert len(token) > 40
    assert row.id == hashlib.sha256(token.encode()).hexdigest()


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


@pytest.mark.parametrize("session_id", ["", "x", "1.1", "²", "\x00", "\ud800", "x" * 1000, "id"])
def test_forged_session_is_not_signed_in(app, visitor, session_id):
    """Nor is who knows a session's id, which the panel shows, in place of its token."""
    PanelVisitor(app.test_client()).sign_in()
    if session_id == "id":
        session_id = db.session.query(AdminSession).one().id
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
def test_cookies_are_secure_behind_https(visitor, base, headers, secure):
    """Under a name that no page without HTTPS can set."""
    more = {"base_url": base, "headers": headers}
    form = {"username": NAME, "password": PASSWORD}
    form["csrf_token"] = TOKEN.search(visitor.open(SIGN_IN, **more).text)[1]
    cookies = visitor.open(SIGN_IN, "POST", data=form, **more).headers.getlist("Set-Cookie")
    prefix = "__Secure-" if secure else ""
    names = sorted(cookie.partition("=")[0] for cookie in cookies)
    assert names == [f"{prefix}tracker_admin", f"{prefix}tracker_device"]
    for cookie in cookies:
        flags = set(cookie.split("; ")[1:])
        assert ("Secure" in flags) is secure
        assert {"HttpOnly", "Path=/admin"} <= flags
        assert flags & {"SameSite=Lax", "SameSite=Strict"}
    assert visitor.open("/admin/", **more).status_code == 200


def test_session_that_was_planted_without_https_does_not_count_with_it(app, visitor):
    visitor.sign_in()
    planted = visitor.client.get_cookie("tracker_admin", path="/admin").value
    victim = PanelVisitor(app.test_client())
    victim.client.set_cookie("tracker_admin", planted, path="/admin")
    assert is_in(victim)
    assert victim.open("/admin/", base_url="https://localhost").status_code == 302


def test_too_many_attempts_on_an_account_wait_whatever_their_address(visitor, long_delays):
    def attempt(n: int, name: str = NAME) -> int:
        visitor.client.environ_base["REMOTE_ADDR"] = f"10.0.0.{n}"
        return visitor.sign_in(name, "wrong").status_code

    assert [attempt(n) for n in range(6)] == [401] * 6
    assert attempt(77) == 429
    assert attempt(78, NAME.upper()) == 429
    assert attempt(79, "other") == 401


def test_too_many_attempts_from_an_address_wait_whatever_the_account(visitor, long_delays):
    attempts = [visitor.sign_in(f"name{n}", "wrong").status_code for n in range(22)]
    assert attempts == [401] * 21 + [429]


def test_attempts_that_succeed_are_not_counted(app, visitor):
    for _ in range(25):
        assert PanelVisitor(app.test_client()).sign_in().status_code == 303


def test_delay_grows_to_a_minute_and_then_lets_one_attempt_in(visitor, monkeypatch):
    clock = [time.time()]
    monkeypatch.setattr("limits.storage.memory.time", SimpleNamespace(time=lambda: clock[0]))
    waits = []
    for _ in range(15):
        while (answer := visitor.sign_in(password="wrong")).status_code == 429:
            waits.append(int(answer.headers["Retry-After"]))
            assert f"Try again in {waits[-1]} s." in answer.text
            clock[0] += waits[-1]
        assert answer.status_code == 401
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert visitor.sign_in().status_code == 429
    clock[0] += 60
    assert visitor.sign_in().status_code == 303


def test_known_device_is_let_through_and_has_a_count_of_its_own(app, visitor, long_delays):
    """A stranger cannot keep the admin out; a stolen device is no door to guess at, either."""
    visitor.sign_in()
    visitor.post("/admin/sign-out")
    for n in range(10):
        PanelVisitor(app.test_client()).sign_in(password=f"wrong {n}")
    assert PanelVisitor(app.test_client()).sign_in().status_code == 429
    assert visitor.sign_in().status_code == 303
    visitor.post("/admin/sign-out")
    guesses = [visitor.sign_in(password=f"wrong {n}").status_code for n in range(8)]
    assert guesses == [401] * 6 + [429] * 2


def test_cookie_of_a_device_counts_for_its_account_alone(app, visitor, long_delays):
    accounts.add_account("mole", PASSWORD)
    mole = PanelVisitor(app.test_client())
    mole.sign_in("mole")
    mole.post("/admin/sign-out")
    for n in range(6):
        PanelVisitor(app.test_client()).sign_in(password=f"wrong {n}")
    assert mole.sign_in(NAME).status_code == 429
    assert mole.sign_in("mole").status_code == 303


@pytest.mark.parametrize("cookie", ["", "x", "WyJ4IiwgIngiXQ.aaaa.bbbb", "\x80", "of the session"])
def test_made_up_device_is_not_known(app, visitor, long_delays, cookie):
    visitor.open(SIGN_IN)
    for n in range(6):
        PanelVisitor(app.test_client()).sign_in(password=f"wrong {n}")
    if cookie == "of the session":
        cookie = visitor.client.get_cookie("tracker_admin", path="/admin").value
    visitor.client.set_cookie("tracker_device", cookie, path="/admin")
    assert visitor.sign_in().status_code == 429


def test_device_is_forgotten_in_time(app, visitor, long_delays, monkeypatch):
    visitor.sign_in()
    visitor.post("/admin/sign-out")
    for n in range(6):
        PanelVisitor(app.test_client()).sign_in(password=f"wrong {n}")
    later = int(time.time() + devices.LIFETIME.total_seconds()) + 60
    monkeypatch.setattr(itsdangerous.TimestampSigner, "get_timestamp", lambda _: later)
    assert visitor.sign_in().status_code == 429


def test_opening_the_form_is_not_an_attempt(visitor):
    for _ in range(30):
        assert visitor.open(SIGN_IN).status_code == 200
        assert visitor.open(SIGN_IN, "HEAD").status_code == 200


@pytest.mark.parametrize(
    ("remote", "forwarded", "counted_as"),
    [
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "10.9.9.9, 203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "nonsense", "127.0.0.1"),
        ("127.0.0.1", "fe80::1%x WARNING admin", "127.0.0.1"),
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


def test_session_ends_when_only_its_page_asks(visitor, monkeypatch):
    """The dashboard asks again every few seconds, whether somebody is there or not."""
    began = time.time()
    monkeypatch.setattr("sportsapp.core.clock.datetime", Later)
    monkeypatch.setattr(Later, "at", began)
    visitor.sign_in()
    for minutes in range(10, 120, 10):
        Later.at = began + minutes * 60
        assert visitor.open("/admin/live").status_code == 200
    Later.at = began + 7200
    assert visitor.open("/admin/live").status_code == 302


def test_use_of_a_session_is_written_once_a_minute(visitor, monkeypatch):
    began = time.time()
    monkeypatch.setattr("sportsapp.core.clock.datetime", Later)
    monkeypatch.setattr(Later, "at", began)
    visitor.sign_in()
    written = []
    for second in range(0, 200, 20):
        Later.at = began + second
        with counted() as statements:
            visitor.open("/admin/accounts/")
        written += [second for text in statements.texts if text.startswith("UPDATE admin_sessions")]
    assert written == [60, 120, 180]


def test_panel_can_be_read_when_the_use_of_a_session_cannot_be_stored(visitor, monkeypatch, caplog):
    visitor.sign_in()
    with writing(db.session) as session:
        session.query(AdminSession).one().last_seen_at = utc_now() - timedelta(minutes=5)

    def refuse(_: object) -> None:
        raise OperationalError("UPDATE", None, Exception("disk full"))

    monkeypatch.setattr("sportsapp.accounts.sessions.writing", refuse)
    assert is_in(visitor)
    assert "the use of a session was not stored: disk full" in caplog.text


def test_session_of_the_future_is_over(visitor):
    """It was used while a clock was ahead: nobody knows when."""
    visitor.sign_in()
    with writing(db.session) as session:
        session.query(AdminSession).one().last_seen_at = utc_now() + timedelta(hours=1)
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
