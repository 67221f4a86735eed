"""What is answered where a request failed: what is away for a moment is kept apart from what is broken or cannot be read."""

from __future__ import annotations

import sys

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.defaults import server_error

from console import malformed, transient
from console.errors import ServiceError
from console.web.glossary import explained
from console.web.languages import PROGRAMS


def failed(request: HttpRequest) -> HttpResponse:
    """Answer 503 with Retry-After where trying again will help, else 500; Django calls this with the error at hand."""
    error = sys.exc_info()[1]
    found = transient.unavailable(error) if error else None
    if found is None:
        return server_error(request)
    return _unavailable(request, found)


def refused(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400 and say why: a page to people, the shape of an error to programs."""
    error = malformed.refusal(exception) or malformed.unreadable_form()
    if request.path_info.startswith(PROGRAMS):
        return JsonResponse({"code": error.code, "message": str(error), "field": None}, status=error.status_code)
    return render(request, "400.html", {"message": explained(str(error))}, status=error.status_code)


def _unavailable(request: HttpRequest, error: ServiceError) -> HttpResponse:
    """The page of a transient fault."""
    page = render(request, "503.html", {"reason": explained(str(error))}, status=error.status_code)
    page["Retry-After"] = str(error.retry_after_s or 1)
    return page
