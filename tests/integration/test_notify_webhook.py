"""A webhook gets signed JSON, and no error names its address."""

from __future__ import annotations

import base64
import hmac
import json
import re
import shutil
import socket
import subprocess
import time

import pytest
from werkzeug.wrappers import Response

from sportsapp.core.errors import TargetError
from sportsapp.notify import webhook
from sportsapp.notify.message import Message
from sportsapp.notify.targets import kind_of, open_target
from tests.integration.test_client import drip, raw_feed
from tests.loopback import serving
from tests.targets import KeepingServer, Sender

KEY = b"a key of just 24 letters"
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"
EVENTS = [
    {"id": 41, "kind": "score", "league": "nfl", "game": "401", "side": "home", "points": 7},
    {"id": 42, "kind": "score", "league": "nfl", "game": "401", "side": "home", "points": 1},
]
SCORE = Message("Chiefs 24, Jets 20", "Tor für Peñarol, 3:12 in the 4th", EVENTS)
TEST = Message("A test", "It works.")
SENDER = Sender(SCORE, r"127\.0|hook-4711|t0ken|whsec|://")
send, refusal = SENDER.send, SENDER.refusal


@pytest.fixture
def receiver():
    receiver = KeepingServer()
    with serving(receiver) as url:
        receiver.url = f"{url}/hook-4711?token=t0ken#{SECRET}"
        yield receiver


def test_message_is_signed_json(receiver):
    send(receiver.url.replace("://", "://me:pass@"))
    (request,) = receiver.requests
    assert (request.authorization.username, request.authorization.password) == ("me", "pass")
    assert request.full_path == "/hook-4711?token=t0ken"
    assert request.content_type == "application/json"
    identity, stamp = request.headers["webhook-id"], request.headers["webhook-timestamp"]
    assert abs(int(stamp) - time.time()) < 60
    signed = f"{identity}.{stamp}.".encode() + request.get_data()
    digest = base64.b64encode(hmac.digest(KEY, signed, "sha256")).decode()
    assert request.headers["webhook-signature"] == f"v1,{digest}"
    assert json.loads(request.get_data()) == {
        "version": 1, "id": identity, "subscription": "", "title": SCORE.title,
        "body": SCORE.body, "events": EVENTS,
    }  # fmt: skip


def test_repeat_has_the_same_id_and_others_have_others(receiver):
    more = Message(SCORE.title, SCORE.body, [*EVENTS, {"id": 43}])
    for message in (SCORE, SCORE, more, TEST, TEST):
        send(receiver.url, message)
    first, repeat, *others = [request.headers["webhook-id"] for request in receiver.requests]
    assert first == repeat
    assert len({first, *others}) == 4


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (500, "the webhook answered 500 Internal Server Error"),
        (404, "the webhook answered 404 Not Found"),
        (302, "the webhook answered 302 Found"),
        (599, "the webhook answered 599"),
    ],
)
def test_other_answers_are_errors(status, words, receiver):
    receiver.answer = Response("no", status, {"Location": receiver.url.replace("hook", "other")})
    assert refusal(receiver.url) == words
    assert len(receiver.requests) == 1


def test_every_success_is_taken(receiver):
    receiver.answer = Response(status=204)
    send(receiver.url)


def test_receiver_that_hangs_ends_at_the_deadline(monkeypatch):
    monkeypatch.setattr(webhook, "SECONDS", 0.2)
    with raw_feed(drip(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 400, 20)) as url:
        assert (
            refusal(f"{url}/hook-4711#{SECRET}") == "the webhook cannot be reached (DeadlineError)"
        )


def test_receiver_that_is_away():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    text = refusal(f"http://127.0.0.1:{port}/hook-4711#{SECRET}")
    assert text == "the webhook cannot be reached (ConnectionError)"


def test_private_address_is_refused_unless_it_is_allowed(receiver):
    text = refusal(receiver.url, allow_private=False)
    assert text == "its host has no public address, which only NOTIFY_PRIVATE=1 allows"
    assert receiver.requests == []


def test_refusal_of_a_public_receiver_is_its_own(receiver, monkeypatch):
    monkeypatch.setattr("sportsapp.core.public_addresses.is_public", lambda _: True)
    receiver.answer = Response("no", 410)
    assert refusal(receiver.url, allow_private=False) == "the webhook answered 410 Gone"


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
def test_key_as_the_page_has_it_made():
    made = subprocess.run(["openssl", "rand", "-base64", "32"], capture_output=True, check=True)
    open_target(f"https://host.test/#whsec_{made.stdout.decode().strip()}", allow_private=False)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://host.test/t0ken", "ends with the key that signs: #whsec_"),
        ("https://host.test/#t0ken", "ends with the key that signs"),
        ("https://host.test/#whsec_", "ends with the key that signs"),
        ("https://host.test/#whsec_t0kent0ken", "24 to 64 random bytes"),
        (f"https://host.test/t0ken{SECRET}", "ends with the key that signs"),
        (f"https:///t0ken#{SECRET}", "no host"),
        (f"https://host.test:0/t0ken#{SECRET}", "no port that can be reached"),
        (f"https://host.test:t0ken/#{SECRET}", "host or port is wrong"),
        (f"https://[t0ken/#{SECRET}", "host or port is wrong"),
        (f"https://host.test/t0 ken#{SECRET}", "a blank"),
        (f"https://host.test/t0ken\n#{SECRET}", "not printable"),
        ("t0ken", "has to begin with one of these and ://: "),
        ("file:///t0ken", "has to begin with one of these and ://: "),
        ("", "has to begin with one of these and ://: "),
    ],
)
def test_address_that_is_wrong_is_refused_without_naming_it(url, words):
    with pytest.raises(TargetError, match=words) as refused:
        open_target(url, allow_private=True)
    assert not re.search(r"t0|host\.test|file", str(refused.value))


def test_kind_shows_nothing_of_the_address():
    assert kind_of(f"HTTPS://user:t0ken@host.test/#{SECRET}") == "webhook"
