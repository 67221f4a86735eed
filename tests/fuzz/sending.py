"""Two ways to a server: within this process, where each request is undone, and over a socket."""

from __future__ import annotations

import http.client
import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol
from unittest.mock import patch
from urllib.parse import unquote_to_bytes, urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.test import Client

from console import wsgi
from tests.fuzz.judging import SLOW_S, Answer, Sent

TOKEN = "x" * 32  # a CSRF token that the browser both stores and sends


@contextmanager
def keeping_connection() -> Iterator[None]:
    """Requests leave the database connection open, as with Django's own test client: it holds the test's transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        with patch.object(wsgi, "close_old_connections"):
            yield
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)


class Transport(Protocol):
    """What carries requests."""

    host: str
    keeps: bool
    """Whether what a request changed stays so."""

    def send(self, sent: Sent) -> Answer:
        """Send a request and wait for its answer."""


class InProcess:
    """The WSGI application as the server calls it, without a socket; what a request changes in the database is undone."""

    host = "testserver"
    keeps = False

    def __init__(self) -> None:
        self._cookie = ""
        self._in_story = False

    @contextmanager
    def one_story(self) -> Iterator[None]:
        """Requests in the block see what those before them did; at its end all is undone."""
        with transaction.atomic():
            self._in_story = True
            try:
                yield
            finally:
                self._in_story = False
                transaction.set_rollback(True)

    def sign_in(self, username: str) -> None:
        """Be this person in the browser from now on."""
        browser = Client()
        browser.force_login(User.objects.get(username=username))
        self._cookie = f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}"

    def send(self, sent: Sent) -> Answer:
        """Send a request and undo it."""
        status: list[str] = []
        headers: dict[str, str] = {}

        def start_response(line: str, given: list[tuple[str, str]], *_: object) -> None:
            status.append(line)
            headers.update(given)

        start = time.process_time()  # not the clock's: on a busy machine nothing would seem quick
        with keeping_connection(), transaction.atomic():
            answer = wsgi.application(self._environ(sent), start_response)
            body = b"".join(answer)
            if hasattr(answer, "close"):
                answer.close()
            transaction.set_rollback(not self._in_story)
        return Answer(int(status[0][:3]), headers, body, time.process_time() - start)

    def _environ(self, sent: Sent) -> dict[str, Any]:
        path, _, query = sent.path.partition("?")
        found: dict[str, Any] = {
            "REQUEST_METHOD": sent.method,
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": "testserver",
            "SERVER_PORT": "80",
            "HTTP_HOST": self.host,
            "wsgi.input": io.BytesIO(sent.body),
            "wsgi.url_scheme": "http",
            "wsgi.errors": io.StringIO(),
            "CONTENT_LENGTH": str(len(sent.body)),
        }
        if self._cookie and not path.startswith(("/aws", "/api")):
            found |= {"HTTP_COOKIE": f"{self._cookie}; csrftoken={TOKEN}", "HTTP_X_CSRFTOKEN": TOKEN}
        for name, value in sent.headers.items():
            key = name.upper().replace("-", "_")
            found[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"] = value
        return found


class OverHttp:
    """A real server; the connection is kept from request to request."""

    keeps = True

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host = parts.netloc
        self._connection = http.client.HTTPConnection(parts.netloc, timeout=3 * SLOW_S)

    def send(self, sent: Sent) -> Answer:
        """Send a request; a connection that the server has closed is opened anew."""
        start = time.monotonic()
        for attempt in range(2):
            try:
                self._connection.request(sent.method, sent.path, sent.body, sent.headers)
                got = self._connection.getresponse()
                body = got.read()
            except (http.client.RemoteDisconnected, ConnectionError) as error:
                self._connection.close()
                if attempt:
                    return Answer(0, {}, repr(error).encode(), time.monotonic() - start)
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                return Answer(0, {}, repr(error).encode(), time.monotonic() - start)
            else:
                return Answer(got.status, dict(got.getheaders()), body, time.monotonic() - start)
        raise AssertionError("unreachable")
