"""From the server's scope to WSGI's environ, and from Django's answer back to the server."""

from __future__ import annotations

import json
import logging
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import IO, Any

from granian.rsgi import ProtocolClosed

from console import logs, telemetry, tracing
from console.aws.doors import is_wire

logger = logging.getLogger(__name__)

Headers = list[tuple[str, str]]
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
JSON: Headers = [("content-type", "application/json"), ("cache-control", "no-store")]
BEGAN = "openpersonalize.began"
BATCH_BYTES = 256 * 1024
SAME_FOR_ALL = {
    "SCRIPT_NAME": "",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "SERVER_SOFTWARE": "granian",
    "wsgi.errors": sys.stderr,
    "wsgi.input_terminated": True,
    "wsgi.multiprocess": True,
    "wsgi.multithread": True,
    "wsgi.run_once": False,
    "wsgi.version": (1, 0),
}
UNPREFIXED = {"content-type": "CONTENT_TYPE"}
TAKEN_OUT = {"content-length", "transfer-encoding"}  # the body was gathered: its size says all


def environ_of(scope: Any, headers: Headers, body: IO[bytes], size: int) -> dict[str, Any]:
    """WSGI's environ of a request (PEP 3333: text is bytes decoded as Latin-1).

    A header with an underscore is left out: it would pass for the one with a hyphen.
    """
    host, _, port = scope.server.rpartition(":")
    environ = SAME_FOR_ALL | {
        "REQUEST_METHOD": scope.method,
        "PATH_INFO": scope.path.encode(errors="surrogateescape").decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": body,
        "CONTENT_LENGTH": str(size),
        BEGAN: time.perf_counter(),
    }
    for name, value in headers:
        if name in TAKEN_OUT or "_" in name:
            continue
        key = UNPREFIXED.get(name) or f"HTTP_{name.upper().replace('-', '_')}"
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    return environ


class Stream:
    """A long answer: its first part is there, the rest is asked for part by part in a thread."""

    def __init__(self, status: int, headers: Headers, result: Iterable[bytes]) -> None:
        """Begin to read `result`."""
        self.status, self.headers = status, headers
        self._result = result
        self._parts: Iterator[bytes] = iter(result)
        self.part, self.is_last = b"", False
        self.advance()

    def advance(self) -> None:
        """Read the next part; a file is read in pieces too small to be sent one by one."""
        found, size = [], 0
        for piece in self._parts:
            found.append(piece)
            size += len(piece)
            if size >= BATCH_BYTES:
                break
        else:
            self.is_last = True
        self.part = b"".join(found)

    def close(self) -> None:
        """Let go of what the answer was read from."""
        _close(self._result)


def run(application: Application, environ: dict[str, Any], protocol: Any) -> Stream | None:
    """Answer a request in this thread; what is left of a long answer is returned."""
    started: list[Any] = []
    telemetry.operation.set("")
    logs.request_id.set(str(uuid.uuid4()))
    logs.account_number.set("")
    with tracing.request(environ):
        result = application(environ, lambda status, headers, *_: started.extend((status, headers)))
        status, headers = int(started[0][:3]), started[1]
        _trace(environ, status)
    logs.request_id.set("")
    seconds = time.perf_counter() - environ[BEGAN]
    telemetry.answered(interface_of(environ), telemetry.operation.get(), status, seconds)
    if getattr(result, "streaming", not isinstance(result, list)):
        stream = Stream(status, headers, result)
        if not stream.is_last:
            return stream
        body = stream.part
    else:
        body = b"".join(result)
    _close(result)
    with suppress(ProtocolClosed):  # the client did not wait
        protocol.response_bytes(status, headers, body)
    return None


def _trace(environ: dict[str, Any], status: int) -> None:
    """Put on the request's span, if there is one, what it was and whose."""
    if not tracing.is_on():
        return
    interface, operation = interface_of(environ), telemetry.operation.get()
    attributes = {
        "http.request.method": environ["REQUEST_METHOD"],
        "http.response.status_code": status,
        "url.path": environ["PATH_INFO"] if interface in {"api", "aws"} else interface,  # others hold keys and links
        "openpersonalize.interface": interface,
        "openpersonalize.operation": operation,
    }
    error = f"status {status}" if status >= 500 else ""
    tracing.note(attributes, name=f"{interface} {operation or environ['REQUEST_METHOD']}", error=error)


def _close(result: Iterable[bytes]) -> None:
    if close := getattr(result, "close", None):
        close()


def interface_of(environ: dict[str, Any]) -> str:
    """Which part of the site a request is for.

    >>> [interface_of({"PATH_INFO": path}) for path in ("/aws/", "/api/v1/recipes/", "/ingest/k/events", "/static/a.css", "/")]
    ['aws', 'api', 'ingest', 'static', 'pages']
    """
    if is_wire(environ):
        return "aws"
    first = environ.get("PATH_INFO", "").lstrip("/").partition("/")[0]
    return first if first in {"api", "ingest", "static"} else "pages"


def refuse(protocol: Any, path: str, status: int, code: str, message: str, headers: Headers | None = None) -> None:
    """Answer in the shape of errors of that part of the site, without Django."""
    telemetry.answered(interface_of({"PATH_INFO": path}), "", status)
    own = [*JSON, *(headers or []), ("x-content-type-options", "nosniff")]
    if path.startswith("/api/"):
        text = json.dumps({"code": code, "message": message, "field": None})
    elif path.startswith("/aws"):
        own += [("x-amzn-errortype", code), ("x-amzn-requestid", str(uuid.uuid4()))]
        text = json.dumps({"__type": code, "message": message})
    else:
        own[0] = ("content-type", "text/plain; charset=utf-8")
        text = message
    with suppress(ProtocolClosed):
        protocol.response_str(status, own, text)
