"""Two ways to a server: within this process, where each request is undone, and over a socket."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol
from urllib.parse import urlsplit

from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client

from tests.fuzz.judging import SLOW_S, Answer, Sent


class Transport(Protocol):
    """What carries requests."""

    host: str
    keeps: bool
    """Whether what a request changed stays so."""

    def send(self, sent: Sent) -> Answer:
        """Send a request and wait for its answer."""


class InProcess:
    """Django's whole stack without a socket; whatever a request changes in the database is rolled back."""

    host = "testserver"
    keeps = False

    def __init__(self) -> None:
        self._client = Client(raise_request_exception=False)
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
        self._client.force_login(User.objects.get(username=username))

    def send(self, sent: Sent) -> Answer:
        """Send a request and undo it."""
        headers = dict(sent.headers)
        content_type = headers.pop("Content-Type", "application/octet-stream")
        start = time.process_time()  # not the clock's: on a busy machine nothing would seem quick
        with transaction.atomic():
            answer = self._client.generic(sent.method, sent.path, sent.body, content_type=content_type, headers=headers)
            body = b"".join(answer.streaming_content) if answer.streaming else answer.content
            transaction.set_rollback(not self._in_story)
        return Answer(answer.status_code, dict(answer.items()), body, time.process_time() - start)


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
