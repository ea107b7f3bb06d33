"""What we send to other hosts goes there and nowhere else, and ends in time."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import date

import pytest
import requests
from werkzeug.wrappers import Request, Response

from sportsapp.core.errors import AlertError, FeedRefusedError, TrackerError
from sportsapp.core.leagues import BY_SLUG
from sportsapp.core.outgoing import (
    BodyTooLargeError,
    DeadlineError,
    OutgoingSession,
    RedirectRefusedError,
    exchange,
)
from sportsapp.core.settings import PROJECT_ROOT
from sportsapp.feed.client import FeedClient, RetryPolicy
from sportsapp.monitoring import heartbeat, webhook
from tests.integration.test_client import drip, raw_feed
from tests.loopback import serving

NFL, DAY = BY_SLUG["nfl"], date(2026, 10, 4)
LIMITS = {"connect": 1.0, "read": 1.0, "deadline": 0.5, "body_limit": 1_000_000}
ENDLESS = b"HTTP/1.1 %s\r\nContent-Type: text/plain\r\n\r\n"


class Receiver:
    """Remembers the requests that arrive; answers with ``answer``."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[Request] = []
        self.answer = Response("{}")

    def __call__(self, environ, start_response):
        request = Request(environ)
        request.get_data()
        self.requests.append(request)
        return self.answer(environ, start_response)


def listen() -> Iterator[Receiver]:
    receiver = Receiver()
    with serving(receiver) as url:
        receiver.url = url
        yield receiver


receiver = pytest.fixture(listen, name="receiver")
other = pytest.fixture(listen, name="other")  # another host: the same address with another port


def ask_feed(url: str) -> None:
    policy = RetryPolicy(connect=1, read=1, deadline=1, retries=0)
    client = FeedClient(url, "agent", retry_policy=policy)
    try:
        client.scoreboard(NFL, DAY)
    finally:
        client.close()


def post_alert(url: str) -> None:
    webhook.deliver(url, {"text": "hello"})


SENDERS = [ask_feed, heartbeat.send_heartbeat, post_alert]
senders = pytest.mark.parametrize("send", SENDERS, ids=["feed", "heartbeat", "webhook"])


@pytest.fixture(autouse=True)
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """A heartbeat and an alert may take one second."""
    monkeypatch.setattr(heartbeat, "TIMEOUT_SECONDS", 1)
    monkeypatch.setattr(webhook, "LIMITS", {"connect": 1, "read": 1, "deadline": 1})


@senders
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirect_to_another_host_is_not_followed(send, status, receiver, other):
    receiver.answer = Response("", status, {"Location": f"{other.url}/secret"})
    with suppress(TrackerError):
        send(receiver.url)
    assert (len(receiver.requests), other.requests) == (1, [])


@pytest.mark.parametrize("origin", ["http://localhost", "https://127.0.0.1"])
def test_redirect_to_another_name_or_scheme_is_not_followed(origin, receiver):
    port = receiver.url.rpartition(":")[2]
    receiver.answer = Response("", 302, {"Location": f"{origin}:{port}/secret"})
    with (
        OutgoingSession() as session,
        pytest.raises(RedirectRefusedError, match=f"{origin}:{port}$"),
    ):
        exchange(session, "GET", receiver.url, **LIMITS)
    assert len(receiver.requests) == 1


@senders
@pytest.mark.parametrize("target", ["http://[", "//[::1", "http://[zz]/", "http://x:99999999/"])
def test_redirect_to_no_address_is_not_followed(send, target):
    asked: list[str] = []

    def talk(connection: socket.socket) -> None:
        asked.append(target)
        connection.sendall(f"HTTP/1.1 302 Found\r\nLocation: {target}\r\n\r\n".encode())

    with raw_feed(talk) as url, suppress(TrackerError):
        send(url)
    assert len(asked) == 1


def test_redirect_of_the_feed_to_another_host_is_a_clear_line(receiver, other):
    receiver.answer = Response("", 302, {"Location": f"{other.url}/secret"})
    line = f"the feed sends us elsewhere: a redirect to another host is not followed: {other.url}$"
    with pytest.raises(FeedRefusedError, match=line):
        ask_feed(receiver.url)


def test_redirect_of_the_heartbeat_is_logged_without_its_address(receiver, other, caplog):
    receiver.answer = Response("", 302, {"Location": f"{other.url}/secret"})
    heartbeat.send_heartbeat(f"{receiver.url}/secret")
    assert caplog.messages == ["the heartbeat could not be sent: RedirectRefusedError"]


def test_redirect_of_an_alert_is_an_answer_that_is_not_repeated(receiver, other):
    receiver.answer = Response("", 302, {"Location": f"{other.url}/secret"})
    with pytest.raises(AlertError, match="the alert webhook answered 302") as caught:
        post_alert(receiver.url)
    assert not caught.value.retryable


@senders
def test_accounts_of_netrc_are_not_sent(send, receiver, tmp_path, monkeypatch):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("NETRC", raising=False)
    assert requests.utils.get_netrc_auth(receiver.url) == ("me", "secret")
    send(receiver.url)
    (request,) = receiver.requests
    assert "Authorization" not in request.headers


@senders
def test_account_in_the_address_is_sent(send, receiver):
    send(receiver.url.replace("//", "//me:pass%20word@"))
    authorization = receiver.requests[0].authorization
    assert (authorization.username, authorization.password) == ("me", "pass word")


@senders
def test_proxy_of_the_environment_is_used(send, receiver, monkeypatch):
    monkeypatch.setenv("http_proxy", receiver.url)
    monkeypatch.delenv("no_proxy", raising=False)
    send("http://elsewhere.invalid")
    assert receiver.requests[0].headers["Host"] == "elsewhere.invalid"


def flood(sent: list[int], status: bytes = b"200 OK"):
    """An answer without an end, as fast as it is taken."""

    def talk(connection: socket.socket) -> None:
        connection.sendall(ENDLESS % status)
        while True:
            sent.append(connection.send(b"x" * 65_536))

    return talk


def test_endless_body_ends_at_the_ceiling():
    sent: list[int] = []
    with (
        raw_feed(flood(sent)) as url,
        OutgoingSession() as session,
        pytest.raises(BodyTooLargeError, match="larger than 1,000,000 bytes"),
    ):
        exchange(session, "GET", url, **LIMITS)
    assert sum(sent) < 20_000_000  # the rest is in the buffers of the kernel


@senders
@pytest.mark.parametrize("status", [b"200 OK", b"302 Found\r\nLocation: /", b"500 No"])
def test_endless_answer_is_not_read(send, status):
    sent: list[int] = []
    with raw_feed(flood(sent, status)) as url:
        began = time.monotonic()
        with suppress(TrackerError):
            send(url)
        assert time.monotonic() - began < 5
    assert sum(sent) < 60_000_000


@pytest.mark.slow
@senders
@pytest.mark.parametrize("begins", [b"HTTP/1.1 200 OK\r\n", b"", b"HTTP/1.1 100 Continue\r\n"])
def test_headers_that_drip_end_at_the_deadline(send, begins):
    with raw_feed(drip(begins + b"HTTP/1.1 200 OK\r\nX: " + b"x" * 400, len(begins) + 3)) as url:
        began = time.monotonic()
        with suppress(TrackerError):
            send(url)
        assert time.monotonic() - began < 3


@pytest.mark.parametrize("proxied", [False, True])
def test_body_that_drips_ends_at_the_deadline(proxied, monkeypatch):
    with raw_feed(drip(ENDLESS % b"200 OK" + b"x" * 400, 30)) as url, OutgoingSession() as session:
        if proxied:
            monkeypatch.setenv("http_proxy", url)
            monkeypatch.delenv("no_proxy", raising=False)
            url = "http://elsewhere.invalid"
        began = time.monotonic()
        with pytest.raises(DeadlineError, match=r"no complete answer within 0\.5 s"):
            exchange(session, "GET", url, **LIMITS)
        assert time.monotonic() - began < 2


SENDING = re.compile(
    r"requests\.(get|post|put|head|request|[Ss]ession)\b|urllib\.request|urlopen|PoolManager"
    r"|HTTPS?Connection\(|create_connection|\bhttpx\b|\baiohttp\b"
)


def test_nothing_else_sends_requests():
    """But the probe of `flask up`, which asks the web server and the demo feed that it starts."""
    modules = {
        str(path.relative_to(PROJECT_ROOT / "sportsapp"))
        for path in (PROJECT_ROOT / "sportsapp").rglob("*.py")
        if SENDING.search(path.read_text("utf-8"))
    }
    assert modules == {"core/outgoing.py", "commands/up/children.py"}
