"""One real server for all end-to-end tests of a run, and pages of another origin."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import sync_playwright

from tests.e2e import server as servers
from tests.web.browsing import PATIENCE_MS

collect_ignore = ["clients"]  # programs for environments of their own, which have other packages
CHROMIUM = "/usr/bin/chromium"


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/e2e" in str(item.path):
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.xdist_group("wheel" if item.path.stem == "test_wheel" else "server"))
            item.add_marker(pytest.mark.timeout(1200))


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A running server whose folder's name has what means something in an address."""
    running = servers.start(tmp_path_factory.mktemp("server #1?%41 é"))
    yield running
    servers.stop(running)


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield running
        running.close()


@pytest.fixture
def shop(browser):
    """`shop(html)`: a page of that content from an origin of its own."""
    content = {"html": ""}

    class Shop(BaseHTTPRequestHandler):
        def do_GET(self):
            body = content["html"].encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Shop) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_MS)

        def open_page(html="<p>shop</p>"):
            content["html"] = html
            page.goto(f"http://localhost:{http.server_address[1]}/")
            return page

        yield open_page
        page.close()
        http.shutdown()
