"""Addresses of this server, as people copy them and as browsers are led on: never those of a host that only a request names."""

from __future__ import annotations

import ipaddress
import socket

from django.conf import settings
from django.http import HttpRequest
from django.http.request import split_domain_port
from django.utils.http import url_has_allowed_host_and_scheme


def absolute(request: HttpRequest, path: str) -> str:
    """The address of `path` on this server.

    PUBLIC_URL says where it is. Else the Host header does, if ALLOWED_HOSTS was set, which holds it to those, or if it names this
    machine; a forged one would lead those who copy a line to somebody else's server.
    """
    if settings.PUBLIC_URL:
        return f"{settings.PUBLIC_URL.rstrip('/')}{path}"
    if "*" not in settings.ALLOWED_HOSTS or _is_here(request):
        return request.build_absolute_uri(path)
    return f"{request.scheme}://{request.META['SERVER_NAME']}:{request.META['SERVER_PORT']}{path}"


def next_page(request: HttpRequest, wanted: str) -> str:
    """Where somebody who has signed in goes: the path that was wanted, if it is one of this server; else the first page."""
    is_ours = wanted.startswith("/") and url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if is_ours else settings.LOGIN_REDIRECT_URL


def _is_here(request: HttpRequest) -> bool:
    host = split_domain_port(request.get_host())[0].strip("[]")
    if host in {"localhost", settings.HOST, request.META["SERVER_NAME"], socket.gethostname(), socket.getfqdn()}:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
