"""Whom limits count a request for, however the address is written."""

from __future__ import annotations

import pytest

from console.addresses import address_of, network_of

SAME = [
    ("203.0.113.5", "203.0.113.5:4711", "[203.0.113.5]:80", '"203.0.113.5:1"', "::ffff:203.0.113.5", "[::ffff:cb00:7105]:9"),
    ("2001:db8:1:2::1", "[2001:db8:1:2::ffff]", "[2001:db8:1:2:a:b:c:d]:443", "2001:0DB8:0001:0002:0:0:0:9"),
    ("fe80::1", "fe80::2%eth0"),
    ("unknown",),
    ("2001:db8:1:3::1",),
    ("203.0.113.6",),
]  # fmt: skip


@pytest.mark.parametrize("header", ["REMOTE_ADDR", "HTTP_X_FORWARDED_FOR"])
def test_visitors_are_told_apart_by_address_or_network(header, settings):
    settings.BEHIND_HTTPS = True
    found = [{network_of({header: written}) for written in spellings} for spellings in SAME]
    assert [len(visitors) for visitors in found] == [1] * len(SAME)
    assert len(set.union(*found)) == len(SAME)


def test_the_last_address_is_the_proxys_word(settings):
    settings.BEHIND_HTTPS = True
    environ = {"HTTP_X_FORWARDED_FOR": "192.0.2.1, [2001:db8::7]:443", "REMOTE_ADDR": "10.0.0.1"}
    assert (address_of(environ), network_of(environ)) == ("2001:db8::7", "2001:db8::/64")
    settings.BEHIND_HTTPS = False
    assert address_of(environ) == network_of(environ) == "10.0.0.1"
