"""A server of its own, and boto3 clients with which benchmarks use it as a shop does."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import boto3

from benchmarks.datasets import ROOT

ROLE = "arn:aws:iam::123456789012:role/benchmark"
START_S, JOB_S = 300, 900
REGION = "us-east-1"
NAMESPACE = {"type": "record", "namespace": "com.amazonaws.personalize.schema", "version": "1.0"}
CATEGORY, TEXT = "categorical", "textual"  # kinds of columns of strings
Row = dict[str, str | int]


@dataclass(frozen=True)
class Table:
    """A dataset: the types of its columns, strings, numbers, `CATEGORY` or `TEXT`, and its rows, or the CSV file that holds them."""

    columns: Mapping[str, str]
    rows: Sequence[Row] | Path

    @property
    def fields(self) -> list[dict[str, Any]]:
        """The columns in a schema."""
        return [
            {"name": name, "type": "string", type_: True}
            if type_ in (CATEGORY, TEXT)
            else {"name": name, "type": type_}
            for name, type_ in self.columns.items()
        ]


@dataclass(frozen=True)
class Client:
    """boto3 clients of a server, the folder in which its buckets are, its process, its port and the keys that sign."""

    personalize: Any
    runtime: Any
    events: Any
    buckets: Path
    pid: int
    port: int
    keys: Mapping[str, str]

    def processor_seconds(self) -> float:
        """That the server and its workers have used so far, by Linux's account."""
        return processor_seconds(self.pid)

    def put(self, key: str, rows: Sequence[Row] | Path) -> str:
        """Put rows as a CSV file, or a file that is there; its location."""
        path = self.buckets / "benchmark" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(rows, Path):
            shutil.copyfile(rows, path)
        else:
            path.write_text(_csv(rows))
        return f"s3://benchmark/{key}"

    def group(self, name: str, tables: Mapping[str, Table]) -> tuple[str, dict[str, str]]:
        """Make a dataset group and import the tables, by their dataset types; its ARN and those of the datasets."""
        personalize, datasets = self.personalize, {}
        group = personalize.create_dataset_group(name=name)["datasetGroupArn"]
        wait(personalize.describe_dataset_group, "datasetGroup", datasetGroupArn=group)
        for kind, table in tables.items():
            schema = json.dumps(NAMESPACE | {"name": kind, "fields": table.fields})
            made = personalize.create_schema(name=f"{name}-{kind}", schema=schema)
            dataset = personalize.create_dataset(
                name=f"{name}-{kind}", datasetType=kind, datasetGroupArn=group, schemaArn=made["schemaArn"]
            )["datasetArn"]
            wait(personalize.describe_dataset, "dataset", datasetArn=dataset)
            source = {"dataLocation": self.put(f"{name}/{kind}.csv", table.rows)}
            job = personalize.create_dataset_import_job(
                jobName=f"{name}-{kind}", datasetArn=dataset, dataSource=source, roleArn=ROLE
            )["datasetImportJobArn"]
            wait(personalize.describe_dataset_import_job, "datasetImportJob", datasetImportJobArn=job)
            datasets[kind] = dataset
        return group, datasets

    def version(self, solution: str, mode: str, pause: float = 0.5) -> str:
        """Train a version and wait for it; its ARN."""
        made = self.personalize.create_solution_version(solutionArn=solution, trainingMode=mode)["solutionVersionArn"]
        wait(self.personalize.describe_solution_version, "solutionVersion", pause, solutionVersionArn=made)
        return str(made)


def _csv(rows: Sequence[Row]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


@contextmanager
def served(folder: Path) -> Iterator[Client]:
    """A server with its own folder, port, broker and worker, until the end of the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"DATA_DIR": str(folder), "PORT": str(port)}
    command = [sys.executable, "manage.py"]
    with (folder / "serve.log").open("wb") as log:
        process = subprocess.Popen([*command, "serve"], cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        until(partial(_is_healthy, f"http://127.0.0.1:{port}/healthz"), START_S)
        keys = subprocess.run(
            [*command, "create_access_key", "--account", "default"], cwd=ROOT, env=environment, check=True,
            capture_output=True,
        )  # fmt: skip
        connect = partial(
            boto3.client, endpoint_url=f"http://127.0.0.1:{port}/aws", region_name=REGION, **json.loads(keys.stdout)
        )  # fmt: skip
        names = ("personalize", "personalize-runtime", "personalize-events")
        signing = {"region": REGION} | json.loads(keys.stdout)
        yield Client(*(connect(name) for name in names), folder / "buckets", process.pid, port, signing)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=120)


def processor_seconds(root: int) -> float:
    """Of a process and all below it, those that have ended among them."""
    parents, used = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            name, told = path.parent.name, path.read_text().rpartition(")")[2].split()
            parents[int(name)], used[int(name)] = int(told[1]), sum(map(int, told[11:15]))
    total, below = 0, [root]
    while below:
        pid = below.pop()
        total += used.get(pid, 0)
        below += [child for child, parent in parents.items() if parent == pid]
    return total / os.sysconf("SC_CLK_TCK")


def wait(describe: Callable[..., Any], key: str, pause: float = 0.5, **arn: str) -> None:
    """Wait until a resource is ACTIVE.

    Raises:
        RuntimeError: it failed.
        TimeoutError: it takes too long.
    """

    def is_done() -> bool:
        row = describe(**arn)[key]
        if "FAILED" in row["status"]:
            raise RuntimeError(f"{arn}: {row.get('failureReason')}")
        return bool(row["status"] == "ACTIVE")

    until(is_done, JOB_S, pause)


def until(holds: Callable[[], Any], seconds: float, pause: float = 0.5) -> Any:
    """Wait until something holds.

    Raises:
        TimeoutError: it takes too long.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := holds():
            return found
        time.sleep(pause)
    raise TimeoutError(f"not within {seconds} s")


def _is_healthy(url: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  an address of our own
        return bool(answer.status == 200)
    return False
