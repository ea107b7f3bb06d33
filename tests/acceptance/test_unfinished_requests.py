"""Requests that never become whole, and answers that nobody reads, make no visitor wait."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import resource
import shlex
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from sportsapp.core.settings import PROJECT_ROOT
from tests.acceptance import harm, test_deploy_proxies
from tests.acceptance.conftest import wait_for
from tests.acceptance.test_deploy_proxies import NAME
from tests.acceptance.test_up import free_port

pytestmark = pytest.mark.long

certificate, start = test_deploy_proxies.certificate, test_deploy_proxies.start
web = test_deploy_proxies.web
GUIDE = (PROJECT_ROOT / "docs" / "deploy.md").read_text()
COUNT, MORE = 200, 2000
SECONDS = 1.0
HEAD = f"/ HTTP/1.1\r\nHost: {NAME}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5)  # empty SETTINGS
FIELDS = (  # GET, http, /, :authority, content-type and content-length in HPACK without Huffman
    b"\x82\x86\x84\x41" + bytes([len(NAME)]) + NAME.encode()
    + b"\x0f\x10\x21application/x-www-form-urlencoded" + b"\x0f\x0d\x019"
)  # fmt: skip
STREAMS = b"".join(
    len(FIELDS).to_bytes(3) + b"\x01\x04" + number.to_bytes(4) + FIELDS for number in (1, 3, 5, 7)
)
KINDS = {
    "nothing": b"",
    "half heads": f"GET {HEAD}".encode(),
    "half bodies of GET": f"GET {HEAD}Content-Length: 9\r\n\r\n".encode(),
    "half bodies of POST": f"POST {HEAD}Content-Length: 9\r\n\r\nq=".encode(),
    "half chunks": f"POST {HEAD}Transfer-Encoding: chunked\r\n\r\n9\r\nq=".encode(),
    "HTTP/2": PREFACE + STREAMS,
    "unread answers": f"GET /static/style.css HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode() * 5,
}


class Site:
    """The web server, or a proxy before it, as one visitor after the other sees it."""

    def __init__(self, port: int, trusted: str = "") -> None:
        self.port, self.trusted = port, trusted
        self.opened: list[socket.socket] = []

    def open(self, data: bytes) -> None:
        """A connection that sends this, reads nothing, and stays."""
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        raw.settimeout(5)
        raw.connect(("127.0.0.1", self.port))
        if self.trusted:
            context = self.context()
            context.set_alpn_protocols(["h2" if data.startswith(PREFACE) else "http/1.1"])
            raw = context.wrap_socket(raw, server_hostname=NAME)
        self.opened.append(raw)
        with contextlib.suppress(OSError):  # it may close at once what it does not like
            raw.sendall(data)

    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.trusted)

    def seconds(self, path: str) -> float:
        """How long a page takes on a connection of its own; none may take ten."""
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.connect()
        if self.trusted:
            connection.sock = self.context().wrap_socket(connection.sock, server_hostname=NAME)
        connection.request("GET", path, headers={"Host": NAME})
        status = connection.getresponse().status
        connection.close()
        assert status == 200, path
        return time.monotonic() - began

    def is_up(self) -> bool:
        with contextlib.suppress(OSError):
            return self.seconds("/healthz") < SECONDS
        return False


def slowest(site: Site, kind: str, count: int = COUNT) -> float:
    """The longest that a page takes beside so many requests of this kind."""
    for _ in range(count):
        site.open(KINDS[kind])
    if kind == "unread answers":
        site.seconds("/healthz")  # comes after them: 1,000 answers are work, but no wait for anyone
    taken = []
    for n in range(3):
        taken += [
            site.seconds(f"{path}?{n}{quote(kind)}") for path in ("/healthz", "/")
        ]  # no proxy's
        time.sleep(0.1)
    while site.opened:
        site.opened.pop().close()
    return max(taken)


@pytest.fixture(autouse=True)
def descriptors() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(before[1], 10_000), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize("proxy", ["direct", "nginx", "caddy"])
def test_pages_come_within_a_second(web, start, proxy):
    site = Site(web[0])
    wait_for(site.is_up, 60)
    if proxy != "direct":
        before = start(proxy)
        site = Site(before.port, str(before.certificate))
    taken = {kind: slowest(site, kind) for kind in KINDS}
    if proxy == "direct":
        taken["2000 half heads"] = slowest(site, "half heads", MORE)
    assert {kind: seconds for kind, seconds in taken.items() if seconds >= SECONDS} == {}


def test_another_web_server_serves_the_app_as_the_guide_has_it(real_settings):
    port = free_port()
    (line,) = re.findall(r"^    (granian .*)$", GUIDE, re.MULTILINE)
    environ = harm.environ_of(real_settings) | {"GRANIAN_PORT": str(port), "TRUSTED_HOSTS": NAME}
    command = [sys.executable, "-m", *shlex.split(line)]
    process = subprocess.Popen(
        command, cwd=PROJECT_ROOT, env=environ, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        wait_for(Site(port).is_up, 60)
        assert Site(port).seconds("/") < SECONDS
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
