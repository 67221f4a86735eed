"""`python -m benchmarks.mixed`: many connections at once, four recommendations to one PutEvents, against a server of its own.

`--puts 1 --connections 8 --events 10` are writers alone; `--slow 1000 --idle 5000` a crowd that waits.

Prints one JSON object: requests a second, percentiles of each kind, and the processor time that each process of the server took for a
request, which says more than wall time where other work runs beside. Requests are signed beforehand, and the client is one thread that
writes and reads sockets, so that it takes little of the machine.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import selectors
import socket
import time
from collections import Counter, deque
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.serving import USERS, Server, campaign_arn, running_server, signed

GOAL = "at least 700/s, p99 at most 150 ms, on two quiet cores; lists alone at --rate 1000: p90 at most 7 ms"
WARM_UP = 400
TICKS = os.sysconf("SC_CLK_TCK")


class Client:
    """One connection, which sends its next request as soon as the last one was answered."""

    def __init__(self, port: int) -> None:
        """Connect."""
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.kind, self.began, self._got = "", 0.0, b""

    def send(self, kind: str, request: bytes) -> None:
        """Begin a request."""
        self.kind, self.began, self._got = kind, time.perf_counter(), b""
        self.socket.sendall(request)

    def status(self) -> int | None:
        """Read what has come; the status once the answer is whole."""
        part = self.socket.recv(65536)
        if not part:
            raise ConnectionError("The server closed a connection.")
        self._got += part
        head, end, body = self._got.partition(b"\r\n\r\n")
        if not end:
            return None
        fields = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:])
        return int(head[9:12]) if len(body) >= int(fields.get(b"content-length", 0)) else None


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mixed", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--puts", type=float, default=0.2, help="share of PutEvents among the requests")
    parser.add_argument("--events", type=int, default=1, help="of each PutEvents, at most 10")
    parser.add_argument(
        "--rate", type=float, default=math.inf, help="requests due a second; as many as are answered by default"
    )
    parser.add_argument("--slow", type=int, default=0, help="connections meanwhile whose bodies never come")
    parser.add_argument("--idle", type=int, default=0, help="connections meanwhile that send nothing")
    options = parser.parse_args()
    with running_server() as server, ExitStack() as crowd:
        requests = _requests(server, options.events)
        for number in range(options.slow + options.idle):
            waiting = crowd.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            if number < options.slow:
                waiting.sendall(b"POST /aws/ HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        clients = [Client(server.port) for _ in range(options.connections)]
        _run(clients, requests, options.puts, time.perf_counter() + options.seconds, WARM_UP)
        before, began, load = cpu_seconds(server.pid), time.perf_counter(), os.getloadavg()[0]
        ends = time.perf_counter() + options.seconds
        latencies, statuses = _run(clients, requests, options.puts, ends, rate=options.rate)
        seconds, after = time.perf_counter() - began, cpu_seconds(server.pid)
    total = sum(map(len, latencies.values()))
    print(json.dumps({
        "requests_per_s": round(total / seconds),
        "cpu_ms_per_request": {name: round(1000 * (after[name] - before.get(name, 0)) / total, 3) for name in after},
        "ms": {kind: _percentiles(values) for kind, values in latencies.items()},
        "statuses": dict(statuses), "load": round(load, 1), "goal": GOAL,
    }, indent=1))  # fmt: skip


def _requests(server: Server, events: int) -> dict[str, list[bytes]]:
    """Signed requests of each kind, as bytes: a list for each user, and one view of each user."""
    tracking_id = _tracking_id(server)
    arn, rng, now = campaign_arn(server.credentials), np.random.default_rng(0), int(time.time())
    lists = [{"campaignArn": arn, "userId": str(user), "numResults": 25} for user in range(1, USERS + 1)]
    puts: list[dict[str, Any]] = [
        {
            "trackingId": tracking_id, "userId": str(user), "sessionId": f"s{user}",
            "eventList": [
                {"eventType": "rating", "itemId": str(rng.integers(1, 1600)), "sentAt": now} for _ in range(events)
            ],
        }
        for user in range(1, USERS + 1)
    ]  # fmt: skip
    return {
        "GetRecommendations": [_bytes(server, "recommendations", body) for body in lists],
        "PutEvents": [_bytes(server, "events", body) for body in puts],
    }


def _bytes(server: Server, path: str, members: dict[str, Any]) -> bytes:
    body = json.dumps(members).encode()
    headers = signed(server.port, server.credentials, path, body) | {
        "Host": f"127.0.0.1:{server.port}",
        "Content-Length": str(len(body)),
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST /aws/{path} HTTP/1.1\r\n{lines}\r\n".encode() + body


def _tracking_id(server: Server) -> str:
    """That of an event tracker of the sample's group; the first time it is made."""
    import boto3

    keys = {name: server.credentials[name] for name in ("aws_access_key_id", "aws_secret_access_key")}
    url = f"http://127.0.0.1:{server.port}/aws"
    aws = boto3.client("personalize", endpoint_url=url, region_name=server.credentials["region"], **keys)
    group = next(one["datasetGroupArn"] for one in aws.list_dataset_groups()["datasetGroups"])
    trackers = aws.list_event_trackers(datasetGroupArn=group)["eventTrackers"]
    if not trackers:
        return str(aws.create_event_tracker(name="mixed", datasetGroupArn=group)["trackingId"])
    described = aws.describe_event_tracker(eventTrackerArn=trackers[0]["eventTrackerArn"])
    return str(described["eventTracker"]["trackingId"])


def _run(
    clients: list[Client],
    requests: dict[str, list[bytes]],
    puts: float,
    ends: float,
    most: float = math.inf,
    rate: float = math.inf,
) -> tuple[dict[str, list[float]], Counter[int]]:
    """Send until the time or the number is reached and everything is answered; milliseconds by kind, and the statuses.

    With a rate, requests are due evenly, whatever is answered, and their time counts from then.
    """
    rng = np.random.default_rng(1)
    latencies: dict[str, list[float]] = {kind: [] for kind in requests}
    statuses: Counter[int] = Counter()
    free, due, sent = deque(clients), time.perf_counter(), 0
    with selectors.EpollSelector() as selector:
        for client in clients:
            selector.register(client.socket, selectors.EVENT_READ, client)
        while True:
            now = time.perf_counter()
            while free and due <= now < ends and sent < most:
                client, kind = free.popleft(), "PutEvents" if rng.random() < puts else "GetRecommendations"
                client.send(kind, requests[kind][rng.integers(len(requests[kind]))])
                client.began, due, sent = due, max(due + 1 / rate, now if math.isinf(rate) else 0.0), sent + 1
            is_over = now >= ends or sent >= most
            if is_over and len(free) == len(clients):
                return latencies, statuses
            for key, _ in selector.select(None if is_over or not free else max(0.0, min(due, ends) - now)):
                client = key.data
                if (status := client.status()) is None:
                    continue
                statuses[status] += 1
                latencies[client.kind].append(1000 * (time.perf_counter() - client.began))
                free.append(client)


def _percentiles(values: list[float]) -> dict[str, float]:
    ordered = sorted(values) or [0.0]
    return {f"p{p}": round(ordered[min(len(ordered) - 1, len(ordered) * p // 100)], 1) for p in (50, 90, 95, 99)}


def cpu_seconds(supervisor: int) -> dict[str, float]:
    """Processor seconds so far of the supervisor's descendants, by what they are."""
    totals: Counter[str] = Counter()
    for pid, command in descendants(supervisor):
        with suppress(OSError):  # it has ended
            stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            totals[_name(command)] += (int(stat[11]) + int(stat[12])) / TICKS  # type: ignore[assignment]
    return dict(totals)


def descendants(supervisor: int) -> list[tuple[int, str]]:
    """A process and all below it: their numbers and command lines."""
    parents, commands = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended
            stat = (folder / "stat").read_text().rpartition(")")[2].split()
            commands[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
            parents[int(folder.name)] = int(stat[1])
    return [(pid, command) for pid, command in commands.items() if _descends(pid, supervisor, parents)]


def _descends(pid: int, ancestor: int, parents: dict[int, int]) -> bool:
    while pid in parents:
        if pid == ancestor:
            return True
        pid = parents[pid]
    return False


def _name(command: str) -> str:
    words = {
        "console.front": "web",
        "worker": "worker",
        "console.clock": "beat",
        "valkey": "broker",
        "processes": "supervisor",
    }
    return next((name for word, name in words.items() if word in command), "other")


if __name__ == "__main__":
    main()
