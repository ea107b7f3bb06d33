"""A real mosquitto takes what is published, and no error names the broker's address."""

from __future__ import annotations

import gc
import json
import os
import queue
import shutil
import socket
import subprocess
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from sportsapp.core import public_addresses
from sportsapp.notify import mqtt
from sportsapp.notify.message import Message
from sportsapp.notify.targets import kind_of
from tests.acceptance.conftest import wait_for
from tests.integration.test_client import raw_feed
from tests.targets import Sender
from tests.unit.test_notify_mqtt import event

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
TEST = Message("A test", "It works.")
SCORE = Message("Chiefs 24, Jets 20", "Touchdown", [event()])
SENDER = Sender(SCORE, r"127\.0|localhost|t0ken|games|://")
send, refusal = SENDER.send, SENDER.refusal


@contextmanager
def mosquitto(folder: Path, *lines: str, users: str = "", rights: str = "") -> Iterator[int]:
    """A broker on a free port of 127.0.0.1 and .2; ``users`` are lines of ``name:password``."""
    if not MOSQUITTO:
        pytest.skip("mosquitto is not installed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    names = {"passwords": users, "rights": rights}
    for name, text in names.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)
    if users:
        subprocess.run(["mosquitto_passwd", "-U", folder / "passwords"], check=True)
    options = [f"listener {port} 127.0.0.2", f"listener {port} 127.0.0.1"]
    options += [f"allow_anonymous {'false' if users else 'true'}"]
    options += [f"password_file {folder / 'passwords'}"] if users else []
    options += [f"acl_file {folder / 'rights'}"] if rights else []
    options += ["user root"] if os.getuid() == 0 else []
    (folder / "mosquitto.conf").write_text("\n".join([*options, *lines, ""]))
    broker = subprocess.Popen(
        [MOSQUITTO, "-c", folder / "mosquitto.conf"], stderr=subprocess.DEVNULL
    )
    try:
        wait_for(lambda: listens(port))
        yield port
    finally:
        broker.terminate()
        broker.wait(10)


def listens(port: int) -> bool:
    """Whether connections are accepted there."""
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def subscribed(port: int, topic: str = "#") -> Iterator[Callable[..., tuple[str, dict, bool]]]:
    """Somebody who has subscribed to all topics; the next message that arrives there."""
    arrived: queue.Queue = queue.Queue()
    ready = threading.Event()
    client = Client(CallbackAPIVersion.VERSION2)
    client.on_message = lambda _client, _data, message: arrived.put(message)
    client.on_subscribe = lambda *_: ready.set()
    client.connect("127.0.0.1", port)
    client.loop_start()
    client.subscribe(topic, qos=1)
    assert ready.wait(10)

    def next_message(seconds: float = 10) -> tuple[str, dict, bool]:
        message = arrived.get(timeout=seconds)
        return message.topic, json.loads(message.payload), bool(message.retain)

    try:
        yield next_message
    finally:
        client.disconnect()
        client.loop_stop()


def test_messages_arrive_and_states_are_kept(tmp_path, monkeypatch):
    with mosquitto(tmp_path) as port:
        with subscribed(port) as next_message:
            send(f"mqtt://127.0.0.1:{port}/games", TEST)
            assert next_message() == ("games/test", {"title": "A test", "body": "It works."}, False)
            # also where connections are checked, as if this were a public address
            monkeypatch.setattr(public_addresses, "is_public", "127.0.0.2".__eq__)
            send(f"mqtt://127.0.0.2:{port}/games", allow_private=False)
            messages = [next_message() for _ in range(5)]
        wanted = mqtt.publications("games", SCORE)
        assert messages == [(each.topic, each.value, False) for each in wanted]
        with subscribed(port) as next_message:
            kept = sorted((next_message() for _ in range(4)), key=lambda message: message[0])
        assert kept == sorted(
            ((each.topic, each.value, True) for each in wanted if each.retain),
            key=lambda message: message[0],
        )
        many = Message("a", "b", [event(id=n, game=str(n)) for n in range(300)])
        send(f"mqtt://127.0.0.1:{port}/games", many)


def test_broker_that_refuses(tmp_path):
    rights = "user me\ntopic write games/#\nuser other\ntopic write elsewhere/#\n"
    users = "me:t0ken\nother:t0ken\n"
    with mosquitto(tmp_path, users=users, rights=rights) as port:
        send(f"mqtt://me:t0ken@127.0.0.1:{port}/games")  # without rights to tell Home Assistant
        text = refusal(f"mqtt://other:t0ken@127.0.0.1:{port}/games")
        assert text == "the MQTT broker refused a message: Not authorized"
        for account in ("", "me:t0ken-wrong@"):
            text = refusal(f"mqtt://{account}127.0.0.1:{port}/games")
            assert text == "the MQTT broker refused the connection: Not authorized"


def test_broker_with_tls_has_to_have_a_certificate_of_its_name(tmp_path, monkeypatch):
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    certificate.private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    lines = [f"{name} {tmp_path / 'server.pem'}" for name in ("certfile", "keyfile")]
    with mosquitto(tmp_path, *lines) as port:
        text = "the MQTT broker cannot be reached (SSLCertVerificationError)"
        assert refusal(f"mqtts://localhost:{port}/games") == text
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
        send(f"mqtts://localhost:{port}/games")
        assert refusal(f"mqtts://127.0.0.1:{port}/games") == text
        assert refusal(f"mqtt://127.0.0.1:{port}/games") == "the MQTT broker ended the connection"
    with warnings.catch_warnings():  # paho-mqtt leaves it to the collector to close such sockets
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def test_private_broker_is_refused_unless_it_is_allowed(tmp_path):
    with mosquitto(tmp_path) as port:
        text = refusal(f"mqtt://127.0.0.1:{port}/games", allow_private=False)
    assert text.startswith("its host has no public address")


def test_broker_that_hangs_ends_at_the_deadline(monkeypatch):
    monkeypatch.setattr(mqtt, "SECONDS", 0.3)
    hung = threading.Event()
    with raw_feed(lambda _: hung.wait(20) and None) as url:
        text = refusal(f"mqtt://{url.removeprefix('http://')}/games")
        hung.set()
    assert text == "the MQTT broker did not answer within 0.3 s"


ANSWERS = [
    b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", b"\x20", b"\x20\x02\x00\x01", b"\x20\x02\x00\x00",
    b"\x20\x03\x00\x00\x09", b"\x20\x06\x00\x00\x03\x7f\x00\x00", b"\x20\x03\x00\xff\x00",
    b"\x20\xff\xff\xff\xff\xff", b"\x20\x03\x00\x00\x00\x40\x02\x00\x01", b"\x30\x02\x00\x09",
    b"\x20\x03\x00\x00\x00\x40\x04\x00\x01\xfe\x00", b"\x00" * 50, b"\xff" * 50,
    b"\x20\x03\x00\x00\x00\xe0\x02\x87\x00", b"\x20\x03\x00\x00\x00\x31\x05\x00\x01\xff\x00a",
]  # fmt: skip


@pytest.mark.parametrize("answer", ANSWERS, ids=[answer[:12].hex() for answer in ANSWERS])
def test_broker_that_speaks_something_else(answer, monkeypatch):
    monkeypatch.setattr(mqtt, "SECONDS", 1)
    with raw_feed(lambda connection: connection.sendall(answer)) as url:
        assert refusal(f"mqtt://{url.removeprefix('http://')}/games").startswith("the MQTT broker")


def test_broker_that_is_away():
    assert refusal("mqtt://127.0.0.1:1/games").endswith(
        "cannot be reached (ConnectionRefusedError)"
    )


def test_kind_shows_nothing_of_the_address():
    assert kind_of("MQTTS://me:t0ken@host.test") == "mqtt"
