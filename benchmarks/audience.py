"""Who is given a new item that some have liked: its rank for others of their taste and for everybody else, after few clicks.

python -m benchmarks.audience [--seeds 10] [--first-seed 3000] [--clicks 25] [--updates 5] [--write]

In each market (`recipes/simulation.py`, 400 users and 600 items) one new item is clicked by users whose taste it meets, a few
between two UPDATEs. Ranks are among the items that a user has not taken, before the clicks and after: the median of the fans who
did not click, that of the half of the users whom it suits least, and what a model that knew the truth would give.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks import table
from recipes import catalogue
from recipes.base import Model
from recipes.data import TrainingData
from recipes.numerics.arrays import Floats, Indexes
from recipes.run import Run
from recipes.simulation import START, WORLDS, Market

RECIPE = "aws-user-personalization"
FANS = 0.15  # of the users are fans of an item; of them some click on it
MINUTE = 60
KINDS = ("fast", "noisy", "none", "still")
HEAD = ["world", "clicks", "fans before", "others before", "fans after", "others after", "fans truth", "others truth"]


@dataclass(frozen=True)
class Audience:
    """The users whom an item suits most, best first, and the half whom it suits least."""

    fans: Indexes
    others: Indexes

    @classmethod
    def of(cls, market: Market, item: int) -> Audience:
        """By their true tastes."""
        order = np.argsort(-(market.taste @ market.subject[item]))
        return cls(order[: int(FANS * len(order))], order[len(order) // 2 :])


def main() -> None:
    """Measure each world and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", default=",".join(KINDS))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=3000)
    parser.add_argument("--clicks", type=int, default=25)
    parser.add_argument("--updates", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="write the table into benchmarks/README.md")
    asked = parser.parse_args()
    rows = []
    for world in asked.worlds.split(","):
        found = [
            ranks(world, seed, asked.clicks, asked.updates)
            for seed in range(asked.first_seed, asked.first_seed + asked.seeds)
        ]
        means = {name: float(np.mean([each[name] for each in found])) for name in found[0]}
        print(json.dumps({"world": world, "seeds": asked.seeds, "clicks": asked.clicks} | means), flush=True)
        rows.append([world, str(asked.clicks), *(f"{value:.0f}" for value in means.values())])
    text = table.markdown(HEAD, rows)
    print(text)
    if asked.write:
        table.write("audience", text)


def ranks(world: str, seed: int, clicks: int, updates: int) -> Mapping[str, float]:
    """Median ranks in one market: 1 is the first place."""
    market = Market.open(WORLDS[world], seed)
    arriving = market.world.items * 9 // 100
    market.arrive(arriving, np.full(arriving, -0.02), 0.0)
    liked = market.num_items - 1 - seed % arriving
    audience = Audience.of(market, liked)
    recipe = catalogue.get(RECIPE).configured({"mode": "fast"})
    data = market.data()
    full = model = recipe.fit(data, Run(seed=seed))
    takers = np.random.default_rng(seed).permutation(audience.fans)[:clicks]
    left = Audience(np.setdiff1d(audience.fans, takers), audience.others)
    before = medians(_scores(full, data), liked, left, "before")
    for number, part in enumerate(np.array_split(takers, updates)):
        moment = START + (number + 1) * 10 * MINUTE
        market.events += [(int(user), liked, moment + place, -1) for place, user in enumerate(part)]
        data = market.data()
        model = recipe.update(full, data, Run(seed=seed))
    truth = np.where(np.isfinite(_unseen(data)), market.appeal(0), -np.inf).astype(np.float32)
    return before | medians(_scores(model, data), liked, left, "after") | medians(truth, liked, left, "truth")


def _unseen(data: TrainingData) -> Floats:
    """(U, N) 0, and -inf for what a user has taken."""
    histories = data.histories()
    scores = np.zeros((data.num_users, data.num_items), np.float32)
    scores[histories.row, histories.item_index] = -np.inf
    return scores


def _scores(model: Model, data: TrainingData) -> Floats:
    return np.asarray(model.score(data.histories()) + _unseen(data), np.float32)


def medians(scores: Floats, item: int, audience: Audience, when: str) -> dict[str, float]:
    """Of the ranks for those who have not taken the item."""
    own = scores[:, [item]]
    rank = np.where(np.isfinite(own[:, 0]), 1 + (scores > own).sum(axis=1), np.nan)
    groups = {"fans": audience.fans, "others": audience.others}
    return {f"{name} {when}": float(np.nanmedian(rank[users])) for name, users in groups.items()}


if __name__ == "__main__":
    main()
