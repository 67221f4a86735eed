"""Where a request comes from, as limits and lists of sign-ins tell callers apart."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

from django.conf import settings

NETWORK_BITS = 64  # of IPv6: what one line or machine is given, in which it takes any address it likes (RFC 6177)


def address_of(environ: Mapping[str, Any]) -> str:
    """The address of a request's WSGI environ without a port; behind a proxy, what the proxy next to us says."""
    return str(_address(environ))


def network_of(environ: Mapping[str, Any]) -> str:
    """Whom a limit counts a request for: its IPv4 address, or the network of its IPv6 address."""
    address = _address(environ)
    return str(IPv6Network((int(address), NETWORK_BITS), strict=False) if isinstance(address, IPv6Address) else address)


def _address(environ: Mapping[str, Any]) -> IPv4Address | IPv6Address | str:
    """The address; as it was written where it is none, such as `unknown`."""
    forwarded = environ.get("HTTP_X_FORWARDED_FOR", "") if settings.BEHIND_HTTPS else ""
    written = str(forwarded.rpartition(",")[2].strip() or environ.get("REMOTE_ADDR", "")).strip('"')
    try:
        address = ip_address(_without_port(written))
    except ValueError:
        return written
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


def _without_port(written: str) -> str:
    """What stands in brackets, or before the only colon."""
    if written.startswith("["):
        return written[1:].partition("]")[0]
    return written.partition(":")[0] if written.count(":") == 1 else written
