"""Within ``public_only`` nothing connects to an address that is not public, whoever connects."""

from __future__ import annotations

import smtplib
import socket
import threading
from contextlib import suppress
from contextvars import copy_context
from typing import Any

import paho.mqtt.client as paho
import pytest
import requests
from werkzeug.wrappers import Response

from sportsapp.core import public_addresses
from sportsapp.core.public_addresses import PrivateAddressError, public_only
from tests.loopback import serving


@pytest.fixture
def listener():
    """A socket of this host that somebody could connect to."""
    with socket.create_server(("127.0.0.2", 0)) as server:
        server.setblocking(False)
        yield server


def was_reached(listener: socket.socket) -> bool:
    with suppress(BlockingIOError):
        listener.accept()[0].close()
        return True
    return False


def by_socket(host: str, port: int) -> None:
    socket.create_connection((host, port), 1).close()


def by_connect_ex(host: str, port: int) -> None:
    with socket.socket() as connection:
        connection.connect_ex((host, port))


def by_requests(host: str, port: int) -> None:
    requests.get(f"http://{host}:{port}", timeout=0.1)


def by_smtplib(host: str, port: int) -> None:
    smtplib.SMTP(host, port, timeout=0.1).close()


def by_paho(host: str, port: int) -> None:
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.connect_timeout = 0.1
    client.connect(host, port)


def by_copied_context(host: str, port: int) -> None:
    thread = threading.Thread(target=copy_context().run, args=(swallow, by_socket, host, port))
    thread.start()
    thread.join()


def swallow(connect: Any, host: str, port: int) -> None:
    with suppress(OSError):
        connect(host, port)


WAYS = [by_socket, by_connect_ex, by_requests, by_smtplib, by_paho, by_copied_context]


@pytest.mark.parametrize("connect", WAYS, ids=lambda way: way.__name__)
def test_no_library_reaches_this_host(connect, listener):
    host, port = listener.getsockname()
    with public_only() as refused:
        swallow(connect, host, port)
    assert (was_reached(listener), refused) == (False, [str((host, port))])
    swallow(connect, host, port)
    assert was_reached(listener)


def test_name_is_judged_by_where_it_leads_when_it_is_connected_to(listener, monkeypatch):
    host, port = listener.getsockname()
    looked_up = socket.getaddrinfo

    def rebound(name, *args, **options):
        return looked_up(host if name == "public.test" else name, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", rebound)
    with public_only(), pytest.raises(requests.ConnectionError):
        by_requests("public.test", port)
    assert not was_reached(listener)


def test_name_that_the_socket_would_look_up_itself_is_refused(listener):
    with public_only(), socket.socket() as connection, pytest.raises(PrivateAddressError):
        connection.connect(("localhost", listener.getsockname()[1]))


def test_unix_socket_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a socket's path has to be short
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as connection:
        server.bind("here")
        server.listen()
        with public_only(), pytest.raises(PrivateAddressError):
            connection.connect("here")
        connection.connect("here")


def test_redirect_from_a_public_address_leads_nowhere_else(listener, monkeypatch):
    monkeypatch.setattr(public_addresses, "is_public", lambda address: address == "127.0.0.1")
    there = "http://{}:{}/".format(*listener.getsockname())
    redirect = Response("", 302, {"Location": there})
    with serving(redirect) as url, public_only(), pytest.raises(requests.ConnectionError):
        requests.post(url, timeout=1)
    assert not was_reached(listener)


def test_other_threads_and_what_comes_after_are_free(listener):
    host, port = listener.getsockname()
    with public_only():
        thread = threading.Thread(target=by_socket, args=(host, port))
        thread.start()
        thread.join()
    assert was_reached(listener)
