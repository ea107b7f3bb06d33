"""`flask serve`: HTTP as it has to be, and what visitors leave unfinished."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sportsapp.core.settings import PROJECT_ROOT
from tests.acceptance.conftest import wait_for

pytestmark = pytest.mark.xdist_group("serve")  # they share a server

BIG = 200_000
# The server with an application that takes its answers from the address, and short limits.
PROGRAM = """
import os, sys, time
from sportsapp.commands import serve
from sportsapp.commands.shell import bind

serve.REQUEST_SECONDS, serve.ANSWER_SECONDS, serve.IDLE_SECONDS, serve.STOP_SECONDS = 1, 1, 4, 2
serve.CONNECTIONS = int(os.environ.get("CONNECTIONS", serve.CONNECTIONS))

SIZES = {"big": 200_000, "huge": 8_000_000}

def app(environ, start_response):
    status, _, seconds = environ["PATH_INFO"][1:].partition("/")
    time.sleep(float(seconds or 0))
    body = b"x" * SIZES[status] if status in SIZES else environ["wsgi.input"].read()
    body += environ.get("HTTP_X_FORWARDED_FOR", "").encode()
    start_response(f"{status if status.isdigit() else 200} AS ASKED", [] if status in ("204", "304")
        else [("Content-Length", str(len(body)))])
    return [] if status in ("204", "304") or environ["REQUEST_METHOD"] == "HEAD" else [body]

listener = bind(sys.argv[1], 0)
print(listener.getsockname()[1], flush=True)
serve.serve(app, listener, body_limit=1000)
"""


class Server:
    """The running server."""

    def __init__(self, log: Path, host: str = "127.0.0.1", **environ: str) -> None:
        self.host, self.log = host, log
        with log.open("ab") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, host], cwd=PROJECT_ROOT,
                env={**os.environ, **environ}, stdout=subprocess.PIPE, stderr=stderr, text=True,
            )  # fmt: skip
        self.port = int(self.process.stdout.readline())
        wait_for(self.listens, 10)

    def listens(self) -> bool:
        with suppress(ConnectionRefusedError), socket.create_connection((self.host, self.port)):
            return True
        return False

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.host, self.port, timeout=5)

    def send(self, data: str, receive_buffer: int = 0) -> socket.socket:
        """A connection on which this was sent."""
        connection = socket.socket()
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.settimeout(5)
        connection.connect((self.host, self.port))
        connection.sendall(data.encode())
        return connection

    def seconds_to_answer(self) -> float:
        began = time.monotonic()
        connection = self.connect()
        connection.request("GET", "/200")
        assert connection.getresponse().status == 200
        connection.close()
        return time.monotonic() - began

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


Start = Callable[..., Server]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started = []

    def start_one(*arguments: str, **environ: str) -> Server:
        started.append(Server(tmp_path / "stderr", *arguments, **environ))
        return started[-1]

    yield start_one
    for server in started:
        server.kill()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server of the tests that do not end it; it lives through all they send."""
    server = Server(tmp_path_factory.mktemp("shared") / "stderr")
    yield server
    try:
        assert server.stop() == 0
        assert server.log.read_text() == ""
    finally:
        server.kill()


@pytest.fixture
def server(start) -> Server:
    """A server of the test's own."""
    return start()


def read_all(connection: socket.socket) -> str:
    """All that comes until the server closes."""
    with connection:
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


def seconds_to_close(connection: socket.socket, send: bytes = b"") -> float:
    """After how long the server closes a connection, on which this is sent ten times a second."""
    began = time.monotonic()
    connection.settimeout(0.1)
    while time.monotonic() - began < 8:
        try:
            if send:
                connection.sendall(send)
            if not connection.recv(1):
                break
        except TimeoutError:
            continue
        except ConnectionError:
            break
    connection.close()
    return time.monotonic() - began


def test_one_connection_is_kept_whatever_the_answer(shared):
    connection = shared.connect()
    connection.connect()
    first = connection.sock
    for method, path, body in [
        ("GET", "/200", None), ("HEAD", "/big", None), ("GET", "/304", None), ("GET", "/204", None),
        ("POST", "/200", b"q=1"), ("GET", "/200", b"q=1"),
        ("DELETE", "/404", None),
    ]:  # fmt: skip
        connection.request(method, path, body=body)
        answer = connection.getresponse()
        assert answer.status == int(path[1:]) if path[1:].isdigit() else 200
        assert answer.read() == (b"q=1" if body else b""), (method, path)
        assert answer.headers.get("Content-Length") == (
            str(BIG)
            if path == "/big"
            else None
            if answer.status in (204, 304)
            else str(3 if body else 0)
        )
        assert connection.sock is first, (method, path)  # else it was closed
    connection.close()


def test_connection_is_closed_when_the_visitor_has_asked_for_it(shared):
    for path in ("/200", "/304"):
        for version, header in (("1.1", "Connection: close\r\n"), ("1.0", "")):
            said = read_all(shared.send(f"GET {path} HTTP/{version}\r\nHost: x\r\n{header}\r\n"))
            assert said.startswith(f"HTTP/{version} {path[1:]}")
            assert "Connection: close" in said


def test_body_is_asked_for(shared):
    head = "POST /200 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
    connection = shared.send(head)
    assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.sendall(b"q=1")
    connection.shutdown(socket.SHUT_WR)
    answer = read_all(connection)
    assert (answer[:12], answer[-3:]) == ("HTTP/1.1 200", "q=1")


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        (f"GET /200 HTTP/1.1\r\nCookie: {'x' * 40_000}"[:32_768], 431),
        (f"GET /200?{'x' * 40_000}"[:32_768], 431),
        ("POST /200 HTTP/1.1\r\nContent-Length: 1001\r\n\r\n", 413),
        ("POST /200 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", 501),
        (
            f"POST /200 HTTP/1.1\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n{'x' * 1000}",
            200,
        ),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 200),
        ("nonsense\r\n\r\n", 400),
        (f"POST /200 HTTP/1.1\r\nContent-Length: {'9' * 5000}\r\n\r\n", 400),
        ("POST /200 HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
        (
            "POST /200 HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n"
            "Connection: close\r\n\r\n2\r\nxy\r\n0\r\n\r\n",
            501,
        ),
        ("POST /200 HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
        ("GET http://[ HTTP/1.1\r\n\r\n", 400),
    ],
)
def test_what_is_too_large_or_no_request_is_refused(shared, request_text, status):
    said = read_all(shared.send(request_text))
    assert re.match(rf"HTTP/1\.[01] {status} ", said), said[:100]
    assert "Traceback" not in said
    assert shared.seconds_to_answer() < 5
    assert shared.log.read_text() == ""


def test_forwarded_headers_are_left_to_the_app(shared):
    connection = shared.connect()
    connection.request("GET", "/200", headers={"X-Forwarded-For": "192.0.2.1"})
    assert connection.getresponse().read() == b"192.0.2.1"
    connection.close()


def test_both_families_of_addresses_are_served(start):
    server = start("::")
    for host in ("::1", "127.0.0.1"):
        server.host = host
        server.seconds_to_answer()


# ---------------------------------------------------------------- what is left unfinished


@pytest.mark.slow
@pytest.mark.parametrize(
    ("begun", "more"),
    [
        ("", b""),
        ("GET /200 HTTP/1.1\r\n", b"x: y\r\n"),
        ("POST /200 HTTP/1.1\r\nContent-Length: 900\r\n\r\n", b"x"),
    ],
)
def test_request_that_does_not_become_whole_is_closed_however_it_drips(shared, begun, more):
    assert 0.9 < seconds_to_close(shared.send(begun), more) < 3.5


@pytest.mark.slow
def test_connection_that_waits_for_its_next_request_is_kept_longer(shared):
    connection = shared.send("GET /200 HTTP/1.1\r\n\r\n")
    connection.recv(1000)
    assert 3.9 < seconds_to_close(connection) < 6.5


@pytest.mark.slow
def test_answer_that_nobody_takes_is_dropped(server):
    descriptors = Path(f"/proc/{server.process.pid}/fd")
    before = len(list(descriptors.iterdir()))
    connections = [server.send("GET /huge HTTP/1.1\r\n\r\n", 2048) for _ in range(4)]
    time.sleep(0.3)
    assert len(list(descriptors.iterdir())) >= before + 4
    wait_for(lambda: len(list(descriptors.iterdir())) == before, 3)
    for connection in connections:
        connection.close()


@pytest.mark.slow
def test_requests_that_are_sent_ahead_are_not_answered(server):
    """Else a thread waits, when more answers are unread than are kept."""
    many = "GET /big HTTP/1.1\r\n\r\n" * 400
    connections = [server.send(many, 2048) for _ in range(8)]
    time.sleep(0.5)
    assert server.seconds_to_answer() < 0.5
    for connection in connections:
        connection.close()
    said = read_all(server.send("GET /200 HTTP/1.1\r\n\r\n" * 2))
    assert said.count("HTTP/1.1 200") == said.count("Connection: close") == 1


@pytest.mark.slow
def test_who_waits_longest_is_closed_when_there_are_too_many(start):
    server = start(CONNECTIONS="100")
    opened = [server.send("GET /200 HTTP/1.1\r\n") for _ in range(300)]
    assert server.seconds_to_answer() < 0.5
    for connection in opened:
        connection.close()


# ---------------------------------------------------------------- its end


@pytest.mark.slow
def test_requests_that_are_there_are_answered_before_it_ends(server):
    """Also those for which no thread is free yet, and answers that are read slowly."""
    request = "GET /big/0.3 HTTP/1.1\r\nHost: x\r\n\r\n"
    connections = [server.send(request, 2048) for _ in range(12)]
    half = server.send("GET /200 HTTP/1.1\r\n")
    time.sleep(0.2)
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    assert not server.listens()
    for connection in connections:
        assert len(read_all(connection)) > BIG
    assert half.recv(1) == b""
    half.close()
    assert server.process.wait(5) == 0


@pytest.mark.slow
def test_it_ends_in_time_when_a_request_does_not(server):
    connection = server.send("GET /200/30 HTTP/1.1\r\n\r\n")
    time.sleep(0.2)
    began = time.monotonic()
    assert server.stop() == 0
    assert 1.5 < time.monotonic() - began < 4
    connection.close()


def test_it_ends_at_once_when_nobody_is_there(server):
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < 2
    assert server.log.read_text() == ""
