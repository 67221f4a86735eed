"""One real server for all end-to-end tests of a run."""

from __future__ import annotations

import pytest

from tests.e2e import server as servers


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/e2e" in str(item.path):
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.xdist_group("wheel" if item.path.stem == "test_wheel" else "server"))
            item.add_marker(pytest.mark.timeout(1200))


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A running server."""
    running = servers.start(tmp_path_factory.mktemp("server"))
    yield running
    servers.stop(running)
