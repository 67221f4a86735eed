"""The page that is shown where a request failed: what is away for a moment is kept apart from what is broken."""

from __future__ import annotations

import sys

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.defaults import server_error

from console import transient
from console.errors import ServiceError
from console.web.glossary import explained


def failed(request: HttpRequest) -> HttpResponse:
    """Answer 503 with Retry-After where trying again will help, else 500; Django calls this with the error at hand."""
    error = sys.exc_info()[1]
    found = transient.unavailable(error) if error else None
    if found is None:
        return server_error(request)
    return _unavailable(request, found)


def _unavailable(request: HttpRequest, error: ServiceError) -> HttpResponse:
    """The page of a transient fault."""
    page = render(request, "503.html", {"reason": explained(str(error))}, status=error.status_code)
    page["Retry-After"] = str(error.retry_after_s or 1)
    return page
