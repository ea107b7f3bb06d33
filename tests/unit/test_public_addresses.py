"""Which addresses are the public internet's."""

from __future__ import annotations

import pytest

from sportsapp.core.public_addresses import is_public

PUBLIC = """1.1.1.1 8.8.8.8 100.63.255.255 100.128.0.1 172.32.0.1 223.255.255.255 2606:4700::1111
    2a00:1450::1 64:ff9b::808:808 ::ffff:8.8.8.8"""
LOCAL = """127.0.0.1 127.255.255.254 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254
    100.64.0.1 100.127.255.255 0.0.0.0 0.1.2.3 192.0.0.8 192.0.2.1 192.88.99.1 198.18.0.1
    198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255"""
LOCAL_6 = """:: ::1 ::127.0.0.1 fe80::1 fe80::1%eth0 fec0::1 fc00::1 fd12:3456::1 ff02::1 ff0e::1
    2001:db8::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2002:7f00:1:: 2002:808:808::1 3fff::1
    100::1 4000::1 5f00::1 64:ff9b:1::808:808"""
NO_ADDRESSES = "localhost example.com 127.1 0x7f000001 2130706433 017700000001 [::1] b'8.8.8.8'"


@pytest.mark.parametrize("address", PUBLIC.split())
def test_public_address(address):
    assert is_public(address)


@pytest.mark.parametrize("address", f"{LOCAL} {LOCAL_6}".split())
def test_address_that_is_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", LOCAL.split())
@pytest.mark.parametrize("form", ["::ffff:{}", "64:ff9b::{}", "::{}", "::ffff:0:{}"])
def test_ipv6_that_stands_for_an_address_that_is_not_public(form, address):
    assert not is_public(form.format(address))


@pytest.mark.parametrize("text", [*NO_ADDRESSES.split(), ""])
def test_what_is_no_address_is_not_public(text):
    assert not is_public(text)
