"""What a visitor sends does not stay in the memory of the web server."""

from __future__ import annotations

import http.client
import os
import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.acceptance.conftest import children_of
from tests.acceptance.harm import RealWeb, web_on

pytestmark = pytest.mark.long

TIMES = 1024
BODIES = 200
LENGTH = 30_000  # the web server takes 32 kB of headers
MOST = 4_000_000
"""Bytes by which the process may grow: what such requests leave behind in free lists."""
ADDRESSES = 128 * 2 * LENGTH
"""Python keeps the last 128 addresses that the web server took apart, and their parts."""


@pytest.fixture
def web(real_settings):
    with web_on(real_settings) as web:
        yield web


def memory() -> int:
    """The resident bytes of the web server, which is a child of this process."""
    (pid,) = [pid for pid in children_of(os.getpid()) if "serve" in command(pid)]
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


def send(web: RealWeb, path: str, **headers: str) -> int:
    """Request an address as it stands; the status."""
    connection = http.client.HTTPConnection(urlsplit(web.url).netloc, timeout=10)
    try:
        connection.request("GET", path, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


def growth(send_one: Callable[[int], int]) -> int:
    """By how many bytes the web server has grown after such requests, each with its number."""
    for n in range(24):
        send_one(n)
    before = memory()
    for n in range(24, 24 + TIMES):
        send_one(n)
    return memory() - before


@pytest.mark.parametrize(
    ("path", "header", "start"),
    [
        ("/nfl", "Accept-Encoding", "gzip, "),
        ("/nfl", "If-None-Match", 'W/"'),
        ("/nfl", "Cookie", "zone="),
        ("/nfl", "Referer", "http://localhost/"),
        ("/api/v1/leagues", "X-Forwarded-For", "fe80::1%"),
    ],
)
def test_long_headers_leave_nothing_behind(web, path, header, start):
    def send_one(n: int) -> int:
        status = send(web, path, **{header: f"{start}{n:06d}{'x' * LENGTH}"})
        assert status == 200
        return status

    assert growth(send_one) < MOST


@pytest.mark.parametrize("path", ["/nfl/", "/nfl?q=", "/admin/"])
def test_long_addresses_leave_nothing_behind(web, path):
    assert growth(lambda n: send(web, f"{path}{n:06d}{'x' * LENGTH}")) < ADDRESSES + 1_000_000


def test_unfinished_bodies_are_not_kept_in_memory(web):
    head = b"POST /preferences HTTP/1.1\r\nHost: localhost\r\nContent-Length: 250000\r\n\r\n"
    address = urlsplit(web.url)
    before = memory()
    with ExitStack() as connections:
        for _ in range(BODIES):
            connection = socket.create_connection((address.hostname, address.port), timeout=10)
            connections.enter_context(connection)
            connection.sendall(head + b"x" * 249_000)
        assert send(web, "/healthz") == 200
        assert memory() - before < BODIES * 100_000
