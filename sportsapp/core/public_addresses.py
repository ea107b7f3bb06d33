"""Connections to public addresses alone, for addresses that people enter.

Whoever may name a target must not reach what only this host can: its own services, a router, a
cloud's metadata. A name can be looked up once for a check and lead elsewhere the next time, so the
address is looked at where the connection is made. All libraries connect through Python's sockets,
which report it to the interpreter's audit hooks: one rule for requests, smtplib and paho-mqtt.
"""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

TRANSLATED = ip_network("64:ff9b::/96")  # NAT64: the IPv4 address is in the last 32 bits
UNICAST = ip_network("2000::/3")
# What Python's is_global calls global, and is not another host's own address: protocols, the old
# tunnels 6to4 and Teredo, which carry an IPv4 address, and documentation.
NO_HOSTS = [
    ip_network(text)
    for text in ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2002::/16", "3fff::/20")
]

_refused: ContextVar[list[str] | None] = ContextVar("refused", default=None)


class PrivateAddressError(OSError):
    """The connection would lead to an address that is not public; the message does not name it."""


@contextmanager
def public_only() -> Iterator[list[str]]:
    """Within it, this thread and copies of its context connect to public addresses alone.

    Other connections fail with PrivateAddressError, which a library may hide behind an error of its
    own. Yields the addresses that were refused so far. A proxy of the environment is such an
    address too.
    """
    _watch_connections()
    refused: list[str] = []
    token = _refused.set(refused)
    try:
        yield refused
    finally:
        _refused.reset(token)


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet, which a packet can be sent to.

    Not loopback, private, shared, link-local, multicast, reserved or unspecified, nor IPv6 that
    stands for such an IPv4 address. False for a host name.
    """
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address):
        if ip in TRANSLATED:
            ip = IPv4Address(int(ip) & 0xFFFF_FFFF)
        elif ip not in UNICAST:
            ip = ip.ipv4_mapped or ip
    is_unicast = isinstance(ip, IPv4Address) or ip in UNICAST
    in_use = is_unicast and not ip.is_multicast and not any(ip in net for net in NO_HOSTS)
    return in_use and ip.is_global


@cache
def _watch_connections() -> None:
    """Install the hook, once in a process: there is no way to take one off."""
    sys.addaudithook(_check_connection)


def _check_connection(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "socket.connect" or (refused := _refused.get()) is None:
        return
    connection, address = arguments
    if connection.family in (socket.AF_INET, socket.AF_INET6) and is_public(str(address[0])):
        return
    refused.append(str(address))
    raise PrivateAddressError("the address is not a public one")
