"""Lists from scores: what may not be listed is left out, exploration takes its places, the best k stay. Numbers only; serving names them.

A `Lister` makes the lists of many users, or for many items, in this process or on a worker of a cluster, which keeps its model.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from recipes.base import Model, RecipeType
from recipes.data import Histories
from recipes.exploration import ExplorationState, Explored, SharedDraw, explore
from recipes.methods.next_best_action import ActionModel
from recipes.methods.semantic_similarity import SemanticModel
from recipes.numerics.arrays import Floats, Indexes
from recipes.numerics.topk import top_k

Mask: TypeAlias = NDArray[np.bool_] | None
NOTHING = np.float32(-np.inf)


@dataclass(frozen=True)
class Exploring:
    """What is known of each item, how much is explored, up to which age of items, and what lists that are compared share."""

    state: ExplorationState
    weight: float
    cutoff_days: float
    shared: SharedDraw | None = None


@dataclass(frozen=True)
class ListPlaces:
    """The places of B lists.

    Attributes:
        items: (B, K) the best first, -1 at the end where there are fewer.
        shares: (B, K) of the scores; None where they are not wanted.
        explored: (B, K) whether exploration filled the place; None where nothing is explored.
        propensity: (B, K) the chance of each place; None where lists are not recorded.
        by_relevance: (B, K) whether relevance alone would have put the item into the list; None where lists are not recorded.
    """

    items: Indexes
    shares: Floats | None = None
    explored: NDArray[np.bool_] | None = None
    propensity: Floats | None = None
    by_relevance: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class ListQuestion:
    """What lists are made by.

    Attributes:
        histories: those of B users, scored together, or one by one where each has a context of its own.
        queries: (B,) query items, -1 without one.
        allowed: the items that each list may hold, (N,) or None for all.
        seed: of what exploration draws.
    """

    histories: Sequence[Histories]
    queries: Indexes
    allowed: Sequence[Mask]
    seed: Sequence[int]


@dataclass(frozen=True)
class Lister:
    """Makes lists with one model.

    Attributes:
        model: the fitted model.
        influence: AWS's rankingInfluence, by "popularity" and "freshness".
        exploring: None where nothing is explored.
        k: places of a list.
        has_shares: whether scores are wanted.
    """

    model: Model
    influence: Mapping[str, float]
    exploring: Exploring | None
    k: int
    has_shares: bool

    def __call__(self, question: ListQuestion) -> ListPlaces:
        """The lists."""
        scores = self.scores(question)
        found, shown = explored(scores, question.allowed, self.exploring, self.k, np.random.default_rng(question.seed))
        return best_places(self.model, found, shown, self.k, has_shares=self.has_shares, is_recorded=False)

    def scores(self, question: ListQuestion) -> Floats:
        """(B, N) scores by the query items where the recipe relates items, else by the histories; not to be written to."""
        match self.model.recipe.type:
            case RecipeType.RELATED_ITEMS:
                return related_scores(self.model, question.queries, self.influence)
            case RecipeType.PERSONALIZED_ACTIONS:
                joined = Histories.concatenate(list(question.histories))
                return cast("ActionModel", self.model).score_at(joined, int(time.time()))
            case _:
                scores = [self.model.score(histories) for histories in question.histories]
                return scores[0] if len(scores) == 1 else np.concatenate(scores)


def related_scores(model: Model, queries: Indexes, influence: Mapping[str, float]) -> Floats:
    """(Q, N) scores by relation to the query items (-1 unknown), which are left out themselves."""
    if isinstance(model, SemanticModel):
        scores = model.influenced(queries, **influence)
    else:
        scores = model.related(queries)
    known = np.flatnonzero(queries >= 0)
    scores[known, queries[known]] = NOTHING
    return scores


def explored(
    scores: Floats, allowed: Sequence[Mask], exploring: Exploring | None, k: int, rng: np.random.Generator
) -> tuple[Explored, Floats]:
    """What is left of (B, N) scores, before and after exploration, and the scores of which shares are returned."""
    left = without(scores, allowed)
    found = Explored(left, left)
    if exploring is not None and exploring.weight:
        found = explore(left, exploring.state, exploring.weight, exploring.cutoff_days, rng, k, exploring.shared)
    shown = found.scores
    if left is not scores:  # what may not be recommended has its share, too
        shown = scores if shown is left else np.where(np.isfinite(shown), shown, scores)
    return found, shown


def without(scores: Floats, allowed: Sequence[Mask]) -> Floats:
    """(B, N) scores, -inf for what is not allowed: exploration must not spend a place on it."""
    if all(mask is None for mask in allowed):
        return scores
    left = np.array(scores)
    for row, mask in enumerate(allowed):
        if mask is not None:
            np.copyto(left[row], NOTHING, where=~mask)
    return left


def best_places(
    model: Model, found: Explored, shown: Floats, k: int, *, has_shares: bool, is_recorded: bool = True
) -> ListPlaces:
    """The k best of every row.

    Args:
        model: tells the shares.
        found: (B, N) scores before and after exploration.
        shown: (B, N) scores whose shares are returned.
        k: places of a list.
        has_shares: whether shares are wanted.
        is_recorded: whether the chance of each place is wanted, and whether relevance alone would have filled it.
    """
    draws = found.draws
    if draws is not None and found.scores is found.relevance:  # no draw has won a place
        best = draws.by_relevance.items
    else:
        best = top_k(found.scores, k).items
    shares = model.probabilities(shown, np.maximum(best, 0)) if has_shares else None
    if draws is None:
        return ListPlaces(best, shares)
    won = found.is_explored(best)
    if not is_recorded:
        return ListPlaces(best, shares, won)
    placed = (best[:, :, None] == draws.by_relevance.items[:, None, :]).any(axis=2)
    return ListPlaces(best, shares, won, found.propensity(best), placed)
