"""Clients that are slow, silent, many, or not known, and web processes that die: others go on being answered."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.e2e.server import Server, wait_until

LIVE = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
HEAD = b"POST /aws/ HTTP/1.1\r\nHost: x\r\nX-Amz-Target: AmazonPersonalize.ListRecipes\r\n"
MANY = 400


def connected(server: Server) -> socket.socket:
    parts = urlsplit(server.url)
    client = socket.create_connection((parts.hostname, parts.port), timeout=30)
    client.settimeout(60)
    return client


def said(client: socket.socket) -> bytes:
    """What the server answers, up to the end of the connection or of what it sends for now."""
    found = b""
    while more := client.recv(65536):
        found += more
        head, _, body = found.partition(b"\r\n\r\n")
        length = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        if length and len(body) >= int(length[0].split(b":")[1]):
            break
    return found


def asked(server: Server, message: bytes) -> bytes:
    with connected(server) as client:
        client.sendall(message)
        return said(client)


def works(server: Server) -> bool:
    """Whether a signed call, a page and the checks are answered."""
    recipes = server.client("personalize").list_recipes()["recipes"]
    with urllib.request.urlopen(f"{server.url}/accounts/login/", timeout=60) as page:
        return bool(recipes) and page.status == 200 and asked(server, LIVE).startswith(b"HTTP/1.1 200")


def test_slow_bodies_hold_no_thread(server):
    with ExitStack() as stack:
        for _ in range(MANY):
            client = stack.enter_context(connected(server))
            client.sendall(HEAD + b"Content-Length: 100\r\n\r\n{")
        assert works(server)


def test_idle_and_silent_connections_shut_nobody_out(server):
    with ExitStack() as stack:
        for number in range(MANY):
            client = stack.enter_context(connected(server))
            if number % 2:
                client.sendall(LIVE)
                assert said(client).startswith(b"HTTP/1.1 200")
        assert works(server)


def test_a_body_that_does_not_come_is_given_up(server):
    assert asked(server, HEAD + b"Content-Length: 100\r\n\r\n{").startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize(
    "credentials",
    [
        b"",
        b"Authorization: Bearer nobody\r\n",
        b"Cookie: sessionid=nobody\r\n",
        (
            b"Authorization: AWS4-HMAC-SHA256 Credential=AKIANOBODY/20260101/us-east-1/personalize/aws4_request, "
            b"SignedHeaders=host, Signature=00\r\n"
        ),
    ],
    ids=["none", "token", "session", "key"],
)
@pytest.mark.parametrize("path", [b"/aws/", b"/api/v1/uploads/", b"/accounts/login/"])
def test_strangers_may_not_send_much(server, path, credentials):
    head = b"POST " + path + b" HTTP/1.1\r\nHost: x\r\n" + credentials + b"Content-Length: 300000000\r\n\r\n"
    assert asked(server, head + b"x" * 1000).startswith(b"HTTP/1.1 413")


def test_strangers_may_not_send_much_in_chunks_either(server):
    with connected(server) as client:
        client.sendall(b"POST /accounts/login/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        answer = b""
        try:
            for _ in range(100):
                client.sendall(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
            answer = said(client)
        except OSError:  # it has hung up, with what we sent unread
            answer = b"HTTP/1.1 413"
        assert answer.startswith(b"HTTP/1.1 413")


def test_known_people_may_send_large_files(server):
    content = os.urandom(3_000_000)
    head = b'--a-long-boundary\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    body = head + content + b"\r\n--a-long-boundary--\r\n"
    request = urllib.request.Request(
        f"{server.url}/api/v1/uploads/", body,
        {"Authorization": f"Bearer {server.token}", "Content-Type": "multipart/form-data; boundary=a-long-boundary"},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert f'"sizeBytes":{len(content)}' in answer.read().decode()


def test_chunked_bodies_are_read(server):
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "AmazonPersonalize.ListRecipes"}
    request = AWSRequest("POST", f"{server.url}/aws/", headers, b'{"maxResults": 1}')
    keys = Credentials(server.keys["aws_access_key_id"], server.keys["aws_secret_access_key"])
    SigV4Auth(keys, "personalize", "us-east-1").add_auth(request)
    lines = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    head = f"POST /aws/ HTTP/1.1\r\nHost: {urlsplit(server.url).netloc}\r\nTransfer-Encoding: chunked\r\n{lines}\r\n"
    answer = asked(server, head.encode() + b'5\r\n{"max\r\nc\r\nResults": 1}\r\n0\r\n\r\n')
    assert answer.startswith(b"HTTP/1.1 200"), answer
    assert b"recipeArn" in answer


@pytest.mark.parametrize(
    "rest",
    [b"", b"0", b"0\r\n", b"4\r\n", b"4\r\n ", b"4\r\n    ", b"zz\r\n", b"4\r\n    zz\r\n"],
    ids=["nothing", "a digit", "no end", "a size", "part of a chunk", "a whole one", "no size", "a longer one"],
)
def test_a_chunked_body_that_breaks_off_is_not_taken_for_whole(server, rest):
    name = f"cut-{rest.hex()}"
    body = f'{{"name": "{name}"}}'.encode()
    head = f"POST /api/v1/dataset-groups/ HTTP/1.1\r\nHost: {urlsplit(server.url).netloc}\r\n"
    head += (
        f"Authorization: Bearer {server.token}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    with connected(server) as client:
        client.sendall(head.encode() + f"{len(body):x}\r\n".encode() + body + b"\r\n" + rest)
        client.shutdown(socket.SHUT_WR)
        answer = said(client)
    assert not answer or answer.startswith(b"HTTP/1.1 400"), answer
    groups = server.client("personalize").list_dataset_groups()["datasetGroups"]
    assert name not in {group["name"] for group in groups}


@pytest.mark.parametrize(
    "address",
    [
        b"/campaigns/a%00b/",
        b"/aws/%00",
        b"/api/v1/solutions/?maxResults=%00",
        b"/compare/?q=a%00b",
        b"/?q=%C2%B2&page=%C2%B2",
    ],
)
def test_an_odd_address_is_no_failure_of_the_server(server, address):
    answer = asked(server, b"GET " + address + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 3")), answer


@pytest.mark.parametrize("more", [b"", b"Cookie: a=b\r\n"])
def test_an_odd_cookie_is_no_failure_of_the_server(server, more):
    cookie = b'Cookie: sessionid="\\000aaaaaaaaaaaaaaaa"\r\n' + more
    assert asked(server, b"GET / HTTP/1.1\r\nHost: x\r\n" + cookie + b"\r\n").startswith(b"HTTP/1.1 400")


def test_a_web_process_that_dies_is_replaced_and_nobody_is_refused(server):
    parent, worker, *_ = server.pids("console.front")
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: _answers_unless_cut(server), 60)  # it waits in the listening socket, whose owner lives
    now = server.pids("console.front")
    assert now[0] == parent
    assert worker not in now


def _answers_unless_cut(server: Server) -> bool:
    try:
        return asked(server, LIVE).startswith(b"HTTP/1.1 200")
    except ConnectionResetError:  # the dead process had accepted it
        return False


def test_nothing_is_left_of_a_web_group_whose_parent_dies(server):
    parent, *workers = server.pids("console.front")
    os.kill(parent, signal.SIGKILL)
    wait_until(lambda: not set(workers) & set(server.pids("console.front")), 60)
    wait_until(lambda: _answers_unless_cut(server), 120)
    assert parent not in server.pids("console.front")
    assert works(server)


def test_health_is_told_at_once_when_it_is_known(server):
    wait_until(lambda: _health(server) == 200, 60)
    with ExitStack() as stack:
        clients = [stack.enter_context(connected(server)) for _ in range(50)]
        for client in clients:
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert works(server)
        assert {said(client)[:12] for client in clients} == {b"HTTP/1.1 200"}


def _health(server: Server) -> int:
    try:
        with urllib.request.urlopen(f"{server.url}/healthz", timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_the_port_of_another_program_is_refused_with_words(server, tmp_path):
    environment = os.environ | {
        "DATA_DIR": str(tmp_path), "PORT": str(urlsplit(server.url).port), "DJANGO_SETTINGS_MODULE": "console.settings",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "manage.py", "serve"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert "Choose another PORT" in done.stderr
