"""`python -m tests.soak`: load on a real server with a fault each minute; what was acknowledged must be there at the end.

Programs stream events, ask for recommendations and train an UPDATE now and then, which the campaign serves from then on. Meanwhile
a process is killed, stopped for a while, or the database is locked. The run fails if an acknowledged event is lost, a list is
empty or wrong, a training fails, an error is anything but a 503 or a connection that could not be made, or memory keeps growing.
Where only what works in the background is killed, no request may fail at all.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.e2e import main_job
from tests.e2e import server as servers
from tests.e2e.server import Server

FAULT_EVERY_S = 60.0
UPDATE_EVERY_S = 90.0
PAUSE_S = 0.05  # between two requests of one program
SETTLE_S = 60.0  # after the last fault
STOPPED_S = 8.0
MEMORY_EVERY_S = 20.0
GROWTH = 1.25  # of the memory of all processes, from the second fifth of the run to the last
PARTS = 5
PARTS_BY_WORD = {
    "valkey": "broker", "console.front": "web", "console.clock": "beat", "celery": "worker", "management.processes": "supervisor"
}  # fmt: skip
ACCEPTED = frozenset({503, 429})


@dataclass
class Log:
    """What the programs saw.

    Attributes:
        accepted: statuses of errors that clients are to try again after; any other is a fault.
    """

    accepted: frozenset[int] = ACCEPTED
    acknowledged: set[str] = field(default_factory=set)
    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, what: str, milliseconds: float | None = None) -> None:
        """Count an answer."""
        with self.lock:
            self.answers[what] += 1
            if milliseconds is not None:
                self.milliseconds.append(milliseconds)

    def fault(self, what: str) -> None:
        """Keep what must not happen."""
        with self.lock:
            self.wrong.append(what)


@dataclass(frozen=True)
class Plan:
    """How long, how often something is broken and trained, and what is broken: names of `FAULTS`."""

    seconds: float
    fault_every: float
    update_every: float
    faults: Sequence[str]


def main() -> int:
    """Run for the minutes asked for and print what came of it as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--fault-every", type=float, default=FAULT_EVERY_S, metavar="SECONDS")
    parser.add_argument("--update-every", type=float, default=UPDATE_EVERY_S, metavar="SECONDS")
    parser.add_argument("--faults", default=",".join(FAULTS), help=f"of {', '.join(FAULTS)}; all by default")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    plan = Plan(options.minutes * 60, options.fault_every, options.update_every, options.faults.split(","))
    with tempfile.TemporaryDirectory(prefix="openpersonalize-soak-") as folder:
        server = servers.start(Path(folder))
        try:
            result = _soak(server, plan, random.Random(options.seed))
        finally:
            servers.stop(server)
    sys.stdout.write(json.dumps(result, indent=1) + "\n")
    return 1 if result["lost"] or result["wrong"] else 0


def _soak(server: Server, plan: Plan, rng: random.Random) -> dict[str, Any]:
    personalize = _client(server, "personalize")
    group = main_job.films(server, personalize)
    config = {"algorithmHyperParameters": {"mode": "fast"}}
    solution = main_job.solution(personalize, group, "films", "aws-user-personalization", solutionConfig=config)
    campaign = main_job.campaign(personalize, main_job.version(personalize, solution))
    tracker = personalize.create_event_tracker(name="site", datasetGroupArn=group)["trackingId"]
    log = Log(frozenset() if IN_BACKGROUND.issuperset(plan.faults) else ACCEPTED)
    ends = time.monotonic() + plan.seconds
    programs: list[Callable[[], None]] = [
        lambda: _stream(server, tracker, log, ends),
        lambda: _stream(server, tracker, log, ends),
        lambda: _ask(server, campaign, log, ends),
        lambda: _ask(server, campaign, log, ends),
        lambda: _update(server, (solution, campaign), log, ends, plan.update_every),
    ]
    threads = [threading.Thread(target=program) for program in programs]
    for thread in threads:
        thread.start()
    done, memory = _break(server, plan, ends, rng)
    for thread in threads:
        thread.join()
    return _result(server, log, done, memory)


def _break(server: Server, plan: Plan, ends: float, rng: random.Random) -> tuple[Counter[str], list[Counter[str]]]:
    """Break something now and then; what was broken how often, and the memory of the processes over the run."""
    done: Counter[str] = Counter()
    memory, due = [_memory(server)], time.monotonic() + plan.fault_every
    while (now := time.monotonic()) < ends:
        if now >= due and now + SETTLE_S < ends:
            name = rng.choice(plan.faults)
            done[name] += 1
            FAULTS[name](server)
            due += plan.fault_every
        time.sleep(max(0.0, min(MEMORY_EVERY_S, ends - time.monotonic())))
        memory.append(_memory(server))
    return done, memory


def _result(server: Server, log: Log, faults: Counter[str], samples: list[Counter[str]]) -> dict[str, Any]:
    lost = log.acknowledged - _stored(server)
    memory = [sample.total() for sample in samples]
    part = max(1, len(memory) // PARTS)
    first, last = sum(memory[part : 2 * part]) / part, sum(memory[-part:]) / part
    if len(memory) > 2 * PARTS and last > GROWTH * first:
        log.fault(f"memory grew from {first:.0f} to {last:.0f} MiB")
    ordered = sorted(log.milliseconds)
    return {
        "faults": dict(faults),
        "answers": dict(log.answers),
        "acknowledged": len(log.acknowledged),
        "lost": len(lost),
        "wrong": log.wrong[:20],
        "recommendations_ms": {f"p{p}": round(ordered[len(ordered) * p // 100], 1) for p in (50, 99)}
        if ordered
        else {},
        "memory_mib": {"first": round(first), "last": round(last), "most": round(max(memory))},
        "memory_mib_by_part": {
            name: [
                round(sum(sample[name] for sample in samples[at : at + part]) / len(samples[at : at + part]))
                for at in range(0, len(samples), part)
            ]
            for name in sorted({name for sample in samples for name in sample})
        },
    }


def _client(server: Server, service: str) -> Any:
    config = Config(retries={"max_attempts": 0}, read_timeout=30, connect_timeout=5)
    return boto3.client(
        service, endpoint_url=f"{server.url}/aws", region_name="us-east-1", config=config, **server.keys
    )


def _stream(server: Server, tracker: str, log: Log, ends: float) -> None:
    """Put events of two until the end; what is acknowledged is kept."""
    client, name, number = _client(server, "personalize-events"), threading.get_ident(), 0
    while time.monotonic() < ends:
        number += 1
        ids = [f"soak-{name}-{number}-{place}" for place in range(2)]
        events = [
            {"eventId": event, "eventType": "watch", "itemId": f"drama-{number % 30}", "sentAt": time.time()}
            for event in ids
        ]

        def put(events: list[dict[str, Any]] = events, number: int = number) -> None:
            client.put_events(trackingId=tracker, userId=f"user-{number % 80}", sessionId="s", eventList=events)

        if _tried("put", put, log):
            log.acknowledged.update(ids)
        time.sleep(PAUSE_S)


def _ask(server: Server, campaign: str, log: Log, ends: float) -> None:
    client, number = _client(server, "personalize-runtime"), 0
    while time.monotonic() < ends:
        number += 1
        found: list[str] = []

        def ask(found: list[str] = found, number: int = number) -> None:
            answer = client.get_recommendations(campaignArn=campaign, userId=f"user-{number % 80}", numResults=10)
            found.extend(item["itemId"] for item in answer["itemList"])

        if _tried("recommend", ask, log) and len(set(found)) != 10:
            log.fault(f"a list of {len(found)} items, {len(set(found))} of them distinct")
        time.sleep(PAUSE_S)


def _update(server: Server, arns: tuple[str, str], log: Log, ends: float, every: float) -> None:
    """Train an UPDATE every so often and have the campaign serve it."""
    client, (solution, campaign) = _client(server, "personalize"), arns
    due = time.monotonic() + every
    while due + every < ends:
        time.sleep(max(0.0, due - time.monotonic()))
        due = max(due + every, time.monotonic())
        made: list[str] = []

        def train(made: list[str] = made) -> None:
            answer = client.create_solution_version(solutionArn=solution, trainingMode="UPDATE")
            made.append(answer["solutionVersionArn"])

        if _tried("update", train, log):
            status = _trained(client, made[0], ends)
            log.note(f"version {status}")
            if status == "ACTIVE":
                serve = {"campaignArn": campaign, "solutionVersionArn": made[0]}
                _tried("serve", lambda serve=serve: client.update_campaign(**serve), log)
            elif "FAILED" in status:
                log.fault(f"{made[0]}: {status}")


def _trained(client: Any, version: str, ends: float) -> str:
    """The status in which a version ended, or the last one that was seen."""
    status = "unknown"
    while status not in {"ACTIVE", "CREATE FAILED", "CREATE STOPPED"} and time.monotonic() < ends:
        time.sleep(1.0)
        with suppress(ClientError, BotoCoreError, OSError):
            status = client.describe_solution_version(solutionVersionArn=version)["solutionVersion"]["status"]
    return status


def _tried(what: str, request: Callable[[], Any], log: Log) -> bool:
    """Whether the request was answered; errors that a client is to try again are counted, others are faults."""
    began = time.monotonic()
    try:
        request()
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        code = error.response["Error"]["Code"]
        log.note(f"{what} {status}")
        if status not in log.accepted and code != "LimitExceededException":
            log.fault(f"{what}: {status} {code} {error.response['Error'].get('Message', '')[:200]}")
        return False
    except (BotoCoreError, OSError) as error:
        log.note(f"{what} {type(error).__name__}")
        if not log.accepted:
            log.fault(f"{what}: {type(error).__name__} {str(error)[:200]}")
        return False
    log.note(f"{what} 200", (time.monotonic() - began) * 1000 if what == "recommend" else None)
    return True


def _stored(server: Server) -> set[str]:
    """The ids of all streamed events in the server's database."""
    with sqlite3.connect(f"file:{server.data_dir}/console.sqlite3?mode=ro", uri=True) as connection:
        return {row[0] for row in connection.execute("SELECT event_id FROM console_event WHERE event_id LIKE 'soak-%'")}


def _memory(server: Server) -> Counter[str]:
    """MiB of the server's processes by what they are, shared pages divided among those that share them.

    Pages of files are the kernel's to take back, and those of the database grow with its events: they are not counted.
    """
    found: Counter[str] = Counter()
    for pid in server.pids(""):
        with suppress(OSError):
            folder = Path(f"/proc/{pid}")
            command = (folder / "cmdline").read_text()
            name = next((name for word, name in PARTS_BY_WORD.items() if word in command), "others")
            rows = (line.split() for line in (folder / "smaps_rollup").read_text().splitlines()[1:])
            kib = {row[0]: int(row[1]) for row in rows}
            found[name] += (kib["Pss:"] - kib["Pss_File:"]) / 1024  # type: ignore[assignment]
    return found


def _signal(server: Server, number: int, *words: str) -> int:
    """Send a signal to the youngest process with these words; one that is just being replaced is waited for."""
    pid: int = servers.wait_until(lambda: server.pids(*words), 60)[-1]
    with suppress(ProcessLookupError):
        os.kill(pid, number)
    return pid


def _kill_worker(server: Server) -> None:
    _signal(server, signal.SIGKILL, "celery", "worker")


def _kill_web(server: Server) -> None:
    _signal(server, signal.SIGKILL, "console.front")


def _kill_beat(server: Server) -> None:
    _signal(server, signal.SIGKILL, "console.clock")


def _kill_broker(server: Server) -> None:
    _signal(server, signal.SIGKILL, "valkey")


def _stop_broker(server: Server) -> None:
    pid = _signal(server, signal.SIGSTOP, "valkey")
    time.sleep(STOPPED_S)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


def _lock_database(server: Server) -> None:
    with sqlite3.connect(server.data_dir / "console.sqlite3", timeout=30) as connection:
        connection.isolation_level = None
        with suppress(sqlite3.OperationalError):
            connection.execute("BEGIN IMMEDIATE")
            time.sleep(STOPPED_S)
            connection.execute("ROLLBACK")


FAULTS: dict[str, Callable[[Server], None]] = {
    "kill_worker": _kill_worker,
    "kill_web": _kill_web,
    "kill_beat": _kill_beat,
    "kill_broker": _kill_broker,
    "stop_broker": _stop_broker,
    "lock_database": _lock_database,
}
IN_BACKGROUND = frozenset({"kill_worker", "kill_beat"})  # requests do not notice

if __name__ == "__main__":
    sys.exit(main())
