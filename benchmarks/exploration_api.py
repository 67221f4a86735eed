"""The simulated market through the API: PutEvents, PutItems, GetRecommendations, FULL and UPDATE, of a server of its own, by boto3.

python -m benchmarks.exploration_api [--world fast] [--seeds 1] [--users 400] [--weight 0.3]

Prints one JSON line a seed with what the same policy brings in the same market in process: both should agree.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import numpy as np

from benchmarks.datasets import ROOT
from recipes.numerics.arrays import Indexes
from recipes.simulation import DAY, START, WORLDS, Market, MarketOutcome, simulate
from recipes.simulation_policies import FAST, FULL_EVERY, RecipePolicy

RECIPE, ROLE = "aws-user-personalization", "arn:aws:iam::123456789012:role/simulation"
START_S, JOB_S = 300, 900
NAMESPACE = {"type": "record", "namespace": "com.amazonaws.personalize.schema", "version": "1.0"}
COLUMNS = {
    "Interactions": {"USER_ID": "string", "ITEM_ID": "string", "TIMESTAMP": "long", "EVENT_TYPE": "string"},
    "Items": {"ITEM_ID": "string", "GENRE": "word", "CREATOR": "word", "CREATION_TIMESTAMP": "long"},
}
Row = dict[str, str | int]


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--world", default="fast", choices=list(WORLDS))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--users", type=int, default=400)
    parser.add_argument("--weight", type=float, default=0.3)
    asked = parser.parse_args()
    world = replace(WORLDS[asked.world], users=asked.users)
    with tempfile.TemporaryDirectory(prefix="openpersonalize-") as folder, served(Path(folder)) as client:
        for seed in range(asked.seeds):
            outcomes = {
                "api": simulate(world, partial(ApiPolicy, client=client, weight=asked.weight), seed),
                "process": simulate(world, partial(RecipePolicy, name=RECIPE, weight=asked.weight, settings=FAST), seed),
                "base": simulate(world, partial(RecipePolicy, name="aws-hrnn-metadata", settings=FAST), seed),
            }  # fmt: skip
            told = {name: _told(outcome, outcomes["base"]) for name, outcome in outcomes.items()}
            print(json.dumps({"world": asked.world, "seed": seed, "weight": asked.weight} | told), flush=True)


def _told(outcome: MarketOutcome, base: MarketOutcome) -> dict[str, Any]:
    return {
        "all": outcome.rate.mean() / base.rate.mean() - 1,
        "last_two": outcome.rate[-2:].mean() / base.rate[-2:].mean() - 1,
        "found": outcome.found,
        "rates": outcome.rate.round(4).tolist(),
        "new_share": outcome.new_share.round(3).tolist(),
    }


@dataclass(frozen=True)
class Client:
    """boto3 clients of a server, and the folder in which its buckets are."""

    personalize: Any
    runtime: Any
    events: Any
    buckets: Path

    def put(self, key: str, rows: Sequence[Row]) -> str:
        """Put a CSV file; its location."""
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        path = self.buckets / "simulation" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.getvalue())
        return f"s3://simulation/{key}"


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
        _until(partial(_is_healthy, f"http://127.0.0.1:{port}/healthz"), START_S)
        keys = subprocess.run(
            [*command, "create_access_key", "--account", "default"], cwd=ROOT, env=environment, check=True,
            capture_output=True,
        )  # fmt: skip
        connect = partial(
            boto3.client, endpoint_url=f"http://127.0.0.1:{port}/aws", region_name="us-east-1", **json.loads(keys.stdout)
        )  # fmt: skip
        names = ("personalize", "personalize-runtime", "personalize-events")
        yield Client(*(connect(name) for name in names), folder / "buckets")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=120)


def _is_healthy(url: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  an address of our own
        return bool(answer.status == 200)
    return False


def _until(holds: Callable[[], Any], seconds: float) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := holds():
            return found
        time.sleep(0.5)
    raise TimeoutError(f"not within {seconds} s")


@dataclass
class ApiPolicy:
    """aws-user-personalization as a shop uses it: everything goes through the API.

    Attributes:
        shift: added to the market's times, so that its last day is today.
        known_items, known_events: how many of the market's the server has been told.
        lists_given: the recommendation's id by the number of the list in the market.
    """

    seed: int
    client: Client
    weight: float
    shift: int = 0
    known_items: int = 0
    known_events: int = 0
    lists_given: dict[int, str] = field(default_factory=dict)

    def learn(self, day: int, market: Market) -> None:
        """Send what happened and train as the day asks."""
        self.market = market
        if not self.known_items:
            self._open(market)
        else:
            self._send_items(market)
            self._send_events(market)
        mode = "FULL" if day % FULL_EVERY == 0 else "UPDATE"
        personalize = self.client.personalize
        version = personalize.create_solution_version(solutionArn=self.solution, trainingMode=mode)[
            "solutionVersionArn"
        ]
        self._wait(personalize.describe_solution_version, "solutionVersion", solutionVersionArn=version)
        if day:
            personalize.update_campaign(campaignArn=self.campaign, solutionVersionArn=version)
        else:
            config = {"itemExplorationConfig": {"explorationWeight": str(self.weight)}}
            self.campaign = personalize.create_campaign(
                name=self.name, solutionVersionArn=version, campaignConfig=config
            )["campaignArn"]
        self._wait(personalize.describe_campaign, "campaign", campaignArn=self.campaign)

    def lists(self, length: int) -> Indexes:
        """Ask for every user."""
        found = np.full((self.market.world.users, length), -1, np.int64)
        first = len(self.market.lists)
        for user in range(len(found)):
            answer = self.client.runtime.get_recommendations(
                campaignArn=self.campaign, userId=f"user {user}", numResults=length
            )
            items = [int(entry["itemId"].split()[1]) for entry in answer["itemList"]]
            found[user, : len(items)] = items
            self.lists_given[first + user] = answer["recommendationId"]
        return found

    def _open(self, market: Market) -> None:
        personalize = self.client.personalize
        self.name = f"market-{self.seed}-{os.getpid()}-{int(time.time())}"
        self.shift = int(time.time()) - (START + market.world.rounds * DAY)
        group = personalize.create_dataset_group(name=self.name)["datasetGroupArn"]
        self._wait(personalize.describe_dataset_group, "datasetGroup", datasetGroupArn=group)
        rows: dict[str, list[Row]] = {
            "Interactions": [self._event(event) for event in market.events],
            "Items": [{"ITEM_ID": f"item {item}"} | self._item(market, item) for item in range(market.num_items)],
        }
        for kind, columns in COLUMNS.items():
            fields = [
                {"name": name, "type": "string" if said == "word" else said} | ({"categorical": True} if said == "word" else {})
                for name, said in columns.items()
            ]  # fmt: skip
            schema = personalize.create_schema(
                name=f"{self.name}-{kind}", schema=json.dumps(NAMESPACE | {"name": kind, "fields": fields})
            )
            dataset = personalize.create_dataset(
                name=f"{self.name}-{kind}", datasetType=kind, datasetGroupArn=group, schemaArn=schema["schemaArn"]
            )["datasetArn"]
            self._wait(personalize.describe_dataset, "dataset", datasetArn=dataset)
            location = self.client.put(f"{self.name}/{kind}.csv", rows[kind])
            job = personalize.create_dataset_import_job(
                jobName=f"{self.name}-{kind}", datasetArn=dataset, dataSource={"dataLocation": location}, roleArn=ROLE
            )["datasetImportJobArn"]
            self._wait(personalize.describe_dataset_import_job, "datasetImportJob", datasetImportJobArn=job)
        self.items_dataset = dataset
        self.known_items, self.known_events = market.num_items, len(market.events)
        self.tracker = personalize.create_event_tracker(name=self.name, datasetGroupArn=group)["trackingId"]
        self.solution = personalize.create_solution(
            name=self.name, datasetGroupArn=group, recipeArn=f"arn:aws:personalize:::recipe/{RECIPE}",
            solutionConfig={"algorithmHyperParameters": FAST},
        )["solutionArn"]  # fmt: skip

    def _event(self, event: tuple[int, int, int, int]) -> Row:
        user, item, moment, _ = event
        return {
            "USER_ID": f"user {user}", "ITEM_ID": f"item {item}", "TIMESTAMP": moment + self.shift, "EVENT_TYPE": "click",
        }  # fmt: skip

    def _item(self, market: Market, item: int) -> Row:
        born = int(START + market.born[item] * DAY) + self.shift
        return {
            "GENRE": f"genre {market.named_subject[item]}", "CREATOR": f"creator {market.maker[item]}", "CREATION_TIMESTAMP": born,
        }  # fmt: skip

    def _send_items(self, market: Market) -> None:
        new = range(self.known_items, market.num_items)
        entries = [{"itemId": f"item {item}", "properties": json.dumps(self._item(market, item))} for item in new]
        for start in range(0, len(entries), 10):
            self.client.events.put_items(datasetArn=self.items_dataset, items=entries[start : start + 10])
        self.known_items = market.num_items

    def _send_events(self, market: Market) -> None:
        """Each user's new events, which name the lists that they came from."""
        by_user: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for user, item, moment, number in market.events[self.known_events :]:
            event = {"eventType": "click", "itemId": f"item {item}", "sentAt": moment + self.shift}
            by_user[user].append(event | {"recommendationId": self.lists_given[number]})
        for user, entries in by_user.items():
            for start in range(0, len(entries), 10):
                self.client.events.put_events(
                    trackingId=self.tracker, userId=f"user {user}", sessionId=f"session {user}",
                    eventList=entries[start : start + 10],
                )  # fmt: skip
        self.known_events = len(market.events)

    def _wait(self, describe: Callable[..., Any], key: str, **arn: str) -> None:
        def is_done() -> bool:
            row = describe(**arn)[key]
            if "FAILED" in row["status"]:
                raise RuntimeError(f"{arn}: {row.get('failureReason')}")
            return bool(row["status"] == "ACTIVE")

        _until(is_done, JOB_S)


if __name__ == "__main__":
    main()
