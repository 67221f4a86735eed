"""The origin and the host that passkeys are made for, and why a browser could make none at the address it has open."""

from __future__ import annotations

import ipaddress
from typing import NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.http.request import split_domain_port
from django.utils.translation import gettext

from console.web.links import absolute

PORTS = {"http": 80, "https": 443}


class Site(NamedTuple):
    """Where the server is, as browsers write it: the origin with scheme and port, and the host, which passkeys are made for."""

    origin: str
    rp_id: str


class Trouble(NamedTuple):
    """Why there can be no passkeys at an address, and the address at which there can, if one is known."""

    text: str
    link: str = ""


def site_of(request: HttpRequest) -> Site:
    """Where the server is; a host that only a forged header names is never it."""
    parts = urlsplit(absolute(request, "/"))
    host = _ascii(parts.hostname or "")
    port = "" if parts.port in {None, PORTS.get(parts.scheme)} else f":{parts.port}"
    return Site(f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}", host)


def trouble(request: HttpRequest, page: str) -> Trouble | None:
    """What keeps browsers from passkeys at the address of a request; None if nothing does. `page` is where a link leads."""
    if settings.OIDC_ONLY:
        return Trouble(gettext("Passkeys open nothing here; sign in with {name}.").format(name=settings.OIDC_NAME))
    site = site_of(request)
    address = _address(site.rp_id)
    if address is not None and address.is_loopback:
        elsewhere = _at_localhost(site.origin)
        text = gettext("Passkeys need a name in place of an IP address: open this page at {address}.")
        return Trouble(text.format(address=elsewhere), f"{elsewhere}{page}")
    if _host_of(request) != site.rp_id:
        if settings.PUBLIC_URL:
            text = gettext("Passkeys are made for {address}: open this page there.")
            return Trouble(text.format(address=site.origin), f"{site.origin}{page}")
        return Trouble(gettext("Passkeys need a server that knows its name: set PUBLIC_URL, or ALLOWED_HOSTS."))
    if address is not None:
        return Trouble(gettext("Passkeys need a name in place of an IP address: reach the server by its host name."))
    if not site.origin.startswith("https:") and not f".{site.rp_id}".endswith(".localhost"):
        return Trouble(gettext("Passkeys need a connection by HTTPS; put a proxy in front that brings it."))
    return None


def required(request: HttpRequest) -> Site:
    """Where the server is, for passkeys.

    Raises:
        ValidationError: browsers make none there.
    """
    found = trouble(request, "/")
    if found is not None:
        raise ValidationError(found.text)
    return site_of(request)


def _host_of(request: HttpRequest) -> str:
    return split_domain_port(request.get_host())[0].strip("[]").lower()


def _at_localhost(origin: str) -> str:
    parts = urlsplit(origin)
    return f"{parts.scheme}://localhost{f':{parts.port}' if parts.port else ''}"


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _ascii(host: str) -> str:
    """A host as browsers send it: `bücher.example` is `xn--bcher-kva.example`."""
    return host if host.isascii() else host.encode("idna").decode()
