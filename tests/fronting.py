"""Requests as the front passes them to Django, without a server."""

from __future__ import annotations

from io import BytesIO

from console.front import replies
from console.wsgi import application


class Protocol:
    """A client that takes what it gets."""

    def response_bytes(self, status, headers, body):
        self.status = status

    response_str = response_bytes


def send(path: str, body: bytes = b"", **more: str) -> int:
    """A request as the front passes it to Django."""
    environ = replies.SAME_FOR_ALL | {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": "", "SERVER_NAME": "x", "SERVER_PORT": "80",
        "wsgi.url_scheme": "http", "wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body)),
        replies.BEGAN: 0.0, **more,
    }  # fmt: skip
    protocol = Protocol()
    replies.run(application, environ, protocol)
    return protocol.status
