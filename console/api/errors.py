"""The one shape of an error: `{"code", "message", "field"}`, whatever raised it."""

from __future__ import annotations

import logging
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response

from console import malformed, transient
from console.errors import ServiceError

logger = logging.getLogger(__name__)

CODES: dict[type[Exception], str] = {
    exceptions.NotAuthenticated: "MissingAuthenticationToken",
    exceptions.AuthenticationFailed: "UnrecognizedClientException",
    exceptions.PermissionDenied: "AccessDeniedException",
    exceptions.NotFound: "ResourceNotFoundException",
    exceptions.MethodNotAllowed: "MethodNotAllowedException",
    exceptions.UnsupportedMediaType: "UnsupportedMediaTypeException",
    exceptions.ParseError: "SerializationException",
}


def exception_handler(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's hook: every error becomes a body of the one shape."""
    match error:
        case ServiceError():
            return refused(error)
        case Http404():
            return answer(404, "ResourceNotFoundException", "There is nothing under this path.")
        case PermissionDenied():
            return answer(403, "AccessDeniedException", str(error) or "This is not allowed.")
        case exceptions.APIException():
            found = answer(error.status_code, CODES.get(type(error), "InvalidInputException"), str(error.detail))
            if header := getattr(error, "auth_header", None):
                found["WWW-Authenticate"] = header
            return found
        case _:
            if malformed_request := malformed.refusal(error):
                return refused(malformed_request)
            if unavailable := transient.unavailable(error):
                transient.log(context["request"].path, error)
                return refused(unavailable)
            logger.error("%s crashed", context["request"].path, exc_info=error)
            return answer(500, "InternalFailure", "The server failed; its log says why.")


def refused(error: ServiceError) -> Response:
    """The response of an error that the caller gets."""
    found = answer(error.status_code, error.code, str(error), error.field)
    if error.retry_after_s is not None:
        found["Retry-After"] = str(error.retry_after_s)
    return found


def answer(status: int, code: str, message: str, field: str | None = None) -> Response:
    """An error's response."""
    return Response({"code": code, "message": message, "field": field}, status=status)
