"""Sessions of the panel end when they should, for whoever holds a copy of the cookie."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import requests
from sqlalchemy import delete, update

from sportsapp.accounts import accounts, sessions
from sportsapp.core.clock import utc_now
from sportsapp.db.engine import db, write_connection
from sportsapp.db.models import AdminSession, AdminUser
from tests.acceptance.harm import RealWeb, web_on
from tests.panel import NAME, PASSWORD, TOKEN

pytestmark = pytest.mark.long

OTHER = "another long pass phrase"


@pytest.fixture
def web(real_settings, real_app):
    accounts.add_account(NAME, PASSWORD)
    with web_on(real_settings) as web:
        yield web


class Browser:
    """A browser at the panel, on a real connection."""

    def __init__(self, web: RealWeb) -> None:
        self.web, self.http = web, requests.Session()

    def post(self, path: str, **form: str) -> requests.Response:
        """Send a form with the token of the first page that has one, without following."""
        page = self.http.get(f"{self.web.url}/admin/accounts/", timeout=10).text
        form["csrf_token"] = TOKEN.search(page)[1]
        url = f"{self.web.url}/admin/{path}"
        return self.http.post(url, form, allow_redirects=False, timeout=30)

    def sign_in(self, name: str = NAME, password: str = PASSWORD) -> None:
        answer = self.post("sign-in", username=name, password=password)
        assert answer.status_code == 303, answer.text

    def is_in(self) -> bool:
        """Whether the dashboard opens; else it leads to the sign-in page."""
        answer = self.http.get(f"{self.web.url}/admin/", allow_redirects=False, timeout=10)
        led_away = answer.status_code == 302 and answer.headers["Location"].startswith(
            "/admin/sign-in"
        )
        assert answer.status_code == 200 or led_away, answer.status_code
        return answer.status_code == 200

    def copy(self) -> Browser:
        """Another browser with the same cookies, as a thief has them."""
        thief = Browser(self.web)
        thief.http.cookies.update(self.http.cookies.copy())
        return thief


@pytest.fixture
def admin(web) -> Browser:
    browser = Browser(web)
    browser.sign_in()
    return browser


@pytest.fixture
def thief(admin) -> Browser:
    thief = admin.copy()
    assert thief.is_in()
    return thief


def sign_out(admin: Browser) -> None:
    answer = admin.post("sign-out")
    assert answer.status_code == 303
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'


def change_own_password(admin: Browser) -> None:
    form = {"username": NAME, "password": OTHER, "your_password": PASSWORD}
    assert admin.post("accounts/password", **form).status_code == 303
    assert admin.is_in()


def set_moments(**moments: timedelta) -> None:
    now = utc_now()
    values = {name: now - ago for name, ago in moments.items()}
    with write_connection() as connection:
        connection.execute(update(AdminSession).values(values))


def stay_idle(_: Browser) -> None:
    set_moments(last_seen_at=sessions.IDLE_LIMIT)


def use_for_too_long(_: Browser) -> None:
    set_moments(created_at=sessions.SESSION_LIFETIME)


def delete_account(_: Browser) -> None:
    with write_connection() as connection:
        connection.execute(delete(AdminUser))


def deactivate(_: Browser) -> None:
    accounts.add_account("other", OTHER)
    accounts.deactivate(NAME)


@pytest.mark.parametrize(
    "event",
    [sign_out, change_own_password, stay_idle, use_for_too_long, delete_account, deactivate],
    ids=lambda event: event.__name__,
)
def test_copied_cookie_opens_nothing_afterwards(admin, thief, event: Callable[[Browser], None]):
    event(admin)
    assert not thief.is_in()
    assert thief.post("accounts/add", username="mole", password=OTHER).status_code == 403
    db.session.rollback()
    assert "mole" not in {account.username for account in accounts.all_accounts()}


def test_copied_cookie_changes_no_account_without_the_password(admin, thief):
    """Nothing of the account page works for a thief, who does not know the password."""
    accounts.add_account("other", OTHER)
    accounts.add_account("shut", OTHER)
    accounts.deactivate("shut")
    for form in (
        {"username": "mole", "password": OTHER},
        {"username": NAME, "password": OTHER},
        {"username": "other", "password": "my own pass phrase"},
    ):
        for your_password in ({}, {"your_password": ""}, {"your_password": OTHER}):
            path = "accounts/add" if form["username"] == "mole" else "accounts/password"
            assert thief.post(path, **form, **your_password).status_code == 303
    thief.post("accounts/deactivate", username="other", sure="yes")
    thief.post("accounts/activate", username="shut")
    db.session.rollback()
    active = {account.username: account.active for account in accounts.all_accounts()}
    assert active == {NAME: True, "other": True, "shut": False}
    assert accounts.authenticate(NAME, PASSWORD)
    assert accounts.authenticate("other", OTHER)


def test_admin_sees_the_thiefs_session_and_ends_it(admin, web):
    thief = Browser(web)
    thief.http.headers["User-Agent"] = "Thief/1.0 <b>"
    thief.sign_in()
    page = admin.http.get(f"{web.url}/admin/accounts/", timeout=10).text
    assert page.count("Thief/1.0 &lt;b&gt;") == 1
    (stolen,) = [row.id for row in sessions.live_sessions() if "Thief" in row.browser]
    assert admin.post("accounts/end-session", session=stolen).status_code == 303
    assert (thief.is_in(), admin.is_in()) == (False, True)
