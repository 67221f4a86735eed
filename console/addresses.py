"""Where a request comes from, as limits and lists of sign-ins tell callers apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings


def address_of(environ: Mapping[str, Any]) -> str:
    """The address of a request's WSGI environ; behind a proxy, what the proxy next to us says."""
    forwarded = environ.get("HTTP_X_FORWARDED_FOR", "") if settings.BEHIND_HTTPS else ""
    return str(forwarded.rpartition(",")[2].strip() or environ.get("REMOTE_ADDR", ""))
