"""One frozen test for models that learned from different data or under different settings.

A model must not be rewarded for having seen the answers. There are two ways out: ask what came after everything that any of the
models has seen (`newer`), which evaluates the models as they are; or hold out users and have each recipe learn anew from the same
data without them (`refit`), which evaluates the settings. What is asked for are events that all of the models may learn from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from recipes.base import Model, Recipe, RecipeError, State
from recipes.data import Histories, TrainingData
from recipes.evaluation import splits
from recipes.evaluation.evaluate import Evaluation, evaluate
from recipes.evaluation.splits import Split, Truth
from recipes.numerics.arrays import Floats

MIN_USERS = 50  # below, newer events say too little
Mask: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True)
class SharedTest:
    """What every model is asked, and what each may know.

    Attributes:
        data: all events and columns there are.
        split: the test over the events that all models may learn from.
        learned: (E,) events of `data` that a recipe may learn from before it is asked.
        observed: (E,) events of `data` that histories may be made of.
    """

    data: TrainingData
    split: Split
    learned: Mask
    observed: Mask

    def training(self, own: Mask) -> TrainingData:
        """What a recipe whose settings leave the (E,) `own` events in learns from."""
        return self.data.keep(self.learned & own)

    def evaluate(self, model: Model, own: Mask) -> Evaluation:
        """Evaluate a model, asked in `data`'s indexes; its histories hold `own` events only, the questions are the same for all."""
        queries = self.data.keep(self.observed & own).histories(self.split.users)
        evaluation = evaluate(model, replace(self.split, queries=queries))
        return replace(evaluation, fingerprint=self.split.fingerprint)


def refit(data: TrainingData, own: Sequence[Mask]) -> SharedTest:
    """Hold out users by the protocol `amazon`; nobody may learn anything of them.

    Raises:
        RecipeError: the models have no events in common, or too few to test on.
    """
    common = _common(own)
    split = splits.amazon(data.keep(common))
    sizes = np.diff(split.truth.offsets)
    ends = np.searchsorted(np.flatnonzero(common), data.offsets[split.users + 1])
    first = np.flatnonzero(common)[ends - sizes]  # the first event that is asked for, as a row of `data`
    held_out = np.zeros(data.num_users, bool)
    held_out[split.users] = True
    limit = np.zeros(data.num_users, np.int64)
    limit[split.users] = first
    owner = data.interactions.user_index
    observed = held_out[owner] & (np.arange(len(owner)) < limit[owner])
    return SharedTest(data, replace(split, protocol="shared, refit"), ~held_out[owner], observed)


def newer(data: TrainingData, own: Sequence[Mask], seen_until: int) -> SharedTest | None:
    """Ask what users did after `seen_until`, the newest second that any of the models knows; None if too few did anything.

    Raises:
        RecipeError: the models have no events in common.
    """
    common = _common(own)
    events = data.interactions
    late = events.timestamp > seen_until
    before = np.bincount(events.user_index[common & ~late], minlength=data.num_users)
    after = np.bincount(events.user_index[common & late], minlength=data.num_users)
    users = np.flatnonzero((before > 0) & (after > 0))
    if len(users) < MIN_USERS:
        return None
    if len(users) > splits.MOST_QUERIES:
        users = np.sort(np.random.default_rng(0).permutation(users)[: splits.MOST_QUERIES])
    asked = data.keep(common & late & np.isin(events.user_index, users))
    known = data.keep(common & ~late)
    split = Split("shared, newer events", known, known.histories(users), _truth(asked, users), users)
    return SharedTest(data, split, ~late, ~late)


class Translated(Model):
    """A model asked in another snapshot's indexes: what it does not know it is not given, and cannot recommend."""

    def __init__(self, inner: Model, own: TrainingData, data: TrainingData) -> None:
        """`inner` was fitted on `own`; it will be asked in the indexes of `data`."""
        super().__init__(inner.recipe, data.num_items)
        self.inner = inner
        self.items = own.item_ids.indexes(data.item_ids.array.to_pylist())  # (N,)
        self.users = own.user_ids.indexes(data.user_ids.array.to_pylist())  # (U,)
        codes = {name: code for code, name in enumerate(own.interactions.event_types)}
        kinds = [codes.get(name, -1) for name in data.interactions.event_types]
        self.kinds = np.array([*kinds, -1], np.int16)  # the last one is for -1

    def score(self, histories: Histories) -> Floats:
        """(B, N) scores; -inf for items the inner model does not know."""
        kept = histories.keep(self.items[histories.item_index] >= 0)
        users = kept.user_index
        inner = self.inner.score(
            replace(
                kept,
                item_index=self.items[kept.item_index],
                event_type=self.kinds[kept.event_type],
                user_index=np.where(users >= 0, self.users[users], -1),
            )
        )
        known = np.flatnonzero(self.items >= 0)
        scores = np.full((len(histories), self.num_items), -np.inf, np.float32)
        scores[:, known] = inner[:, self.items[known]]
        return scores

    def forget_users(self, users: NDArray[np.int64]) -> Self:  # noqa: ARG002  the contract says it
        """Raise TypeError: the wrapper lives for one evaluation and is not stored."""
        raise TypeError("A translated model is not stored; forget users in the model it wraps.")

    def state(self) -> State:
        """That of the inner model."""
        return self.inner.state()

    @classmethod
    def from_state(cls, recipe: Recipe, num_items: int, state: State) -> Self:  # noqa: ARG003  the contract says it
        """There is no way back: it belongs to one pair of snapshots."""
        raise TypeError("A translated model is not stored.")


def _common(own: Sequence[Mask]) -> Mask:
    common = np.logical_and.reduce(list(own))
    if not common.any():
        raise RecipeError("The versions learn from different kinds of events and have none in common to be asked for.")
    return np.asarray(common)


def _truth(asked: TrainingData, users: NDArray[np.int64]) -> Truth:
    """What the users did in `asked`, which holds nobody else's events."""
    events = asked.interactions
    sizes = np.diff(asked.offsets)[users]
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return Truth(offsets, events.item_index.astype(np.int64), events.event_type, events.event_value, events.timestamp)
