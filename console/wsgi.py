"""The WSGI application that granian serves."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")


class WireHandler(WSGIHandler):
    """Django without middleware, for the AWS wire: programs that sign each request have no session, no cookies, no forms."""

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: ARG002  Django's signature
        """Nothing stands before the view."""
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        self._middleware_chain = convert_exception_to_response(self._get_response)  # type: ignore[attr-defined]


_everything, _wire = get_wsgi_application(), WireHandler()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The wire by the short way, all else by the usual one."""
    path = environ.get("PATH_INFO", "")
    handler = _wire if path == "/aws" or path.startswith("/aws/") else _everything
    answer: Iterable[bytes] = handler(environ, start_response)
    return answer
