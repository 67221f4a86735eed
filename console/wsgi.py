"""The WSGI application; console.front serves it, and any other WSGI server can."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")

_everything = get_wsgi_application()  # makes the apps ready, before what needs them is imported

from console.aws.doors import is_wire, path_of  # noqa: E402
from console.aws.views import serve  # noqa: E402


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The wire by a short way, all else by the usual one.

    Programs that sign each request have no session, no cookies and no forms, so nothing of Django stands before the wire's view.
    """
    if not is_wire(environ):
        answer: Iterable[bytes] = _everything(environ, start_response)
        return answer
    close_old_connections()  # what Django's handler does for the others
    request = WSGIRequest(environ)
    response = serve(request, path_of(request.path_info))
    start_response(f"{response.status_code} {response.reason_phrase}", list(response.items()))
    return [response.content]  # not closed: what Django does at a request's end, the next one's beginning does here
