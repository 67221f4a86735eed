"""A real server on a socket: the same calls, and clients that do not keep to HTTP."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

from tests.e2e import server as servers
from tests.fuzz import wire
from tests.fuzz.judging import Answer, Report, Sent
from tests.fuzz.scene import Scene
from tests.fuzz.sending import OverHttp

PATIENCE_S = 5.0
HEAD = b"POST /aws/ HTTP/1.1\r\nHost: x\r\nX-Amz-Target: AmazonPersonalize.ListDatasetGroups\r\n"
RUDE = {
    "no request line": b"\r\n\r\n",
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc" * 20,
    "a body that ends early": HEAD + b"Content-Length: 1000\r\n\r\n{}",
    "a length that is no number": HEAD + b"Content-Length: many\r\n\r\n{}",
    "a negative length": HEAD + b"Content-Length: -1\r\n\r\n{}",
    "two lengths": HEAD + b"Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}",
    "length and chunks": HEAD
    + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /metrics HTTP/1.1\r\n\r\n",
    "bad chunks": HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    "a header without end": HEAD + b"X-Long: " + b"a" * 200_000 + b"\r\n\r\n",
    "a thousand headers": HEAD + b"".join(b"X-%d: a\r\n" % number for number in range(1000)) + b"\r\n",
    "a path of 100,000 characters": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "a NUL in a header": HEAD + b"X-Null: a\0b\r\nContent-Length: 0\r\n\r\n",
    "a folded header": HEAD + b"X-Fold: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "no host": b"GET /livez HTTP/1.1\r\n\r\n",
    "a strange method": b"BREW /api/v1/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "a header that never ends": HEAD,
    "an announced giant": HEAD + b"Content-Length: 99999999999999\r\n\r\n{}",
}


def fuzz(scene: Scene, folder: Path, report: Report, cases: int, seed: int) -> None:
    """Start a server on the scene's folder, send calls and rudenesses, and end it."""
    running = servers.start(folder)
    try:
        with report.timing("server"):
            be_rude(running.url, report)
            wire.fuzz(scene, OverHttp(running.url), report, cases, seed, kind="server")
    finally:
        servers.stop(running)


def be_rude(url: str, report: Report) -> None:
    """Send each rudeness while slow clients hold connections; the server goes on answering others."""
    host, port = urlsplit(url).hostname or "", urlsplit(url).port or 80
    slow = [_open(host, port) for _ in range(100)]
    for client in slow:
        client.sendall(HEAD)
    for name, data in RUDE.items():
        report.cases["server, rude"] += 1
        answer = _exchange(host, port, data)
        if answer.startswith(b"HTTP/1.1 5"):
            report.add(f"server: {name}: {answer[:30]!r}", f"{data[:300]!r}\n{answer[:500]!r}")
        patient = OverHttp(url).send(Sent("GET", "/livez", {}, b"", name))
        if patient.status != 200 or patient.seconds > 2 * PATIENCE_S:
            report.add(f"server: {name}: others wait", _shown(patient))
    for client in slow:
        client.close()


def _shown(answer: Answer) -> str:
    return f"{answer.status} after {answer.seconds:.1f} s: {answer.text[:300]}"


def _open(host: str, port: int) -> socket.socket:
    return socket.create_connection((host, port), timeout=PATIENCE_S)


def _exchange(host: str, port: int, data: bytes) -> bytes:
    """What the server says to some bytes; it may as well hang up, or wait for more."""
    deadline = time.monotonic() + PATIENCE_S
    found = b""
    with _open(host, port) as client:
        client.settimeout(1.0)
        try:
            client.sendall(data)
            while time.monotonic() < deadline and (more := client.recv(65536)):
                found += more
        except OSError:
            pass
    return found
