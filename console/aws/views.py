"""The AWS wire: JSON 1.1 by X-Amz-Target (personalize, and ours), REST-JSON by path (runtime, events)."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from console import arns, limits, logs, malformed, notices, transient
from console.aws import cors, deletions, sts
from console.aws.doors import PATHS
from console.aws.sigv4 import Caller, authenticate
from console.errors import InvalidSignatureException, SerializationException, ServiceError, UnknownOperationException
from console.json_values import read_object
from console.operations.auditing import acting_as
from console.operations.base import OPERATIONS, call_by_wire_names, is_read
from console.shapes import OURS, SERVICE_OF, SERVICES, JSONDict

logger = logging.getLogger(__name__)

TARGETS = {
    f"{SERVICES[service].metadata['targetPrefix']}.{name}": name
    for service in ("personalize", OURS)
    for name in SERVICES[service].operation_names
}
MAX_BODY_BYTES = 5 * 2**20
SERVICE = "personalize"
FORM = "application/x-www-form-urlencoded"  # how STS is asked
MODELLED_ELSEWHERE = {404: 400, 409: 400, 429: 400}  # JSON 1.1 sends what its model names as 400


@csrf_exempt
def serve(request: HttpRequest, path: str = "") -> HttpResponse:
    """Answer one call of a client made for AWS."""
    if cors.is_preflight(request):
        return cors.preflight(request)
    is_form = request.META.get("CONTENT_TYPE", "").startswith(FORM)
    is_sts = not path and is_form and "HTTP_X_AMZ_TARGET" not in request.META
    response = _of_sts(request) if is_sts else _of_personalize(request, path)
    cors.allow(request, response)
    return response


def _of_personalize(request: HttpRequest, path: str) -> HttpResponse:
    is_rest = bool(path)
    content_type = "application/json" if is_rest else "application/x-amz-json-1.1"
    region = arns.REGION
    try:
        name = _operation(request, path)
        _check_size(request)
        caller = authenticate(request)
        region = caller.region
        with notices.collected() as warnings:
            result = _call(request, name, caller)
        empty = SERVICE_OF[name] == "personalize-events"
        body = b"" if empty else arns.sent_to(region, _encode(result))
        return _answer(200, body, content_type, {notices.HEADER: notices.header(warnings)} if warnings else {})
    except ServiceError as error:
        return _refused(error, is_rest, content_type, region)
    except Exception as error:
        if refused := malformed.refusal(error):
            return _refused(refused, is_rest, content_type, region)
        if found := transient.unavailable(error):
            transient.log(request.path, error)
            return _refused(found, is_rest, content_type, region)
        logger.exception("%s %s crashed", request.headers.get("X-Amz-Target", ""), request.path)
        return _error(500, "InternalFailure", "The server failed; its log says why.", content_type)


def _refused(error: ServiceError, is_rest: bool, content_type: str, region: str) -> HttpResponse:
    message = arns.sent_to(region, str(error).encode()).decode()
    answer = _error(_status(error, is_rest), error.code, message, content_type)
    if error.retry_after_s is not None:
        answer["Retry-After"] = str(error.retry_after_s)
    return answer


def _of_sts(request: HttpRequest) -> HttpResponse:
    try:
        _check_size(request)
        with transient.translated(request.path):
            caller = authenticate(request)
        return _answer(200, sts.answer(caller, request.body), sts.CONTENT_TYPE)
    except ServiceError as error:
        return _answer(_status(error, is_rest=False), sts.error(error.code, str(error)), sts.CONTENT_TYPE)


def _status(error: ServiceError, is_rest: bool) -> int:
    if is_rest:
        return 404 if isinstance(error, UnknownOperationException) else error.status_code
    return MODELLED_ELSEWHERE.get(error.status_code, error.status_code)


def _operation(request: HttpRequest, path: str) -> str:
    if request.method != "POST":
        raise UnknownOperationException(f"The method is {request.method}, allowed is POST.")
    asked = request.META.get("HTTP_X_AMZ_TARGET", "")
    name: str | None = PATHS.get(path) if path else TARGETS.get(asked)
    if name is None or name not in OPERATIONS:
        raise UnknownOperationException(f"There is no operation {path or asked or '(no X-Amz-Target header)'}.")
    return name


def _check_size(request: HttpRequest) -> None:
    try:
        too_big = int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BODY_BYTES or len(request.body) > MAX_BODY_BYTES
    except (RequestDataTooBig, ValueError):
        too_big = True
    if too_big:
        raise SerializationException(f"The body is larger than {MAX_BODY_BYTES} bytes, which is what is allowed.")


def _call(request: HttpRequest, name: str, caller: Caller) -> JSONDict:
    if caller.service != SERVICE:
        raise InvalidSignatureException(f"The request is signed for {caller.service}, allowed is {SERVICE}.")
    limits.admit(caller.account)
    if not is_read(name):
        acting_as(caller.key_id, "aws")
    members = read_object(request.body)
    return deletions.call(call_by_wire_names, name, caller.account, members)


def _number(value: Any) -> float | str:
    """Times travel as epoch seconds in both protocols."""
    return value.timestamp() if isinstance(value, datetime) else str(value)


_JSON = json.JSONEncoder(default=_number, separators=(",", ":"))


def _encode(result: JSONDict) -> bytes:
    return _JSON.encode(result).encode()


def _error(status: int, code: str, message: str, content_type: str) -> HttpResponse:
    answer = _answer(status, json.dumps({"__type": code, "message": message}).encode(), content_type)
    answer["x-amzn-errortype"] = code
    return answer


def _answer(status: int, body: bytes, content_type: str, more: Mapping[str, str] | None = None) -> HttpResponse:
    headers = {
        **(more or {}),
        "x-amzn-requestid": logs.request_id.get() or str(uuid.uuid4()),  # as the log has it
        "Content-Length": str(len(body)),  # what middleware adds elsewhere
        "X-Content-Type-Options": "nosniff",
    }
    return HttpResponse(body, status=status, content_type=content_type, headers=headers)
