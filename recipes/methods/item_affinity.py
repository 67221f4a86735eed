"""aws-item-affinity and aws-item-attribute-affinity: the users most likely to take an item, or items with given attributes.

Implicit matrix factorisation over what users took, recent events weighing more. Rows with few events lean on their metadata,
so that new items have a segment too. Whether those who have an item come last, and how much being active counts, is tried on
the newest events: measured so, on MovieLens 100K 0.125 of the 25 users named for an item take it, the most active ones 0.092.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recipes.base import Model, Recipe, RecipeError, RecipeType, State, hyperparameter
from recipes.columns import Columns
from recipes.content.attributes import content_vectors, predict_from_content
from recipes.data import Histories, TrainingData
from recipes.evaluation.metrics import one_percent
from recipes.evaluation.splits import SegmentSplit, segmentation
from recipes.methods.popularity import weighted_users
from recipes.numerics.arrays import Floats, Indexes, distinct, pair_keys
from recipes.numerics.factorization import exact_rows, implicit_factors
from recipes.numerics.topk import top_k
from recipes.run import Run

REGULARIZATION, UNOBSERVED = 0.02, 0.1
SWEEPS, TRIAL_SWEEPS = 4, 3  # more gain nothing: precision at 25 is the same after 12
TRIAL_DIMENSION = 64
OLD, RECENT_DECAY = 0.2, 0.97  # weight of an old event, and how fast the newest one's falls to it, per event
HEAVIEST = 3.0  # weight that repeats of one pair can reach
ACTIVITIES = (0.003, 0.01, 0.03, 0.1, 0.3)  # tried: what a mean user's activity adds to an affinity, 1 for a sure thing
ACTIVITY = 0.01  # where there is nothing to try it on
TRIAL_CELLS = 4_000_000  # affinities looked at to choose among them
TRIAL_USERS = 25  # of each segment, or 1 % of the users where that is more
REPEATING = 0.01  # share of repeated events above which those who have an item may want it again, if it can't be tried
TRUST = 3.0  # events after which a row's own vector counts as much as the one predicted from its metadata
CONTENT_DIMENSION = 64


class AffinityModel(Model):
    """Vectors of users and items whose inner products are affinities."""

    def __init__(
        self, recipe: Recipe, users: Floats, items: Floats, activity: Floats, popularity: Floats, owners: Owners
    ) -> None:
        """Keep the fitted arrays.

        Args:
            recipe: the configuration.
            users: (U, D).
            items: (N, D); zero for an item nothing is known of.
            activity: (U,) added to each affinity.
            popularity: (N,) share of the most popular item's users.
            owners: who has each item and is not likely to want it again.
        """
        super().__init__(recipe, len(items))
        self.users = users
        self.items = items
        self.activity = activity
        self.popularity = popularity
        self.owners = owners

    def score(self, histories: Histories) -> Floats:
        """Affinity of a user with each of these histories to every item: (B, N); popular items for an empty one."""
        taken = _confidences(histories, self.num_items)
        folded = exact_rows(self.items, taken, REGULARIZATION, UNOBSERVED)
        scores = np.asarray(folded @ self.items.T, np.float32)
        scores[np.diff(histories.offsets) == 0] = self.popularity
        return scores

    def segment(self, items: Indexes) -> Floats:
        """Affinity of every user to each query item: (Q, U); the most active users for one that is unknown."""
        known = np.where(items >= 0, items, 0)
        vectors = self.items[known] * (items >= 0)[:, None]
        scores = np.asarray(vectors @ self.users.T + self.activity, np.float32)
        for row, item in enumerate(items.tolist()):
            if item >= 0:
                users = self.owners.of(item)
                scores[row, users] -= np.ptp(scores[row]) + 1
        return scores

    def segment_matching(self, masks: NDArray[np.bool_]) -> Floats:
        """Affinity of every user to the items of each query together, those they have included.

        Args:
            masks: (Q, N) true for the items that a query describes.

        Returns:
            (Q, U).

        Raises:
            ValueError: a query describes no item.
        """
        sizes = masks.sum(axis=1, keepdims=True)
        if not sizes.all():
            raise ValueError("No item has these attributes.")
        vectors = (masks.astype(np.float32) @ self.items) / sizes
        return np.asarray(vectors @ self.users.T + self.activity * self.popularity.mean(), np.float32)

    def forget_users(self, users: Indexes) -> Self:
        """Blank the users' vectors and activity, and take them out of the owners of every item."""
        vectors, activity = np.array(self.users), np.array(self.activity)
        vectors[users] = activity[users] = 0
        return type(self)(self.recipe, vectors, self.items, activity, self.popularity, self.owners.without(users))

    def state(self) -> State:
        """Return the vectors, activity, popularity and owners."""
        names = ("users", "items", "activity", "popularity")
        return State(
            {name: getattr(self, name) for name in names}
            | {"owner_offsets": self.owners.offsets, "owners": self.owners.users}
        )

    @classmethod
    def from_state(cls, recipe: Recipe, num_items: int, state: State) -> Self:  # noqa: ARG003  the vectors tell
        """Rebuild; the arrays are used as they are, mapped or not."""
        kept = state.tensors
        owners = Owners(kept["owner_offsets"], kept["owners"])
        return cls(recipe, kept["users"], kept["items"], kept["activity"], kept["popularity"], owners)


@dataclass(frozen=True)
class SegmentQuestion:
    """Users for an item, or for the (N,) items that match, of the (U,) users who may be named; None for all."""

    item: int
    matching: NDArray[np.bool_] | None
    allowed: NDArray[np.bool_] | None


@dataclass(frozen=True)
class Segmenter:
    """Finds the users of many segments with one model, in this process or on a worker of a cluster.

    Attributes:
        model: the fitted model.
        forgotten: users who are never named.
        size: of a segment.
    """

    model: AffinityModel
    forgotten: Indexes
    size: int

    def __call__(self, questions: Sequence[SegmentQuestion]) -> list[Indexes]:
        """(size,) for each question the users with most affinity, -1 where there are fewer."""
        return [self._of(question) for question in questions]

    def _of(self, question: SegmentQuestion) -> Indexes:
        if question.matching is None:
            scores = self.model.segment(np.array([question.item], np.int64))
        else:
            scores = self.model.segment_matching(question.matching[None, :])
        if question.allowed is not None:
            scores[:, ~question.allowed] = -np.inf
        scores[:, self.forgotten] = -np.inf
        users: Indexes = top_k(scores, self.size).items[0]
        return users


@dataclass(frozen=True)
class Owners:
    """Users of each item, ragged: `users[offsets[i]:offsets[i + 1]]`; nobody where those who have it may want it again."""

    offsets: NDArray[np.int64]
    users: NDArray[np.int64]

    @classmethod
    def of_data(cls, data: TrainingData, *, last: bool | None = None) -> Self:
        """Everyone who took an item, or nobody.

        Args:
            data: what was taken.
            last: whether those who have an item come last; seen from the share of repeats where nobody knows.
        """
        events = data.interactions
        pairs = distinct(pair_keys(events.item_index, events.user_index, data.num_users))
        if last is None:
            last = len(pairs) >= (1 - REPEATING) * len(events)
        pairs = pairs if last else pairs[:0]
        items, users = np.divmod(pairs, max(1, data.num_users))
        return cls(np.searchsorted(items, np.arange(data.num_items + 1)).astype(np.int64), users)

    def without(self, users: Indexes) -> Owners:
        """Return the owners of every item but for these users."""
        kept = ~np.isin(self.users, users)
        counts = np.concatenate([np.zeros(1, np.int64), np.cumsum(kept)])
        return Owners(counts[self.offsets].astype(np.int64), self.users[kept])

    def of(self, item: int) -> NDArray[np.int64]:
        """The users of one item."""
        return self.users[self.offsets[item] : self.offsets[item + 1]]


@dataclass(frozen=True)
class Taste:
    """How segments are ranked: the weight of a user's activity, and whether owners of an item come last."""

    activity: float = ACTIVITY
    owners_last: bool | None = None


@dataclass(frozen=True)
class ItemAffinity(Recipe):
    """Users by affinity to single items."""

    name = "aws-item-affinity"
    type = RecipeType.USER_SEGMENTATION
    summary = "The users most likely to take a given item: whom to tell about it."
    datasets = ("INTERACTIONS", "USERS", "ITEMS")
    model = AffinityModel

    hidden_dimension: int = hyperparameter(
        149, low=32, high=256, help="Size of the vectors of users and items; more tells finer tastes apart."
    )

    def fit(self, data: TrainingData, run: Run) -> AffinityModel:
        """Factorise what users took.

        Raises:
            RecipeError: nobody took anything.
        """
        if not len(data.interactions):
            raise RecipeError("There are no interactions; affinities are learned from what users took.")
        return self._learn(data, run, self._tried(data, run.share(0.4)))

    def _learn(self, data: TrainingData, run: Run, taste: Taste, sweeps: int = SWEEPS) -> AffinityModel:
        factors = implicit_factors(
            _confidences(data.histories(), data.num_items),
            self.hidden_dimension,
            run,
            regularization=REGULARIZATION,
            unobserved=UNOBSERVED,
            sweeps=sweeps,
        )
        lengths, users = np.diff(data.offsets), weighted_users(data)
        return AffinityModel(
            self,
            _with_metadata(factors.users, data.users, lengths, run.seed),
            _with_metadata(factors.items, data.items, data.item_counts, run.seed),
            _activity(lengths, taste.activity),
            (users / max(1, users.max(initial=0))).astype(np.float32),
            Owners.of_data(data, last=taste.owners_last),
        )

    def _tried(self, data: TrainingData, run: Run) -> Taste:
        """Choose the settings that rank held-out users best; the weight of activity differs widely between data sets."""
        try:
            split = segmentation(data)
        except RecipeError:
            return Taste()
        small = replace(self, hidden_dimension=min(self.hidden_dimension, TRIAL_DIMENSION))
        model = small._learn(split.train, run, Taste(0.0, owners_last=False), TRIAL_SWEEPS)
        step = max(1, len(split.items) * data.num_users // TRIAL_CELLS)
        queries = np.arange(0, len(split.items), step)
        affinities = model.segment(split.items[queries])
        truth = np.zeros(affinities.shape, bool)
        for row, query in enumerate(queries):
            truth[row, split.user_index[split.offsets[query] : split.offsets[query + 1]]] = True
        return _best_taste(affinities, truth, Owners.of_data(split.train, last=True), split, queries)


@dataclass(frozen=True)
class ItemAttributeAffinity(ItemAffinity):
    """Users by affinity to items of a kind; ask with `segment_matching` and `recipes.filters.parse_attributes`."""

    name = "aws-item-attribute-affinity"
    summary = "The users most likely to take items with given attributes, such as a genre."
    required = ("INTERACTIONS", "ITEMS")


def _best_taste(
    affinities: Floats, truth: NDArray[np.bool_], owners: Owners, split: SegmentSplit, queries: Indexes
) -> Taste:
    """The activity and treatment of owners by which most of (Q, U) true users are found early; affinities are overwritten."""
    lengths = np.diff(split.train.offsets)
    width = min(split.train.num_users, max(TRIAL_USERS, one_percent(split.train.num_users)))
    found, discount = {}, 1 / np.log2(np.arange(width) + 2)
    for owners_last in (False, True):
        if owners_last:
            for row, item in enumerate(split.items[queries].tolist()):
                affinities[row, owners.of(item)] = -np.inf
        for weight in ACTIVITIES:
            best = top_k(affinities + _activity(lengths, weight), width).items
            hits = np.take_along_axis(truth, np.maximum(best, 0), axis=1) & (best >= 0)
            found[Taste(weight, owners_last)] = float((hits * discount).sum())
    return max(found, key=lambda taste: found[taste])


def _activity(lengths: NDArray[np.int64], weight: float) -> Floats:
    """(U,) `weight` times each user's number of events, relative to the mean."""
    return np.asarray(weight * lengths / max(1.0, lengths.mean()), np.float32)


def _confidences(histories: Histories, num_items: int) -> sparse.csr_matrix:
    """(B, N) confidence that a user wants an item: recent and repeated events weigh more."""
    age = histories.offsets[histories.row + 1] - 1 - np.arange(len(histories.item_index)) - histories.offsets[0]
    weights = (OLD + RECENT_DECAY**age).astype(np.float32)
    if histories.weight is not None:
        weights *= histories.weight
    shape = (len(histories), num_items)
    items, offsets = histories.item_index.copy(), histories.offsets - histories.offsets[0]
    found = sparse.csr_matrix((weights, items, offsets), shape=shape)
    found.sum_duplicates()  # in place
    found.data = np.minimum(found.data, np.float32(HEAVIEST))
    return found


def _with_metadata(vectors: Floats, columns: Columns, counts: NDArray[np.int64], seed: int) -> Floats:
    """Vectors of rows with few events averaged with those predicted from their metadata; zero where nothing is known."""
    learned = np.where(counts[:, None] > 0, vectors, 0).astype(np.float32)
    content = content_vectors(columns, len(vectors), CONTENT_DIMENSION, seed)
    return predict_from_content(learned, content, counts, TRUST)
