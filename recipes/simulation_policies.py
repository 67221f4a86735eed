"""Policies that are compared in `recipes.simulation`: recipes as serving uses them, simple rules, and an oracle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from recipes import catalogue
from recipes.base import Model
from recipes.exploration import ExplorationState, explore
from recipes.numerics.arrays import Floats, Indexes
from recipes.numerics.topk import top_k
from recipes.run import Run
from recipes.simulation import Market, PolicyFactory

FULL_EVERY = 3  # days; an UPDATE on the others, where the recipe offers it
CUT_OFF_DAYS = 30.0


@dataclass
class RecipePolicy:
    """A recipe of the catalogue: FULL every third day, UPDATE on the others, exploration at serving.

    Attributes:
        name: the recipe's.
        weight: of exploration.
        epsilon: chance of each place to be given to a random item instead.
    """

    seed: int
    name: str
    weight: float = 0.0
    epsilon: float = 0.0
    settings: Mapping[str, str] = field(default_factory=dict)
    scores: Floats = field(default_factory=lambda: np.zeros((0, 0), np.float32))

    def __post_init__(self) -> None:
        """Nothing is learned yet."""
        self.rng = np.random.default_rng(self.seed + 1000)
        self.recipe = catalogue.get(self.name).configured(self.settings)
        self.model: Model | None = None

    def learn(self, day: int, market: Market) -> None:
        """Train as the day asks."""
        data = market.data()
        updates = type(self.recipe).updates
        if self.model is None or day % FULL_EVERY == 0:
            self.full = self.model = self.recipe.fit(data, Run(seed=self.seed))
        elif updates:
            self.model = self.recipe.update(self.full, data, Run(seed=self.seed))
        histories = (
            data.histories() if updates else data.histories().keep(data.histories().item_index < self.model.num_items)
        )
        self.scores = self.model.score(histories)
        self.state = ExplorationState.of(data)

    def lists(self, length: int) -> Indexes:
        """The best by scores with the bonus of exploration."""
        scores = self.scores
        if self.weight:
            scores = explore(scores, self.state, self.weight, CUT_OFF_DAYS, self.rng, length).scores
        items = top_k(scores, length).items
        if not self.epsilon:
            return items
        random = self.rng.integers(0, scores.shape[1], items.shape)
        return np.where(self.rng.random(items.shape) < self.epsilon, random, items)


@dataclass
class Random:
    """Items at random."""

    seed: int

    def learn(self, day: int, market: Market) -> None:
        """Know what there is."""
        self.market, self.rng = market, np.random.default_rng(self.seed + 1000 + day)

    def lists(self, length: int) -> Indexes:
        """Any items."""
        draws = self.rng.random((self.market.world.users, self.market.num_items)).astype(np.float32)
        return top_k(draws, length).items


@dataclass
class Oracle:
    """The items that each user is likeliest to click: the most that can be had."""

    seed: int

    def learn(self, day: int, market: Market) -> None:
        """Know the truth."""
        self.truth = market.appeal(day)

    def lists(self, length: int) -> Indexes:
        """The best items."""
        return top_k(self.truth, length).items


FAST = {"mode": "fast"}
POLICIES: Mapping[str, PolicyFactory] = {
    "random": Random,
    "popularity": partial(RecipePolicy, name="aws-popularity-count"),
    "hrnn-metadata": partial(RecipePolicy, name="aws-hrnn-metadata", settings=FAST),
    "user-personalization 0": partial(RecipePolicy, name="aws-user-personalization", settings=FAST),
    "user-personalization 0.3": partial(RecipePolicy, name="aws-user-personalization", weight=0.3, settings=FAST),
    "user-personalization 1": partial(RecipePolicy, name="aws-user-personalization", weight=1.0, settings=FAST),
    "epsilon-greedy 0.1": partial(RecipePolicy, name="aws-user-personalization", epsilon=0.1, settings=FAST),
    "oracle": Oracle,
}
