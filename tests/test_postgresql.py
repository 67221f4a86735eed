"""A PostgreSQL that hangs: nobody waits for it for long, a slow query is waited for, and it is used again once it answers.

The server is a few lines that speak as much of the protocol as a connection needs, and can fall silent.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from contextlib import suppress

import psycopg
import pytest
from django.db import DatabaseError
from django.db.utils import ConnectionHandler

from console import transient
from console.postgresql import base
from console.postgresql.base import BoundedConnection
from console.postgresql.watch import SSL_REQUEST, Watch

READY = b"Z" + struct.pack("!i", 5) + b"I"
WELCOME = b"R" + struct.pack("!ii", 8, 0) + READY
DONE = b"C" + struct.pack("!i", 8) + b"SET\0" + READY
SOON_S = 60  # a busy machine; without the watch it is for ever


class Server:
    """Accepts for ever; answers new clients while `answers` is set, and queries while `works` is."""

    def __init__(self) -> None:
        self.answers, self.works = threading.Event(), threading.Event()
        self.answers.set()
        self.works.set()
        self.queries = 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self._run(self._accept)

    def _run(self, target, *args):
        threading.Thread(target=target, args=args, daemon=True).start()

    def _accept(self):
        with suppress(OSError):
            while True:
                self._run(self._serve, self.listener.accept()[0])

    def _serve(self, client):
        with client, suppress(OSError, struct.error):
            first = self._message(client)
            self.answers.wait()
            if first == SSL_REQUEST[4:]:
                client.sendall(b"N")
                self._message(client)
            client.sendall(WELCOME)
            while client.recv(1) == b"Q":
                self.queries += 1
                self._message(client)
                self.works.wait()
                client.sendall(DONE)

    def _message(self, client) -> bytes:
        (size,) = struct.unpack("!i", client.recv(4, socket.MSG_WAITALL))
        return client.recv(size - 4, socket.MSG_WAITALL)

    def hang(self):
        self.answers.clear()
        self.works.clear()

    def go_on(self):
        self.answers.set()
        self.works.set()


@pytest.fixture
def server(settings):
    settings.SOCKET_TIMEOUT_S = 0.4  # a shorter wait, not another behaviour
    server = Server()
    yield server
    server.go_on()
    server.listener.close()


def connected(server) -> BoundedConnection:
    return BoundedConnection.connect(f"host=127.0.0.1 port={server.port} user=x dbname=x", autocommit=True)


def later(condition) -> bool:
    deadline = time.monotonic() + SOON_S
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def test_it_works(server):
    with connected(server) as connection:
        assert connection.execute("SELECT 1").statusmessage == "SET"


def test_a_query_to_a_server_that_hangs_is_given_up(server):
    with connected(server) as connection:
        server.hang()
        with pytest.raises(psycopg.OperationalError, match="does not answer"):
            connection.execute("SELECT 1")
        assert connection.closed


def test_a_slow_query_is_waited_for_while_the_server_answers_others(server):
    with connected(server) as connection:
        server.works.clear()
        threading.Timer(2.0, server.works.set).start()  # much longer than a query waits without asking
        assert connection.execute("SELECT 1").statusmessage == "SET"


def test_nobody_waits_for_a_server_that_is_known_to_hang_and_it_is_used_once_it_answers(server):
    with connected(server) as first, connected(server) as second:
        server.hang()
        with pytest.raises(psycopg.OperationalError):
            first.execute("SELECT 1")
        queries = server.queries
        with pytest.raises(psycopg.OperationalError, match="does not answer"):
            second.execute("SELECT 1")
        assert second.closed
        assert server.queries == queries
        server.go_on()
        watch = base._watch("127.0.0.1", server.port)
        assert later(lambda: not watch.is_away)
    with connected(server) as third:
        assert third.execute("SELECT 1").statusmessage == "SET"


@pytest.mark.django_db
def test_django_does_not_wait_to_connect_to_a_server_that_hangs_and_tells_that_it_passes(server):
    server.hang()
    where = {
        "ENGINE": "console.postgresql", "NAME": "x", "USER": "x", "HOST": "127.0.0.1", "PORT": server.port,
        "OPTIONS": {"connect_timeout": 600},
    }  # fmt: skip
    began = time.monotonic()
    with pytest.raises(DatabaseError) as caught:
        ConnectionHandler({"default": where})["default"].ensure_connection()
    assert time.monotonic() - began < SOON_S
    assert transient.fault(caught.value) == "The database does not answer or is busy."


def test_a_server_behind_a_unix_socket_is_asked_there(tmp_path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / ".s.PGSQL.5433"))
    watch = Watch(str(tmp_path), 5433, 0.1)
    with pytest.raises(psycopg.OperationalError):
        watch.check()
    listener.listen()

    def answer():
        with listener.accept()[0] as client:
            client.recv(8)
            client.sendall(b"S")

    threading.Thread(target=answer, daemon=True).start()
    assert later(lambda: not watch.is_away)
    listener.close()
