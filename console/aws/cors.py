"""Browsers' pages of other origins: which may call the wire, and what they may read of its answers.

A page signs with keys that it was given (as Cognito gives them at AWS), so no cookie plays a part, and any origin is as good as
any program; CORS_ORIGINS names those that are allowed where somebody wants fewer.
"""

from __future__ import annotations

import re

from django.conf import settings
from django.http import HttpRequest, HttpResponse

HEADERS = (
    "authorization, content-type, x-amz-date, x-amz-target, x-amz-security-token, x-amz-user-agent, x-amz-content-sha256, "
    "amz-sdk-invocation-id, amz-sdk-request"
)
READABLE = "x-amzn-requestid, x-amzn-errortype, retry-after, date"
PREFLIGHT_S = 86_400
OF_SDKS = re.compile(r"(x-amzn?-|amz-sdk-)[a-z0-9-]{1,60}")  # versions of SDKs send more of these than the list has


def is_preflight(request: HttpRequest) -> bool:
    """Whether a browser asks if it may send a request."""
    return request.method == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in request.META


def preflight(request: HttpRequest) -> HttpResponse:
    """The answer to such a question."""
    response = HttpResponse(status=204)
    if allow(request, response):
        response["Access-Control-Allow-Methods"] = "POST, OPTIONS"
        asked = request.META.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "").lower().replace(" ", "").split(",")
        more = [name for name in asked if OF_SDKS.fullmatch(name) and name not in HEADERS]
        response["Access-Control-Allow-Headers"] = ", ".join([HEADERS, *more])
        response["Access-Control-Max-Age"] = str(PREFLIGHT_S)
    return response


def allow(request: HttpRequest, response: HttpResponse) -> bool:
    """Let a page of the request's origin read the response, if that origin is allowed."""
    origin = request.META.get("HTTP_ORIGIN")
    if not origin:
        return False
    is_any = "*" in settings.CORS_ORIGINS
    if not is_any:
        response["Vary"] = "Origin"
    if not is_any and origin not in settings.CORS_ORIGINS:
        return False
    response["Access-Control-Allow-Origin"] = "*" if is_any else origin
    response["Access-Control-Expose-Headers"] = READABLE
    return True
