"""Which requests are the AWS wire's: all below /aws, and whatever is signed or sent as AWS's clients do to the root."""

from __future__ import annotations

from typing import Any

from console.shapes import SERVICES

PREFIX = "/aws"
SIGNED = "AWS4-"
PATHS = {
    SERVICES[service].operation_model(name).http["requestUri"].strip("/"): name
    for service in ("personalize-runtime", "personalize-events")
    for name in SERVICES[service].operation_names
}


def is_wire(environ: dict[str, Any]) -> bool:
    """Whether a request is for the wire; `environ` is WSGI's."""
    path = environ.get("PATH_INFO", "")
    if path.startswith(PREFIX) and path[len(PREFIX) : len(PREFIX) + 1] in {"", "/"}:
        return True
    if path.strip("/") and path.strip("/") not in PATHS:
        return False
    if environ.get("REQUEST_METHOD") == "OPTIONS":  # a browser asks before it sends a signed request
        return "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ
    return environ.get("HTTP_AUTHORIZATION", "").startswith(SIGNED) or "HTTP_X_AMZ_TARGET" in environ


def path_of(path: str) -> str:
    """What names the operation: the path without the prefix, which some write twice, and without slashes; "" where a header names it.

    >>> path_of("/aws/recommendations"), path_of("/recommendations"), path_of("/aws/"), path_of("/aws/aws/events")
    ('recommendations', 'recommendations', '', 'events')
    """
    while path == PREFIX or path.startswith(f"{PREFIX}/"):
        path = path[len(PREFIX) :]
    return path.strip("/")
