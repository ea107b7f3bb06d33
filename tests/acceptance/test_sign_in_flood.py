"""Many attempts to sign in: counted by network, and pages do not wait for them."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.acceptance.harm import RealWeb, web_on
from tests.panel import TOKEN


@pytest.fixture
def web(real_settings, broker):
    with web_on(real_settings) as web:
        yield web


def attempt(web: RealWeb, address: str, name: str = "somebody") -> requests.Response:
    """A sign-in with a wrong password, from this address behind a proxy on this machine."""
    browser, url = requests.Session(), f"{web.url}/admin/sign-in"
    browser.headers["X-Forwarded-For"] = address
    token = TOKEN.search(browser.get(url, timeout=30).text)[1]
    form = {"csrf_token": token, "username": name, "password": "wrong"}
    return browser.post(url, form, timeout=30)


def test_addresses_of_one_ipv6_network_are_counted_together(web):
    statuses = [
        attempt(web, f"2001:db8:1:2:{n:x}::{n:x}", f"name{n}").status_code for n in range(24)
    ]
    assert statuses == [401] * 20 + [429] * 4
    assert attempt(web, "2001:db8:1:3::1", "another").status_code == 401


def test_ipv4_address_is_counted_the_same_however_it_is_written(web):
    ways = ("203.0.113.9", "::ffff:203.0.113.9", "::ffff:cb00:7109")
    statuses = [attempt(web, ways[n % 3], f"name{n}").status_code for n in range(24)]
    assert statuses == [401] * 20 + [429] * 4
    assert attempt(web, "::ffff:203.0.113.10", "another").status_code == 401


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
