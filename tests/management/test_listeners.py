"""The sockets that web processes accept from."""

from __future__ import annotations

import select
import socket
import sys

import pytest
from django.core.management.base import CommandError

from console.management.commands import serve

CONNECTIONS = 64


@pytest.fixture
def port(settings, monkeypatch):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        settings.HOST, settings.PORT, settings.WEB_WORKERS = "127.0.0.1", probe.getsockname()[1], 2
    monkeypatch.setattr(serve, "PORT_PATIENCE_S", 0.0)
    return settings.PORT


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere web processes share one socket")
def test_connections_of_one_client_are_dealt_out(port):
    listeners = serve._listeners()
    clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(CONNECTIONS)]
    accepted = []
    for listener in listeners:
        accepted.append(0)
        while select.select([listener], [], [], 0.1)[0]:
            listener.accept()[0].close()
            accepted[-1] += 1
    for each in (*clients, *listeners):
        each.close()

    assert len(accepted) == 2
    assert sum(accepted) == CONNECTIONS
    assert min(accepted) >= CONNECTIONS // 8


def test_a_port_that_a_server_has_is_not_shared_with_another(port):
    listeners = serve._listeners()
    with pytest.raises(CommandError, match="Cannot listen on"):
        serve._listeners()
    for each in listeners:
        each.close()
