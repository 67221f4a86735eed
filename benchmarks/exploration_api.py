"""The simulated market through the API: PutEvents, PutItems, GetRecommendations, FULL and UPDATE, of a server of its own, by boto3.

python -m benchmarks.exploration_api [--world fast] [--seeds 1] [--users 400] [--weight 0.3]

Prints one JSON line a seed with what the same policy brings in the same market in process: both should agree.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.api import CATEGORY, Client, Row, Table, served, wait
from recipes.numerics.arrays import Indexes
from recipes.simulation import DAY, START, WORLDS, Market, MarketOutcome, simulate
from recipes.simulation_policies import FAST, FULL_EVERY, RecipePolicy

RECIPE = "aws-user-personalization"
COLUMNS = {
    "Interactions": {"USER_ID": "string", "ITEM_ID": "string", "TIMESTAMP": "long", "EVENT_TYPE": "string"},
    "Items": {"ITEM_ID": "string", "GENRE": CATEGORY, "CREATOR": CATEGORY, "CREATION_TIMESTAMP": "long"},
}
DESCRIBED = [
    name for name, world in WORLDS.items() if world.metadata in ("good", "noisy", "none") and world.visits == 1
]


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--world", default="fast", choices=DESCRIBED)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--users", type=int, default=400)
    parser.add_argument("--weight", type=float, default=0.3)
    asked = parser.parse_args()
    world = replace(WORLDS[asked.world], users=asked.users)
    with tempfile.TemporaryDirectory(prefix="openpersonalize-") as folder, served(Path(folder)) as client:
        for seed in range(asked.first_seed, asked.first_seed + asked.seeds):
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
        personalize = self.client.personalize
        version = self.client.version(self.solution, "FULL" if day % FULL_EVERY == 0 else "UPDATE")
        if day:
            personalize.update_campaign(campaignArn=self.campaign, solutionVersionArn=version)
        else:
            config = {"itemExplorationConfig": {"explorationWeight": str(self.weight)}}
            self.campaign = personalize.create_campaign(
                name=self.name, solutionVersionArn=version, campaignConfig=config
            )["campaignArn"]
        wait(personalize.describe_campaign, "campaign", campaignArn=self.campaign)

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
        rows: dict[str, list[Row]] = {
            "Interactions": [self._event(event) for event in market.events],
            "Items": [{"ITEM_ID": f"item {item}"} | self._item(market, item) for item in range(market.num_items)],
        }
        group, datasets = self.client.group(
            self.name, {kind: Table(columns, rows[kind]) for kind, columns in COLUMNS.items()}
        )
        self.items_dataset = datasets["Items"]
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


if __name__ == "__main__":
    main()
