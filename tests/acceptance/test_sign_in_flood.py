"""Many attempts to sign in: they keep no admin out, are counted by network, and pages go on."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from sportsapp.accounts import accounts
from sportsapp.core.errors import TooManyAttemptsError
from sportsapp.http.limits import FailureDelays
from tests.acceptance.harm import RealWeb, web_on
from tests.panel import NAME, PASSWORD, TOKEN

pytestmark = pytest.mark.long

WRONG = "wrong"


@pytest.fixture
def web(real_settings, broker):
    with web_on(real_settings) as web:
        yield web


def attempt(
    web: RealWeb,
    address: str,
    name: str = "somebody",
    password: str = WRONG,
    browser: requests.Session | None = None,
) -> requests.Response:
    """A sign-in, from this address behind a proxy on this machine."""
    browser, url = browser or requests.Session(), f"{web.url}/admin/sign-in"
    browser.headers["X-Forwarded-For"] = address
    token = TOKEN.search(browser.get(url, timeout=30).text)[1]
    form = {"csrf_token": token, "username": name, "password": password}
    return browser.post(url, form, timeout=30, allow_redirects=False)


def test_strangers_keep_nobody_out(web, real_app):
    """Wrong passwords from elsewhere: a known device signs in at once, another one soon."""
    accounts.add_account(NAME, PASSWORD)
    known = requests.Session()
    assert attempt(web, "203.0.113.1", NAME, PASSWORD, known).status_code == 303
    page = known.get(f"{web.url}/admin/", timeout=30).text
    token = {"csrf_token": TOKEN.search(page)[1]}
    assert known.post(f"{web.url}/admin/sign-out", token, timeout=30).status_code == 200
    statuses: list[int] = []
    while statuses.count(401) < 8:
        statuses.append(attempt(web, f"198.51.100.{len(statuses) % 250}", NAME).status_code)
    assert statuses[:5] == [401] * 5
    assert len(statuses) >= 10
    waits = []
    while (answer := attempt(web, "203.0.113.2", NAME, PASSWORD)).status_code == 429:
        waits.append(int(answer.headers["Retry-After"]))
        assert 1 <= waits[-1] <= 60
        assert attempt(web, "203.0.113.1", NAME, PASSWORD, known).status_code == 303
        time.sleep(waits[-1])
    assert answer.status_code == 303
    assert len(waits) == 1


def test_all_web_servers_count_together_and_each_alone_without_the_broker(real_settings, broker):
    here, there = FailureDelays(real_settings, "test"), FailureDelays(real_settings, "test")
    key = {"account:x": 5}
    for _ in range(5):
        here.count_failure(key)
    there.admit(key)
    with pytest.raises(TooManyAttemptsError):
        here.admit(key)
    broker.kill()
    for _ in range(5):
        here.admit(key)
        here.count_failure(key)
    here.admit(key)
    with pytest.raises(TooManyAttemptsError):
        here.admit(key)


def test_guessing_goes_on_at_a_known_device_no_faster_than_elsewhere(web, real_app):
    accounts.add_account(NAME, PASSWORD)
    known = requests.Session()
    assert attempt(web, "203.0.113.1", NAME, PASSWORD, known).status_code == 303
    known.cookies.clear("127.0.0.1", "/admin", "tracker_admin")
    statuses = [
        attempt(web, f"203.0.113.{n}", NAME, "wrong", known).status_code for n in range(2, 12)
    ]
    assert statuses[:5] == [401] * 5
    assert 429 in statuses


def test_addresses_of_one_ipv6_network_are_counted_together(web):
    statuses = [
        attempt(web, f"2001:db8:1:2:{n:x}::{n:x}", f"name{n}").status_code for n in range(25)
    ]
    assert statuses[:20] == [401] * 20
    assert 429 in statuses
    assert attempt(web, "2001:db8:1:3::1", "another").status_code == 401


def test_ipv4_address_is_counted_the_same_however_it_is_written(web):
    ways = ("203.0.113.9", "::ffff:203.0.113.9", "::ffff:cb00:7109")
    statuses = [attempt(web, ways[n % 3], f"name{n}").status_code for n in range(25)]
    assert statuses[:20] == [401] * 20
    assert 429 in statuses
    assert attempt(web, "::ffff:203.0.113.10", "another").status_code == 401


def test_flood_from_many_networks_leaves_a_place_for_the_admin(web, real_app):
    """The strangers' passwords are hashed as fast as the process allows; theirs alone wait."""
    accounts.add_account(NAME, PASSWORD)
    known = requests.Session()
    assert attempt(web, "203.0.113.1", NAME, PASSWORD, known).status_code == 303
    known.cookies.clear("127.0.0.1", "/admin", "tracker_admin")
    over = threading.Event()

    def flood(thread: int) -> set[int]:
        seen, n = set(), 0
        while not over.is_set():
            n += 1
            seen.add(attempt(web, f"2001:db8:{thread}:{n:x}::1", f"{thread}-{n}").status_code)
        return seen

    with ThreadPoolExecutor(8) as threads:
        begun = [threads.submit(flood, thread) for thread in range(1, 9)]
        time.sleep(0.5)
        statuses = []
        for _ in range(10):
            statuses.append(attempt(web, "203.0.113.1", NAME, PASSWORD, known).status_code)
            known.cookies.clear("127.0.0.1", "/admin", "tracker_admin")
        over.set()
    assert statuses == [303] * 10
    assert set.union(*(flood.result() for flood in begun)) == {401, 503}


def test_pages_do_not_wait_for_sign_ins(web):
    requests.get(f"{web.url}/nfl", timeout=10)
    with ThreadPoolExecutor(64) as threads:
        begun = [threads.submit(attempt, web, f"203.0.113.{n}", f"n{n}") for n in range(64)]
        seconds = []
        while not all(one.done() for one in begun):
            began = time.monotonic()
            assert requests.get(f"{web.url}/nfl", timeout=30).status_code == 200
            seconds.append(time.monotonic() - began)
    answers = [one.result() for one in begun]
    refused = [answer for answer in answers if answer.status_code == 503]
    assert {answer.status_code for answer in answers} == {401, 503}
    assert {answer.headers["Retry-After"] for answer in refused} == {"1"}
    assert max(seconds) < 1
    print(f"slowest page {max(seconds):.2f} s of {len(seconds)}, refused {len(refused)}")
